import { useSession } from "../../session.ts";

/** Address of this server for programs: its public URL, else the origin of this page. */
export function useBaseUrl(): string {
  return useSession().public_url ?? location.origin;
}

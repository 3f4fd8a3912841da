import { useParams } from "@tanstack/react-router";

/** Id of the workspace in the address. */
export function useWorkspaceId(): string {
  const { workspaceId = "" }: { workspaceId?: string } = useParams({ strict: false });
  return workspaceId;
}

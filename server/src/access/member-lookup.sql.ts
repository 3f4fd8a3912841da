import type { WorkspaceRole } from "@bursar/contract/permissions.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { MemberCaller } from "#src/domain/caller.ts";

export type FoundMember = Pick<MemberCaller, "id" | "organizationId" | "role" | "workspaceRoles">;

/** Finds an active member with its roles, read in one statement, or null. */
export async function findActiveMember(
  db: Database | Tx,
  memberId: string,
): Promise<FoundMember | null> {
  const [found] = await findActiveMembers(db, [memberId]);
  return found ?? null;
}

/** Finds the active members, in no order. */
export async function findActiveMembers(
  db: Database | Tx,
  memberIds: readonly string[],
): Promise<FoundMember[]> {
  if (memberIds.length === 0) return [];
  const rows = await db
    .selectFrom("member")
    .leftJoin("workspace_member", "workspace_member.member_id", "member.id")
    .leftJoin("workspace", (join) =>
      join
        .onRef("workspace.id", "=", "workspace_member.workspace_id")
        .onRef("workspace.organization_id", "=", "member.organization_id"),
    )
    .select([
      "member.id",
      "member.organization_id",
      "member.role",
      "workspace.id as workspace_id",
      "workspace_member.role as workspace_role",
    ])
    .where("member.id", "in", memberIds)
    .where("member.status", "=", "active")
    .execute();
  const found = new Map<string, FoundMember & { workspaceRoles: Map<string, WorkspaceRole> }>();
  for (const { id, organization_id: organizationId, role, ...given } of rows) {
    const member = found.get(id) ?? { id, organizationId, role, workspaceRoles: new Map() };
    found.set(id, member);
    if (given.workspace_id !== null && given.workspace_role !== null) {
      member.workspaceRoles.set(given.workspace_id, given.workspace_role);
    }
  }
  return [...found.values()];
}

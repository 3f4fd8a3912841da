import type { Database, Tx } from "#src/db/pool.ts";
import type { MemberCaller } from "#src/domain/caller.ts";

export type FoundMember = Pick<MemberCaller, "id" | "organizationId" | "role" | "workspaceRoles">;

/** The active member with its roles, all read at one moment, or null. */
export async function findActiveMember(
  db: Database | Tx,
  memberId: string,
): Promise<FoundMember | null> {
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
    .where("member.id", "=", memberId)
    .where("member.status", "=", "active")
    .execute();
  const [first] = rows;
  if (first === undefined) return null;
  const workspaceRoles: [string, NonNullable<typeof first.workspace_role>][] = [];
  for (const row of rows) {
    if (row.workspace_id !== null && row.workspace_role !== null) {
      workspaceRoles.push([row.workspace_id, row.workspace_role]);
    }
  }
  return {
    id: first.id,
    organizationId: first.organization_id,
    role: first.role,
    workspaceRoles: new Map(workspaceRoles),
  };
}

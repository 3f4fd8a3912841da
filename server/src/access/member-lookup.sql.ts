import type { WorkspaceRole } from "@bursar/contract/permissions.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";

export type FoundMember = Pick<MemberCaller, "id" | "organizationId" | "role" | "workspaceRoles">;

/** Finds an active member with its roles, read in one statement, or null. */
export async function findActiveMember(
  db: Database | Tx,
  memberId: string,
): Promise<FoundMember | null> {
  const [found] = await findActiveMembers(db, [memberId]);
  return found ?? null;
}

/** `findActiveMember` for an authentication: a member or a role without a valid signature counts as absent. */
export async function findSignedMember(
  db: Database | Tx,
  rows: RowSigner,
  memberId: string,
): Promise<FoundMember | null> {
  const read = await selectMembers(db, [memberId]);
  const isMemberSigned = read.slice(0, 1).every((row) => rows.isUsable("member", row, row.mac));
  if (!isMemberSigned) return null;
  const usable = read.map((row) => {
    const { workspace_id, workspace_role } = row;
    if (workspace_id === null || workspace_role === null) return row;
    const content = { workspace_id, member_id: row.id, role: workspace_role };
    const isUsable = rows.isUsable("workspace_member", content, row.workspace_mac);
    return isUsable ? row : { ...row, workspace_id: null };
  });
  return toMembers(usable)[0] ?? null;
}

/** Finds the active members, in no order. Does not check signatures. */
export async function findActiveMembers(
  db: Database | Tx,
  memberIds: readonly string[],
): Promise<FoundMember[]> {
  if (memberIds.length === 0) return [];
  return toMembers(await selectMembers(db, memberIds));
}

type MemberRow = Awaited<ReturnType<typeof selectMembers>>[number];

function selectMembers(db: Database | Tx, memberIds: readonly string[]) {
  return db
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
      "member.status",
      "member.mac",
      "workspace.id as workspace_id",
      "workspace_member.role as workspace_role",
      "workspace_member.mac as workspace_mac",
    ])
    .where("member.id", "in", memberIds)
    .where("member.status", "=", "active")
    .execute();
}

function toMembers(rows: readonly MemberRow[]): FoundMember[] {
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

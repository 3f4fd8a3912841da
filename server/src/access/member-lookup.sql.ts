import {
  chooseHigherRole,
  type OrganizationRole,
  type WorkspaceRole,
} from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import { CompiledQuery } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";
import type { MemberCaller } from "#src/domain/caller.ts";
import type { JsonRow } from "#src/signed-rows/changed-rows.sql.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { isUsableJson } from "#src/signed-rows/signed-transaction.ts";

/** An active member. Each workspace has the highest of the direct role and the roles of groups. */
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
  const usable = read.map((row) =>
    isRoleUsable(row, rows) ? row : { ...row, workspace_id: null, workspace_role: null },
  );
  return toMembers(usable)[0] ?? null;
}

/** Checks the rows that give a workspace role: one for a direct role, three for a role of a group. */
function isRoleUsable(row: MemberRow, rows: RowSigner): boolean {
  const signed = ["workspace_member", "member_group", "group_member", "group_workspace"] as const;
  return signed.every((table) => {
    const given = row[table];
    return given === null || isUsableJson(rows, table, given);
  });
}

/** Finds the active members, in no order. Does not check signatures. */
export async function findActiveMembers(
  db: Database | Tx,
  memberIds: readonly string[],
): Promise<FoundMember[]> {
  if (memberIds.length === 0) return [];
  return toMembers(await selectMembers(db, memberIds));
}

/** One role of a member in a workspace, or the member without a role there. */
interface MemberRow {
  id: string;
  organization_id: string;
  role: OrganizationRole;
  status: "active";
  mac: Uint8Array | null;
  workspace_id: string | null;
  workspace_role: GivenWorkspaceRole | null;
  workspace_member: JsonRow | null;
  member_group: JsonRow | null;
  group_member: JsonRow | null;
  group_workspace: JsonRow | null;
}

/** Read with each call of a member. Planning takes longer than running. */
const SELECT_MEMBERS = prepareOnce(
  "select_members",
  `SELECT member.id, member.organization_id, member.role, member.status, member.mac,
    workspace.id AS workspace_id, given.role AS workspace_role,
    given.workspace_member, given.member_group, given.group_member, given.group_workspace
  FROM member
  LEFT JOIN LATERAL (
    SELECT direct.workspace_id, direct.role, to_jsonb(direct) AS workspace_member,
      NULL::jsonb AS member_group, NULL::jsonb AS group_member, NULL::jsonb AS group_workspace
    FROM workspace_member AS direct WHERE direct.member_id = member.id
    UNION ALL
    SELECT given.workspace_id, given.role, NULL, to_jsonb(g), to_jsonb(held), to_jsonb(given)
    FROM group_member AS held
    JOIN member_group AS g ON g.id = held.group_id AND g.organization_id = member.organization_id
    JOIN group_workspace AS given ON given.group_id = g.id
    WHERE held.member_id = member.id
  ) AS given ON true
  LEFT JOIN workspace
    ON workspace.id = given.workspace_id AND workspace.organization_id = member.organization_id
  WHERE member.id = ANY($1::text[]) AND member.status = 'active'`,
);

async function selectMembers(db: Database | Tx, memberIds: readonly string[]) {
  const { rows } = await db.executeQuery<MemberRow>(
    CompiledQuery.raw(SELECT_MEMBERS, [[...memberIds]]),
  );
  return rows;
}

function toMembers(rows: readonly MemberRow[]): FoundMember[] {
  const found = new Map<string, FoundMember & { workspaceRoles: Map<string, WorkspaceRole> }>();
  for (const { id, organization_id: organizationId, role, ...given } of rows) {
    const member = found.get(id) ?? { id, organizationId, role, workspaceRoles: new Map() };
    found.set(id, member);
    const { workspace_id: workspaceId, workspace_role: workspaceRole } = given;
    if (workspaceId === null || workspaceRole === null) continue;
    const held = member.workspaceRoles.get(workspaceId) ?? workspaceRole;
    member.workspaceRoles.set(workspaceId, chooseHigherRole(held, workspaceRole));
  }
  return [...found.values()];
}

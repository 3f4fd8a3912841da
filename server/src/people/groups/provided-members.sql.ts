import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { JsonRow } from "#src/signed-rows/changed-rows.sql.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { isUsableJson } from "#src/signed-rows/signed-transaction.ts";
import type { GroupRow } from "./groups.sql.ts";

// Members of groups as directories list them, also members who are not active. A membership itself has a row in `group_member`.

interface ProvidedChange {
  groupId: string;
  memberIds: readonly string[];
}

export async function insertProvidedMembers(
  tx: Tx,
  { groupId, memberIds, now }: ProvidedChange & { now: Date },
): Promise<void> {
  await sql`
    INSERT INTO scim_group_member (group_id, member_id, created_at)
    SELECT ${groupId}, id, ${now} FROM unnest(${[...memberIds]}::text[]) AS id ORDER BY id
    ON CONFLICT DO NOTHING`.execute(tx);
}

export async function deleteProvidedMembers(
  tx: Tx,
  { groupId, memberIds }: ProvidedChange,
): Promise<void> {
  await sql`
    DELETE FROM scim_group_member
    WHERE group_id = ${groupId} AND member_id = ANY(${[...memberIds]}::text[])`.execute(tx);
}

/** Ids of the members whom the directory lists in the group. */
export async function listProvidedMemberIds(db: Database | Tx, groupId: string): Promise<string[]> {
  const { rows } = await sql<{ member_id: string }>`
    SELECT member_id FROM scim_group_member WHERE group_id = ${groupId}`.execute(db);
  return rows.map(({ member_id }) => member_id);
}

/** Groups in which directories list the member. Rows that this server did not write are left out. */
export async function listProvidingGroups(
  tx: Tx,
  rows: RowSigner,
  of: { organizationId: string; memberId: string },
): Promise<Pick<GroupRow, "id" | "name">[]> {
  const { rows: found } = await sql<{ id: string; name: string; listed: JsonRow }>`
    SELECT g.id, g.name, to_jsonb(listed) AS listed
    FROM scim_group_member AS listed JOIN member_group AS g ON g.id = listed.group_id
    WHERE g.organization_id = ${of.organizationId} AND listed.member_id = ${of.memberId}
    ORDER BY g.id`.execute(tx);
  return found.filter(({ listed }) => isUsableJson(rows, "scim_group_member", listed));
}

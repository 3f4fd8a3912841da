import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

/** Lists of models that a member has through other groups. A group without a list is left out. */
export async function listModelsOfMember(
  tx: Tx,
  of: { memberId: string; exceptGroupId: string },
): Promise<string[][]> {
  const { rows } = await sql<{ allowed_models: string[] }>`
    SELECT g.allowed_models FROM group_member AS held JOIN member_group AS g ON g.id = held.group_id
    WHERE held.member_id = ${of.memberId} AND g.id <> ${of.exceptGroupId} AND g.allowed_models IS NOT NULL`.execute(
    tx,
  );
  return rows.map((row) => row.allowed_models);
}

/** Lists of models that members of the group have through other groups: one entry for each combination of lists. */
export async function listOtherModels(tx: Tx, groupId: string): Promise<string[][][]> {
  const { rows } = await sql<{ lists: string[][] }>`
    SELECT DISTINCT coalesce((
      SELECT jsonb_agg(to_jsonb(other.allowed_models) ORDER BY other.id)
      FROM group_member AS also JOIN member_group AS other ON other.id = also.group_id
      WHERE also.member_id = held.member_id AND other.id <> held.group_id AND other.allowed_models IS NOT NULL),
      '[]') AS lists
    FROM group_member AS held WHERE held.group_id = ${groupId}`.execute(tx);
  return rows.map(({ lists }) => lists);
}

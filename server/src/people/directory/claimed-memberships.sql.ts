import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

export interface ClaimedMembership {
  group_id: string;
  member_id: string;
}

/** Records that the claims of the directory state these memberships, which exist. */
export async function saveClaimed(
  tx: Tx,
  of: { directoryId: string; memberId: string; groupIds: readonly string[] },
): Promise<void> {
  if (of.groupIds.length === 0) return;
  const rows = of.groupIds.map((group_id) => ({
    group_id,
    directory_id: of.directoryId,
    member_id: of.memberId,
  }));
  await tx
    .insertInto("claimed_membership")
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Deletes what the directory states, except for the groups. Null: of every member. Returns the memberships that no other
 * directory states.
 */
export async function deleteClaimed(
  tx: Tx,
  of: { directoryId: string; memberId: string | null; exceptGroupIds: readonly string[] },
): Promise<ClaimedMembership[]> {
  const { rows } = await sql<ClaimedMembership>`
    WITH gone AS (
      DELETE FROM claimed_membership
      WHERE directory_id = ${of.directoryId} AND (${of.memberId}::text IS NULL OR member_id = ${of.memberId})
        AND group_id <> ALL(${[...of.exceptGroupIds]}::text[])
      RETURNING group_id, member_id)
    SELECT gone.group_id, gone.member_id FROM gone
    WHERE NOT EXISTS (
      SELECT FROM claimed_membership AS other
      WHERE other.group_id = gone.group_id AND other.member_id = gone.member_id
        AND other.directory_id <> ${of.directoryId})
    ORDER BY gone.group_id, gone.member_id`.execute(tx);
  return rows;
}

/** Lists names of groups by id. */
export function listGroupNames(
  tx: Tx,
  groupIds: readonly string[],
): Promise<{ id: string; name: string }[]> {
  if (groupIds.length === 0) return Promise.resolve([]);
  return tx
    .selectFrom("member_group")
    .select(["id", "name"])
    .where("id", "in", groupIds)
    .orderBy("id")
    .execute();
}

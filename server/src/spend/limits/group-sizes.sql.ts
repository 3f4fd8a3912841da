import type { Database, Tx } from "#src/db/pool.ts";

/** Counts the members of groups. A group without members is missing. */
export async function countGroupMembers(
  db: Database | Tx,
  groupIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (groupIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("group_member")
    .select(({ fn }) => ["group_id", fn.countAll<bigint>().as("members")])
    .where("group_id", "in", groupIds)
    .groupBy("group_id")
    .execute();
  return new Map(rows.map(({ group_id: id, members }) => [id, Number(members)]));
}

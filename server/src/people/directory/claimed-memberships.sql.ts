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
  let query = tx.deleteFrom("claimed_membership").where("directory_id", "=", of.directoryId);
  if (of.memberId !== null) query = query.where("member_id", "=", of.memberId);
  if (of.exceptGroupIds.length > 0) query = query.where("group_id", "not in", of.exceptGroupIds);
  const gone = await query.returning(["group_id", "member_id"]).execute();
  if (gone.length === 0) return [];
  const others = await tx
    .selectFrom("claimed_membership")
    .select(["group_id", "member_id"])
    .where("group_id", "in", [...new Set(gone.map(({ group_id }) => group_id))])
    .where("member_id", "in", [...new Set(gone.map(({ member_id }) => member_id))])
    .where("directory_id", "<>", of.directoryId)
    .execute();
  const nameOf = ({ group_id, member_id }: ClaimedMembership) => `${group_id} ${member_id}`;
  const stated = new Set(others.map(nameOf));
  return gone
    .filter((each) => !stated.has(nameOf(each)))
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
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

import type { Database, Tx } from "#src/db/pool.ts";

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

interface ClaimedOf {
  directoryId: string;
  /** Null: every member. */
  memberId: string | null;
  exceptGroupIds: readonly string[];
}

/** Deletes what the directory states, except for the groups. Returns the memberships that no other directory states. */
export async function deleteClaimed(tx: Tx, of: ClaimedOf): Promise<ClaimedMembership[]> {
  let query = tx.deleteFrom("claimed_membership").where("directory_id", "=", of.directoryId);
  if (of.memberId !== null) query = query.where("member_id", "=", of.memberId);
  if (of.exceptGroupIds.length > 0) query = query.where("group_id", "not in", of.exceptGroupIds);
  const gone = await query.returning(["group_id", "member_id"]).execute();
  return keepUnstated(tx, of, gone);
}

/** Lists the memberships that end with `deleteClaimed`. One by hand or by SCIM stays. */
export async function listEndingClaimed(
  db: Database | Tx,
  of: ClaimedOf,
): Promise<ClaimedMembership[]> {
  let query = db
    .selectFrom("claimed_membership")
    .select(["group_id", "member_id"])
    .where("directory_id", "=", of.directoryId);
  if (of.memberId !== null) query = query.where("member_id", "=", of.memberId);
  if (of.exceptGroupIds.length > 0) query = query.where("group_id", "not in", of.exceptGroupIds);
  query = query.where((eb) =>
    eb.exists(
      eb
        .selectFrom("group_member as held")
        .select("held.member_id")
        .whereRef("held.group_id", "=", "claimed_membership.group_id")
        .whereRef("held.member_id", "=", "claimed_membership.member_id")
        .where("held.source", "=", "claims"),
    ),
  );
  return keepUnstated(db, of, await query.execute());
}

/** Memberships that no other directory states. */
async function keepUnstated(
  db: Database | Tx,
  of: ClaimedOf,
  gone: ClaimedMembership[],
): Promise<ClaimedMembership[]> {
  if (gone.length === 0) return [];
  const others = await db
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
  db: Database | Tx,
  groupIds: readonly string[],
): Promise<{ id: string; name: string }[]> {
  if (groupIds.length === 0) return Promise.resolve([]);
  return db
    .selectFrom("member_group")
    .select(["id", "name"])
    .where("id", "in", groupIds)
    .orderBy("id")
    .execute();
}

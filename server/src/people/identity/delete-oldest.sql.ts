import type { Tx } from "#src/db/pool.ts";

/** Deletes the devices or sessions of a member that were not used for longest, so that `keep` remain. */
export async function deleteOldest(
  tx: Tx,
  table: "auth_device" | "auth_session",
  of: { memberId: string; keep: number },
): Promise<void> {
  await tx
    .deleteFrom(table)
    .where("id", "in", (eb) =>
      eb
        .selectFrom(table)
        .select("id")
        .where("user_id", "=", of.memberId)
        .orderBy("last_used_at", "desc")
        .orderBy("id", "desc")
        .offset(of.keep),
    )
    .execute();
}

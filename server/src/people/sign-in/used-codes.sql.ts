import type { Tx } from "#src/db/pool.ts";

/** Longer than any authenticator code is accepted (three steps of 30 s). */
const CODE_LIVES_MS = 5 * 60_000;

/** Marks a correct code as used. Returns false if it was used before. */
export async function consumeCode(
  tx: Tx,
  of: { memberId: string; code: string; now: Date },
): Promise<boolean> {
  await tx
    .deleteFrom("auth_used_code")
    .where("user_id", "=", of.memberId)
    .where("used_at", "<", new Date(of.now.getTime() - CODE_LIVES_MS))
    .execute();
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("auth_used_code")
    .values({ user_id: of.memberId, code: of.code, used_at: of.now })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

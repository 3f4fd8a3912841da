import type { Database, Tx } from "#src/db/pool.ts";

/** True where the member's authenticator app has shown a right code once. */
export async function isTotpVerified(db: Database | Tx, memberId: string): Promise<boolean> {
  const row = await db
    .selectFrom("auth_two_factor")
    .select("verified")
    .where("user_id", "=", memberId)
    .executeTakeFirst();
  return row?.verified ?? false;
}

/** Forgets the authenticator app and its backup codes; false where there was none in use. */
export async function deleteTwoFactor(tx: Tx, memberId: string): Promise<boolean> {
  await tx.deleteFrom("auth_two_factor").where("user_id", "=", memberId).execute();
  const { numUpdatedRows } = await tx
    .updateTable("auth_user")
    .set({ two_factor_enabled: false })
    .where("id", "=", memberId)
    .where("two_factor_enabled", "=", true)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

import type { Database, Tx } from "#src/db/pool.ts";

/** Returns whether the member's authenticator app was confirmed. */
export async function isTotpVerified(db: Database | Tx, memberId: string): Promise<boolean> {
  const row = await db
    .selectFrom("auth_two_factor")
    .select("verified")
    .where("user_id", "=", memberId)
    .executeTakeFirst();
  return row?.verified ?? false;
}

/** Deletes the authenticator app and its backup codes. Returns false if none was in use. */
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

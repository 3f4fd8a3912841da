import type { Tx } from "#src/db/pool.ts";

export interface SealedTwoFactor {
  id: string;
  secret: string;
  backupCodes: string;
}

/** Reads the secrets and backup codes of all members, with locks until the transaction ends. */
export function lockTwoFactors(tx: Tx): Promise<SealedTwoFactor[]> {
  return tx
    .selectFrom("auth_two_factor")
    .select(["id", "secret", "backup_codes as backupCodes"])
    .orderBy("id")
    .forUpdate()
    .execute();
}

export async function saveTwoFactor(
  tx: Tx,
  { id, secret, backupCodes }: SealedTwoFactor,
): Promise<void> {
  await tx
    .updateTable("auth_two_factor")
    .set({ secret, backup_codes: backupCodes })
    .where("id", "=", id)
    .execute();
}

import type { Database, Tx } from "#src/db/pool.ts";

export interface PasskeyRow {
  id: string;
  name: string | null;
  backed_up: boolean;
  created_at: Date;
  last_used_at: Date | null;
}

const columns = ["id", "name", "backed_up", "created_at", "last_used_at"] as const;

export function listPasskeys(db: Database | Tx, memberId: string): Promise<PasskeyRow[]> {
  return db
    .selectFrom("auth_passkey")
    .select(columns)
    .where("user_id", "=", memberId)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .execute();
}

/** Returns the member's passkey, locked until the transaction ends, or null. */
export async function findPasskeyForUpdate(
  tx: Tx,
  of: { memberId: string; id: string },
): Promise<PasskeyRow | null> {
  const row = await tx
    .selectFrom("auth_passkey")
    .select(columns)
    .where("user_id", "=", of.memberId)
    .where("id", "=", of.id)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

export async function renamePasskey(tx: Tx, of: { id: string; name: string }): Promise<void> {
  await tx.updateTable("auth_passkey").set({ name: of.name }).where("id", "=", of.id).execute();
}

export async function deletePasskey(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom("auth_passkey").where("id", "=", id).execute();
}

export async function recordPasskeyUse(
  tx: Tx,
  of: { credentialId: string; now: Date },
): Promise<void> {
  await tx
    .updateTable("auth_passkey")
    .set({ last_used_at: of.now })
    .where("credential_id", "=", of.credentialId)
    .execute();
}

import type { Database, Tx } from "#src/db/pool.ts";

export interface TokenKeyRow {
  id: string;
  key_sealed: Uint8Array;
  created_at: Date;
  used_from: Date;
}

export function listTokenKeys(db: Database | Tx): Promise<TokenKeyRow[]> {
  return db
    .selectFrom("access_token_key")
    .select(["id", "key_sealed", "created_at", "used_from"])
    .orderBy("used_from")
    .orderBy("id")
    .execute();
}

export async function deleteTokenKeys(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.deleteFrom("access_token_key").where("id", "in", ids).execute();
}

export async function insertTokenKey(tx: Tx, row: TokenKeyRow): Promise<void> {
  await tx.insertInto("access_token_key").values(row).execute();
}

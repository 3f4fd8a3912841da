import type { Database, Tx } from "#src/db/pool.ts";

/** A secret without its hash. */
export interface SecretRow {
  api_key_id: string;
  hint: string;
  created_at: Date;
  /** Null: the current secret. */
  valid_until: Date | null;
  last_used_at: Date | null;
  last_used_address: string | null;
  last_used_model: string | null;
}

export interface NewSecretRow {
  api_key_id: string;
  hash: Uint8Array;
  hint: string;
  created_at: Date;
}

export async function insertSecrets(tx: Tx, rows: readonly NewSecretRow[]): Promise<void> {
  await tx
    .insertInto("api_key_secret")
    .values([...rows])
    .execute();
}

/** Lists the secrets that work at `now`, newest first, without those of laptops. Each key has one or two. */
export function listWorkingSecrets(
  db: Database | Tx,
  apiKeyIds: readonly string[],
  now: Date,
): Promise<SecretRow[]> {
  if (apiKeyIds.length === 0) return Promise.resolve([]);
  return db
    .selectFrom("api_key_secret")
    .select([
      "api_key_id",
      "hint",
      "created_at",
      "valid_until",
      "last_used_at",
      "last_used_address",
      "last_used_model",
    ])
    .where("api_key_id", "in", apiKeyIds)
    .where(({ or, eb }) => or([eb("valid_until", "is", null), eb("valid_until", ">", now)]))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(selectFrom("laptop").select("id").whereRef("secret_id", "=", "api_key_secret.id")),
      ),
    )
    .orderBy("id", "desc")
    .execute();
}

/** Sets the end of the current secret. The caller inserts its successor. */
export async function endCurrentSecret(tx: Tx, apiKeyId: string, validUntil: Date): Promise<void> {
  await tx
    .updateTable("api_key_secret")
    .set({ valid_until: validUntil })
    .where("api_key_id", "=", apiKeyId)
    .where("valid_until", "is", null)
    .execute();
}

/** Ends all secrets except the current one. */
export async function endPreviousSecrets(tx: Tx, apiKeyId: string, now: Date): Promise<void> {
  await tx
    .updateTable("api_key_secret")
    .set({ valid_until: now })
    .where("api_key_id", "=", apiKeyId)
    .where("valid_until", ">", now)
    .execute();
}

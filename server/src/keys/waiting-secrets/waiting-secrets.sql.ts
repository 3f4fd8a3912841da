import type { Database, Tx } from "#src/db/pool.ts";

export interface WaitingSecretRow {
  id: string;
  api_key_id: string;
  reason: "created" | "rotated";
  created_by_type: string;
  created_by_id: string;
  created_at: Date;
  expires_at: Date;
}

export interface NewWaitingSecret extends WaitingSecretRow {
  organization_id: string;
  member_id: string;
  secret_sealed: Uint8Array;
}

export async function insertWaitingSecrets(
  tx: Tx,
  rows: readonly NewWaitingSecret[],
): Promise<void> {
  await tx.insertInto("waiting_secret").values(rows).execute();
}

/** Deletes the waiting secrets of keys, as far as they have one. */
export async function deleteWaitingSecrets(tx: Tx, apiKeyIds: readonly string[]): Promise<void> {
  await tx.deleteFrom("waiting_secret").where("api_key_id", "in", apiKeyIds).execute();
}

export interface ListedWaitingSecret extends WaitingSecretRow {
  api_key_name: string;
  workspace_id: string;
  hint: string;
  secret_sealed: Uint8Array;
}

/** Secrets of the member's keys that are not archived, newest first. */
export function listWaitingSecrets(
  db: Database | Tx,
  of: { organizationId: string; memberId: string; now: Date },
): Promise<ListedWaitingSecret[]> {
  return selectWaiting(db, of)
    .orderBy("waiting.created_at", "desc")
    .orderBy("waiting.id")
    .execute();
}

/** Finds one of these secrets and locks it until the transaction ends. */
export async function lockWaitingSecret(
  tx: Tx,
  of: { organizationId: string; memberId: string; now: Date; id: string },
): Promise<ListedWaitingSecret | null> {
  const query = selectWaiting(tx, of).where("waiting.id", "=", of.id);
  return (await query.forUpdate("waiting").executeTakeFirst()) ?? null;
}

function selectWaiting(
  db: Database | Tx,
  of: { organizationId: string; memberId: string; now: Date },
) {
  return db
    .selectFrom("waiting_secret as waiting")
    .innerJoin("api_key", "api_key.id", "waiting.api_key_id")
    .innerJoin("api_key_secret as secret", (join) =>
      join.onRef("secret.api_key_id", "=", "api_key.id").on("secret.valid_until", "is", null),
    )
    .select([
      "waiting.id",
      "waiting.api_key_id",
      "waiting.reason",
      "waiting.created_by_type",
      "waiting.created_by_id",
      "waiting.created_at",
      "waiting.expires_at",
      "waiting.secret_sealed",
      "api_key.name as api_key_name",
      "api_key.workspace_id",
      "secret.hint",
    ])
    .where("waiting.organization_id", "=", of.organizationId)
    .where("waiting.member_id", "=", of.memberId)
    .where("waiting.expires_at", ">", of.now)
    .where("api_key.owner_member_id", "=", of.memberId)
    .where("api_key.status", "<>", "archived");
}

export async function deleteExpiredSecrets(db: Database, now: Date): Promise<void> {
  await db.deleteFrom("waiting_secret").where("expires_at", "<=", now).execute();
}

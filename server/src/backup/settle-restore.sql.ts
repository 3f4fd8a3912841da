import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { UNFINISHED_RESTORE } from "#src/db/unfinished-restore.ts";

// Ends items of the backup that must not continue, because they may have been ended, used or sent since.

/** Ends all sessions, including those of the playground. People sign in again. */
export async function endSessions(tx: Tx): Promise<number> {
  await tx
    .deleteFrom("rotation_notice")
    .where("api_key_secret_id", "in", sessionSecrets(tx))
    .execute();
  await tx.deleteFrom("api_key_secret").where("playground_session_id", "is not", null).execute();
  await tx.deleteFrom("auth_verification").execute();
  await tx.deleteFrom("set_up_link").execute();
  const { numDeletedRows } = await tx.deleteFrom("auth_session").executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

function sessionSecrets(tx: Tx) {
  return tx
    .selectFrom("api_key_secret")
    .select("id")
    .where("playground_session_id", "is not", null);
}

/** Deletes secrets that wait for the owner of a key, because they may have been shown since. */
export async function deleteWaitingSecrets(tx: Tx): Promise<void> {
  await tx.deleteFrom("waiting_secret").execute();
}

/** Revokes open invites, whose links may have been revoked or accepted since. */
export async function revokeOpenInvites(tx: Tx): Promise<string[]> {
  const rows = await tx
    .updateTable("invite")
    .set({ is_open: false, revoked_at: sql<Date>`date_trunc('milliseconds', now())` })
    .where("is_open", "=", true)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .returning("organization_id")
    .execute();
  return rows.map((row) => row.organization_id);
}

/** Marks waiting messages as failed, because they may have been sent since. A person can send them again. */
export async function failQueuedMessages(tx: Tx, reason: string): Promise<string[]> {
  const failed = { status: "failed", last_error: reason } as const;
  const mails = await tx
    .updateTable("mail")
    .set({ ...failed, claimed_until: null })
    .where("status", "=", "queued")
    .returning("organization_id")
    .execute();
  const deliveries = await tx
    .updateTable("alert_delivery")
    .set(failed)
    .where("status", "=", "queued")
    .returning("organization_id")
    .execute();
  return [...mails, ...deliveries].map((row) => row.organization_id);
}

/** Counts people who can sign in. */
export async function countPeople(tx: Tx): Promise<number> {
  const row = await tx
    .selectFrom("member")
    .select(sql<number>`count(*)::integer`.as("count"))
    .where("status", "=", "active")
    .executeTakeFirstOrThrow();
  return row.count;
}

const NEWEST_RESTORE = "newest_restore";

/** Records the restore and removes the mark, so that servers can use the database. */
export async function recordRestore(
  tx: Tx,
  restore: { restoredAt: Date; backupMadeAt: Date | null },
): Promise<void> {
  await tx.deleteFrom("installation").where("key", "=", UNFINISHED_RESTORE).execute();
  const value = JSON.stringify({
    restored_at: restore.restoredAt.toISOString(),
    backup_made_at: restore.backupMadeAt?.toISOString() ?? null,
  });
  await tx
    .insertInto("installation")
    .values({ key: NEWEST_RESTORE, value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
    .execute();
}

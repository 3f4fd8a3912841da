import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

export interface NewMail {
  id: string;
  organizationId: string;
  kind: string;
  to: string;
  subject: string;
  bodySealed: Uint8Array;
  aboutId: string | null;
  isForOwner: boolean;
}

export async function insertMail(tx: Tx, mail: NewMail): Promise<void> {
  await tx
    .insertInto("mail")
    .values({
      id: mail.id,
      organization_id: mail.organizationId,
      kind: mail.kind,
      to_address: mail.to,
      subject: mail.subject,
      body_sealed: mail.bodySealed,
      about_id: mail.aboutId,
      is_for_owner: mail.isForOwner,
      // List positions have whole milliseconds.
      created_at: sql<Date>`date_trunc('milliseconds', now())`,
    })
    .execute();
}

/** Withdraws waiting messages about an object, deletes their bodies, and returns their ids. */
export async function withdrawMail(tx: Tx, aboutId: string): Promise<string[]> {
  const rows = await tx
    .updateTable("mail")
    .set({ status: "withdrawn", body_sealed: null, claimed_until: null })
    .where("about_id", "=", aboutId)
    .where("status", "in", ["queued", "failed"])
    .returning("id")
    .execute();
  return rows.map(({ id }) => id);
}

export interface ClaimedMail {
  id: string;
  to: string;
  subject: string;
  bodySealed: Uint8Array;
  createdAt: Date;
}

/** Claims a message for `seconds`. Returns null if it must not be sent, or another node is sending it. */
export async function claimMail(
  db: Database,
  claim: { id: string; seconds: number },
): Promise<ClaimedMail | null> {
  const row = await db
    .updateTable("mail")
    .set((eb) => ({
      claimed_until: secondsFromNow(claim.seconds),
      attempts: eb("attempts", "+", 1),
    }))
    .where("id", "=", claim.id)
    .where("status", "=", "queued")
    .where("body_sealed", "is not", null)
    .where(isUnclaimed)
    .returning(["id", "to_address", "subject", "body_sealed", "created_at"])
    .executeTakeFirst();
  if (!row?.body_sealed) return null;
  return {
    id: row.id,
    to: row.to_address,
    subject: row.subject,
    bodySealed: row.body_sealed,
    createdAt: row.created_at,
  };
}

/** Marks a message as sent and deletes its body, whose links are for the recipient only. */
export async function markSent(db: Database, id: string): Promise<void> {
  await db
    .updateTable("mail")
    .set({
      status: "sent",
      sent_at: sql<Date>`date_trunc('milliseconds', now())`,
      body_sealed: null,
      claimed_until: null,
      last_error: null,
    })
    .where("id", "=", id)
    .execute();
}

/** Releases a message, which stays queued or fails permanently. */
export async function markAttemptFailed(
  db: Database,
  failed: { id: string; error: string; isFinal: boolean },
): Promise<void> {
  await db
    .updateTable("mail")
    .set({
      last_error: failed.error,
      claimed_until: null,
      ...(failed.isFinal && { status: "failed" as const }),
    })
    .where("id", "=", failed.id)
    .where("status", "=", "queued")
    .execute();
}

/** Fails old messages, whose links are expired or expire soon. Returns their ids. */
export async function failOldMail(
  db: Database,
  old: { afterHours: number; error: string },
): Promise<string[]> {
  const rows = await db
    .updateTable("mail")
    .set((eb) => ({
      status: "failed",
      claimed_until: null,
      last_error: eb.fn.coalesce("last_error", sql<string>`${old.error}::text`),
    }))
    .where("status", "=", "queued")
    .where("created_at", "<", hoursAgo(old.afterHours))
    .where(isUnclaimed)
    .returning("id")
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Lists queued messages whose job belongs to a lost node. A job counts as running for `jobSeconds`, while the queue
 * itself would wait four hours.
 */
export async function listStrandedMail(
  db: Database,
  of: { jobSeconds: number; limit: number },
): Promise<string[]> {
  const hasNoJob = sql<SqlBool>`NOT EXISTS (SELECT FROM graphile_worker.jobs AS job
    WHERE job.key = 'mail:' || mail.id AND job.attempts < job.max_attempts
      AND (job.locked_at IS NULL OR job.locked_at > ${secondsAgo(of.jobSeconds)}))`;
  const rows = await db
    .selectFrom("mail")
    .select("id")
    .where("status", "=", "queued")
    .where(isUnclaimed)
    .where(hasNoJob)
    .orderBy("created_at")
    .limit(of.limit)
    .execute();
  return rows.map(({ id }) => id);
}

export async function deleteOldMail(db: Database, afterDays: number): Promise<void> {
  await db
    .deleteFrom("mail")
    .where("created_at", "<", hoursAgo(afterDays * 24))
    .where("status", "!=", "queued")
    .execute();
}

const isUnclaimed = sql<SqlBool>`(claimed_until IS NULL OR claimed_until < now())`;
const secondsFromNow = (seconds: number) => sql<Date>`now() + make_interval(secs => ${seconds})`;
const secondsAgo = (seconds: number) => sql<Date>`now() - make_interval(secs => ${seconds})`;
const hoursAgo = (hours: number) => sql<Date>`now() - make_interval(hours => ${hours}::integer)`;

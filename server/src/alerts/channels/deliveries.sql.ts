import type { AlertChannelKind } from "@bursar/contract/admin/alert-channels.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { insertOtherFirings } from "./other-firings.sql.ts";

export interface NewDelivery {
  id: string;
  organizationId: string;
  alertFiringId: string;
  /** Further firings that the message lists. */
  otherFiringIds: readonly string[];
  /** Null: the receiver is the owner of the key. */
  alertChannelId: string | null;
  /** Id that all messages of one evaluation share. Null: the message has no batch. */
  batchId: string | null;
  /** Seconds in which the message collects further firings. 0: it is sent at once. */
  waitSeconds: number;
}

/** Inserts deliveries, and returns those that are new. */
export async function insertDeliveries(
  tx: Tx,
  deliveries: readonly NewDelivery[],
): Promise<NewDelivery[]> {
  if (deliveries.length === 0) return [];
  const rows = await tx
    .insertInto("alert_delivery")
    .values(
      deliveries.map((each) => ({
        id: each.id,
        organization_id: each.organizationId,
        alert_firing_id: each.alertFiringId,
        alert_channel_id: each.alertChannelId,
        batch_id: each.batchId,
        status: "queued" as const,
        created_at: truncatedNow,
        collects_until:
          each.waitSeconds > 0 ? sql<Date>`now() + ${seconds(each.waitSeconds)}` : null,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .execute();
  const inserted = new Set(rows.map(({ id }) => id));
  const added = deliveries.filter(({ id }) => inserted.has(id));
  const others = added.flatMap(({ id: deliveryId, otherFiringIds }) =>
    otherFiringIds.map((firingId) => ({ deliveryId, firingId })),
  );
  if (others.length > 0) await insertOtherFirings(tx, others);
  return added;
}

export interface ChannelToSend {
  id: string;
  name: string;
  kind: AlertChannelKind;
  recipients: { roles: OrganizationRole[]; addresses: string[] } | null;
  target_sealed: Uint8Array | null;
  is_enabled: boolean;
  paused_at: Date | null;
  archived_at: Date | null;
  failures_in_a_row: number;
}

export interface DeliveryToSend {
  id: string;
  organization_id: string;
  alert_firing_id: string | null;
  alert_channel_id: string | null;
  status: "queued" | "sent" | "failed" | "dropped";
  attempts: number;
  created_at: Date;
}

export async function findDelivery(
  db: Database | Tx,
  id: string,
): Promise<{ delivery: DeliveryToSend; channel: ChannelToSend | null } | null> {
  const delivery = await db
    .selectFrom("alert_delivery")
    .select([
      "id",
      "organization_id",
      "alert_firing_id",
      "alert_channel_id",
      "status",
      "attempts",
      "created_at",
    ])
    .where("id", "=", id)
    .executeTakeFirst();
  if (!delivery) return null;
  const { alert_channel_id: channelId } = delivery;
  return { delivery, channel: channelId === null ? null : await findChannel(db, channelId) };
}

export async function findChannel(db: Database | Tx, id: string): Promise<ChannelToSend | null> {
  const row = await db
    .selectFrom("alert_channel")
    .select([
      "id",
      "name",
      "kind",
      "recipients",
      "target_sealed",
      "is_enabled",
      "paused_at",
      "archived_at",
      "failures_in_a_row",
    ])
    .where("id", "=", id)
    .executeTakeFirst();
  return row ?? null;
}

/** Lists valid signing secrets, sealed, newest first. */
export async function listSecrets(db: Database | Tx, channelId: string): Promise<Uint8Array[]> {
  const rows = await db
    .selectFrom("alert_channel_secret")
    .select("secret_sealed")
    .where("alert_channel_id", "=", channelId)
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", sql<Date>`now()`)]))
    .orderBy("id", "desc")
    .execute();
  return rows.map(({ secret_sealed }) => secret_sealed);
}

/** Records the start of an attempt and returns its number, from 1. Null: the delivery is not queued. */
export async function beginAttempt(db: Database | Tx, id: string): Promise<number | null> {
  const row = await db
    .updateTable("alert_delivery")
    .set((eb) => ({ attempts: eb("attempts", "+", 1), last_attempt_at: truncatedNow }))
    .where("id", "=", id)
    .where("status", "=", "queued")
    .returning("attempts")
    .executeTakeFirst();
  return row?.attempts ?? null;
}

export async function markSent(
  db: Database | Tx,
  { id, status }: { id: string; status: number | null },
): Promise<void> {
  await db
    .updateTable("alert_delivery")
    .set({ status: "sent", sent_at: truncatedNow, last_status: status, last_error: null })
    .where("id", "=", id)
    .where("status", "=", "queued")
    .execute();
}

export async function markFailed(
  db: Database | Tx,
  failed: { id: string; status: number | null; error: string; isFinal: boolean },
): Promise<void> {
  await db
    .updateTable("alert_delivery")
    .set({
      last_status: failed.status,
      last_error: failed.error,
      ...(failed.isFinal && { status: "failed" as const }),
    })
    .where("id", "=", failed.id)
    .where("status", "=", "queued")
    .execute();
}

/** Marks a queued delivery as dropped, because it has no receiver. */
export async function markDropped(
  db: Database | Tx,
  { id, reason }: { id: string; reason: string },
): Promise<void> {
  await db
    .updateTable("alert_delivery")
    .set({ status: "dropped", last_error: reason })
    .where("id", "=", id)
    .where("status", "=", "queued")
    .execute();
}

/** Ends the channel's series of failures. */
export async function recordSuccess(db: Database | Tx, channelId: string): Promise<void> {
  await db
    .updateTable("alert_channel")
    .set({ failures_in_a_row: 0, failing_since: null })
    .where("id", "=", channelId)
    .where("failures_in_a_row", ">", 0)
    .execute();
}

/** Counts a failure of the channel. Returns the failures in a row and the seconds since the first of them. */
export async function recordFailure(
  db: Database | Tx,
  channelId: string,
): Promise<{ failures: number; seconds: number }> {
  const row = await db
    .updateTable("alert_channel")
    .set((eb) => ({
      failures_in_a_row: eb("failures_in_a_row", "+", 1),
      failing_since: eb.fn.coalesce("failing_since", sql<Date>`now()`),
    }))
    .where("id", "=", channelId)
    .returning([
      "failures_in_a_row as failures",
      sql<number>`extract(epoch FROM now() - failing_since)::double precision`.as("seconds"),
    ])
    .executeTakeFirst();
  return row ?? { failures: 0, seconds: 0 };
}

/**
 * Lists queued deliveries without a job, oldest first: their node was lost, or their channel was paused meanwhile. Omits
 * deliveries of a channel that is still paused. Also omits those younger than `jobSeconds`, because a test has no job.
 */
export async function listStrandedDeliveries(
  db: Database,
  of: { jobSeconds: number; limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom("alert_delivery")
    .leftJoin("alert_channel as channel", "channel.id", "alert_delivery.alert_channel_id")
    .select("alert_delivery.id")
    .where("alert_delivery.status", "=", "queued")
    .where((eb) =>
      eb.or([
        eb("channel.paused_at", "is", null),
        eb("channel.is_enabled", "=", false),
        eb("channel.archived_at", "is not", null),
      ]),
    )
    .where("alert_delivery.created_at", "<", sql<Date>`now() - ${seconds(of.jobSeconds)}`)
    .where(hasNoJob(of.jobSeconds))
    .orderBy("alert_delivery.created_at")
    .limit(of.limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** True if no job will send the delivery or is sending it. A job locked for longer belongs to a lost node. */
function hasNoJob(jobSeconds: number) {
  return sql<SqlBool>`NOT EXISTS (SELECT FROM graphile_worker.jobs AS job
    WHERE job.key = 'alert_delivery:' || alert_delivery.id
      AND CASE WHEN job.locked_at IS NULL THEN job.attempts < job.max_attempts
        ELSE job.locked_at > now() - ${seconds(jobSeconds)} END)`;
}

export async function listQueued(
  tx: Tx,
  of: { channelId: string; limit: number },
): Promise<string[]> {
  const rows = await tx
    .selectFrom("alert_delivery")
    .select("id")
    .where("alert_channel_id", "=", of.channelId)
    .where("status", "=", "queued")
    .orderBy("created_at")
    .limit(of.limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** Fails old queued deliveries. A delivery with a job continues, for example after a redelivery. */
export async function failOldDeliveries(
  db: Database,
  old: { afterHours: number; jobSeconds: number; error: string },
): Promise<void> {
  await db
    .updateTable("alert_delivery")
    .set((eb) => ({
      status: "failed",
      last_error: eb.fn.coalesce("last_error", sql<string>`${old.error}`),
    }))
    .where("status", "=", "queued")
    .where("created_at", "<", hoursAgo(old.afterHours))
    .where(hasNoJob(old.jobSeconds))
    .execute();
}

export async function deleteOldDeliveries(db: Database, afterDays: number): Promise<void> {
  await db
    .deleteFrom("alert_delivery")
    .where("created_at", "<", hoursAgo(afterDays * 24))
    .where("status", "!=", "queued")
    .execute();
}

export async function deleteExpiredSecrets(db: Database): Promise<void> {
  await db.deleteFrom("alert_channel_secret").where("expires_at", "<=", sql<Date>`now()`).execute();
}

/** List positions have whole milliseconds. */
const truncatedNow = sql<Date>`date_trunc('milliseconds', now())`;
const seconds = (count: number) => sql`make_interval(secs => ${count})`;
const hoursAgo = (hours: number) => sql<Date>`now() - make_interval(hours => ${hours}::integer)`;

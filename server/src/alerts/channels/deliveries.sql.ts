import type { AlertChannelKind } from "@bursar/contract/admin/alert-channels.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

export interface NewDelivery {
  id: string;
  organizationId: string;
  alertFiringId: string;
  /** Further firings that the message lists. */
  otherFiringIds: readonly string[];
  /** Null: to the person whose key it is. */
  alertChannelId: string | null;
  /** Messages of one evaluation have one. Null: the message is looked at by itself. */
  batchId: string | null;
}

export interface AlertReceivers {
  alertId: string;
  channels: { id: string; kind: AlertChannelKind }[];
  notifiesOwner: boolean;
}

/** The channels of these alerts, and which of the alerts also tell the owner of a key. */
export async function findReceivers(
  tx: Tx,
  alertIds: readonly string[],
): Promise<AlertReceivers[]> {
  const { rows } = await sql<AlertReceivers>`
    SELECT alert.id AS "alertId", alert.notifies_owner AS "notifiesOwner",
      coalesce((SELECT jsonb_agg(jsonb_build_object('id', channel.id, 'kind', channel.kind) ORDER BY channel.id)
        FROM alert_to_channel AS given
        JOIN alert_channel AS channel ON channel.id = given.alert_channel_id AND channel.archived_at IS NULL
        WHERE given.alert_id = alert.id), '[]') AS channels
    FROM alert WHERE alert.id = ANY(${[...alertIds]}::text[])`.execute(tx);
  return rows;
}

/** Gives the ids of those that were not there yet. */
export async function insertDeliveries(
  tx: Tx,
  deliveries: readonly NewDelivery[],
): Promise<string[]> {
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
        created_at: sql<Date>`date_trunc('milliseconds', now())`,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .execute();
  const inserted = new Set(rows.map(({ id }) => id));
  const others = deliveries
    .filter(({ id }) => inserted.has(id))
    .flatMap(({ id, otherFiringIds }) => otherFiringIds.map((firingId) => ({ id, firingId })));
  if (others.length > 0) {
    await sql`INSERT INTO alert_delivery_firing (alert_delivery_id, alert_firing_id)
      SELECT * FROM unnest(${others.map(({ id }) => id)}::text[],
        ${others.map(({ firingId }) => firingId)}::text[])`.execute(tx);
  }
  return [...inserted];
}

/** Firings that messages list besides their first ones, by message. */
export async function listOtherFirings(
  db: Database | Tx,
  deliveryIds: readonly string[],
): Promise<Map<string, string[]>> {
  if (deliveryIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("alert_delivery_firing")
    .select(["alert_delivery_id", "alert_firing_id"])
    .where("alert_delivery_id", "in", [...deliveryIds])
    .execute();
  const byDelivery = Map.groupBy(rows, ({ alert_delivery_id }) => alert_delivery_id);
  return new Map(
    [...byDelivery].map(([id, of]) => [id, of.map(({ alert_firing_id }) => alert_firing_id)]),
  );
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

/** Sealed signing secrets that count now, the newest first. */
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

const truncatedNow = sql<Date>`date_trunc('milliseconds', now())`;

/** Notes that an attempt begins; null where the message is not to be sent any more. Gives its number, from 1. */
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

/** It is not to be sent any more: there is nobody to send it to. */
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

/** The channel works: what went wrong before is over. */
export async function noteSuccess(db: Database | Tx, channelId: string): Promise<void> {
  await db
    .updateTable("alert_channel")
    .set({ failures_in_a_row: 0, failing_since: null })
    .where("id", "=", channelId)
    .where("failures_in_a_row", ">", 0)
    .execute();
}

/** Counts a failure of the channel. Gives how many there are in a row, and for how many seconds it has been failing. */
export async function noteFailure(
  db: Database | Tx,
  channelId: string,
): Promise<{ failures: number; seconds: number }> {
  const { rows } = await sql<{ failures: number; seconds: number }>`
    UPDATE alert_channel SET failures_in_a_row = failures_in_a_row + 1,
      failing_since = coalesce(failing_since, now())
    WHERE id = ${channelId}
    RETURNING failures_in_a_row AS failures,
      extract(epoch FROM now() - failing_since)::double precision AS seconds`.execute(db);
  return rows[0] ?? { failures: 0, seconds: 0 };
}

/** Addresses of the active members with one of these roles, and these addresses: each once. */
export async function findAddresses(
  db: Database | Tx,
  of: {
    organizationId: string;
    roles: readonly OrganizationRole[];
    addresses: readonly string[];
  },
): Promise<string[]> {
  const members = await db
    .selectFrom("member")
    .select("email")
    .where("organization_id", "=", of.organizationId)
    .where("status", "=", "active")
    .where("role", "in", of.roles.length > 0 ? [...of.roles] : [sql<never>`NULL`])
    .execute();
  return [...new Set([...members.map(({ email }) => email), ...of.addresses])].sort();
}

/** The people whose keys these are, by key; those without one are left out. */
export async function findKeyOwners(
  tx: Tx,
  apiKeyIds: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; owner: string }>`
    SELECT id, owner_member_id AS owner FROM api_key
    WHERE id = ANY(${[...apiKeyIds]}::text[]) AND owner_member_id IS NOT NULL`.execute(tx);
  return new Map(rows.map(({ id, owner }) => [id, owner]));
}

/**
 * Queued messages that no job will send: the node that had the job is gone, or the channel was paused meanwhile. A job is
 * believed to be running for `jobSeconds`, and so is a test that has none. Those of a paused channel wait for somebody.
 */
export async function listStranded(
  db: Database,
  of: { jobSeconds: number; limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT d.id FROM alert_delivery d
    LEFT JOIN alert_channel c ON c.id = d.alert_channel_id
    WHERE d.status = 'queued' AND (c.paused_at IS NULL OR NOT c.is_enabled OR c.archived_at IS NOT NULL)
      AND d.created_at < now() - make_interval(secs => ${of.jobSeconds})
      AND NOT EXISTS (${jobOfDelivery(of.jobSeconds)})
    ORDER BY d.created_at LIMIT ${of.limit}`.execute(db);
  return rows.map(({ id }) => id);
}

/** The job that will send the message `d`, or is sending it: one that began longer ago than that is a dead node's. */
function jobOfDelivery(jobSeconds: number) {
  return sql`
    SELECT FROM graphile_worker.jobs j
    WHERE j.key = 'alert_delivery:' || d.id
      AND CASE WHEN j.locked_at IS NULL THEN j.attempts < j.max_attempts
        ELSE j.locked_at > now() - make_interval(secs => ${jobSeconds}) END`;
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

/** What has waited too long is no news any more. What has a job is on its way, also where somebody sends an old one again. */
export async function failOld(
  db: Database,
  old: { afterHours: number; jobSeconds: number; error: string },
): Promise<void> {
  await sql`
    UPDATE alert_delivery AS d SET status = 'failed', last_error = coalesce(d.last_error, ${old.error})
    WHERE d.status = 'queued' AND d.created_at < now() - make_interval(hours => ${old.afterHours}::integer)
      AND NOT EXISTS (${jobOfDelivery(old.jobSeconds)})`.execute(db);
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

const hoursAgo = (hours: number) => sql<Date>`now() - make_interval(hours => ${hours}::integer)`;

/** What a channel of PagerDuty was told of, and by which firing it knows it. */
export interface Incident {
  firingId: string;
  channelId: string;
}

/** Incidents that the firing, or the one that it was told with, has opened and nobody has ended. */
export async function listOpenIncidents(tx: Tx, firingId: string): Promise<Incident[]> {
  const { rows } = await sql<Incident>`
    SELECT delivery.alert_firing_id AS "firingId", channel.id AS "channelId"
    FROM alert_firing AS firing
      JOIN alert_delivery AS delivery ON delivery.alert_firing_id = coalesce(firing.told_with_id, firing.id)
      JOIN alert_channel AS channel ON channel.id = delivery.alert_channel_id AND channel.kind = 'pagerduty'
    WHERE firing.id = ${firingId} AND delivery.status = 'sent' AND delivery.resolved_at IS NULL
    ORDER BY channel.id`.execute(tx);
  return rows;
}

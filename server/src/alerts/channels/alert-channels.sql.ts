import type { AlertChannelKind } from "@bursar/contract/admin/alert-channels.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

export interface ChannelRow {
  id: string;
  name: string;
  kind: AlertChannelKind;
  recipients: { roles: OrganizationRole[]; addresses: string[] } | null;
  target_sealed: Uint8Array | null;
  target_hint: string | null;
  is_enabled: boolean;
  paused_at: Date | null;
  pause_reason: string | null;
  failures_in_a_row: number;
  version: number;
  created_at: Date;
  updated_at: Date;
}

const columns = [
  "id",
  "name",
  "kind",
  "recipients",
  "target_sealed",
  "target_hint",
  "is_enabled",
  "paused_at",
  "pause_reason",
  "failures_in_a_row",
  "version",
  "created_at",
  "updated_at",
] as const;

export async function insertChannel(
  tx: Tx,
  organizationId: string,
  row: ChannelRow,
): Promise<void> {
  await tx
    .insertInto("alert_channel")
    .values({ ...toStored(row), id: row.id, kind: row.kind, organization_id: organizationId })
    .execute();
}

export async function updateChannel(
  tx: Tx,
  organizationId: string,
  row: ChannelRow,
): Promise<void> {
  await tx
    .updateTable("alert_channel")
    .set({ ...toStored(row), ...(row.failures_in_a_row === 0 && { failing_since: null }) })
    .where("organization_id", "=", organizationId)
    .where("id", "=", row.id)
    .execute();
}

function toStored({ id: _, kind: __, recipients, ...row }: ChannelRow) {
  return { ...row, recipients: recipients === null ? null : JSON.stringify(recipients) };
}

/** One row more than the page holds. */
export function listChannels(
  db: Database,
  filter: { organizationId: string; kinds: readonly AlertChannelKind[] | null },
  page: PageRequest,
): Promise<ChannelRow[]> {
  let query = db
    .selectFrom("alert_channel")
    .select(columns)
    .where("organization_id", "=", filter.organizationId)
    .where("archived_at", "is", null);
  if (filter.kinds) query = query.where("kind", "in", filter.kinds);
  return selectPage(query, page).execute();
}

/** With "for update" the channel is locked until the transaction ends. */
export async function findChannel(
  db: Database | Tx,
  of: { organizationId: string; id: string },
  lock?: "for update",
): Promise<ChannelRow | null> {
  let query = db
    .selectFrom("alert_channel")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .where("archived_at", "is", null);
  if (lock) query = query.forUpdate();
  return (await query.executeTakeFirst()) ?? null;
}

/** What is shown of a channel beside its row. */
export interface ChannelFacts {
  id: string;
  alerts: number;
  oldSecretExpiresAt: Date | null;
  lastDelivery: { status: "queued" | "sent" | "failed" | "dropped"; at: Date } | null;
}

export async function findChannelFacts(
  db: Database | Tx,
  ids: readonly string[],
): Promise<Map<string, ChannelFacts>> {
  const { rows } = await sql<{
    id: string;
    alerts: number;
    old_secret_expires_at: Date | null;
    status: "queued" | "sent" | "failed" | "dropped" | null;
    at: Date | null;
  }>`
    SELECT channel.id,
      (SELECT count(*)::integer FROM alert_to_channel AS given
        JOIN alert ON alert.id = given.alert_id AND alert.deleted_at IS NULL
        WHERE given.alert_channel_id = channel.id) AS alerts,
      (SELECT max(secret.expires_at) FROM alert_channel_secret AS secret
        WHERE secret.alert_channel_id = channel.id AND secret.expires_at > now()) AS old_secret_expires_at,
      last.status, last.at
    FROM alert_channel AS channel
    LEFT JOIN LATERAL (
      SELECT delivery.status, coalesce(delivery.last_attempt_at, delivery.created_at) AS at
      FROM alert_delivery AS delivery WHERE delivery.alert_channel_id = channel.id
      ORDER BY delivery.created_at DESC, delivery.id DESC LIMIT 1) AS last ON true
    WHERE channel.id = ANY(${[...ids]}::text[])`.execute(db);
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        alerts: row.alerts,
        oldSecretExpiresAt: row.old_secret_expires_at,
        lastDelivery: row.status && row.at ? { status: row.status, at: row.at } : null,
      },
    ]),
  );
}

/** The channel is not found any more; its address and its secrets are not kept. */
export async function archiveChannel(
  tx: Tx,
  of: { organizationId: string; id: string; now: Date },
): Promise<void> {
  await tx
    .updateTable("alert_channel")
    .set({
      archived_at: of.now,
      updated_at: of.now,
      target_sealed: sql<Uint8Array | null>`CASE WHEN target_sealed IS NOT NULL THEN ''::bytea END`,
    })
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
  await tx.deleteFrom("alert_to_channel").where("alert_channel_id", "=", of.id).execute();
  await tx.deleteFrom("alert_channel_secret").where("alert_channel_id", "=", of.id).execute();
}

export async function insertSecret(
  tx: Tx,
  secret: { channelId: string; sealed: Uint8Array; createdAt: Date },
): Promise<void> {
  await tx
    .insertInto("alert_channel_secret")
    .values({
      alert_channel_id: secret.channelId,
      secret_sealed: secret.sealed,
      created_at: secret.createdAt,
    })
    .execute();
}

/** The newest secret is the old one from now on, for `hours`; without hours no old one counts any more. */
export async function retireSecrets(
  tx: Tx,
  of: { channelId: string; hours: number },
): Promise<void> {
  if (of.hours === 0) {
    await tx
      .deleteFrom("alert_channel_secret")
      .where("alert_channel_id", "=", of.channelId)
      .execute();
    return;
  }
  await tx
    .updateTable("alert_channel_secret")
    .set({ expires_at: sql<Date>`now() + make_interval(hours => ${of.hours}::integer)` })
    .where("alert_channel_id", "=", of.channelId)
    .where("expires_at", "is", null)
    .execute();
}

/** How many old secrets of the channel count still. */
export async function countOldSecrets(tx: Tx, channelId: string): Promise<number> {
  const row = await tx
    .selectFrom("alert_channel_secret")
    .select((eb) => eb.fn.countAll<bigint>().as("count"))
    .where("alert_channel_id", "=", channelId)
    .where("expires_at", ">", sql<Date>`now()`)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

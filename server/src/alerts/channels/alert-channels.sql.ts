import type { AlertChannelKind } from "@bursar/contract/admin/alert-channels.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { type SqlBool, sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import { isFailing } from "./failing-channels.sql.ts";

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

/** Lists the rows of a page, and one more row if another page exists. */
export function listChannels(
  db: Database,
  filter: {
    organizationId: string;
    kinds: readonly AlertChannelKind[] | null;
    isFailing?: boolean | undefined;
  },
  page: PageRequest,
): Promise<ChannelRow[]> {
  let query = db
    .selectFrom("alert_channel")
    .select(columns)
    .where("organization_id", "=", filter.organizationId)
    .where("archived_at", "is", null);
  if (filter.kinds) query = query.where("kind", "in", filter.kinds);
  if (filter.isFailing !== undefined) {
    query = query.where(filter.isFailing ? isFailing : sql<SqlBool>`NOT ${isFailing}`);
  }
  return selectPage(query, page).execute();
}

/** Finds a channel that is not archived. "for update" locks it until the transaction ends. */
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

/** Archives a channel, and deletes its address, its secrets and its links to alerts. */
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

/** Makes the current secret an old one that expires after `hours`. Zero hours delete all secrets. */
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

/** Counts old secrets of the channel that are still valid. */
export async function countOldSecrets(tx: Tx, channelId: string): Promise<number> {
  const row = await tx
    .selectFrom("alert_channel_secret")
    .select((eb) => eb.fn.countAll<bigint>().as("count"))
    .where("alert_channel_id", "=", channelId)
    .where("expires_at", ">", sql<Date>`now()`)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

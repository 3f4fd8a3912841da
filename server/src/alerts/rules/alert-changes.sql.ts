import type { AlertCondition } from "@bursar/contract/admin/alerts.ts";
import type { CountedScope } from "@bursar/contract/scope.ts";
import { type SqlBool, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

// Statements that change alerts and their links to channels.

/** Serializes changes of one alert. Firings can still refer to the row, because its key is not locked. */
export async function lockAlert(tx: Tx, id: string): Promise<void> {
  await tx.selectFrom("alert").select("id").where("id", "=", id).forNoKeyUpdate().execute();
}

export interface NewAlert {
  id: string;
  organizationId: string;
  name: string;
  scopeType: CountedScope["type"];
  scopeId: string;
  includesBelow: boolean;
  condition: AlertCondition;
  notifiesOwner: boolean;
  isEnabled: boolean;
  collectMinutes: number;
  createdAt: Date;
}

export async function insertAlert(tx: Tx, row: NewAlert): Promise<void> {
  await tx
    .insertInto("alert")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      name: row.name,
      kind: row.condition.kind,
      scope_type: row.scopeType,
      scope_id: row.scopeId,
      includes_below: row.includesBelow,
      condition: JSON.stringify(row.condition),
      notifies_owner: row.notifiesOwner,
      is_enabled: row.isEnabled,
      collect_minutes: row.collectMinutes,
      created_at: row.createdAt,
      updated_at: row.createdAt,
    })
    .execute();
}

export interface AlertChange {
  name: string;
  includesBelow: boolean;
  condition: AlertCondition;
  notifiesOwner: boolean;
  isEnabled: boolean;
  collectMinutes: number;
  mutedUntil: Date | null;
}

export async function changeAlert(
  tx: Tx,
  of: { id: string; now: Date },
  change: AlertChange,
): Promise<void> {
  await tx
    .updateTable("alert")
    .set((eb) => ({
      name: change.name,
      includes_below: change.includesBelow,
      condition: JSON.stringify(change.condition),
      notifies_owner: change.notifiesOwner,
      is_enabled: change.isEnabled,
      collect_minutes: change.collectMinutes,
      muted_until: change.mutedUntil,
      version: eb("version", "+", 1),
      updated_at: of.now,
    }))
    .where("id", "=", of.id)
    .execute();
}

export async function markDeleted(tx: Tx, of: { id: string; now: Date }): Promise<void> {
  await tx.updateTable("alert").set({ deleted_at: of.now }).where("id", "=", of.id).execute();
}

export async function setChannels(
  tx: Tx,
  alertId: string,
  channelIds: readonly string[],
): Promise<void> {
  await tx.deleteFrom("alert_to_channel").where("alert_id", "=", alertId).execute();
  if (channelIds.length === 0) return;
  await tx
    .insertInto("alert_to_channel")
    .values(channelIds.map((id) => ({ alert_id: alertId, alert_channel_id: id })))
    .execute();
}

/** Returns the given ids that are channels of the organization. */
export async function listChannelIds(
  tx: Tx,
  of: { organizationId: string; ids: readonly string[] },
): Promise<string[]> {
  const rows = await tx
    .selectFrom("alert_channel")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("archived_at", "is", null)
    .where(sql<SqlBool>`id = ANY(${[...of.ids]}::text[])`)
    .execute();
  return rows.map(({ id }) => id);
}

/** Finds the oldest mail channel for Owners or Admins. */
export async function findFirstChannel(tx: Tx, organizationId: string): Promise<string | null> {
  const row = await tx
    .selectFrom("alert_channel")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("archived_at", "is", null)
    .where(sql<SqlBool>`recipients -> 'roles' ?| ARRAY['owner', 'admin']`)
    .orderBy("created_at")
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? null;
}

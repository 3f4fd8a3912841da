import type { AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";
import { type RawBuilder, sql } from "kysely";
import type { AlertVisibility } from "#src/alerts/rules/alerts.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { scopeName } from "#src/db/scope-name.ts";
import type { ScopeType } from "#src/db/tables.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { AlertGroupKey } from "./alert-group-id.ts";
import { isOver } from "./incidents.sql.ts";

export interface FiringRow {
  id: string;
  alertId: string;
  alertName: string;
  isAlertDeleted: boolean;
  alertMutedUntil: Date | null;
  kind: AlertKind;
  scopeType: ScopeType;
  scopeId: string;
  scopeName: string;
  workspaceId: string | null;
  threshold: string;
  facts: FiringFacts;
  isMuted: boolean;
  coveredById: string | null;
  firedAt: Date;
  acknowledgedAt: Date | null;
  acknowledgedByType: string | null;
  acknowledgedById: string | null;
  note: string | null;
  deliveries: {
    channel_id: string | null;
    channel_name: string | null;
    status: "queued" | "sent" | "failed" | "dropped";
  }[];
}

export interface FiringFilter extends AlertVisibility {
  alertId?: string | undefined;
  group?: AlertGroupKey | undefined;
  kinds?: readonly AlertKind[] | undefined;
  workspaceId?: string | undefined;
  apiKeyId?: string | undefined;
  isAcknowledged?: boolean | undefined;
  isOver?: boolean | undefined;
  isSuperseded?: boolean | undefined;
  /** Time at which `isOver` is decided. */
  now: Date;
  firedAtGte?: Date | undefined;
  firedAtLt?: Date | undefined;
}

function selectFirings(where: RawBuilder<unknown>, rest: RawBuilder<unknown>) {
  return sql<FiringRow>`
    SELECT firing.id, firing.alert_id AS "alertId", alert.name AS "alertName",
      alert.deleted_at IS NOT NULL AS "isAlertDeleted", alert.muted_until AS "alertMutedUntil", firing.kind,
      firing.scope_type AS "scopeType", firing.scope_id AS "scopeId",
      coalesce(${scopeName("firing")}, '') AS "scopeName",
      firing.workspace_id AS "workspaceId", firing.threshold, firing.facts, firing.is_muted AS "isMuted",
      firing.covered_by_id AS "coveredById",
      firing.fired_at AS "firedAt", firing.acknowledged_at AS "acknowledgedAt",
      firing.acknowledged_by_type AS "acknowledgedByType", firing.acknowledged_by_id AS "acknowledgedById", firing.note,
      coalesce((SELECT jsonb_agg(jsonb_build_object('channel_id', delivery.alert_channel_id,
          'channel_name', channel.name, 'status', delivery.status) ORDER BY delivery.created_at, delivery.id)
        FROM alert_delivery AS delivery LEFT JOIN alert_channel AS channel ON channel.id = delivery.alert_channel_id
        WHERE delivery.id IN (
          SELECT own.id FROM alert_delivery AS own
          WHERE own.alert_firing_id IN (firing.id, firing.told_with_id)
          UNION SELECT listing.alert_delivery_id FROM alert_delivery_firing AS listing
          WHERE listing.alert_firing_id IN (firing.id, firing.told_with_id))), '[]') AS deliveries
    FROM alert_firing AS firing
    JOIN alert ON alert.id = firing.alert_id
    WHERE ${where} ${rest}`;
}

/** True for a `firing` of a scope that the caller can see. */
export function isVisible({ organizationId, onlyWorkspaceIds }: AlertVisibility) {
  const isInOrganization = sql`firing.organization_id = ${organizationId}::uuid`;
  if (onlyWorkspaceIds === null) return isInOrganization;
  return sql`${isInOrganization} AND firing.workspace_id = ANY(${[...onlyWorkspaceIds]}::text[])`;
}

export async function findFiring(
  db: Database | Tx,
  visibility: AlertVisibility,
  id: string,
): Promise<FiringRow | null> {
  const where = sql`${isVisible(visibility)} AND firing.id = ${id}`;
  const { rows } = await selectFirings(where, sql``).execute(db);
  return rows[0] ?? null;
}

/** Rank of a firing among those of one evaluation: a higher percentage or amount, or fewer remaining days. */
export const thresholdRankOf = (firing: "firing" | "further") =>
  sql`substring(${sql.ref(firing)}.threshold FROM '[0-9]+[.]?[0-9]*')::numeric
    * CASE firing.kind WHEN 'key_expiring' THEN -1 ELSE 1 END`;

/** Percentages and amounts supersede only their own kind. */
export const isSuperseded = sql<boolean>`(firing.kind IN ('spend_limit', 'key_expiring') AND EXISTS (
  SELECT FROM alert_firing AS further
  WHERE further.alert_id = firing.alert_id
    AND further.scope_type = firing.scope_type AND further.scope_id = firing.scope_id
    AND (further.facts ->> 'period') IS NOT DISTINCT FROM (firing.facts ->> 'period')
    AND (right(further.threshold, 1) = '%') = (right(firing.threshold, 1) = '%')
    AND (further.fired_at, ${thresholdRankOf("further")}, further.id)
      > (firing.fired_at, ${thresholdRankOf("firing")}, firing.id)))`;

/** Returns firings, newest first, and one row more than the page holds. */
export async function listFirings(
  db: Database | Tx,
  filter: FiringFilter,
  page: PageRequest,
): Promise<FiringRow[]> {
  const where = [isVisible(filter)];
  if (filter.alertId) where.push(sql`firing.alert_id = ${filter.alertId}`);
  if (filter.group) where.push(isOfGroup(filter.group));
  if (filter.kinds) where.push(sql`firing.kind = ANY(${[...filter.kinds]}::text[])`);
  if (filter.workspaceId) where.push(sql`firing.workspace_id = ${filter.workspaceId}`);
  if (filter.apiKeyId) {
    where.push(sql`firing.scope_type = 'api_key' AND firing.scope_id = ${filter.apiKeyId}`);
  }
  if (filter.isAcknowledged !== undefined) {
    // A literal condition lets PostgreSQL use the partial index of open firings.
    const state = filter.isAcknowledged ? sql`IS NOT NULL` : sql`IS NULL`;
    where.push(sql`firing.acknowledged_at ${state}`);
  }
  if (filter.isOver !== undefined) where.push(sql`${isOver(filter.now)} = ${filter.isOver}`);
  if (filter.isSuperseded !== undefined) {
    where.push(sql`${isSuperseded} = ${filter.isSuperseded}`);
  }
  if (filter.firedAtGte) where.push(sql`firing.fired_at >= ${filter.firedAtGte}::timestamptz`);
  if (filter.firedAtLt) where.push(sql`firing.fired_at < ${filter.firedAtLt}::timestamptz`);
  const { from } = page;
  if (from) {
    where.push(
      sql`(firing.fired_at, firing.id) < (${new Date(from.createdAtMs)}::timestamptz, ${from.id})`,
    );
  }
  const order = sql`ORDER BY firing.fired_at DESC, firing.id DESC LIMIT ${page.limit + 1}`;
  const { rows } = await selectFirings(sql.join(where, sql` AND `), order).execute(db);
  return rows;
}

/** True if the `firing` belongs to the group. */
export function isOfGroup({ kind, scopeType, scopeId }: AlertGroupKey): RawBuilder<boolean> {
  return sql`(firing.kind = ${kind} AND firing.scope_type = ${scopeType} AND firing.scope_id = ${scopeId})`;
}

/** Unacknowledged firings of lower thresholds that this one covers. */
export async function listOpenCovered(tx: Tx, id: string): Promise<FiringRow[]> {
  const where = sql`firing.covered_by_id = ${id} AND firing.acknowledged_at IS NULL`;
  return (await selectFirings(where, sql`ORDER BY firing.id`).execute(tx)).rows;
}

export async function saveAcknowledgement(
  tx: Tx,
  of: { ids: readonly string[]; by: { type: string; id: string }; note: string | null; now: Date },
): Promise<void> {
  await sql`
    UPDATE alert_firing SET acknowledged_at = ${of.now}, acknowledged_by_type = ${of.by.type},
      acknowledged_by_id = ${of.by.id}, note = ${of.note}
    WHERE id = ANY(${[...of.ids]}::text[])`.execute(tx);
}

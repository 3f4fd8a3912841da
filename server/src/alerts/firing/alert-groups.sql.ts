import type { AlertKind } from "@bursar/contract/admin/alerts.ts";
import { type RawBuilder, sql } from "kysely";
import type { AlertVisibility } from "#src/alerts/rules/alerts.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { scopeName } from "#src/db/scope-name.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { AlertGroupKey } from "./alert-group-id.ts";
import { isOfGroup, isSuperseded, isVisible, thresholdRankOf } from "./firing-history.sql.ts";
import { isOver } from "./incidents.sql.ts";
import type { NewFiring } from "./new-firing.rule.ts";

/** Firings of one kind and scope, with the newest of them. */
export interface AlertGroupRow extends AlertGroupKey {
  scopeName: string;
  workspaceId: string | null;
  /** `muted_until` has PostgreSQL's format of a time. */
  alerts: { id: string; name: string; is_deleted: boolean; muted_until: string | null }[];
  firings: number;
  openFirings: number;
  firstFiredAt: Date;
  lastFiredAt: Date;
  /** Rank of the highest severity: 2 is critical, 1 a warning. */
  severityRank: number;
  newestFiringId: string;
  /** Thresholds of these firings, each once. */
  thresholds: string[];
  threshold: string;
  facts: NewFiring["facts"];
}

export type AlertGroupOrder = "newest" | "severity";

export interface AlertGroupFilter extends AlertVisibility {
  state: "open" | "acknowledged" | "all";
  kinds?: readonly AlertKind[] | undefined;
  workspaceId?: string | undefined;
  apiKeyId?: string | undefined;
  isOver?: boolean | undefined;
  isSuperseded?: boolean | undefined;
  /** Time at which `isOver` is decided. */
  now: Date;
}

const stateConditions = {
  // Literal conditions let PostgreSQL use the partial index of open firings.
  open: sql`firing.acknowledged_at IS NULL`,
  acknowledged: sql`firing.acknowledged_at IS NOT NULL`,
  all: sql`true`,
};

/** A reached limit stops work. A later amount does not replace it. */
const reachesLimit = sql`(firing.kind = 'spend_limit' AND right(firing.threshold, 1) = '%'
  AND ${thresholdRankOf("firing")} >= 100)`;

/** Rank of a firing's severity, in the order of `severityOf`. */
const severityRank = sql`CASE
  WHEN firing.kind IN ('upstream_errors', 'limit_overrun') OR ${reachesLimit} THEN 2
  WHEN firing.kind IN ('key_unused', 'key_new_address') THEN 0 ELSE 1 END`;

/** Text that orders groups of the same millisecond. */
const groupKey = sql`firing.kind || '.' || firing.scope_type || '.' || firing.scope_id`;

interface GroupList {
  filter: AlertGroupFilter;
  order: AlertGroupOrder;
  page: PageRequest;
}

/** Lists groups in this order, and one row more than the page holds. All matching firings are grouped before the order. */
export async function listGroups(
  db: Database | Tx,
  { filter, order, page }: GroupList,
): Promise<AlertGroupRow[]> {
  const where = [isVisible(filter), stateConditions[filter.state]];
  if (filter.kinds) where.push(sql`firing.kind = ANY(${[...filter.kinds]}::text[])`);
  if (filter.workspaceId) where.push(sql`firing.workspace_id = ${filter.workspaceId}`);
  if (filter.apiKeyId) {
    where.push(sql`firing.scope_type = 'api_key' AND firing.scope_id = ${filter.apiKeyId}`);
  }
  if (filter.isOver !== undefined) where.push(sql`${isOver(filter.now)} = ${filter.isOver}`);
  if (filter.isSuperseded !== undefined) {
    where.push(sql`${isSuperseded} = ${filter.isSuperseded}`);
  }
  const bySeverity = order === "severity" ? sql`severity_rank DESC,` : sql``;
  const { rows } = await sql<AlertGroupRow>`
    WITH alert_group AS MATERIALIZED (
      SELECT firing.kind, firing.scope_type, firing.scope_id, ${groupKey} AS key,
        count(*)::integer AS firings, count(*) FILTER (WHERE firing.acknowledged_at IS NULL)::integer AS open_firings,
        max(${severityRank}) AS severity_rank, min(firing.fired_at) AS first_fired_at, max(firing.fired_at) AS last_fired_at,
        array_agg(DISTINCT firing.alert_id) AS alert_ids, array_agg(DISTINCT firing.threshold) AS thresholds,
        (array_agg(firing.id ORDER BY ${reachesLimit} DESC, firing.fired_at DESC, (firing.covered_by_id IS NULL) DESC,
          ${thresholdRankOf("firing")} DESC NULLS LAST, firing.id DESC))[1] AS newest_id
      FROM alert_firing AS firing ${filter.isOver === undefined ? sql`` : sql`JOIN alert ON alert.id = firing.alert_id`}
      WHERE ${sql.join(where, sql` AND `)}
      GROUP BY firing.kind, firing.scope_type, firing.scope_id
      HAVING ${isAfter(page, order)}
      ORDER BY ${bySeverity} last_fired_at DESC, key DESC LIMIT ${page.limit + 1}
    )
    SELECT alert_group.kind, alert_group.scope_type AS "scopeType", alert_group.scope_id AS "scopeId",
      coalesce(${scopeName("newest")}, '') AS "scopeName", newest.workspace_id AS "workspaceId",
      alert_group.firings, alert_group.open_firings AS "openFirings", alert_group.first_fired_at AS "firstFiredAt",
      alert_group.last_fired_at AS "lastFiredAt", alert_group.severity_rank AS "severityRank", newest.id AS "newestFiringId", alert_group.thresholds,
      newest.threshold, newest.facts,
      (SELECT jsonb_agg(jsonb_build_object('id', alert.id, 'name', alert.name,
          'is_deleted', alert.deleted_at IS NOT NULL, 'muted_until', alert.muted_until) ORDER BY alert.name, alert.id)
        FROM alert WHERE alert.id = ANY(alert_group.alert_ids)) AS alerts
    FROM alert_group JOIN alert_firing AS newest ON newest.id = alert_group.newest_id
    ORDER BY ${bySeverity} alert_group.last_fired_at DESC, alert_group.key DESC`.execute(db);
  return rows;
}

/** Condition of groups beyond the position of the page. In the order by severity, its id begins with the rank. */
function isAfter({ from }: PageRequest, order: AlertGroupOrder): RawBuilder<unknown> {
  if (from === null) return sql`true`;
  const at = sql`${new Date(from.createdAtMs)}::timestamptz`;
  if (order === "newest") return sql`(max(firing.fired_at), ${groupKey}) < (${at}, ${from.id})`;
  const rank = Number(from.id.charAt(0));
  return sql`(max(${severityRank}), max(firing.fired_at), ${groupKey})
    < (${rank}::integer, ${at}, ${from.id.slice(2)})`;
}

export interface OpenFiring {
  id: string;
  workspaceId: string | null;
}

/** Returns the workspaces of these firings, by firing. A firing that the caller cannot see is absent. */
export async function findFiringWorkspaces(
  tx: Tx,
  visibility: AlertVisibility,
  ids: readonly string[],
): Promise<Map<string, string | null>> {
  const { rows } = await sql<OpenFiring>`
    SELECT firing.id, firing.workspace_id AS "workspaceId" FROM alert_firing AS firing
    WHERE ${isVisible(visibility)} AND firing.id = ANY(${[...ids]}::text[])`.execute(tx);
  return new Map(rows.map(({ id, workspaceId }) => [id, workspaceId]));
}

/** Returns the workspaces of the group's firings, each once. Empty: the caller sees no such group. */
export async function findGroupWorkspaces(
  tx: Tx,
  visibility: AlertVisibility,
  group: AlertGroupKey,
): Promise<(string | null)[]> {
  const { rows } = await sql<{ workspaceId: string | null }>`
    SELECT DISTINCT firing.workspace_id AS "workspaceId" FROM alert_firing AS firing
    WHERE ${isVisible(visibility)} AND ${isOfGroup(group)}`.execute(tx);
  return rows.map(({ workspaceId }) => workspaceId);
}

/** Returns these firings and the open ones that they cover. */
export async function addCoveredFirings(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM alert_firing AS firing
    WHERE firing.covered_by_id = ANY(${[...ids]}::text[]) AND firing.acknowledged_at IS NULL`.execute(
    tx,
  );
  return [...ids, ...rows.map(({ id }) => id)];
}

/** Locks these firings, if they are open. In id order, so that concurrent calls wait. */
export async function lockOpenFirings(tx: Tx, ids: readonly string[]): Promise<OpenFiring[]> {
  const { rows } = await sql<OpenFiring>`
    SELECT firing.id, firing.workspace_id AS "workspaceId" FROM alert_firing AS firing
    WHERE firing.acknowledged_at IS NULL AND firing.id = ANY(${[...ids]}::text[])
    ORDER BY firing.id FOR NO KEY UPDATE`.execute(tx);
  return rows;
}

/** Lists the newest open firings of the groups, and one more than the limit. */
export async function listOpenOfGroups(
  tx: Tx,
  visibility: AlertVisibility,
  of: { groups: readonly AlertGroupKey[]; until: Date | null; limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT firing.id FROM alert_firing AS firing
    WHERE ${isVisible(visibility)} AND firing.acknowledged_at IS NULL
      AND (firing.kind, firing.scope_type, firing.scope_id) IN (
        SELECT * FROM unnest(${of.groups.map(({ kind }) => kind)}::text[],
          ${of.groups.map(({ scopeType }) => scopeType)}::text[], ${of.groups.map(({ scopeId }) => scopeId)}::text[]))
      AND (${of.until}::timestamptz IS NULL OR firing.fired_at <= ${of.until}::timestamptz)
    ORDER BY firing.fired_at DESC, firing.id DESC LIMIT ${of.limit + 1}`.execute(tx);
  return rows.map(({ id }) => id);
}

import type { AlertChannelKind } from "@bursar/contract/admin/alert-channels.ts";
import type { AlertCondition, AlertKind } from "@bursar/contract/admin/alerts.ts";
import type { CountedScope } from "@bursar/contract/scope.ts";
import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { scopeName } from "#src/db/scope-name.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

/** `onlyWorkspaceIds`: workspaces whose alerts the caller can see. Null: all alerts of the organization. */
export interface AlertVisibility {
  organizationId: string;
  onlyWorkspaceIds: readonly string[] | null;
}

export interface AlertRow {
  id: string;
  name: string;
  kind: AlertKind;
  scopeType: CountedScope["type"];
  scopeId: string;
  scopeName: string;
  /** Workspace of the scope. Null: not a workspace or key. */
  workspaceId: string | null;
  includesBelow: boolean;
  condition: AlertCondition;
  notifiesOwner: boolean;
  isEnabled: boolean;
  collectMinutes: number;
  mutedUntil: Date | null;
  version: number;
  createdAt: Date;
  updatedAt: Date;
  lastFiredAt: Date | null;
  firingsIn30Days: number;
  channels: {
    id: string;
    name: string;
    kind: AlertChannelKind;
    is_working: boolean;
  }[];
}

/** Workspace of an alert's scope, in a query that joins the scope's key. */
const alertWorkspace = sql`CASE alert.scope_type WHEN 'workspace' THEN alert.scope_id
  WHEN 'api_key' THEN api_key.workspace_id END`;

function selectAlerts(where: RawBuilder<unknown>, rest: RawBuilder<unknown>) {
  return sql<AlertRow>`
    SELECT alert.id, alert.name, alert.kind, alert.scope_type AS "scopeType", alert.scope_id AS "scopeId",
      coalesce(${scopeName("alert")}, '') AS "scopeName",
      ${alertWorkspace} AS "workspaceId", alert.includes_below AS "includesBelow", alert.condition,
      alert.notifies_owner AS "notifiesOwner", alert.is_enabled AS "isEnabled",
      alert.collect_minutes AS "collectMinutes", alert.muted_until AS "mutedUntil",
      alert.version, alert.created_at AS "createdAt", alert.updated_at AS "updatedAt",
      (SELECT max(fired_at) FROM alert_firing WHERE alert_id = alert.id) AS "lastFiredAt",
      (SELECT count(*)::integer FROM alert_firing
        WHERE alert_id = alert.id AND fired_at > now() - interval '30 days') AS "firingsIn30Days",
      coalesce((SELECT jsonb_agg(jsonb_build_object('id', channel.id, 'name', channel.name, 'kind', channel.kind,
          'is_working', channel.is_enabled AND channel.paused_at IS NULL) ORDER BY channel.created_at, channel.id)
        FROM alert_to_channel JOIN alert_channel AS channel ON channel.id = alert_to_channel.alert_channel_id
        WHERE alert_to_channel.alert_id = alert.id AND channel.archived_at IS NULL), '[]') AS channels
    FROM alert
    LEFT JOIN api_key ON alert.scope_type = 'api_key' AND api_key.id = alert.scope_id
    WHERE alert.deleted_at IS NULL AND ${where} ${rest}`;
}

function isVisible({ organizationId, onlyWorkspaceIds }: AlertVisibility) {
  const isInOrganization = sql`alert.organization_id = ${organizationId}::uuid`;
  if (onlyWorkspaceIds === null) return isInOrganization;
  return sql`${isInOrganization} AND ${alertWorkspace} = ANY(${[...onlyWorkspaceIds]}::text[])`;
}

export async function findAlert(
  db: Database | Tx,
  visibility: AlertVisibility,
  id: string,
): Promise<AlertRow | null> {
  const { rows } = await selectAlerts(
    sql`${isVisible(visibility)} AND alert.id = ${id}`,
    sql``,
  ).execute(db);
  return rows[0] ?? null;
}

export interface AlertFilter extends AlertVisibility {
  kinds?: readonly AlertKind[] | undefined;
  workspaceId?: string | undefined;
  apiKeyId?: string | undefined;
}

/** Returns alerts, newest first, and one row more than the page holds. */
export async function listAlerts(
  db: Database | Tx,
  filter: AlertFilter,
  page: PageRequest,
): Promise<AlertRow[]> {
  const where = [isVisible(filter)];
  if (filter.kinds) where.push(sql`alert.kind = ANY(${[...filter.kinds]}::text[])`);
  if (filter.workspaceId) where.push(sql`${alertWorkspace} = ${filter.workspaceId}`);
  if (filter.apiKeyId)
    where.push(sql`alert.scope_type = 'api_key' AND alert.scope_id = ${filter.apiKeyId}`);
  const { from } = page;
  if (from) {
    where.push(
      sql`(alert.created_at, alert.id) < (${new Date(from.createdAtMs)}::timestamptz, ${from.id})`,
    );
  }
  const order = sql`ORDER BY alert.created_at DESC, alert.id DESC LIMIT ${page.limit + 1}`;
  const { rows } = await selectAlerts(sql.join(where, sql` AND `), order).execute(db);
  return rows;
}

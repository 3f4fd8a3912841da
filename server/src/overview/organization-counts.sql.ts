import { type RawBuilder, sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { VisibleUsage } from "#src/usage/visible-usage.ts";

/** Workspaces whose rows count. Null: all of the organization. */
type Workspaces = readonly string[] | null;

function isIn(column: RawBuilder<unknown>, ids: Workspaces): RawBuilder<unknown> {
  return ids === null ? sql`true` : sql`${column} = ANY(${[...ids]}::text[])`;
}

export async function countWorkspaces(
  db: Database,
  of: { organizationId: string; workspaceIds: Workspaces },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM workspace
    WHERE organization_id = ${of.organizationId}::uuid AND archived_at IS NULL
      AND ${isIn(sql`id`, of.workspaceIds)}`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Counts keys of the list of API keys that are neither archived nor expired. */
export async function countApiKeys(
  db: Database,
  of: { organizationId: string; workspaceIds: Workspaces; now: Date },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM api_key
    WHERE organization_id = ${of.organizationId}::uuid AND purpose <> 'playground' AND status <> 'archived'
      AND (expires_at IS NULL OR expires_at > ${of.now}) AND ${isIn(sql`workspace_id`, of.workspaceIds)}`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

export async function countMembers(db: Database, organizationId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM member
    WHERE organization_id = ${organizationId}::uuid AND status = 'active'`.execute(db);
  return rows[0]?.count ?? 0;
}

export async function countPendingInvites(
  db: Database,
  of: { organizationId: string; now: Date },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM invite
    WHERE organization_id = ${of.organizationId}::uuid AND is_open AND accepted_at IS NULL AND revoked_at IS NULL
      AND expires_at > ${of.now}`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Counts active keys of the list of API keys that expire before `until`. */
export async function countExpiringKeys(
  db: Database,
  of: { organizationId: string; workspaceIds: Workspaces; now: Date; until: Date },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM api_key
    WHERE organization_id = ${of.organizationId}::uuid AND purpose <> 'playground' AND status = 'active'
      AND expires_at > ${of.now} AND expires_at <= ${of.until} AND ${isIn(sql`workspace_id`, of.workspaceIds)}`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

/** Codes of impossible and of missing usage. */
const OPEN_DOUBTS = sql.lit("{1,2}");

/** Counts requests with an undecided doubt, up to `limit`. Their partial index has few rows. */
export async function countDoubtfulRequests(
  db: Database,
  of: { organizationId: string; since: Date; limit: number },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM (
      SELECT FROM usage_record AS record JOIN usage_labels AS labels ON labels.id = record.labels_id
      WHERE labels.organization_id = ${of.organizationId}::uuid AND record.started_at >= ${of.since}
        AND record.doubt_code IS NOT NULL AND record.doubt_code = ANY(${OPEN_DOUBTS}::smallint[])
        AND record.request_id NOT IN (SELECT decided.request_id FROM spend_adjustment AS decided
          WHERE decided.organization_id = ${of.organizationId}::uuid)
      LIMIT ${of.limit}) AS doubtful`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Counts the causes of refusals since the start of an hour. Requests with an unknown key have empty ids. */
export async function countRefusalCauses(
  db: Database,
  of: { organizationId: string; visible: VisibleUsage; seesUnknownKeys: boolean; since: Date },
): Promise<number> {
  const isVisible = isVisibleUsage(of.visible) ?? sql`workspace_id <> ''`;
  const { rows } = await sql<{ count: number }>`
    SELECT count(DISTINCT error_code)::integer AS count FROM refusal_hour
    WHERE organization_id = ${of.organizationId}::uuid AND bucket_at >= ${of.since}
      AND (${isVisible} OR (${of.seesUnknownKeys} AND workspace_id = ''))`.execute(db);
  return rows[0]?.count ?? 0;
}

export async function hasRequests(db: Database, organizationId: string): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    SELECT EXISTS (SELECT FROM usage_organization_day WHERE organization_id = ${organizationId}::uuid)
      OR EXISTS (SELECT FROM usage_hour WHERE organization_id = ${organizationId}::uuid) AS has`.execute(
    db,
  );
  return rows[0]?.has === true;
}

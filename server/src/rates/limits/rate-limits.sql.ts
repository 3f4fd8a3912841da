import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { ScopeType } from "#src/db/tables.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import {
  fromRowRateLimit,
  type RateLimit,
  rateLimitColumns,
} from "#src/rates/buckets/limits.sql.ts";

// Which limits exist for a caller. Only rates/buckets/ writes them.

/**
 * `onlyWorkspaceIds` are those whose limits exist for the caller; null: all of them do. The organization's own are no
 * secret in any workspace: each answer's headers tell of them.
 */
export interface RateLimitVisibility {
  organizationId: string;
  onlyWorkspaceIds: readonly string[] | null;
}

export interface RateLimitFilter extends RateLimitVisibility {
  scopeType?: ScopeType | undefined;
  /** Limits of this workspace and of its keys. */
  workspaceId?: string | undefined;
  apiKeyId?: string | undefined;
  modelGroup?: string | undefined;
}

/** The workspace a limit stands in; null for the organization's. */
const workspaceIdOf = sql<string | null>`CASE rate_limit.scope_type
  WHEN 'workspace' THEN rate_limit.scope_id WHEN 'api_key' THEN api_key.workspace_id END`;

// A cursor keeps milliseconds. Compared with microseconds, rows of its millisecond would come again.
const createdAt = sql<Date>`date_trunc('milliseconds', rate_limit.created_at)`;

function selectVisible(
  db: Database | Tx,
  { organizationId, onlyWorkspaceIds }: RateLimitVisibility,
) {
  const query = db
    .selectFrom("rate_limit")
    .leftJoin("api_key", (join) =>
      join
        .onRef("api_key.id", "=", "rate_limit.scope_id")
        .onRef("api_key.organization_id", "=", "rate_limit.organization_id")
        .on("rate_limit.scope_type", "=", "api_key"),
    )
    .select(rateLimitColumns)
    .where("rate_limit.organization_id", "=", organizationId);
  if (onlyWorkspaceIds === null) return query;
  return query.where(
    sql<SqlBool>`(rate_limit.scope_type = 'organization' OR ${workspaceIdOf} = ANY(${[...onlyWorkspaceIds]}::text[]))`,
  );
}

/** Newest first, one row more than the page holds. */
export async function listVisibleRateLimits(
  db: Database | Tx,
  filter: RateLimitFilter,
  page: PageRequest,
): Promise<RateLimit[]> {
  let query = selectVisible(db, filter);
  if (filter.scopeType !== undefined) {
    query = query.where("rate_limit.scope_type", "=", filter.scopeType);
  }
  if (filter.workspaceId !== undefined) query = query.where(workspaceIdOf, "=", filter.workspaceId);
  if (filter.apiKeyId !== undefined) query = query.where("api_key.id", "=", filter.apiKeyId);
  if (filter.modelGroup !== undefined) {
    query = query.where("rate_limit.model_group", "=", filter.modelGroup);
  }
  const { from } = page;
  if (from) {
    const position = sql`(${new Date(from.createdAtMs)}::timestamptz, ${from.id})`;
    query = query.where(sql<SqlBool>`(${createdAt}, rate_limit.id) < ${position}`);
  }
  const rows = await query
    .orderBy(createdAt, "desc")
    .orderBy("rate_limit.id", "desc")
    .limit(page.limit + 1)
    .execute();
  return rows.map(fromRowRateLimit);
}

export async function findVisibleRateLimit(
  db: Database | Tx,
  visibility: RateLimitVisibility,
  id: string,
): Promise<RateLimit | null> {
  const row = await selectVisible(db, visibility)
    .where("rate_limit.id", "=", id)
    .executeTakeFirst();
  return row === undefined ? null : fromRowRateLimit(row);
}

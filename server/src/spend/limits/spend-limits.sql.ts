import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { LimitRow } from "#src/spend/ledger/limits.sql.ts";
import { type BlockingTime, isBlockingAt } from "./blocked-scopes.sql.ts";

// Which limits exist for a caller. Only spend/ledger/ writes limits.

/** `onlyWorkspaceIds` are those whose limits exist for the caller; null: all limits of the organization do. */
export interface LimitVisibility {
  organizationId: string;
  onlyWorkspaceIds: readonly string[] | null;
}

export interface LimitFilter extends LimitVisibility {
  /** Limits of these kinds only. */
  scopeTypes?: readonly ScopeType[] | undefined;
  /** Limits of this workspace and of its keys. */
  workspaceId?: string | undefined;
  apiKeyId?: string | undefined;
  period?: PeriodName | undefined;
  /** Limits that block requests at this time only. */
  blockingAt?: BlockingTime | undefined;
}

/** The workspace a limit stands in; null for the organization's. */
const workspaceIdOf = sql<string | null>`CASE spend_limit.scope_type
  WHEN 'workspace' THEN spend_limit.scope_id WHEN 'api_key' THEN api_key.workspace_id END`;

// A cursor keeps milliseconds. Compared with microseconds, rows of its millisecond would come again.
const createdAt = sql<Date>`date_trunc('milliseconds', spend_limit.created_at)`;

function selectVisible(db: Database | Tx, { organizationId, onlyWorkspaceIds }: LimitVisibility) {
  const query = db
    .selectFrom("spend_limit")
    .leftJoin("api_key", (join) =>
      join
        .onRef("api_key.id", "=", "spend_limit.scope_id")
        .onRef("api_key.organization_id", "=", "spend_limit.organization_id")
        .on("spend_limit.scope_type", "=", "api_key"),
    )
    .select([
      "spend_limit.id",
      "spend_limit.scope_type as scopeType",
      "spend_limit.scope_id as scopeId",
      "spend_limit.period",
      "spend_limit.amount_nano_usd as amountNanoUsd",
      "spend_limit.enforcement",
      "spend_limit.open_ended_hold_nano_usd as openEndedHoldNanoUsd",
      "spend_limit.revision",
      createdAt.as("createdAt"),
      "spend_limit.updated_at as updatedAt",
    ])
    .where("spend_limit.organization_id", "=", organizationId);
  if (onlyWorkspaceIds === null) return query;
  return query.where(sql<SqlBool>`${workspaceIdOf} = ANY(${[...onlyWorkspaceIds]}::text[])`);
}

/** Newest first, one row more than the page holds. */
export function listVisibleLimits(
  db: Database | Tx,
  filter: LimitFilter,
  page: PageRequest,
): Promise<LimitRow[]> {
  let query = selectVisible(db, filter);
  if (filter.scopeTypes !== undefined) {
    query = query.where(
      sql<SqlBool>`spend_limit.scope_type = ANY(${[...filter.scopeTypes]}::text[])`,
    );
  }
  if (filter.workspaceId !== undefined) query = query.where(workspaceIdOf, "=", filter.workspaceId);
  if (filter.apiKeyId !== undefined) query = query.where("api_key.id", "=", filter.apiKeyId);
  if (filter.period !== undefined) query = query.where("spend_limit.period", "=", filter.period);
  if (filter.blockingAt !== undefined) query = query.where(isBlockingAt(filter.blockingAt));
  const { from } = page;
  if (from) {
    const position = sql`(${new Date(from.createdAtMs)}::timestamptz, ${from.id})`;
    query = query.where(sql<SqlBool>`(${createdAt}, spend_limit.id) < ${position}`);
  }
  return query
    .orderBy(createdAt, "desc")
    .orderBy("spend_limit.id", "desc")
    .limit(page.limit + 1)
    .execute();
}

export async function findVisibleLimit(
  db: Database | Tx,
  visibility: LimitVisibility,
  id: string,
): Promise<LimitRow | null> {
  const row = await selectVisible(db, visibility)
    .where("spend_limit.id", "=", id)
    .executeTakeFirst();
  return row ?? null;
}

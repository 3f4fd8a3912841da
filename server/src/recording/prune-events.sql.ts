import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { OLDEST_UNFOLDED } from "./retention.sql.ts";

/** An organization whose requests from before a day, UTC, are to be deleted. */
export interface PruneOrder {
  organizationId: string;
  before: Date;
}

/**
 * Moves every organization's mark to the end of its retention, by the database's clock, and returns all marks. Requests
 * before a mark are not read any more. A mark never moves back, even if the retention becomes longer. A mark never passes
 * a request that is not counted, or an hour that is not in all rollups.
 */
export async function moveMarks(db: Database | Tx): Promise<PruneOrder[]> {
  const end = sql`date_trunc('day', least(now() - make_interval(hours => 24 * log_retention_days), ${OLDEST_UNFOLDED},
    (SELECT hour_at FROM rollup_progress)), 'UTC')`;
  await sql`UPDATE usage_settings SET log_pruned_before = ${end}
    WHERE log_retention_days IS NOT NULL AND (log_pruned_before IS NULL OR log_pruned_before < ${end})`.execute(
    db,
  );
  const { rows } = await sql<PruneOrder>`
    SELECT organization_id AS "organizationId", log_pruned_before AS before
    FROM usage_settings WHERE log_pruned_before IS NOT NULL ORDER BY 1`.execute(db);
  return rows;
}

/**
 * Lists tables of months that are too old for every organization, oldest first. A month with an unresolved request stays,
 * because an administrator needs the request for a decision.
 */
export async function listOutdatedMonths(db: Database | Tx): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    WITH oldest AS (
      SELECT min(coalesce(s.log_pruned_before, '-infinity')) AS before
      FROM organization o LEFT JOIN usage_settings s ON s.organization_id = o.id
    ), month AS (
      SELECT c.relname::text AS name,
        (to_date(right(c.relname::text, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' AS ends_at
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent IN ('usage_event'::regclass, 'usage_record'::regclass)
        AND c.relname ~ '^usage_(event|record)_[0-9]{4}_[0-9]{2}$'
    )
    SELECT name FROM month, oldest WHERE ends_at <= before AND NOT EXISTS (SELECT FROM lease
      WHERE unresolved_since IS NOT NULL AND request_id <> '' AND period_start < ends_at) ORDER BY name`.execute(
    db,
  );
  return rows.map(({ name }) => name);
}

export async function dropMonth(tx: Tx, name: string): Promise<void> {
  await sql`DROP TABLE IF EXISTS ${sql.table(name)}`.execute(tx);
}

/** Acquires the lock until the end of the transaction. False while another node deletes. */
export async function tryLockPruning(tx: Tx): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    SELECT pg_try_advisory_xact_lock(hashtext('bursar usage_event pruning')) AS locked`.execute(tx);
  return rows[0]?.locked ?? false;
}

/** Table with requests, and its condition for those of an organization. */
const tables = {
  usage_record: sql`labels_id IN (SELECT id FROM usage_labels WHERE organization_id = `,
  usage_event: sql`(organization_id = `,
} as const;
export type RequestTable = keyof typeof tables;
export const requestTables = Object.keys(tables) as RequestTable[];

export interface PruneBatch {
  table: RequestTable;
  /** Null: from the oldest request on. */
  from: Date | null;
  limit: number;
}

/** Deleted requests of one batch. */
export interface DeletedRequests {
  count: number;
  /** Start of the newest one. Null: none was deleted. */
  lastStartedAt: Date | null;
}

/** Deletes outdated requests, the oldest first. */
export async function deleteEvents(
  tx: Tx,
  { organizationId, before }: PruneOrder,
  batch: PruneBatch,
): Promise<DeletedRequests> {
  const table = sql.table(batch.table);
  const isOutdated = sql`${tables[batch.table]}${organizationId}::uuid) AND request.started_at < ${before}
    AND request.started_at >= coalesce(${batch.from}::timestamptz, '-infinity')`;
  const { rows } = await sql<{ count: bigint; lastStartedAt: Date | null }>`
    WITH outdated AS (
      SELECT started_at, request_id FROM ${table} AS request
      WHERE ${isOutdated} AND NOT EXISTS (SELECT FROM lease
          WHERE lease.request_id = request.request_id AND unresolved_since IS NOT NULL)
      ORDER BY started_at LIMIT ${batch.limit}
    ), deleted AS (
      DELETE FROM ${table} AS request USING outdated
      WHERE request.started_at = outdated.started_at AND request.request_id = outdated.request_id AND ${isOutdated}
      RETURNING request.started_at
    )
    SELECT count(*) AS count, max(started_at) AS "lastStartedAt" FROM deleted`.execute(tx);
  return {
    count: Number(rows[0]?.count ?? 0n),
    lastStartedAt: rows[0]?.lastStartedAt ?? null,
  };
}

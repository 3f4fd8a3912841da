import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { lockFold } from "./fold-lock.sql.ts";
import { findRollupProgress, isAfter, type RollupProgress, startOfHour } from "./open-hours.sql.ts";
import { organizationsWithUsage } from "./rollups.sql.ts";

const HOUR_MS = 3_600_000;

/** Bounds the next statements of a transaction, so that the fold does not wait long for it. */
export async function limitStatements(tx: Tx, timeoutMs: number): Promise<void> {
  await sql`SELECT set_config('statement_timeout', ${`${timeoutMs}ms`}, true)`.execute(tx);
}

/** Finds the end of the last hour that ended so long ago, by the database's clock. Milliseconds since the epoch. */
export async function findClosableEndMs(db: Database | Tx, delayMs: number): Promise<number> {
  const { rows } = await sql<{ at: Date }>`
    SELECT date_trunc('hour', now() - ${delayMs} * interval '1 ms', 'UTC') AS at`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error("the database returned no time");
  return row.at.getTime();
}

/**
 * Reads the time since the end of the first open hour, milliseconds. Negative: the hour is not over. Null: every rollup is
 * written at once.
 */
export async function readClosingLagMs(db: Database | Tx): Promise<number | null> {
  const { rows } = await sql<{ ms: number | null }>`
    SELECT CASE WHEN isfinite(hour_at)
      THEN extract(epoch FROM clock_timestamp() - (hour_at + interval '1 hour'))::float8 * 1000 END AS ms
    FROM rollup_progress`.execute(db);
  return rows[0]?.ms ?? null;
}

/**
 * Plans the next hour that has usage: positions in order, each about `rowsPerStep` rows after the previous one. The last
 * one is the end of the hour, or of the range if the range has no usage. Empty: hours are closed up to `endMs`.
 */
export async function planSteps(
  db: Database | Tx,
  from: RollupProgress,
  { endMs, rowsPerStep }: { endMs: number; rowsPerStep: number },
): Promise<RollupProgress[]> {
  if (from.hourMs >= endMs) return [];
  const hourMs = await findNextHourMs(db, from, endMs);
  if (hourMs === null) return [startOfHour(endMs)];
  return [
    ...(await listPositions(db, from, { hourMs, rowsPerStep })),
    startOfHour(hourMs + HOUR_MS),
  ];
}

async function findNextHourMs(
  db: Database | Tx,
  from: RollupProgress,
  endMs: number,
): Promise<number | null> {
  const { rows } = await sql<{ at: Date | null }>`
    WITH RECURSIVE ${organizationsWithUsage}
    SELECT min(bucket_at) AS at FROM organization_with_usage AS known CROSS JOIN LATERAL (
      SELECT bucket_at FROM usage_hour
      WHERE organization_id = known.id AND bucket_at >= ${new Date(from.hourMs)} AND bucket_at < ${new Date(endMs)}
      ORDER BY bucket_at LIMIT 1
    ) AS first`.execute(db);
  return rows[0]?.at?.getTime() ?? null;
}

/** Lists every `rowsPerStep`-th row of an hour after a position. All rows of a key have one position. */
async function listPositions(
  db: Database | Tx,
  from: RollupProgress,
  { hourMs, rowsPerStep }: { hourMs: number; rowsPerStep: number },
): Promise<RollupProgress[]> {
  const { rows } = await sql<Omit<RollupProgress, "hourMs">>`
    WITH RECURSIVE ${organizationsWithUsage}, numbered AS (
      SELECT organization_id, workspace_id COLLATE "C" AS workspace_id, api_key_id COLLATE "C" AS api_key_id,
        row_number() OVER (ORDER BY organization_id, workspace_id COLLATE "C", api_key_id COLLATE "C") AS place
      FROM organization_with_usage AS known CROSS JOIN LATERAL (
        SELECT organization_id, workspace_id, api_key_id FROM usage_hour
        WHERE organization_id = known.id AND bucket_at = ${new Date(hourMs)} AND ${isAfter(from)}
      ) AS open
    )
    SELECT DISTINCT organization_id AS "organizationId", workspace_id AS "workspaceId", api_key_id AS "apiKeyId"
    FROM numbered WHERE place % ${rowsPerStep}::int = 0 ORDER BY 1, 2, 3`.execute(db);
  return rows.map((row) => ({ hourMs, ...row }));
}

/** Nodes of version 0.1 that had no contact for so long count as stopped. The database refuses them afterwards. */
const SILENT_MS = 10 * 60_000;

/** True if a node of version 0.1 was in contact lately. */
export async function hasOlderNode(db: Database | Tx): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    SELECT EXISTS (SELECT FROM node
      WHERE NOT appends AND seen_at > now() - ${SILENT_MS} * interval '1 ms') AS has`.execute(db);
  return rows[0]?.has !== false;
}

/** Nodes of version 0.1 can still commit a flush for so long after the switch. Their statements end after 30 s. */
const SWITCH_DELAY_MS = 5 * 60_000;

/**
 * Ends the time in which every rollup is written at once, when no node of version 0.1 is left. From an hour on, usage is
 * added to most rollups when its hour is closed. Returns the start of that hour: the next one, or the one after the last
 * hour with usage, because clocks of nodes can be ahead. Null: the switch was made before. Acquires the fold lock.
 */
export async function switchToClosing(tx: Tx, at: Date): Promise<Date | null> {
  await lockFold(tx);
  if ((await findRollupProgress(tx)).hourMs !== Infinity) return null;
  const { rows } = await sql<{ hour_at: Date }>`
    WITH RECURSIVE ${organizationsWithUsage}, used AS (
      SELECT max(last.bucket_at) AS hour_at FROM organization_with_usage AS known CROSS JOIN LATERAL (
        SELECT bucket_at FROM usage_hour WHERE organization_id = known.id ORDER BY bucket_at DESC LIMIT 1) AS last
    )
    UPDATE rollup_progress SET hour_at = interval '1 hour' + greatest(
      date_trunc('hour', ${new Date(at.getTime() + SWITCH_DELAY_MS)}::timestamptz, 'UTC'),
      (SELECT hour_at FROM used)) RETURNING hour_at`.execute(tx);
  return rows[0]?.hour_at ?? null;
}

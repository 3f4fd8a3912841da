import { countColumns, eventLabels, labelColumns } from "@bursar/contract/usage-shape.ts";
import { CompiledQuery, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";
import { formatPosition, isAfter, isUpTo, type RollupProgress } from "./open-hours.sql.ts";
import {
  closedRollups,
  type HourRollup,
  isAttributedRollup,
  isClosedRollup,
  type RollupTable,
  rollupTableNames,
  rollupTables,
} from "./rollup-tables.ts";
import { batchRowTypes, idsOf, type QueuedBatch } from "./usage-batches.sql.ts";
import { selectWeeksToUpdate } from "./weeks.sql.ts";

// Adds usage to the sums that reports read: the requests of batches, and the rows of an hour that is over. One statement
// for all tables, because planning them one by one costs more than running them.

const batchColumns = Object.keys(batchRowTypes);
const counts = countColumns.map((column) => `one.${column}`).join(", ");

/** Labels are sorted by their bytes, because a language's order is several times slower. */
function sortByBytes(table: string, labels: readonly string[]): string {
  return labels.map((label) => `${table}.${label} COLLATE "C" AS ${label}`).join(", ");
}

/** Rows of batches with their labels. If labels were missing, they would be NULL, which the rollups refuse. */
const ADDED = `
  SELECT one.bucket_at, labels.organization_id, labels.attribution_id, ${sortByBytes("labels", eventLabels)}, ${sortByBytes("one", ["status"])}, ${counts}
  FROM usage_batch AS batch
  CROSS JOIN LATERAL unnest(${batchColumns.map((column) => `batch.${column}`).join(", ")}) AS one (${batchColumns.join(", ")})
  LEFT JOIN usage_labels AS labels ON labels.id = one.labels_id
  WHERE batch.id = ANY($1::bigint[])`;

/** A request of an open hour is added to the hour and the minute. One of a closed hour is late, and added everywhere. */
const ADD_TO_ROLLUPS = prepareOnce(
  "add_to_rollups",
  `WITH added AS MATERIALIZED (${ADDED}),
    closed AS MATERIALIZED (
      SELECT * FROM added WHERE (${formatPosition("date_trunc('hour', bucket_at, 'UTC')")})
        <= (SELECT hour_at, organization_id, workspace_id, api_key_id FROM rollup_progress)
    ),
    weeks AS MATERIALIZED (${selectWeeksToUpdate("$2::timestamptz")}),
    attributed AS (SELECT * FROM added WHERE attribution_id <> 0),
    closed_attributed AS (SELECT * FROM closed WHERE attribution_id <> 0),
    ${formatAdditions(rollupTableNames, "weeks")}
  SELECT`,
);

/**
 * PostgreSQL promises no order between the parts of a statement. Each part counts the rows of the previous one, so it
 * begins when that has ended. All writers therefore lock the rows of all tables in one order, wait for each other, and
 * never deadlock.
 */
function formatAdditions(tables: readonly RollupTable[], first: string): string {
  return tables
    .map((table, index) => formatAddition(table, index === 0 ? first : `to_${tables[index - 1]}`))
    .join(",\n    ");
}

function formatAddition(table: RollupTable, before: string): string {
  const { unit, labels } = rollupTables[table];
  const key = ["bucket_at", "organization_id", ...labels];
  const sums = countColumns.map((column) => `sum_bigint(${column})`);
  const sets = countColumns.map((column) => `${column} = rollup.${column} + excluded.${column}`);
  const numbers = key.map((_, at) => at + 1).join(", ");
  return `to_${table} AS (
      INSERT INTO ${table} AS rollup (${[...key, ...countColumns].join(", ")})
      SELECT date_trunc('${unit}', bucket_at, 'UTC'), ${[...key.slice(1), ...sums].join(", ")}
      FROM ${findAdded(table)}
      WHERE (SELECT count(*) FROM ${before}) IS NOT NULL
        ${unit === "week" ? "AND bucket_at < (SELECT summed_before FROM weeks)" : ""}
      GROUP BY ${numbers} ORDER BY ${numbers}
      ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${sets.join(", ")} RETURNING 1)`;
}

/** Rows that the statement adds to the table. */
function findAdded(table: RollupTable): string {
  if (isAttributedRollup(table)) return isClosedRollup(table) ? "closed_attributed" : "attributed";
  return isClosedRollup(table) ? "closed" : "added";
}

/**
 * Adds the rows of the batches to the rollups: whole buckets in UTC, by the start of the requests. Rows of weeks that are
 * not summed yet are not added to weeks. The transaction has the fold lock.
 */
export async function addToRollups(tx: Tx, batches: readonly QueuedBatch[]): Promise<void> {
  const oldestMs = Math.min(...batches.map(({ oldestAt }) => oldestAt?.getTime() ?? Infinity));
  if (!Number.isFinite(oldestMs)) return;
  await tx.executeQuery(CompiledQuery.raw(ADD_TO_ROLLUPS, [idsOf(batches), new Date(oldestMs)]));
}

/**
 * CTE of the organizations that have rows in usage_hour, for `WITH RECURSIVE`. The index is read once for each. Their table
 * cannot be used, because usage outlives its organization.
 */
export const organizationsWithUsage = sql`organization_with_usage AS (
    (SELECT organization_id AS id FROM usage_hour ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT organization_id FROM usage_hour WHERE organization_id > known.id ORDER BY organization_id LIMIT 1)
    FROM organization_with_usage AS known WHERE known.id IS NOT NULL
  )`;

const hourColumns = `one.bucket_at, one.organization_id, ${sortByBytes("one", labelColumns)}, ${counts}`;
const attributedColumns = `one.attribution_id, ${hourColumns}`;
const ADD_CLOSED = formatAdditions(closedRollups, "closed");

/**
 * Adds the rows per hour between two positions to the other rollups, and moves the progress to the second. The
 * transaction has the fold lock, and the progress is still the first position.
 */
export async function closeRows(
  tx: Tx,
  { from, to }: { from: RollupProgress; to: RollupProgress },
): Promise<void> {
  const select = (columns: string, table: HourRollup) => sql`
    SELECT ${sql.raw(columns)} FROM organization_with_usage AS known CROSS JOIN LATERAL (
      SELECT * FROM ${sql.table(table)} WHERE organization_id = known.id AND ${isAfter(from)} AND ${isUpTo(to)}) AS one`;
  await sql`WITH RECURSIVE ${organizationsWithUsage},
    closed AS MATERIALIZED (${select(hourColumns, "usage_hour")}),
    closed_attributed AS MATERIALIZED (${select(attributedColumns, "usage_attributed_hour")}),
    ${sql.raw(ADD_CLOSED)}
    UPDATE rollup_progress SET hour_at = ${new Date(to.hourMs)}, organization_id = ${to.organizationId},
      workspace_id = ${to.workspaceId}, api_key_id = ${to.apiKeyId}
    WHERE (SELECT count(*) FROM to_${sql.raw(closedRollups.at(-1) ?? "")}) IS NOT NULL`.execute(tx);
}

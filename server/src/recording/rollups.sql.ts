import { countColumns, labelColumns } from "@bursar/contract/usage-shape.ts";
import { CompiledQuery } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";
import { type RollupTable, rollupTableNames, rollupTables } from "./rollup-tables.ts";
import { batchRowTypes, idsOf, type QueuedBatch } from "./usage-batches.sql.ts";
import { selectWeeksToUpdate } from "./weeks.sql.ts";

// Batches added to the sums that reports read. One statement serves all tables: planning a statement costs PostgreSQL
// more than running it.

const columns = Object.keys(batchRowTypes);

const ADD_TO_ROLLUPS = prepareOnce(
  "add_to_rollups",
  `WITH added AS MATERIALIZED (
      SELECT ${columns.map(addedColumn).join(", ")} FROM usage_batch AS batch
      CROSS JOIN LATERAL unnest(${columns.map((column) => `batch.${column}`).join(", ")}) AS one (${columns.join(", ")})
      WHERE batch.id = ANY($1::bigint[])
    ),
    weeks AS MATERIALIZED (${selectWeeksToUpdate("$2::timestamptz")}),
    ${rollupTableNames.map(formatAddition).join(",\n    ")}
  SELECT`,
);

/** Labels are put in order by their bytes: a language's order costs a multiple of it. */
function addedColumn(column: string): string {
  return (labelColumns as readonly string[]).includes(column)
    ? `one.${column} COLLATE "C" AS ${column}`
    : `one.${column}`;
}

/**
 * PostgreSQL promises no order between the parts of a statement. Each of these begins when the one before has ended, since
 * it counts its rows: so all nodes lock the rows of all tables in one order, and flushes wait for each other and never
 * deadlock.
 */
function formatAddition(table: RollupTable, index: number): string {
  const { unit, labels } = rollupTables[table];
  const before = index === 0 ? "weeks" : `to_${rollupTableNames[index - 1]}`;
  const key = ["bucket_at", "organization_id", ...labels];
  const sums = countColumns.map((column) => `sum(${column})::bigint`);
  const sets = countColumns.map((column) => `${column} = rollup.${column} + excluded.${column}`);
  const numbers = key.map((_, at) => at + 1).join(", ");
  return `to_${table} AS (
      INSERT INTO ${table} AS rollup (${[...key, ...countColumns].join(", ")})
      SELECT date_trunc('${unit}', bucket_at, 'UTC'), ${[...key.slice(1), ...sums].join(", ")} FROM added
      WHERE (SELECT count(*) FROM ${before}) IS NOT NULL
        ${unit === "week" ? "AND bucket_at < (SELECT summed_before FROM weeks)" : ""}
      GROUP BY ${numbers} ORDER BY ${numbers}
      ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${sets.join(", ")} RETURNING 1)`;
}

/**
 * Adds the rows of the batches to every rollup: whole buckets in UTC, by the start of the requests. Adds to weeks only
 * those that are summed up already.
 */
export async function addToRollups(tx: Tx, batches: readonly QueuedBatch[]): Promise<void> {
  const oldestMs = Math.min(...batches.map(({ oldestAt }) => oldestAt?.getTime() ?? Infinity));
  if (!Number.isFinite(oldestMs)) return;
  await tx.executeQuery(CompiledQuery.raw(ADD_TO_ROLLUPS, [idsOf(batches), new Date(oldestMs)]));
}

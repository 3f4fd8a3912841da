import { countColumns, labelColumns, mapKeys } from "@bursar/contract/usage-shape.ts";
import { CompiledQuery } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";
import { type ColumnTypes, columnParameters, columnTexts } from "./column-arrays.ts";
import { type RollupTable, rollupTableNames, rollupTables } from "./rollup-tables.ts";
import type { MinuteRow } from "./usage-rows.ts";
import { selectWeeksToUpdate } from "./weeks.sql.ts";

// What a batch adds to the sums that reports read. One statement for all tables: each statement of a flush costs this
// process about as much as a request does, and PostgreSQL more to plan than to run.

const rowTypes: ColumnTypes<MinuteRow> = {
  bucket_at: "timestamptz",
  organization_id: "uuid",
  ...mapKeys(labelColumns, () => "text"),
  ...mapKeys(countColumns, () => "bigint"),
};

const OLDEST = `$${Object.keys(rowTypes).length + 1}::timestamptz`;

const ADD_TO_ROLLUPS = prepareOnce(
  "add_to_rollups",
  `WITH added AS MATERIALIZED (
      SELECT ${Object.keys(rowTypes).map(addedColumn).join(", ")} FROM unnest(${columnParameters(rowTypes)})
        AS one (${Object.keys(rowTypes).join(", ")})
    ),
    weeks AS MATERIALIZED (${selectWeeksToUpdate(OLDEST)}),
    ${rollupTableNames.map(formatAddition).join(",\n    ")}
  SELECT`,
);

/** Labels are put in order by their bytes: a language's order costs a multiple of it. */
function addedColumn(column: string): string {
  return (labelColumns as readonly string[]).includes(column)
    ? `${column} COLLATE "C" AS ${column}`
    : column;
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
 * Adds rows per minute to every rollup: whole buckets in UTC, by the start of the requests. Of weeks only those that have
 * been summed up already. `oldestMs` is the start of the oldest request, milliseconds since the epoch.
 */
export async function addToRollups(
  tx: Tx,
  rows: readonly MinuteRow[],
  oldestMs: number,
): Promise<void> {
  const parameters = [...columnTexts(rowTypes, rows), new Date(oldestMs)];
  await tx.executeQuery(CompiledQuery.raw(ADD_TO_ROLLUPS, parameters));
}

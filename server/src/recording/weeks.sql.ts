import { countColumns } from "@bursar/contract/usage-shape.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { assert } from "#src/lib/assert.ts";
import { rollupTableNames, rollupTables } from "./rollup-tables.ts";

// A week is summed from its days when it is over and its hours are closed. Later requests are added to it directly. Both
// lock the row of usage_weeks, so that no request is left out and none is counted twice.

/** Time from the end of a week to its sum. Later, a request of the week is added to the sum. */
const SUMMED_AFTER = sql`interval '2 days'`;

/**
 * SQL that selects and locks the row of usage_weeks, if requests may belong to weeks that are summed already. The writer
 * adds such requests to these weeks. `oldest` is SQL of the start of the oldest request. A week can be summed two days
 * after that day at the earliest.
 */
export function selectWeeksToUpdate(oldest: string): string {
  return `SELECT summed_before FROM usage_weeks
    WHERE date_trunc('day', ${oldest}, 'UTC') < now() - interval '2 days' FOR SHARE`;
}

/** Returns the end of the summed weeks, milliseconds since the epoch: the start of a Monday, UTC. */
export async function findSummedWeeksEndMs(db: Database | Tx): Promise<number> {
  const { rows } = await sql<{
    summed_before: Date;
  }>`SELECT summed_before FROM usage_weeks`.execute(db);
  const [row] = rows;
  assert(row !== undefined, "summed weeks have a row");
  return row.summed_before.getTime();
}

/**
 * Finds the first week that is over, by the database's clock, whose hours are closed and that is not summed yet. Locks the
 * row of usage_weeks until the transaction ends.
 */
export async function lockWeekToSum(tx: Tx): Promise<Date | null> {
  const { rows } = await sql<{ summed_before: Date }>`
    SELECT summed_before FROM usage_weeks
    WHERE summed_before + interval '7 days' <= now() - ${SUMMED_AFTER}
      AND summed_before + interval '7 days' <= (SELECT hour_at FROM rollup_progress) FOR UPDATE`.execute(
    tx,
  );
  return rows[0]?.summed_before ?? null;
}

/** Sums the week that begins at `startsAt`. The caller has called `lockWeekToSum` in this transaction. */
export async function sumWeek(tx: Tx, startsAt: Date): Promise<void> {
  for (const table of rollupTableNames.filter((name) => rollupTables[name].unit === "week")) {
    const labels = sql.join(rollupTables[table].labels.map((label) => sql.ref(label)));
    const counts = sql.join(countColumns.map((column) => sql.ref(column)));
    const sums = sql.join(countColumns.map((column) => sql`sum(${sql.ref(column)})`));
    await sql`INSERT INTO ${sql.table(table)} (bucket_at, organization_id, ${labels}, ${counts})
      SELECT ${startsAt}::timestamptz, organization_id, ${labels}, ${sums} FROM usage_day
      WHERE bucket_at >= ${startsAt} AND bucket_at < ${startsAt}::timestamptz + interval '7 days'
      GROUP BY organization_id, ${labels}`.execute(tx);
  }
  await sql`UPDATE usage_weeks SET summed_before = ${startsAt}::timestamptz + interval '7 days'`.execute(
    tx,
  );
}

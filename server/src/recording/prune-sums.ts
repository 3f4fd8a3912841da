import type { Database } from "#src/db/pool.ts";
import { tryLockPruning } from "./prune-events.sql.ts";
import {
  deleteSums,
  findRetentionMarks,
  listOrganizationIds,
  moveSumMarks,
  type UsageRetention,
} from "./retention.sql.ts";
import { type RollupTable, rollupTableNames, rollupTables } from "./rollup-tables.ts";

const BATCH = 5_000;
/** A million rows of each table and organization in one run. The next run continues. */
const MAX_BATCHES = 200;

/**
 * Deletes sums by hour, day and week that are older than their retention. Months stay. The transactions are small, so that
 * no flush waits long. Does nothing while another node deletes. Returns the number of deleted rows.
 */
export async function pruneSums(
  database: Database,
  retention: UsageRetention,
  isStopped: () => boolean = () => false,
): Promise<number> {
  await moveSumMarks(database, retention);
  const { hoursBefore, daysBefore } = await findRetentionMarks(database);
  const organizationIds = await listOrganizationIds(database);
  let deleted = 0;
  for (const table of rollupTableNames) {
    const before = markOf(table, { hoursBefore, daysBefore });
    if (before === null) continue;
    for (const organizationId of organizationIds) {
      deleted += await deleteInBatches(database, { table, organizationId, before, isStopped });
    }
  }
  return deleted;
}

function markOf(
  table: RollupTable,
  marks: { hoursBefore: Date | null; daysBefore: Date | null },
): Date | null {
  switch (rollupTables[table].unit) {
    case "hour":
      return marks.hoursBefore;
    case "day":
    case "week":
      return marks.daysBefore;
    case "minute": // minutes.sql.ts
    case "month":
      return null;
  }
}

async function deleteInBatches(
  database: Database,
  of: { table: RollupTable; organizationId: string; before: Date; isStopped: () => boolean },
): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < MAX_BATCHES && !of.isStopped(); batch++) {
    const deleted = await database.transaction().execute(async (tx) => {
      if (!(await tryLockPruning(tx))) return 0;
      return deleteSums(tx, { ...of, limit: BATCH });
    });
    total += deleted;
    if (deleted < BATCH) break;
  }
  return total;
}

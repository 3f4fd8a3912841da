import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type RepeatedWork, startRepeatedWork } from "#src/lib/repeated-work.ts";
import { deleteOldRefusals, refusalTables } from "./prune-refusals.sql.ts";

const INTERVAL_MS = 3_600_000;
const BATCH = 5_000;
/** A million rows of each table in one run. The next run continues. */
const MAX_BATCHES = 200;

/** Deletes old refusals now, and every hour. A failure is logged, and the next run tries again. */
export function startRefusalPruning(deps: { database: Database; logger: Logger }): RepeatedWork {
  const { database, logger } = deps;
  return startRepeatedWork({
    everyMs: INTERVAL_MS,
    work: async (isStopped) => {
      const rows = await pruneRefusals(database, isStopped);
      if (rows > 0) logger.info({ rows }, "refusals deleted by age");
    },
    onError: (error) => logger.warn({ err: error }, "refusals could not be deleted by age"),
  });
}

/** Deletes old refusals in small steps. Returns the number of deleted rows. */
export async function pruneRefusals(
  database: Database,
  isStopped: () => boolean = () => false,
): Promise<number> {
  let total = 0;
  for (const table of refusalTables) {
    for (let batch = 0; batch < MAX_BATCHES && !isStopped(); batch++) {
      const deleted = await deleteOldRefusals(database, table, BATCH);
      total += deleted;
      if (deleted < BATCH) break;
    }
  }
  return total;
}

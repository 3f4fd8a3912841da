import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { KEPT_PER_KEY, makeRefusalRecorder, type RefusalRecorder } from "./record-refusals.ts";
import { addRefusalCounts, saveRecentRefusals } from "./save-refusals.sql.ts";

/** Starts a recorder that writes to the database. */
export function startRefusalRecorder(of: { database: Database; logger: Logger }): RefusalRecorder {
  const { database, logger } = of;
  return makeRefusalRecorder({
    saveCounts: (counts) => addRefusalCounts(database, counts),
    saveRecent: (refusals) => saveRecentRefusals(database, refusals, KEPT_PER_KEY),
    logger,
  });
}

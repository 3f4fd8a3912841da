import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type RepeatedWork, startRepeatedWork } from "#src/lib/repeated-work.ts";
import { deleteExpired } from "./prune-objects.sql.ts";

const INTERVAL_MS = 24 * 3_600_000;
/** Time for which the owner of an expired object is kept, so that its upstream still explains the end. */
const KEPT_DAYS = 30;
const BATCH = 5_000;
/** Five million rows in one run. The next run continues. */
const MAX_BATCHES = 1_000;

/** Deletes the owners of objects that expired long ago, in small statements. Returns their number. */
export async function pruneObjects(
  database: Database,
  isStopped: () => boolean = () => false,
): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < MAX_BATCHES && !isStopped(); batch++) {
    const deleted = await deleteExpired(database, { keptDays: KEPT_DAYS, limit: BATCH });
    total += deleted;
    if (deleted < BATCH) break;
  }
  return total;
}

/** Deletes owners of expired objects now, and every day. A failure is logged, and the next run tries again. */
export function startObjectPruning({
  database,
  logger,
}: {
  database: Database;
  logger: Logger;
}): RepeatedWork {
  return startRepeatedWork({
    everyMs: INTERVAL_MS,
    work: async (isStopped) => {
      const objects = await pruneObjects(database, isStopped);
      if (objects > 0) logger.info({ objects }, "owners of expired objects deleted");
    },
    onError: (error) => logger.warn({ err: error }, "owners of objects could not be deleted"),
  });
}

import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type RepeatedWork, startRepeatedWork } from "#src/lib/repeated-work.ts";
import { deleteOldRefusals } from "./prune-refusals.sql.ts";

const INTERVAL_MS = 3_600_000;

/** Deletes old refusals now, and every hour. A failure is logged, and the next run tries again. */
export function startRefusalPruning(deps: { database: Database; logger: Logger }): RepeatedWork {
  const { database, logger } = deps;
  return startRepeatedWork({
    everyMs: INTERVAL_MS,
    work: async () => {
      const rows = await deleteOldRefusals(database);
      if (rows > 0) logger.info({ rows }, "refusals deleted by age");
    },
    onError: (error) => logger.warn({ err: error }, "refusals could not be deleted by age"),
  });
}

import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { keepUsagePartitions } from "./partitions.ts";
import { keepEventsPruned } from "./prune-events.ts";
import { keepWeeksSummed } from "./sum-weeks.ts";

/**
 * Partitions for the events that come, no more of those that are gone than the organizations want, and the weeks that are
 * over summed up.
 */
export async function keepUsageTables(deps: {
  database: Database;
  logger: Logger;
}): Promise<{ stop(): Promise<void> }> {
  const partitions = await keepUsagePartitions(deps);
  const pruner = keepEventsPruned(deps);
  const weeks = keepWeeksSummed(deps);
  return {
    stop: async () => {
      partitions.stop();
      await Promise.all([pruner.stop(), weeks.stop()]);
    },
  };
}

import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { startPartitionMaintenance } from "./partitions.ts";
import { startEventPruning } from "./prune-events.ts";
import { startWeekSums } from "./sum-weeks.ts";

/**
 * Partitions for the events that come, no more of those that are gone than the organizations want, and the weeks that are
 * over summed up.
 */
export async function startUsageTableMaintenance(deps: {
  database: Database;
  logger: Logger;
}): Promise<{ stop(): Promise<void> }> {
  const partitions = await startPartitionMaintenance(deps);
  const pruner = startEventPruning(deps);
  const weeks = startWeekSums(deps);
  return {
    stop: async () => {
      partitions.stop();
      await Promise.all([pruner.stop(), weeks.stop()]);
    },
  };
}

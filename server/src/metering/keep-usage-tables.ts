import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { keepUsagePartitions } from "./partitions.ts";
import { keepEventsPruned } from "./prune-events.ts";

/** Partitions for the events that come, and no more of those that are gone than the organizations want. */
export async function keepUsageTables(deps: {
  database: Database;
  logger: Logger;
}): Promise<{ stop(): Promise<void> }> {
  const partitions = await keepUsagePartitions(deps);
  const pruner = keepEventsPruned(deps);
  return {
    stop: async () => {
      partitions.stop();
      await pruner.stop();
    },
  };
}

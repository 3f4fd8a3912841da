import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { startHourClosing } from "./close-hours.ts";
import { startPartitionMaintenance } from "./partitions.ts";
import { startEventPruning } from "./prune-events.ts";
import type { UsageRetention } from "./retention.sql.ts";
import { startWeekSums } from "./sum-weeks.ts";

export interface UsageTableMaintenance {
  /** Time since the end of the oldest hour that is over and not closed, milliseconds. 0: none. */
  closingLagMs: () => number;
  stop(): Promise<void>;
}

/** Creates partitions, deletes old requests and sums, closes hours, and sums past weeks. */
export async function startUsageTableMaintenance(deps: {
  database: Database;
  logger: Logger;
  retention: UsageRetention;
}): Promise<UsageTableMaintenance> {
  const partitions = await startPartitionMaintenance(deps);
  const pruner = startEventPruning(deps);
  const hours = startHourClosing(deps);
  const weeks = startWeekSums(deps);
  return {
    closingLagMs: hours.lagMs,
    stop: async () => {
      partitions.stop();
      await Promise.all([pruner.stop(), hours.stop(), weeks.stop()]);
    },
  };
}

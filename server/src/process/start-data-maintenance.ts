import type { Config } from "#src/config.ts";
import type { Storage } from "#src/db/storage.ts";
import type { Logger } from "#src/lib/logger.ts";
import {
  startUsageTableMaintenance,
  type UsageTableMaintenance,
} from "#src/recording/usage-table-maintenance.ts";
import { startBalancePruning } from "#src/spend/ledger/prune-balances.ts";
import { startObjectPruning } from "#src/upstream-objects/prune-objects.ts";

interface MaintenanceOptions {
  config: Config;
  storage: Storage;
  logger: Logger;
}

/** Creates partitions, sums up weeks, and deletes data by age. */
export async function startDataMaintenance(
  { config, logger, storage }: MaintenanceOptions,
  parts: AsyncDisposableStack,
): Promise<UsageTableMaintenance> {
  const database = storage.adminDatabase;
  const usageTables = await startUsageTableMaintenance({ database, logger, retention: config });
  parts.defer(() => usageTables.stop());
  const retentionDays = config.balanceRetentionDays;
  const oldBalances = startBalancePruning({ database, logger, retentionDays });
  parts.defer(() => oldBalances.stop());
  const oldObjects = startObjectPruning({ database, logger });
  parts.defer(() => oldObjects.stop());
  return usageTables;
}

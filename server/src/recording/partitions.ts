import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import {
  attachMonth,
  createDetachedMonth,
  limitLockWait,
  listMissingMonths,
  lockInserts,
  lockPartitions,
  moveFromDefault,
} from "./partitions.sql.ts";

const LOCK_WAIT_MS = 5_000;
const DAY_MS = 24 * 3_600_000;

/**
 * Creates missing partitions of this month and the next one, and returns their names. Several nodes can run it, beside
 * flushes. Without a partition, events are stored in the default partition, which is only slower.
 */
export async function ensureUsagePartitions(database: Database): Promise<string[]> {
  if ((await listMissingMonths(database)).length === 0) return [];
  return await database.transaction().execute(async (tx) => {
    await limitLockWait(tx, LOCK_WAIT_MS);
    await lockPartitions(tx);
    const months = await listMissingMonths(tx);
    if (months.length > 0) await lockInserts(tx);
    for (const month of months) {
      await createDetachedMonth(tx, month);
      await moveFromDefault(tx, month);
      await attachMonth(tx, month);
    }
    return months.map(({ name }) => name);
  });
}

export interface PartitionMaintenance {
  stop(): void;
}

/** Creates partitions once before it returns, and then daily. A failure is logged, and the next day tries again. */
export async function startPartitionMaintenance(deps: {
  database: Database;
  logger: Logger;
}): Promise<PartitionMaintenance> {
  const createMissing = async () => {
    try {
      const names = await ensureUsagePartitions(deps.database);
      if (names.length > 0) deps.logger.info({ partitions: names }, "usage partitions created");
    } catch (error) {
      deps.logger.warn({ err: error }, "usage partitions could not be created");
    }
  };
  await createMissing();
  const timer = setInterval(() => void createMissing(), DAY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

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
 * Makes the partitions of this and the next month where they are missing; gives their names. Safe on several nodes at
 * once and beside running flushes. Without it events go to the default partition, where nothing is lost, only slower.
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

/** Once now, awaited, and then daily. A failure is logged and tried again the next day: the next month is early enough. */
export async function startPartitionMaintenance(deps: {
  database: Database;
  logger: Logger;
}): Promise<PartitionMaintenance> {
  const keep = async () => {
    try {
      const names = await ensureUsagePartitions(deps.database);
      if (names.length > 0) deps.logger.info({ partitions: names }, "usage partitions made");
    } catch (error) {
      deps.logger.warn({ err: error }, "usage partitions could not be made");
    }
  };
  await keep();
  const timer = setInterval(() => void keep(), DAY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

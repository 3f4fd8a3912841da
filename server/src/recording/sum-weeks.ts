import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type RepeatedWork, startRepeatedWork } from "#src/lib/repeated-work.ts";
import { limitLockWait } from "./partitions.sql.ts";
import { lockWeekToSum, sumWeek } from "./weeks.sql.ts";

const LOCK_WAIT_MS = 5_000;
const HOUR_MS = 3_600_000;
/** After an update of an old installation all its weeks are there to be summed up: more than these are left for later. */
const MAX_WEEKS = 600;

/**
 * Sums up the weeks that are over, each in a transaction of its own; says how many. Safe on several nodes at once and
 * beside running flushes. Where it has not run, reports read the days: they say the same and take longer. `isStopped` is
 * asked between the weeks.
 */
export async function sumWeeks(
  database: Database,
  isStopped: () => boolean = () => false,
): Promise<number> {
  let weeks = 0;
  for (; weeks < MAX_WEEKS && !isStopped(); weeks++) {
    const isSummed = await database.transaction().execute(async (tx) => {
      await limitLockWait(tx, LOCK_WAIT_MS);
      const startsAt = await lockWeekToSum(tx);
      if (startsAt !== null) await sumWeek(tx, startsAt);
      return startsAt !== null;
    });
    if (!isSummed) break;
  }
  return weeks;
}

/** Sums up weeks now, and every hour. A failure is logged, and the next run tries again. */
export function startWeekSums({
  database,
  logger,
}: {
  database: Database;
  logger: Logger;
}): RepeatedWork {
  return startRepeatedWork({
    everyMs: HOUR_MS,
    work: async (isStopped) => {
      const weeks = await sumWeeks(database, isStopped);
      if (weeks > 0) logger.info({ weeks }, "weeks of usage summed up");
    },
    onError: (error) => logger.warn({ err: error }, "weeks of usage could not be summed up"),
  });
}

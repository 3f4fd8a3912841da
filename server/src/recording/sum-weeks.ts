import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type RepeatedWork, startRepeatedWork } from "#src/lib/repeated-work.ts";
import { limitLockWait } from "./partitions.sql.ts";
import { lockWeekToSum, sumWeek } from "./weeks.sql.ts";

const LOCK_WAIT_MS = 5_000;
const HOUR_MS = 3_600_000;
/** Highest number of weeks in one run. After an upgrade all past weeks may wait. The next run continues. */
const MAX_WEEKS = 600;

/**
 * Sums past weeks, each in its own transaction, and returns their number. Several nodes can run it, beside flushes. Until
 * a week is summed, reports read its days, which is slower. Calls `isStopped` between the weeks.
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

/** Sums past weeks now, and every hour. A failure is logged, and the next run tries again. */
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
      if (weeks > 0) logger.info({ weeks }, "past weeks of usage summed");
    },
    onError: (error) => logger.warn({ err: error }, "past weeks of usage could not be summed"),
  });
}

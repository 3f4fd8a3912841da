import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type RepeatedWork, startRepeatedWork } from "#src/lib/repeated-work.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { deleteOldOverruns } from "./overruns.sql.ts";
import { deleteOldBalances, moveBalanceMark, tryLockBalancePruning } from "./prune-balances.sql.ts";
import {
  areAllBalancesKept,
  BEFORE_ALL_BALANCES,
  deleteUnwatched,
  findUnwatched,
} from "./watched-balances.sql.ts";

const BATCH = 5_000;
/** Rows of one transaction under the fold's lock. */
const UNWATCHED_BATCH = 2_000;
/** A fold that finds the lock taken tries again within this time (fold-worker.ts). */
const PAUSE_MS = 150;
/** Five million balances in one run. The next run continues. */
const MAX_BATCHES = 1_000;
const INTERVAL_MS = 24 * 3_600_000;

/**
 * Deletes balances and overruns of past periods that are older than the retention, in small transactions. Requests and
 * their sums keep the spend. Does nothing while another node deletes. Returns the number of deleted balances.
 */
export async function pruneBalances(
  database: Database,
  retentionDays: number,
  isStopped: () => boolean = () => false,
): Promise<number> {
  await moveBalanceMark(database, retentionDays);
  let total = 0;
  for (let batch = 0; batch < MAX_BATCHES && !isStopped(); batch++) {
    const deleted = await database.transaction().execute(async (tx) => {
      if (!(await tryLockBalancePruning(tx))) return { balances: 0, overruns: 0 };
      const overruns = await deleteOldOverruns(tx, BATCH);
      return { balances: await deleteOldBalances(tx, BATCH), overruns };
    });
    total += deleted.balances;
    if (Math.max(deleted.balances, deleted.overruns) < BATCH) break;
  }
  return total;
}

/**
 * Deletes balances that no limit and no alert watches any more, in small transactions. A balance that is watched again is
 * computed again. Returns the number of deleted balances.
 */
export async function deleteUnwatchedBalances(
  database: Database,
  {
    isStopped = () => false,
    pause = () => delay(PAUSE_MS),
  }: { isStopped?: () => boolean; pause?: () => Promise<unknown> } = {},
): Promise<number> {
  let total = 0;
  let after = BEFORE_ALL_BALANCES;
  while (!(isStopped() || (await areAllBalancesKept(database)))) {
    const range = { after, limit: UNWATCHED_BATCH };
    const found = await findUnwatched(database, range);
    if (found === null) break;
    if (found.hasUnwatched) {
      total += await inTransaction(database, async (tx) => {
        await lockFold(tx);
        return deleteUnwatched(tx, { after, last: found.last });
      });
      await pause();
    }
    after = found.last;
  }
  return total;
}

/** Deletes old and unwatched balances now, and every day. A failure is logged, and the next run tries again. */
export function startBalancePruning(deps: {
  database: Database;
  logger: Logger;
  retentionDays: number;
}): RepeatedWork {
  const { database, logger, retentionDays } = deps;
  return startRepeatedWork({
    everyMs: INTERVAL_MS,
    work: async (isStopped) => {
      const balances = await pruneBalances(database, retentionDays, isStopped);
      if (balances > 0) logger.info({ balances }, "balances deleted by age");
      const unwatched = await deleteUnwatchedBalances(database, { isStopped });
      if (unwatched > 0) logger.info({ balances: unwatched }, "unwatched balances deleted");
    },
    onError: (error) => logger.warn({ err: error }, "balances could not be deleted"),
  });
}

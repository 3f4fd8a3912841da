import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type RepeatedWork, startRepeatedWork } from "#src/lib/repeated-work.ts";
import { deleteOldBalances, moveBalanceMark, tryLockBalancePruning } from "./prune-balances.sql.ts";

const BATCH = 5_000;
/** Five million balances in one run. The next run continues. */
const MAX_BATCHES = 1_000;
const INTERVAL_MS = 24 * 3_600_000;

/**
 * Deletes balances of past periods that are older than the retention, in small transactions. Requests and their sums keep
 * the spend. Does nothing while another node deletes. Returns the number of deleted balances.
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
      if (!(await tryLockBalancePruning(tx))) return 0;
      return deleteOldBalances(tx, BATCH);
    });
    total += deleted;
    if (deleted < BATCH) break;
  }
  return total;
}

/** Deletes old balances now, and every day. A failure is logged, and the next run tries again. */
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
    },
    onError: (error) => logger.warn({ err: error }, "balances could not be deleted by age"),
  });
}

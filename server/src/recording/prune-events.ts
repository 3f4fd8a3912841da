import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type RepeatedWork, startRepeatedWork } from "#src/lib/repeated-work.ts";
import { deleteOldMinutes } from "./minutes.sql.ts";
import { limitLockWait, lockPartitions } from "./partitions.sql.ts";
import {
  type DeletedRequests,
  deleteEvents,
  dropMonth,
  listOutdatedMonths,
  moveMarks,
  type PruneBatch,
  type PruneOrder,
  type RequestTable,
  requestTables,
  tryLockPruning,
} from "./prune-events.sql.ts";
import { pruneSums } from "./prune-sums.ts";
import type { UsageRetention } from "./retention.sql.ts";

// Deletes single requests by age, for organizations with a retention. All rollups have a day before its requests are
// deleted, so reports and balances lose nothing. Only minutes and the request log end at the mark.

const LOCK_WAIT_MS = 2_000;
const BATCH = 5_000;
/** Ten million requests in one run. The next run continues. */
const MAX_BATCHES = 2_000;
const INTERVAL_MS = 3_600_000;

export interface Pruned {
  months: string[];
  events: number;
}

/**
 * Deletes old requests. Months that are too old for every organization are dropped as tables. Other requests are deleted
 * in small transactions, so that no flush waits long. Does nothing while another node deletes. Calls `isStopped` between
 * the steps.
 */
export async function pruneUsageEvents(
  database: Database,
  isStopped: () => boolean = () => false,
): Promise<Pruned> {
  const orders = await moveMarks(database);
  const pruned: Pruned = { months: [], events: 0 };
  if (orders.length === 0) return pruned;
  for (const name of await listOutdatedMonths(database)) {
    if (isStopped()) return pruned;
    const isDropped = await database.transaction().execute(async (tx) => {
      if (!(await tryLockPruning(tx))) return false;
      await limitLockWait(tx, LOCK_WAIT_MS);
      await lockPartitions(tx);
      await dropMonth(tx, name);
      return true;
    });
    if (!isDropped) return pruned;
    pruned.months.push(name);
  }
  for (const order of orders) {
    for (const table of requestTables) {
      pruned.events += await deleteInBatches(database, { order, table, isStopped });
    }
  }
  return pruned;
}

async function deleteInBatches(
  database: Database,
  of: { order: PruneOrder; table: RequestTable; isStopped: () => boolean },
): Promise<number> {
  let events = 0;
  // Later batches do not read the requests of other organizations again.
  let from: Date | null = null;
  for (let batch = 0; batch < MAX_BATCHES && !of.isStopped(); batch++) {
    const limits: PruneBatch = { table: of.table, from, limit: BATCH };
    const deleted: DeletedRequests | null = await database.transaction().execute(async (tx) => {
      if (!(await tryLockPruning(tx))) return null;
      return deleteEvents(tx, of.order, limits);
    });
    events += deleted?.count ?? 0;
    if (deleted === null || deleted.count < BATCH) break;
    from = deleted.lastStartedAt;
  }
  return events;
}

/** Deletes old requests and old sums now, and every hour. A failure is logged, and the next run tries again. */
export function startEventPruning(deps: {
  database: Database;
  logger: Logger;
  retention: UsageRetention;
}): RepeatedWork {
  const { database, logger, retention } = deps;
  return startRepeatedWork({
    everyMs: INTERVAL_MS,
    work: async (isStopped) => {
      const { months, events } = await pruneUsageEvents(database, isStopped);
      if (months.length > 0 || events > 0) {
        logger.info({ months, events }, "requests deleted by age");
      }
      await deleteOldMinutes(database);
      const sums = await pruneSums(database, retention, isStopped);
      if (sums > 0) logger.info({ rows: sums }, "sums deleted by age");
    },
    onError: (error) => logger.warn({ err: error }, "requests could not be deleted by age"),
  });
}

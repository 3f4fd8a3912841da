import { isDeadlock } from "./database-error.ts";
import type { Database, Tx } from "./pool.ts";

/**
 * Runs `work` in one transaction (read committed). Commits on return, rolls back on an error. After a deadlock `work` runs
 * again, up to `deadlockRetries` times, so it must change only the database or start from the beginning each time. If the
 * connection is lost during the commit, the outcome is unknown. `isUnavailable` is true for that error too, so only
 * repeatable work may be retried.
 */
export async function inTransaction<Result>(
  database: Database,
  work: (tx: Tx) => Promise<Result>,
  { deadlockRetries = 0 } = {},
): Promise<Result> {
  for (let deadlocks = 0; ; deadlocks++) {
    try {
      return await database.transaction().execute(work);
    } catch (error) {
      if (!isDeadlock(error) || deadlocks >= deadlockRetries) throw error;
    }
  }
}

/** Runs read-only `work` on one snapshot, so that its reads are consistent during concurrent commits. */
export function inSnapshot<Result>(
  database: Database,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return database
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(work);
}

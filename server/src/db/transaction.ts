import { isDeadlock } from "./database-error.ts";
import type { Database, Tx } from "./pool.ts";

/**
 * Runs `work` in one transaction (read committed): committed when it returns, rolled back when it throws. After a deadlock
 * `work` runs again, `deadlockRetries` times at most: it then changes nothing but the database, or begins anew each time.
 * When the connection is lost during the commit, its outcome is unknown. `isUnavailable` is true of that error too, so only
 * work that may be repeated should be.
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

/** Runs reading `work` on one state of the database: what it reads adds up, whatever commits meanwhile. */
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

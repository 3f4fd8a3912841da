import { isDeadlock } from "./database-error.ts";
import type { Database, Tx } from "./pool.ts";

const MAX_DEADLOCKS = 3;

/**
 * Runs `work` in one transaction (read committed): committed when it returns, rolled back when it throws, never tried
 * again. When the connection is lost during the commit nobody knows whether it happened; `isUnavailable` is true of
 * that error too, so only work that may be repeated should be.
 */
export function inTransaction<Result>(
  database: Database,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return database.transaction().execute(work);
}

/**
 * As `inTransaction`, but what PostgreSQL rolled back because it and another waited for each other runs once more, since
 * the other has gone on: `work` changes nothing but the database, or begins anew each time.
 */
export async function inTransactionDespiteDeadlocks<Result>(
  database: Database,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  for (let deadlocks = 0; ; deadlocks++) {
    try {
      return await inTransaction(database, work);
    } catch (error) {
      if (!isDeadlock(error) || deadlocks >= MAX_DEADLOCKS) throw error;
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

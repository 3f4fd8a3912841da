import type { Database, Tx } from "./pool.ts";

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

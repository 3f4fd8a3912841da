import { isDeadlock } from "./database-error.ts";
import type { Database, Tx } from "./pool.ts";

// Lock order. Transactions that use it wait for each other and never deadlock. Rows of one table are locked in id order.
//   1. organization (`lockPeople`, `lockOrganization`)
//   2. workspaces
//   3. members, groups, tags (`lockScope`), then `lockMemberLimits`
//   4. API keys and admin keys, then their secrets and restrictions
//   5. limits, and other rows that belong to one of these
//   6. the end of the audit log, then the change counter
// Steps can be left out. A change of a key holds the workspace with FOR SHARE, so that it waits for archiving.
//
// Rows that foreign keys reference are locked FOR NO KEY UPDATE, unless they are deleted. A signature updates its row a
// second time, after step 6. PostgreSQL then checks the row's foreign keys again, with FOR KEY SHARE. FOR UPDATE would
// block that check.

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

import { queueResolution } from "#src/alerts/channels/queue-deliveries.ts";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { listOver, markResolved } from "./incidents.sql.ts";

/** Of one run: what is left then is for the next one. */
const MAX_ENDED = 500;

/**
 * Once a minute, on one node: ends incidents at PagerDuty whose firing is over. Each is ended once, by a job that is added
 * in the transaction which notes it; a channel that is off or paused is told when it works again.
 */
export async function endIncidents(deps: {
  database: Database;
  nowMs: () => number;
}): Promise<void> {
  const now = new Date(deps.nowMs());
  await inTransaction(deps.database, async (tx) => {
    const over = await listOver(tx, { now, limit: MAX_ENDED });
    for (const incident of await markResolved(tx, over, now)) await queueResolution(tx, incident);
  });
}

import { queueResolution } from "#src/alerts/channels/queue-deliveries.ts";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { listEndedIncidents, markResolved } from "./incidents.sql.ts";

/** Maximum number of incidents in one run. The next run ends the rest. */
const MAX_ENDED = 500;

/**
 * Runs once a minute, on one node. Resolves incidents in PagerDuty whose firings are over. The transaction that records the
 * end adds the job, so each incident is resolved once. A channel that is off or paused gets the event when it works again.
 */
export async function endIncidents(deps: {
  database: Database;
  nowMs: () => number;
}): Promise<void> {
  const now = new Date(deps.nowMs());
  await inTransaction(deps.database, async (tx) => {
    const ended = await listEndedIncidents(tx, { now, limit: MAX_ENDED });
    for (const incident of await markResolved(tx, ended, now)) await queueResolution(tx, incident);
  });
}

import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import {
  deleteExpiredSecrets,
  deleteOldDeliveries,
  failOld,
  listStranded,
} from "./deliveries.sql.ts";
import { addDeliveryJob } from "./queue-deliveries.ts";

/** Longer than the longest attempt: whoever had the job has ended by then, or is dead. */
const JOB_SECONDS = 60;
const MAX_WAITING_HOURS = 72;
const KEEP_DAYS = 90;
const MAX_RESCUED = 200;

/**
 * Once a minute, on one node: rescues what a dead node was sending, gives up what is too old to be news, and forgets what is
 * long done.
 */
export async function sweepDeliveries(database: Database): Promise<void> {
  await failOld(database, {
    afterHours: MAX_WAITING_HOURS,
    jobSeconds: JOB_SECONDS,
    error: `It could not be sent within ${MAX_WAITING_HOURS} hours.`,
  });
  const stranded = await listStranded(database, { jobSeconds: JOB_SECONDS, limit: MAX_RESCUED });
  for (const id of stranded) await inTransaction(database, (tx) => addDeliveryJob(tx, id));
  await deleteOldDeliveries(database, KEEP_DAYS);
  await deleteExpiredSecrets(database);
}

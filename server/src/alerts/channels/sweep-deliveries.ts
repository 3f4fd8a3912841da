import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import {
  deleteExpiredSecrets,
  deleteOldDeliveries,
  failOldDeliveries,
  listStrandedDeliveries,
} from "./deliveries.sql.ts";
import { addDeliveryJob } from "./queue-deliveries.ts";

/** Longer than the longest attempt. An older job has ended, or its node is dead. */
const JOB_SECONDS = 60;
const MAX_WAITING_HOURS = 72;
const KEEP_DAYS = 90;
const MAX_REQUEUED = 200;

/**
 * Runs once a minute, on one node. Queues messages of dead nodes again, fails messages that waited too long, and deletes old
 * deliveries and expired secrets.
 */
export async function sweepDeliveries(database: Database): Promise<void> {
  await failOldDeliveries(database, {
    afterHours: MAX_WAITING_HOURS,
    jobSeconds: JOB_SECONDS,
    error: `The message could not be sent within ${MAX_WAITING_HOURS} hours.`,
  });
  const stranded = await listStrandedDeliveries(database, {
    jobSeconds: JOB_SECONDS,
    limit: MAX_REQUEUED,
  });
  for (const id of stranded) await inTransaction(database, (tx) => addDeliveryJob(tx, id));
  await deleteOldDeliveries(database, KEEP_DAYS);
  await deleteExpiredSecrets(database);
}

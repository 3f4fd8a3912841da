import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Logger } from "#src/lib/logger.ts";
import {
  claimMail,
  deleteOldMail,
  failOldMail,
  listStrandedMail,
  markAttemptFailed,
  markSent,
} from "./mail.sql.ts";
import { addSendJob, openBody } from "./queue-mail.ts";
import type { MailTransport } from "./smtp.ts";

/** Longer than the longest attempt, so a sender has released the message by then, or is dead. */
const CLAIM_SECONDS = 150;
const MAX_QUEUED_HOURS = 72;
const KEEP_DAYS = 90;
const MAX_RESCUED = 100;

/**
 * Sends one message. Throws if a retry is useful. The message is claimed before it is sent and marked after. So a
 * second sending needs a node that dies between the server's response and the mark. The Message-ID is the same then.
 */
export async function deliverMail(
  deps: { database: Database; sealingKey: Buffer; transport: MailTransport; logger: Logger },
  mailId: string,
  isLastAttempt: boolean,
): Promise<void> {
  const mail = await claimMail(deps.database, { id: mailId, seconds: CLAIM_SECONDS });
  if (mail === null) return;
  const body = openBody(deps.sealingKey, mail.id, mail.bodySealed);
  const outcome = await deps.transport.send({ ...mail, ...body });
  if (outcome.kind === "accepted") return markSent(deps.database, mail.id);
  const isFinal = outcome.kind === "refused" || isLastAttempt;
  await markAttemptFailed(deps.database, { id: mail.id, error: outcome.reason, isFinal });
  deps.logger.warn({ mailId, isFinal, reason: outcome.reason }, "a message was not delivered");
  if (!isFinal) throw new Error(`message ${mailId} was not delivered`);
}

/** Runs once a minute on one node: retries messages of dead nodes, fails old ones, and deletes older ones. */
export async function sweepMail(database: Database): Promise<void> {
  await failOldMail(database, {
    afterHours: MAX_QUEUED_HOURS,
    error: `The message was not sent within ${MAX_QUEUED_HOURS} hours.`,
  });
  const stranded = await listStrandedMail(database, {
    jobSeconds: CLAIM_SECONDS,
    limit: MAX_RESCUED,
  });
  for (const id of stranded) await inTransaction(database, (tx) => addSendJob(tx, id));
  await deleteOldMail(database, KEEP_DAYS);
}

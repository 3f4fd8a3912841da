import type { Database } from "#src/db/pool.ts";
import type { Job } from "#src/jobs/run-jobs.ts";
import type { Logger } from "#src/lib/logger.ts";
import { deliverMail, sweepMail } from "./deliver-mail.ts";
import { SEND_MAIL } from "./queue-mail.ts";
import type { MailTransport } from "./smtp.ts";

const SWEEP_MAIL = "sweep_mail";

export interface MailJobsDeps {
  database: Database;
  sealingKey: Buffer;
  /** Null: this node has no mail server, and messages wait for a node with one. */
  transport: MailTransport | null;
  logger: Logger;
}

export function makeMailJobs(deps: MailJobsDeps): Record<string, Job> {
  const { transport } = deps;
  const sweep: Job = () => sweepMail(deps.database);
  if (transport === null) return { [SWEEP_MAIL]: sweep };
  return {
    [SWEEP_MAIL]: sweep,
    [SEND_MAIL]: ({ mail_id: mailId }, { isLast }) =>
      deliverMail({ ...deps, transport }, String(mailId), isLast),
  };
}

/** Schedule: every minute. */
export const mailSchedule = { [SWEEP_MAIL]: "* * * * *" } as const;

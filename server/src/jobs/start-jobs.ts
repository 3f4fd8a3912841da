import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { makeSmtpTransport } from "#src/mail/smtp.ts";
import { mailSchedule, makeMailJobs } from "./mail-jobs.ts";
import { type RunningJobs, runJobs } from "./run-jobs.ts";

export interface StartJobsOptions {
  /** For the queue's own connections. */
  connectionString: string;
  /** For what the jobs do. */
  database: Database;
  sealingKey: Buffer;
  /** Both, or no mail is sent from this node. */
  smtpUrl: string | undefined;
  mailFrom: string | undefined;
  logger: Logger;
}

/** What this node does besides answering: it shares the work with the others. */
export function startJobs(options: StartJobsOptions): RunningJobs {
  const { smtpUrl, mailFrom, connectionString, logger } = options;
  const transport =
    smtpUrl !== undefined && mailFrom !== undefined
      ? makeSmtpTransport({ url: smtpUrl, from: mailFrom })
      : null;
  return runJobs({
    connectionString,
    jobs: makeMailJobs({ ...options, transport }),
    schedule: mailSchedule,
    logger,
  });
}

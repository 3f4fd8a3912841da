import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Logger } from "#src/lib/logger.ts";
import { makeSmtpTransport } from "#src/mail/smtp.ts";
import {
  accessReviewSchedule,
  KEEP_ACCESS_REVIEWS,
  makeAccessReviewJobs,
} from "./access-review-jobs.ts";
import { mailSchedule, makeMailJobs } from "./mail-jobs.ts";
import { makeRotationJobs, rotationSchedule } from "./rotation-jobs.ts";
import { type RunningJobs, runJobs } from "./run-jobs.ts";

export interface StartJobsOptions {
  /** For the queue's own connections. */
  connectionString: string;
  /** For what the jobs change. */
  audit: AuditDeps;
  /** Where people reach this server, for links in messages. */
  publicUrl: () => string;
  /** Both, or no mail is sent from this node. */
  smtpUrl: string | undefined;
  mailFrom: string | undefined;
  logger: Logger;
}

/** What this node does besides answering: it shares the work with the others. */
export function startJobs(options: StartJobsOptions): RunningJobs {
  const { audit, publicUrl, smtpUrl, mailFrom, connectionString, logger } = options;
  const deps = { ...audit, publicUrl, logger };
  const transport =
    smtpUrl !== undefined && mailFrom !== undefined
      ? makeSmtpTransport({ url: smtpUrl, from: mailFrom })
      : null;
  return runJobs({
    connectionString,
    jobs: {
      ...makeMailJobs({ ...deps, transport }),
      ...makeAccessReviewJobs(deps),
      ...makeRotationJobs(deps),
    },
    schedule: { ...mailSchedule, ...accessReviewSchedule, ...rotationSchedule },
    atStart: [KEEP_ACCESS_REVIEWS],
    logger,
  });
}

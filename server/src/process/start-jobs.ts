import type { Outgoing } from "#src/alerts/channels/outgoing.ts";
import {
  alertSweepSchedule,
  makeAlertDeliveryJobs,
  makeAlertSweepJobs,
} from "#src/alerts/firing/alert-jobs.ts";
import { keyAlertSchedule, makeKeyAlertJobs } from "#src/alerts/firing/key-alert-jobs.ts";
import {
  makeOverrunAlertJobs,
  overrunAlertSchedule,
} from "#src/alerts/firing/overrun-alert-jobs.ts";
import {
  makeRequestAlertJobs,
  requestAlertSchedule,
} from "#src/alerts/firing/request-alert-jobs.ts";
import {
  makeSpendEvaluationJobs,
  spendEvaluationSchedule,
} from "#src/alerts/firing/spend-evaluation-jobs.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { type RunningJobs, runJobs } from "#src/jobs/run-jobs.ts";
import { makeRotationJobs, rotationSchedule } from "#src/keys/rotation/rotation-jobs.ts";
import type { Logger } from "#src/lib/logger.ts";
import { mailSchedule, makeMailJobs } from "#src/mail/mail-jobs.ts";
import { makeSmtpTransport } from "#src/mail/smtp.ts";
import {
  accessReviewSchedule,
  KEEP_ACCESS_REVIEWS,
  makeAccessReviewJobs,
} from "#src/reviews/access-review-jobs.ts";

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
  outgoing: Outgoing;
  /** Breaks the connections of the queue off. */
  abandoned: AbortSignal;
  logger: Logger;
}

/** They wait for servers of others, up to ten seconds each: no other job waits behind them. */
const DELIVERIES_AT_ONCE = 8;

/** What this node does besides answering: it shares the work with the others. */
export function startJobs(options: StartJobsOptions): RunningJobs {
  const { audit, publicUrl, smtpUrl, mailFrom, outgoing, connectionString, abandoned, logger } =
    options;
  const deps = { ...audit, publicUrl, logger };
  const transport =
    smtpUrl !== undefined && mailFrom !== undefined
      ? makeSmtpTransport({ url: smtpUrl, from: mailFrom })
      : null;
  const deliveries = runJobs({
    connectionString,
    jobs: makeAlertDeliveryJobs({ ...deps, ...outgoing }),
    schedule: {},
    atOnce: DELIVERIES_AT_ONCE,
    abandoned,
    logger,
  });
  const others = runJobs({
    connectionString,
    jobs: {
      ...makeMailJobs({ ...deps, transport }),
      ...makeAccessReviewJobs(deps),
      ...makeRotationJobs(deps),
      ...makeAlertSweepJobs(deps),
      ...makeOverrunAlertJobs(deps),
      ...makeSpendEvaluationJobs(deps),
      ...makeKeyAlertJobs(deps),
      ...makeRequestAlertJobs(deps),
    },
    schedule: {
      ...mailSchedule,
      ...accessReviewSchedule,
      ...rotationSchedule,
      ...alertSweepSchedule,
      ...overrunAlertSchedule,
      ...spendEvaluationSchedule,
      ...keyAlertSchedule,
      ...requestAlertSchedule,
    },
    atStart: [KEEP_ACCESS_REVIEWS],
    abandoned,
    logger,
  });
  return {
    stop: async () => {
      await Promise.all([deliveries.stop(), others.stop()]);
    },
  };
}

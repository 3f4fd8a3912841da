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
import { laptopSchedule, makeLaptopJobs } from "#src/claude-code/laptops/laptop-jobs.ts";
import type { Incarnations } from "#src/db/incarnation.ts";
import type { Notifications } from "#src/db/notifications.ts";
import { type RunningJobs, runJobs } from "#src/jobs/run-jobs.ts";
import { makeRotationJobs, rotationSchedule } from "#src/keys/rotation/rotation-jobs.ts";
import {
  makeWaitingSecretJobs,
  waitingSecretSchedule,
} from "#src/keys/waiting-secrets/waiting-secret-jobs.ts";
import type { Logger } from "#src/lib/logger.ts";
import { mailSchedule, makeMailJobs } from "#src/mail/mail-jobs.ts";
import { makeSmtpTransport } from "#src/mail/smtp.ts";
import {
  accessReviewSchedule,
  KEEP_ACCESS_REVIEWS,
  makeAccessReviewJobs,
} from "#src/reviews/access-review-jobs.ts";
import { makeStatementJobs, statementSchedule } from "#src/usage/statements/close-statements.ts";

export interface StartJobsOptions {
  /** Connection string for the queue. */
  connectionString: string;
  /** Most connections of both queues. */
  maxConnections: number;
  notifications: Notifications;
  /** Dependencies of changes by jobs. */
  audit: AuditDeps;
  /** Address of this server for people, for links in messages. */
  publicUrl: () => string;
  /** Without both values this node sends no mail. */
  smtpUrl: string | undefined;
  mailFrom: string | undefined;
  outgoing: Outgoing;
  /** Aborts the connections of the queue. */
  abandoned: AbortSignal;
  incarnations: Incarnations;
  logger: Logger;
}

/** Deliveries wait up to ten seconds for other servers, so they run apart from other jobs. */
const DELIVERIES_AT_ONCE = 8;

/** Starts the background jobs of this node. All nodes share the work. */
export function startJobs(options: StartJobsOptions): RunningJobs {
  const { audit, publicUrl, smtpUrl, mailFrom, outgoing, logger } = options;
  const { connectionString, notifications, abandoned, incarnations } = options;
  const deps = { ...audit, publicUrl, logger };
  const transport =
    smtpUrl !== undefined && mailFrom !== undefined
      ? makeSmtpTransport({ url: smtpUrl, from: mailFrom })
      : null;
  const deliveries = runJobs({
    connectionString,
    jobs: makeAlertDeliveryJobs({ ...deps, ...outgoing }),
    schedule: {},
    maxConcurrent: DELIVERIES_AT_ONCE,
    maxConnections: Math.floor(options.maxConnections / 2),
    notifications,
    abandoned,
    incarnations,
    logger,
  });
  const others = runJobs({
    connectionString,
    jobs: {
      ...makeMailJobs({ ...deps, transport }),
      ...makeAccessReviewJobs(deps),
      ...makeRotationJobs(deps),
      ...makeWaitingSecretJobs(deps),
      ...makeLaptopJobs(deps),
      ...makeAlertSweepJobs(deps),
      ...makeOverrunAlertJobs(deps),
      ...makeSpendEvaluationJobs(deps),
      ...makeKeyAlertJobs(deps),
      ...makeRequestAlertJobs(deps),
      ...makeStatementJobs(deps),
    },
    schedule: {
      ...mailSchedule,
      ...accessReviewSchedule,
      ...rotationSchedule,
      ...waitingSecretSchedule,
      ...laptopSchedule,
      ...alertSweepSchedule,
      ...overrunAlertSchedule,
      ...spendEvaluationSchedule,
      ...keyAlertSchedule,
      ...requestAlertSchedule,
      ...statementSchedule,
    },
    startJobNames: [KEEP_ACCESS_REVIEWS],
    maxConnections: Math.ceil(options.maxConnections / 2),
    notifications,
    abandoned,
    incarnations,
    logger,
  });
  return {
    stop: async () => {
      await Promise.all([deliveries.stop(), others.stop()]);
    },
  };
}

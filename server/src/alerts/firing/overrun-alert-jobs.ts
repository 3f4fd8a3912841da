import { createLaterAlerts } from "#src/alerts/rules/default-alerts.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Job } from "#src/jobs/run-jobs.ts";
import { sweepOverruns } from "./fire-overruns.ts";
import type { AlertingDeps } from "./recorded-firing.ts";

const SWEEP_OVERRUN_ALERTS = "sweep_overrun_alerts";

export function makeOverrunAlertJobs(deps: AuditDeps & AlertingDeps): Record<string, Job> {
  return {
    [SWEEP_OVERRUN_ALERTS]: async () => {
      await createLaterAlerts(deps);
      await inTransaction(deps.database, (tx) => sweepOverruns(tx, deps));
    },
  };
}

/** Schedule: every minute. */
export const overrunAlertSchedule = { [SWEEP_OVERRUN_ALERTS]: "* * * * *" } as const;

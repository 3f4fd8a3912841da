import { sweepOverruns } from "#src/alerting/fire-overruns.ts";
import type { AlertingDeps } from "#src/alerting/recorded-firing.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { createOverrunAlerts } from "#src/features/alerts/first-alerts.ts";
import type { Job } from "./run-jobs.ts";

const SWEEP_OVERRUN_ALERTS = "sweep_overrun_alerts";

export function makeOverrunAlertJobs(deps: AuditDeps & AlertingDeps): Record<string, Job> {
  return {
    [SWEEP_OVERRUN_ALERTS]: async () => {
      await createOverrunAlerts(deps);
      await inTransaction(deps.database, (tx) => sweepOverruns(tx, deps));
    },
  };
}

/** Every minute. */
export const overrunAlertSchedule = { [SWEEP_OVERRUN_ALERTS]: "* * * * *" } as const;

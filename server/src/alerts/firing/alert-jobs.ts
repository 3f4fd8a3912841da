import {
  type DeliverDeps,
  makeDeliverAlert,
  updateIncident,
} from "#src/alerts/channels/deliver-alert.ts";
import {
  ACKNOWLEDGE_ALERT,
  DELIVER_ALERT,
  RESOLVE_ALERT,
} from "#src/alerts/channels/queue-deliveries.ts";
import { sweepDeliveries } from "#src/alerts/channels/sweep-deliveries.ts";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Job } from "#src/jobs/run-jobs.ts";
import { endIncidents } from "./end-incidents.ts";
import { sweepSpendAlerts } from "./fire-spend.ts";
import type { AlertingDeps } from "./recorded-firing.ts";

const SWEEP_ALERT_DELIVERIES = "sweep_alert_deliveries";
const SWEEP_SPEND_ALERTS = "sweep_spend_alerts";
const END_INCIDENTS = "end_incidents";

/** These jobs wait for external servers, so they run apart from all other jobs (`start-jobs.ts`). */
export function makeAlertDeliveryJobs(deps: DeliverDeps): Record<string, Job> {
  const deliver = makeDeliverAlert(deps);
  return {
    [DELIVER_ALERT]: ({ delivery_id: id }) => deliver(String(id)),
    [ACKNOWLEDGE_ALERT]: (payload) => updateIncident(deps, "acknowledge", parseIncident(payload)),
    [RESOLVE_ALERT]: (payload) => updateIncident(deps, "resolve", parseIncident(payload)),
  };
}

function parseIncident({ firing_id: firingId, channel_id: channelId }: Record<string, unknown>) {
  return { firingId: String(firingId), channelId: String(channelId) };
}

export function makeAlertSweepJobs(deps: AlertingDeps & { database: Database }) {
  const { database } = deps;
  return {
    [SWEEP_ALERT_DELIVERIES]: () => sweepDeliveries(database),
    [SWEEP_SPEND_ALERTS]: () => inTransaction(database, (tx) => sweepSpendAlerts(tx, deps)),
    [END_INCIDENTS]: () => endIncidents(deps),
  };
}

/** Schedule: every minute. */
export const alertSweepSchedule = {
  [SWEEP_ALERT_DELIVERIES]: "* * * * *",
  [SWEEP_SPEND_ALERTS]: "* * * * *",
  [END_INCIDENTS]: "* * * * *",
} as const;

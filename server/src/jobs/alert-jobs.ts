import {
  acknowledgeFiring,
  type DeliverDeps,
  makeDeliverAlert,
} from "#src/alerting/deliver-alert.ts";
import { ACKNOWLEDGE_ALERT, DELIVER_ALERT } from "#src/alerting/queue-deliveries.ts";
import { sweepDeliveries } from "#src/alerting/sweep-deliveries.ts";
import type { Job } from "./run-jobs.ts";

const SWEEP_ALERT_DELIVERIES = "sweep_alert_deliveries";

/** They wait for others' servers, and so run apart from all other jobs: see `start-jobs.ts`. */
export function makeAlertDeliveryJobs(deps: DeliverDeps): Record<string, Job> {
  const deliver = makeDeliverAlert(deps);
  return {
    [DELIVER_ALERT]: ({ delivery_id: id }) => deliver(String(id)),
    [ACKNOWLEDGE_ALERT]: ({ firing_id: firingId, channel_id: channelId }) =>
      acknowledgeFiring(deps, { firingId: String(firingId), channelId: String(channelId) }),
  };
}

export function makeAlertSweepJobs({ database }: Pick<DeliverDeps, "database">) {
  return { [SWEEP_ALERT_DELIVERIES]: () => sweepDeliveries(database) };
}

/** Every minute. */
export const alertSweepSchedule = { [SWEEP_ALERT_DELIVERIES]: "* * * * *" } as const;

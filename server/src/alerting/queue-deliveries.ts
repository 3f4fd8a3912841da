import { idPrefixes } from "@bursar/contract/ids.ts";
import { addJob } from "#src/db/job-queue.ts";
import type { Tx } from "#src/db/pool.ts";
import { newId } from "#src/lib/ids.ts";
import {
  findReceivers,
  insertDeliveries,
  listAcknowledged,
  type NewDelivery,
} from "./deliveries.sql.ts";
import type { AlertingDeps, RecordedFiring } from "./recorded-firing.ts";

export const DELIVER_ALERT = "deliver_alert";
export const ACKNOWLEDGE_ALERT = "acknowledge_alert";

/**
 * Puts a message about each firing, for each channel of its alert, into the caller's transaction: it is sent once that
 * commits, and never if it does not.
 */
export async function queueDeliveries(
  tx: Tx,
  deps: AlertingDeps,
  firings: readonly RecordedFiring[],
): Promise<void> {
  const alertIds = [...new Set(firings.map(({ alertId }) => alertId))];
  const receivers = new Map(
    (await findReceivers(tx, alertIds)).map((each) => [each.alertId, each]),
  );
  const nowMs = Math.floor(deps.nowMs());
  const deliveries = firings.flatMap((firing): NewDelivery[] => {
    const { channelIds = [], notifiesOwner = false } = receivers.get(firing.alertId) ?? {};
    const tellsOwner = notifiesOwner && firing.scopeType === "api_key";
    const to: (string | null)[] = tellsOwner ? [...channelIds, null] : channelIds;
    return to.map((alertChannelId) => ({
      id: newId(idPrefixes.alertDelivery, nowMs, deps.randomBytes),
      organizationId: firing.organizationId,
      alertFiringId: firing.id,
      alertChannelId,
    }));
  });
  for (const id of await insertDeliveries(tx, deliveries)) await addDeliveryJob(tx, id);
}

/** Each job is one attempt: what follows it is a job of its own (`deliver-alert.ts`). */
export function addDeliveryJob(tx: Tx, deliveryId: string, delaySeconds = 0): Promise<void> {
  return addJob(tx, {
    task: DELIVER_ALERT,
    payload: { delivery_id: deliveryId },
    key: deliveryJobKey(deliveryId),
    maxAttempts: 1,
    delaySeconds,
  });
}

export function deliveryJobKey(deliveryId: string): string {
  return `alert_delivery:${deliveryId}`;
}

/** About half an hour. Whoever was paged and is still being paged then will look here anyway. */
const MAX_ACKNOWLEDGE_ATTEMPTS = 8;

/** Somebody has seen to the firing: says so where it made an incident. */
export async function queueAcknowledgement(tx: Tx, firingId: string): Promise<void> {
  for (const channelId of await listAcknowledged(tx, firingId)) {
    await addJob(tx, {
      task: ACKNOWLEDGE_ALERT,
      payload: { firing_id: firingId, channel_id: channelId },
      key: `acknowledge_alert:${firingId}:${channelId}`,
      maxAttempts: MAX_ACKNOWLEDGE_ATTEMPTS,
    });
  }
}

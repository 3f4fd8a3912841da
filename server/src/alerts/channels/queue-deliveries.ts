import { idPrefixes } from "@bursar/contract/ids.ts";
import { compareFirings } from "#src/alerts/firing/compare-firings.ts";
import type { AlertingDeps, RecordedFiring } from "#src/alerts/firing/recorded-firing.ts";
import { causeKeyOf } from "#src/alerts/firing/same-cause.rule.ts";
import { addJob } from "#src/db/job-queue.ts";
import type { Tx } from "#src/db/pool.ts";
import { hashId, newId } from "#src/lib/ids.ts";
import { insertDeliveries, type NewDelivery } from "./deliveries.sql.ts";
import { type Incident, listOpenIncidents } from "./open-incidents.sql.ts";
import { type AlertReceivers, findKeyOwners, findReceivers } from "./receivers.sql.ts";

export const DELIVER_ALERT = "deliver_alert";
export const ACKNOWLEDGE_ALERT = "acknowledge_alert";
export const RESOLVE_ALERT = "resolve_alert";

/**
 * Queues messages about the firings of one evaluation in the caller's transaction. They are sent only after it commits.
 * Slack, mail channels and key owners each get one message about all their firings. PagerDuty and webhooks get one message
 * for each firing, and one for firings of several alerts with the same cause and threshold.
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
  const owners = await findOwnersToNotify(tx, firings, receivers);
  const messages: Message[] = [];
  for (const ofOrganization of Map.groupBy(firings, (each) => each.organizationId).values()) {
    const batch = groupByReceiver(ofOrganization.toSorted(compareFirings), { receivers, owners });
    const batchId = newId(idPrefixes.alertDelivery, deps.nowMs(), deps.randomBytes);
    messages.push(...batch.map((each) => ({ ...each, batchId })));
  }
  await queueMessages(tx, messages);
}

/** Owners of keys by firing, for alerts that notify owners. */
async function findOwnersToNotify(
  tx: Tx,
  firings: readonly RecordedFiring[],
  receivers: ReadonlyMap<string, AlertReceivers>,
): Promise<Map<string, string>> {
  const ofKeys = firings.filter(({ alertId, scopeType }) => {
    return scopeType === "api_key" && receivers.get(alertId)?.notifiesOwner === true;
  });
  if (ofKeys.length === 0) return new Map();
  const owners = await findKeyOwners(
    tx,
    ofKeys.map(({ scopeId }) => scopeId),
  );
  // The message for a key without an owner is dropped, and the history shows the reason.
  return new Map(ofKeys.map(({ id, scopeId }) => [id, owners.get(scopeId) ?? id]));
}

function groupByReceiver(
  firings: readonly RecordedFiring[],
  of: {
    receivers: ReadonlyMap<string, AlertReceivers>;
    owners: ReadonlyMap<string, string>;
  },
): Omit<Message, "batchId">[] {
  const groups = new Map<string, { channelId: string | null; firings: RecordedFiring[] }>();
  const add = (key: string, channelId: string | null, firing: RecordedFiring) => {
    const group = groups.get(key) ?? { channelId, firings: [] };
    group.firings.push(firing);
    groups.set(key, group);
  };
  for (const firing of firings) {
    for (const { id, kind } of of.receivers.get(firing.alertId)?.channels ?? []) {
      const isForPeople = kind === "email" || kind === "slack";
      add(isForPeople ? id : `${id} ${causeKeyOf(firing)} ${firing.threshold}`, id, firing);
    }
    const owner = of.owners.get(firing.id);
    if (owner !== undefined) add(`owner ${owner}`, null, firing);
  }
  return [...groups.values()].flatMap(({ channelId, firings: [firing, ...others] }) => {
    return firing === undefined ? [] : [{ channelId, firing, others }];
  });
}

/**
 * Queues one message about all these firings of one alert about keys. Each channel and each owner of these keys gets it.
 * The message refers to the first firing.
 */
export async function queueDigests(
  tx: Tx,
  firings: readonly [RecordedFiring, ...RecordedFiring[]],
): Promise<void> {
  const [firing] = firings;
  const [receivers] = await findReceivers(tx, [firing.alertId]);
  const messages: Message[] = (receivers?.channels ?? []).map(({ id: channelId }) => {
    return { firing, others: [], channelId, batchId: null };
  });
  if (receivers?.notifiesOwner) {
    const owners = await findKeyOwners(
      tx,
      firings.map(({ scopeId }) => scopeId),
    );
    const notified = new Set<string>();
    for (const each of firings) {
      const owner = owners.get(each.scopeId);
      if (owner === undefined || notified.has(owner)) continue;
      notified.add(owner);
      messages.push({ firing: each, others: [], channelId: null, batchId: null });
    }
  }
  await queueMessages(tx, messages);
}

interface Message {
  firing: RecordedFiring;
  /** Further firings that the message lists. */
  others: readonly RecordedFiring[];
  batchId: string | null;
  /** Null: the message goes to the key's owner. */
  channelId: string | null;
}

/** Maximum number of rows in one statement. */
const BATCH = 1_000;

async function queueMessages(tx: Tx, messages: readonly Message[]): Promise<void> {
  const deliveries = messages.map(
    ({ firing, others, channelId, batchId }): NewDelivery => ({
      // The same firing has the same message after a failover, and receivers ignore an id that they know.
      id: hashId(idPrefixes.alertDelivery, [firing.id, channelId ?? "owner"]),
      organizationId: firing.organizationId,
      alertFiringId: firing.id,
      otherFiringIds: others.map(({ id }) => id),
      alertChannelId: channelId,
      batchId,
    }),
  );
  for (let start = 0; start < deliveries.length; start += BATCH) {
    const ids = await insertDeliveries(tx, deliveries.slice(start, start + BATCH));
    for (const id of ids) await addDeliveryJob(tx, id);
  }
}

/** Each attempt is a separate job. `deliver-alert.ts` adds the next one. */
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

/** Retries for about half an hour. After that, a person who is still paged opens the alert anyway. */
const MAX_ACKNOWLEDGE_ATTEMPTS = 8;
/** Retries for a little less than a day, like messages. An incident that stays open hides the next one. */
const MAX_RESOLVE_ATTEMPTS = 13;

/** Acknowledges the incidents of the firings, or of the messages that contain them. */
export async function queueAcknowledgement(tx: Tx, firingIds: readonly string[]): Promise<void> {
  for (const incident of await listOpenIncidents(tx, firingIds)) {
    await addIncidentJob(tx, "acknowledge", incident);
  }
}

export function queueResolution(tx: Tx, incident: Incident): Promise<void> {
  return addIncidentJob(tx, "resolve", incident);
}

function addIncidentJob(
  tx: Tx,
  action: "acknowledge" | "resolve",
  { firingId, channelId }: Incident,
): Promise<void> {
  const isResolved = action === "resolve";
  return addJob(tx, {
    task: isResolved ? RESOLVE_ALERT : ACKNOWLEDGE_ALERT,
    payload: { firing_id: firingId, channel_id: channelId },
    key: `${action}_alert:${firingId}:${channelId}`,
    maxAttempts: isResolved ? MAX_RESOLVE_ATTEMPTS : MAX_ACKNOWLEDGE_ATTEMPTS,
  });
}

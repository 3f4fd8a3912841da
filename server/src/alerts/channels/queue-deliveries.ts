import { idPrefixes } from "@bursar/contract/ids.ts";
import { compareFirings, severityOf } from "#src/alerts/firing/compare-firings.ts";
import type { AlertingDeps, RecordedFiring } from "#src/alerts/firing/recorded-firing.ts";
import { causeKeyOf } from "#src/alerts/firing/same-cause.rule.ts";
import { addJob } from "#src/db/job-queue.ts";
import type { Tx } from "#src/db/pool.ts";
import { hashId, newId } from "#src/lib/ids.ts";
import {
  type CollectingDelivery,
  lockCollectingDeliveries,
  setCollectingTime,
} from "./collecting-deliveries.sql.ts";
import { insertDeliveries, type NewDelivery } from "./deliveries.sql.ts";
import { type Incident, listOpenIncidents } from "./open-incidents.sql.ts";
import { insertOtherFirings } from "./other-firings.sql.ts";
import { type AlertReceivers, findKeyOwners, findReceivers } from "./receivers.sql.ts";

export const DELIVER_ALERT = "deliver_alert";
export const ACKNOWLEDGE_ALERT = "acknowledge_alert";
export const RESOLVE_ALERT = "resolve_alert";

/**
 * Queues messages about the firings of one evaluation in the caller's transaction. They are sent only after it commits.
 * Slack, mail channels and key owners each get one message about all their firings. PagerDuty and webhooks get one message
 * for each firing, and one for firings of several alerts with the same cause and threshold. Mail and Slack channels take in
 * firings of an alert that collects. A critical firing is sent at once, with those that wait.
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
    messages.push(...(await addToCollecting(tx, deps, batch)));
  }
  await queueMessages(tx, messages);
}

/**
 * Adds firings to messages that still collect. Returns the other messages. Messages that wait have a batch of their own: a
 * mail of the other batch must not count for them.
 */
async function addToCollecting(
  tx: Tx,
  deps: AlertingDeps,
  batch: readonly Omit<Message, "batchId">[],
): Promise<Message[]> {
  const channelIds = batch.flatMap(({ channelId, isForPeople }) => {
    return isForPeople && channelId !== null ? [channelId] : [];
  });
  const collecting = await lockCollectingDeliveries(tx, channelIds);
  const newBatchId = () => newId(idPrefixes.alertDelivery, deps.nowMs(), deps.randomBytes);
  const [batchId, [first]] = [newBatchId(), collecting.values()];
  const waitingBatchId = first?.batchId ?? newBatchId();
  const others: Message[] = [];
  for (const message of batch) {
    const into = message.isForPeople ? collecting.get(message.channelId ?? "") : undefined;
    if (into) await addToMessage(tx, into, message);
    else others.push({ ...message, batchId: message.waitSeconds > 0 ? waitingBatchId : batchId });
  }
  return others;
}

async function addToMessage(
  tx: Tx,
  { id, remainingSeconds }: CollectingDelivery,
  { firing, others, waitSeconds }: Omit<Message, "batchId">,
): Promise<void> {
  const rows = [firing, ...others].map((each) => ({ deliveryId: id, firingId: each.id }));
  await insertOtherFirings(tx, rows);
  if (waitSeconds >= remainingSeconds) return;
  await setCollectingTime(tx, { id, seconds: waitSeconds });
  await addDeliveryJob(tx, id, waitSeconds);
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
  type Group = Pick<Message, "channelId" | "isForPeople"> & { firings: RecordedFiring[] };
  const groups = new Map<string, Group>();
  const add = (
    key: string,
    to: Pick<Group, "channelId" | "isForPeople">,
    firing: RecordedFiring,
  ) => {
    const group = groups.get(key) ?? { ...to, firings: [] };
    group.firings.push(firing);
    groups.set(key, group);
  };
  for (const firing of firings) {
    for (const { id, kind } of of.receivers.get(firing.alertId)?.channels ?? []) {
      const isForPeople = kind === "email" || kind === "slack";
      const key = isForPeople ? id : `${id} ${causeKeyOf(firing)} ${firing.threshold}`;
      add(key, { channelId: id, isForPeople }, firing);
    }
    const owner = of.owners.get(firing.id);
    if (owner !== undefined) add(`owner ${owner}`, { channelId: null, isForPeople: false }, firing);
  }
  return [...groups.values()].flatMap(({ firings, ...to }) => {
    const [firing, ...others] = firings;
    if (firing === undefined) return [];
    const waits = firings.map((each) => findWaitSeconds(each, of.receivers));
    return [{ ...to, firing, others, waitSeconds: to.isForPeople ? Math.min(...waits) : 0 }];
  });
}

/** Seconds in which a message to people collects further firings. A critical firing does not wait. */
function findWaitSeconds(
  firing: RecordedFiring,
  receivers: ReadonlyMap<string, AlertReceivers>,
): number {
  if (severityOf(firing) === "critical") return 0;
  return (receivers.get(firing.alertId)?.collectMinutes ?? 0) * 60;
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
    return { ...atOnce, firing, channelId };
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
      messages.push({ ...atOnce, firing: each, channelId: null });
    }
  }
  await queueMessages(tx, messages);
}

/** A message of its own, without further firings. */
const atOnce = { others: [], batchId: null, isForPeople: false, waitSeconds: 0 } as const;

interface Message {
  firing: RecordedFiring;
  /** Further firings that the message lists. */
  others: readonly RecordedFiring[];
  batchId: string | null;
  /** Null: the message goes to the key's owner. */
  channelId: string | null;
  /** True for mail and Slack channels. */
  isForPeople: boolean;
  /** Seconds in which it collects further firings. */
  waitSeconds: number;
}

/** Maximum number of rows in one statement. */
const BATCH = 1_000;

async function queueMessages(tx: Tx, messages: readonly Message[]): Promise<void> {
  const deliveries = messages.map(
    ({ firing, others, channelId, batchId, waitSeconds }): NewDelivery => ({
      // The same firing has the same message after a failover, and receivers ignore an id that they know.
      id: hashId(idPrefixes.alertDelivery, [firing.id, channelId ?? "owner"]),
      organizationId: firing.organizationId,
      alertFiringId: firing.id,
      otherFiringIds: others.map(({ id }) => id),
      alertChannelId: channelId,
      batchId,
      waitSeconds,
    }),
  );
  for (let start = 0; start < deliveries.length; start += BATCH) {
    const inserted = await insertDeliveries(tx, deliveries.slice(start, start + BATCH));
    for (const { id, waitSeconds } of inserted) await addDeliveryJob(tx, id, waitSeconds);
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

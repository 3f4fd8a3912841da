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
  updateCollecting,
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
 * for each firing, and one for firings of several alerts with the same cause and threshold. Messages to people take in
 * firings of an alert that collects. A critical firing is sent at once, with those that wait.
 */
export async function queueDeliveries(
  tx: Tx,
  deps: AlertingDeps,
  firings: readonly RecordedFiring[],
): Promise<void> {
  const known = await loadReceivers(tx, firings);
  const messages: Message[] = [];
  for (const ofOrganization of Map.groupBy(firings, (each) => each.organizationId).values()) {
    const addressed = ofOrganization.toSorted(compareFirings).flatMap((firing) => {
      return listReceivers(firing, known).map((to) => ({ to, firing }));
    });
    const seconds = findWaitSeconds(addressed, known);
    const batch = groupByReceiver(addressed).map((group) => {
      return { ...group, waitSeconds: group.collectorId === null ? 0 : seconds };
    });
    messages.push(...(await addToCollecting(tx, deps, batch)));
  }
  await queueMessages(tx, messages);
}

/**
 * Queues messages about unused keys at once. Each channel and each owner of these keys gets one about all of them. The
 * first firing of each alert represents the others (`alert_firing.told_with_id`).
 */
export async function queueDigests(
  tx: Tx,
  deps: AlertingDeps,
  firings: readonly RecordedFiring[],
): Promise<void> {
  const known = await loadReceivers(tx, firings);
  const messages: Message[] = [];
  for (const ofOrganization of Map.groupBy(firings, (each) => each.organizationId).values()) {
    const addressed = ofOrganization.flatMap((firing) =>
      listReceivers(firing, known).flatMap(({ channelId, collectorId }) => {
        const key = channelId ?? collectorId;
        return key === null ? [] : [{ to: { key, channelId, collectorId }, firing }];
      }),
    );
    const ofAlerts = Map.groupBy(addressed, ({ to, firing }) => `${to.key} ${firing.alertId}`);
    const groups = groupByReceiver([...ofAlerts.values()].flatMap(([first]) => first ?? []));
    const batchId = newBatchId(deps);
    messages.push(...groups.map((group) => ({ ...group, batchId, waitSeconds: 0 })));
  }
  await queueMessages(tx, messages);
}

interface Receiver {
  /** Firings with the same key share a message. */
  key: string;
  /** Null: the owner of the key. */
  channelId: string | null;
  /** Channel or member whose messages can collect. Null: PagerDuty, a webhook, or a key without an owner. */
  collectorId: string | null;
}

interface AddressedFiring {
  to: Receiver;
  firing: RecordedFiring;
}

interface MessageGroup extends Pick<Receiver, "channelId" | "collectorId"> {
  firing: RecordedFiring;
  /** Further firings that the message lists. */
  others: readonly RecordedFiring[];
}

interface TimedGroup extends MessageGroup {
  /** Seconds in which the message collects further firings. */
  waitSeconds: number;
}

interface Message extends TimedGroup {
  batchId: string;
}

interface KnownReceivers {
  alerts: ReadonlyMap<string, AlertReceivers>;
  /** Owners of keys by key, for alerts that notify owners. */
  owners: ReadonlyMap<string, string>;
}

async function loadReceivers(tx: Tx, firings: readonly RecordedFiring[]): Promise<KnownReceivers> {
  const found = await findReceivers(tx, [...new Set(firings.map(({ alertId }) => alertId))]);
  const alerts = new Map(found.map((each) => [each.alertId, each]));
  const ofKeys = firings.filter(({ alertId, scopeType }) => {
    return scopeType === "api_key" && alerts.get(alertId)?.notifiesOwner === true;
  });
  if (ofKeys.length === 0) return { alerts, owners: new Map() };
  const keyIds = [...new Set(ofKeys.map(({ scopeId }) => scopeId))];
  return { alerts, owners: await findKeyOwners(tx, keyIds) };
}

function listReceivers(firing: RecordedFiring, { alerts, owners }: KnownReceivers): Receiver[] {
  const of = alerts.get(firing.alertId);
  const receivers = (of?.channels ?? []).map(({ id, kind }): Receiver => {
    if (kind === "email" || kind === "slack") return { key: id, channelId: id, collectorId: id };
    const key = `${id} ${causeKeyOf(firing)} ${firing.threshold}`;
    return { key, channelId: id, collectorId: null };
  });
  if (of?.notifiesOwner !== true || firing.scopeType !== "api_key") return receivers;
  const ownerId = owners.get(firing.scopeId) ?? null;
  // The message for a key without an owner is dropped, and the history shows the reason.
  const key = `owner ${ownerId ?? firing.id}`;
  return [...receivers, { key, channelId: null, collectorId: ownerId }];
}

function groupByReceiver(addressed: readonly AddressedFiring[]): MessageGroup[] {
  const groups = [...Map.groupBy(addressed, ({ to }) => to.key).values()];
  return groups.flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { channelId, collectorId } = first.to;
    const { firing } = first;
    return [{ channelId, collectorId, firing, others: others.map((each) => each.firing) }];
  });
}

/**
 * Seconds in which the messages to people collect further firings: those of the most urgent firing. A critical one does not
 * wait. All wait equally long, so that a person in several channels gets one mail.
 */
function findWaitSeconds(
  addressed: readonly AddressedFiring[],
  { alerts }: KnownReceivers,
): number {
  const toPeople = addressed.filter(({ to }) => to.collectorId !== null);
  const minutes = toPeople.map(({ firing }) => {
    const isCritical = severityOf(firing) === "critical";
    return isCritical ? 0 : (alerts.get(firing.alertId)?.collectMinutes ?? 0);
  });
  return minutes.length === 0 ? 0 : Math.min(...minutes) * 60;
}

/**
 * Adds firings to messages that still collect. Returns the other messages. Messages that wait have a batch of their own: a
 * mail of the other batch must not count for them. A collected message that is now sent at once takes new ones into its
 * batch.
 */
async function addToCollecting(
  tx: Tx,
  deps: AlertingDeps,
  groups: readonly TimedGroup[],
): Promise<Message[]> {
  const collectorIds = groups.flatMap(({ collectorId }) => collectorId ?? []);
  const collecting = await lockCollectingDeliveries(tx, collectorIds);
  const [first] = collecting.values();
  const waitingBatchId = first?.batchId ?? newBatchId(deps);
  let batchId = newBatchId(deps);
  const others: TimedGroup[] = [];
  for (const group of groups) {
    const into = collecting.get(group.collectorId ?? "");
    if (into === undefined) others.push(group);
    else {
      await addToMessage(tx, { into, group, batchId: waitingBatchId });
      if (group.waitSeconds === 0) batchId = waitingBatchId;
    }
  }
  return others.map((group) => {
    return { ...group, batchId: group.waitSeconds > 0 ? waitingBatchId : batchId };
  });
}

async function addToMessage(
  tx: Tx,
  of: { into: CollectingDelivery; group: TimedGroup; batchId: string },
): Promise<void> {
  const { group, batchId } = of;
  const { id, remainingSeconds } = of.into;
  const rows = [group.firing, ...group.others].map((each) => ({
    deliveryId: id,
    firingId: each.id,
  }));
  await insertOtherFirings(tx, rows);
  const isSooner = group.waitSeconds < remainingSeconds;
  const seconds = isSooner ? group.waitSeconds : null;
  await updateCollecting(tx, { id, batchId, seconds });
  if (isSooner) await addDeliveryJob(tx, id, group.waitSeconds);
}

function newBatchId({ nowMs, randomBytes }: AlertingDeps): string {
  return newId(idPrefixes.alertDelivery, nowMs(), randomBytes);
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

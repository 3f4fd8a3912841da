import { idPrefixes } from "@bursar/contract/ids.ts";
import { compareFirings } from "#src/alerts/firing/compare-firings.ts";
import type { AlertingDeps, RecordedFiring } from "#src/alerts/firing/recorded-firing.ts";
import { addJob } from "#src/db/job-queue.ts";
import type { Tx } from "#src/db/pool.ts";
import { newId } from "#src/lib/ids.ts";
import {
  type Incident,
  insertDeliveries,
  listOpenIncidents,
  type NewDelivery,
} from "./deliveries.sql.ts";
import { type AlertReceivers, findKeyOwners, findReceivers } from "./receivers.sql.ts";

export const DELIVER_ALERT = "deliver_alert";
export const ACKNOWLEDGE_ALERT = "acknowledge_alert";
export const RESOLVE_ALERT = "resolve_alert";

/**
 * Queues messages about the firings of one evaluation in the caller's transaction: they are sent once it commits, and never
 * if it does not. A channel for people gets one message about all firings of its alerts, and so does each owner of keys. A
 * channel for programs gets one message for each firing.
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
  const owners = await findOwnersToTell(tx, firings, receivers);
  const messages: Message[] = [];
  for (const ofOrganization of Map.groupBy(firings, (each) => each.organizationId).values()) {
    const batch = groupByReceiver(ofOrganization.toSorted(compareFirings), { receivers, owners });
    const batchId = newId(idPrefixes.alertDelivery, deps.nowMs(), deps.randomBytes);
    messages.push(...batch.map((each) => ({ ...each, batchId })));
  }
  await queue(tx, deps, messages);
}

/** Owners of the keys by firing, for alerts that notify owners. */
async function findOwnersToTell(
  tx: Tx,
  firings: readonly RecordedFiring[],
  receivers: ReadonlyMap<string, AlertReceivers>,
): Promise<Map<string, string>> {
  const about = firings.filter(({ alertId, scopeType }) => {
    return scopeType === "api_key" && receivers.get(alertId)?.notifiesOwner === true;
  });
  if (about.length === 0) return new Map();
  const owners = await findKeyOwners(
    tx,
    about.map(({ scopeId }) => scopeId),
  );
  // A key without an owner has a message too: it is dropped, and says why.
  return new Map(about.map(({ id, scopeId }) => [id, owners.get(scopeId) ?? id]));
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
      add(isForPeople ? id : `${id} ${firing.id}`, id, firing);
    }
    const owner = of.owners.get(firing.id);
    if (owner !== undefined) add(`owner ${owner}`, null, firing);
  }
  return [...groups.values()].flatMap(({ channelId, firings: [firing, ...others] }) => {
    return firing === undefined ? [] : [{ channelId, firing, others }];
  });
}

/**
 * The same with one message about all these firings of one alert, which are about keys: for each channel, and for each
 * person whose keys are among them. It is queued as one about the first of them.
 */
export async function queueDigests(
  tx: Tx,
  deps: AlertingDeps,
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
    const told = new Set<string>();
    for (const each of firings) {
      const owner = owners.get(each.scopeId);
      if (owner === undefined || told.has(owner)) continue;
      told.add(owner);
      messages.push({ firing: each, others: [], channelId: null, batchId: null });
    }
  }
  await queue(tx, deps, messages);
}

interface Message {
  firing: RecordedFiring;
  /** Further firings that the message lists. */
  others: readonly RecordedFiring[];
  batchId: string | null;
  /** Null: to the person whose key it is. */
  channelId: string | null;
}

/** Rows of one statement, at most. */
const BATCH = 1_000;

async function queue(tx: Tx, deps: AlertingDeps, messages: readonly Message[]): Promise<void> {
  const nowMs = deps.nowMs();
  const deliveries = messages.map(
    ({ firing, others, channelId, batchId }): NewDelivery => ({
      id: newId(idPrefixes.alertDelivery, nowMs, deps.randomBytes),
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
/** A little less than a day, as for messages: an incident that stays open keeps the next one from being one. */
const MAX_RESOLVE_ATTEMPTS = 13;

/** Somebody has seen to the firing: says so where it, or the one that it was told with, made an incident. */
export async function queueAcknowledgement(tx: Tx, firingId: string): Promise<void> {
  for (const incident of await listOpenIncidents(tx, firingId)) {
    await addIncidentJob(tx, "acknowledge", incident);
  }
}

/** What fired is over: says so where it made this incident. */
export function queueResolution(tx: Tx, incident: Incident): Promise<void> {
  return addIncidentJob(tx, "resolve", incident);
}

function addIncidentJob(
  tx: Tx,
  action: "acknowledge" | "resolve",
  { firingId, channelId }: Incident,
): Promise<void> {
  const isEnd = action === "resolve";
  return addJob(tx, {
    task: isEnd ? RESOLVE_ALERT : ACKNOWLEDGE_ALERT,
    payload: { firing_id: firingId, channel_id: channelId },
    key: `${action}_alert:${firingId}:${channelId}`,
    maxAttempts: isEnd ? MAX_RESOLVE_ATTEMPTS : MAX_ACKNOWLEDGE_ATTEMPTS,
  });
}

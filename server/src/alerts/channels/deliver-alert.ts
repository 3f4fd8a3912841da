import { LRUCache } from "lru-cache";
import { makeMessage } from "#src/alerts/firing/firing-message.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Logger } from "#src/lib/logger.ts";
import { queueAlertMail } from "./alert-mail.ts";
import { openSigningSecret, openTarget } from "./channel-secrets.ts";
import { endCollection } from "./collecting-deliveries.sql.ts";
import {
  beginAttempt,
  type ChannelToSend,
  type DeliveryToSend,
  findChannel,
  findDelivery,
  listSecrets,
  markDropped,
  markFailed,
  markSent,
  recordFailure,
  recordSuccess,
} from "./deliveries.sql.ts";
import { lockMailBatch } from "./mail-batch.sql.ts";
import type { Incident } from "./open-incidents.sql.ts";
import { pauseChannel } from "./pause-channel.ts";
import { addDeliveryJob } from "./queue-deliveries.ts";
import {
  type Outcome,
  type SendDeps,
  sendThrough,
  updatePagerDutyIncident,
} from "./send-through.ts";

export interface DeliverDeps extends AuditDeps, SendDeps {
  publicUrl: () => string;
  logger: Logger;
}

/** Seconds from each failed attempt to the next one: ten attempts in a little less than a day. */
const RETRY_SECONDS = [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200] as const;
const MAX_RETRY_AFTER_SECONDS = 43_200;
/** Messages that this node remembers as sent. */
const MAX_REMEMBERED = 1_000;
/** Concurrent messages of a channel on this node. A slow channel leaves room for the others. */
const MAX_AT_ONCE = 3;
const MAX_AT_ONCE_FAILING = 1;
const POSTPONE_SECONDS = 5;
/** `last_error` of a mail channel without receivers. */
export const NO_RECEIVER = "No receiver is left: no active member has one of the roles.";
/** A channel is paused after so many failures in a row, over at least so many seconds. */
const PAUSE_FAILURES = 10;
const PAUSE_SECONDS = 3_600;

/**
 * Returns a function that makes one attempt to deliver a message. A receiver's failure does not throw: the transaction that
 * records it adds the job of the next attempt. If a node dies between a response and its record, the message is sent again
 * under the same id. Mail is queued in the transaction that records the delivery: exactly once. A failover can lose a sent
 * message, which is then queued again under its id. A node that has sent it does not send it again.
 */
export function makeDeliverAlert(deps: DeliverDeps): (deliveryId: string) => Promise<void> {
  const running = new Map<string, number>();
  const sent = new LRUCache<string, SentMessage>({ max: MAX_REMEMBERED });
  return async (deliveryId) => {
    const found = await findDelivery(deps.database, deliveryId);
    if (found === null || found.delivery.status !== "queued") return;
    const { delivery, channel } = found;
    if (channel === null || channel.kind === "email") return deliverMail(deps, delivery, channel);
    if (isInactive(channel)) return dropDelivery(deps, delivery.id);
    // The message waits until a member resumes the channel.
    if (channel.paused_at !== null) return;
    const atOnce = running.get(channel.id) ?? 0;
    if (atOnce >= (channel.failures_in_a_row > 0 ? MAX_AT_ONCE_FAILING : MAX_AT_ONCE)) {
      return inTransaction(deps.database, (tx) =>
        addDeliveryJob(tx, delivery.id, channel.failures_in_a_row > 0 ? POSTPONE_SECONDS : 1),
      );
    }
    running.set(channel.id, atOnce + 1);
    try {
      const previous = sent.get(delivery.id);
      if (previous !== undefined && isCreatedAgain(previous, delivery)) {
        await recordSent(deps, delivery.id, channel.id, previous.status);
        return;
      }
      const status = await attemptDelivery(deps, delivery, channel);
      if (status !== null)
        sent.set(delivery.id, { status, createdAtMs: delivery.created_at.getTime() });
    } finally {
      const remaining = (running.get(channel.id) ?? 1) - 1;
      if (remaining > 0) running.set(channel.id, remaining);
      else running.delete(channel.id);
    }
  };
}

interface SentMessage {
  /** HTTP status of the response. */
  status: number;
  createdAtMs: number;
}

/** True if another row has the message's id: a failover lost the first one. A redelivery keeps its row. */
function isCreatedAgain(previous: SentMessage, delivery: DeliveryToSend): boolean {
  return previous.createdAtMs !== delivery.created_at.getTime();
}

function isInactive(channel: ChannelToSend): boolean {
  return !channel.is_enabled || channel.archived_at !== null;
}

function dropDelivery(deps: DeliverDeps, id: string): Promise<void> {
  return markDropped(deps.database, { id, reason: "The channel was off or deleted." });
}

/** Returns the HTTP status of a successful attempt, or null. */
async function attemptDelivery(
  deps: DeliverDeps,
  delivery: DeliveryToSend,
  channel: ChannelToSend,
): Promise<number | null> {
  const attempts = await beginAttempt(deps.database, delivery.id);
  if (attempts === null) return null;
  const outcome = await sendOnce(deps, delivery, channel).catch((error: unknown): Outcome => {
    deps.logger.error({ err: error, deliveryId: delivery.id }, "alert message not created");
    const reason = "The message could not be created. See the server log.";
    return { kind: "failed", status: null, reason, retryAfterSeconds: null, isGone: false };
  });
  if (outcome.kind === "sent") {
    await recordSent(deps, delivery.id, channel.id, outcome.status);
    return outcome.status;
  }
  deps.logger.warn(
    { deliveryId: delivery.id, channelId: channel.id, attempts, reason: outcome.reason },
    "alert message not delivered",
  );
  await recordFailed(deps, { delivery, channel, attempts, outcome });
  return null;
}

/** Makes one attempt, in any state of the message. */
export async function sendOnce(
  deps: DeliverDeps,
  delivery: Pick<DeliveryToSend, "id" | "organization_id" | "alert_firing_id" | "created_at">,
  channel: Pick<ChannelToSend, "id" | "name" | "target_sealed">,
): Promise<Outcome> {
  const message = await makeMessage(deps, delivery, channel);
  const target = openTarget(deps.sealingKey, channel.id, channel.target_sealed ?? new Uint8Array());
  const sealed = target.kind === "webhook" ? await listSecrets(deps.database, channel.id) : [];
  const secrets = sealed.map((each) => openSigningSecret(deps.sealingKey, channel.id, each));
  return sendThrough(deps, { target, secrets }, message);
}

export function recordSent(
  deps: DeliverDeps,
  deliveryId: string,
  channelId: string,
  status: number,
): Promise<void> {
  return inTransaction(deps.database, async (tx) => {
    await markSent(tx, { id: deliveryId, status });
    await recordSuccess(tx, channelId);
  });
}

async function recordFailed(
  deps: DeliverDeps,
  failed: {
    delivery: DeliveryToSend;
    channel: ChannelToSend;
    attempts: number;
    outcome: Extract<Outcome, { kind: "failed" }>;
  },
): Promise<void> {
  const { delivery, channel, attempts, outcome } = failed;
  const delaySeconds = RETRY_SECONDS[attempts - 1];
  const isFinal = delaySeconds === undefined;
  const { failures, seconds } = await inTransaction(deps.database, async (tx) => {
    await markFailed(tx, {
      id: delivery.id,
      status: outcome.status,
      error: outcome.reason,
      isFinal,
    });
    if (!isFinal) {
      const retryAfter = Math.min(outcome.retryAfterSeconds ?? 0, MAX_RETRY_AFTER_SECONDS);
      await addDeliveryJob(tx, delivery.id, Math.max(retryAfter, delaySeconds));
    }
    return recordFailure(tx, channel.id);
  });
  const isFailing = failures >= PAUSE_FAILURES && seconds >= PAUSE_SECONDS;
  if (outcome.isGone || isFailing) {
    const reason = outcome.isGone
      ? outcome.reason
      : `${failures} failures in a row. Last failure: ${outcome.reason}`;
    await pauseChannel(deps, { organizationId: delivery.organization_id, id: channel.id, reason });
  }
}

/** Makes the only attempt for mail: it queues the mail, and the mail queue has its own retries. */
async function deliverMail(
  deps: DeliverDeps,
  delivery: DeliveryToSend,
  channel: ChannelToSend | null,
): Promise<void> {
  if (channel !== null && isInactive(channel)) return dropDelivery(deps, delivery.id);
  if (channel !== null && channel.paused_at !== null) return;
  await inTransaction(deps.database, async (tx) => {
    const batch = await lockMailBatch(tx, delivery.id);
    await endCollection(
      tx,
      batch.map(({ id }) => id),
    );
    if ((await beginAttempt(tx, delivery.id)) === null) return;
    const count = await queueAlertMail(tx, deps, { delivery, channel, batch });
    if (count > 0) return markSent(tx, { id: delivery.id, status: null });
    if (channel === null) {
      return markDropped(tx, { id: delivery.id, reason: "The key has no active owner." });
    }
    await markFailed(tx, { id: delivery.id, status: null, error: NO_RECEIVER, isFinal: true });
  });
}

/** Acknowledges or resolves an incident in PagerDuty. Throws if a retry can help. */
export async function updateIncident(
  deps: DeliverDeps,
  action: "acknowledge" | "resolve",
  { firingId, channelId }: Incident,
): Promise<void> {
  const channel = await findChannel(deps.database, channelId);
  if (channel === null || isInactive(channel) || channel.target_sealed === null) return;
  const target = openTarget(deps.sealingKey, channel.id, channel.target_sealed);
  if (target.kind !== "pagerduty") return;
  const outcome = await updatePagerDutyIncident(deps, target, { action, firingId });
  if (outcome.kind === "failed" && !outcome.isGone) {
    throw new Error(`PagerDuty did not ${action} an incident: ${outcome.reason}`);
  }
}

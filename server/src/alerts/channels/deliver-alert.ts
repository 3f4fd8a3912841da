import { makeMessage } from "#src/alerts/firing/firing-message.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Logger } from "#src/lib/logger.ts";
import { queueAlertMail } from "./alert-mail.ts";
import { openSigningSecret, openTarget } from "./channel-secrets.ts";
import {
  beginAttempt,
  type ChannelToSend,
  type DeliveryToSend,
  findChannel,
  findDelivery,
  type Incident,
  listSecrets,
  markDropped,
  markFailed,
  markSent,
  noteFailure,
  noteSuccess,
} from "./deliveries.sql.ts";
import { lockMailBatch } from "./mail-batch.sql.ts";
import { pauseChannel } from "./pause-channel.ts";
import { addDeliveryJob } from "./queue-deliveries.ts";
import { type Outcome, type SendDeps, sendThrough, updateAtPagerDuty } from "./send-through.ts";

export interface DeliverDeps extends AuditDeps, SendDeps {
  publicUrl: () => string;
  logger: Logger;
}

/** Seconds until the next attempt, after each that failed: ten attempts in a little less than a day. */
const RETRY_SECONDS = [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200] as const;
const MAX_RETRY_AFTER_SECONDS = 43_200;
/** A channel that fails is tried with one message at a time; one that is slow never takes all that this node can do. */
const MAX_AT_ONCE = 3;
const MAX_AT_ONCE_FAILING = 1;
const POSTPONE_SECONDS = 5;
/** When a channel is paused: as many failures in a row, over as long a time at least. */
const PAUSE_FAILURES = 10;
const PAUSE_SECONDS = 3_600;

/**
 * Makes what carries out one attempt at one message. Never throws for what a receiver does: the next attempt is a job that
 * is added in the transaction that notes the failure. Between an answer and its note a node may die: then the message is
 * sent once more, under the same id. Mail is queued in the transaction that notes it: exactly once.
 */
export function makeDeliverAlert(deps: DeliverDeps): (deliveryId: string) => Promise<void> {
  const running = new Map<string, number>();
  return async (deliveryId) => {
    const found = await findDelivery(deps.database, deliveryId);
    if (found === null || found.delivery.status !== "queued") return;
    const { delivery, channel } = found;
    if (channel === null || channel.kind === "email") return deliverMail(deps, delivery, channel);
    if (isOver(channel)) return drop(deps, delivery.id);
    // It waits for somebody to resume the channel.
    if (channel.paused_at !== null) return;
    const atOnce = running.get(channel.id) ?? 0;
    if (atOnce >= (channel.failures_in_a_row > 0 ? MAX_AT_ONCE_FAILING : MAX_AT_ONCE)) {
      return inTransaction(deps.database, (tx) =>
        addDeliveryJob(tx, delivery.id, channel.failures_in_a_row > 0 ? POSTPONE_SECONDS : 1),
      );
    }
    running.set(channel.id, atOnce + 1);
    try {
      await attempt(deps, delivery, channel);
    } finally {
      const left = (running.get(channel.id) ?? 1) - 1;
      if (left > 0) running.set(channel.id, left);
      else running.delete(channel.id);
    }
  };
}

function isOver(channel: ChannelToSend): boolean {
  return !channel.is_enabled || channel.archived_at !== null;
}

function drop(deps: DeliverDeps, id: string): Promise<void> {
  return markDropped(deps.database, { id, reason: "The channel was off or gone." });
}

async function attempt(
  deps: DeliverDeps,
  delivery: DeliveryToSend,
  channel: ChannelToSend,
): Promise<void> {
  const attempts = await beginAttempt(deps.database, delivery.id);
  if (attempts === null) return;
  const outcome = await sendOnce(deps, delivery, channel).catch((error: unknown): Outcome => {
    deps.logger.error({ err: error, deliveryId: delivery.id }, "an alert could not be made");
    const reason = "The message could not be made: see the log of the server.";
    return { kind: "failed", status: null, reason, retryAfterSeconds: null, isGone: false };
  });
  if (outcome.kind === "sent") {
    await noteSent(deps, delivery.id, channel.id, outcome.status);
    return;
  }
  deps.logger.warn(
    { deliveryId: delivery.id, channelId: channel.id, attempts, reason: outcome.reason },
    "an alert was not delivered",
  );
  await noteFailed(deps, { delivery, channel, attempts, outcome });
}

/** One attempt, whatever the state of the message. */
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

export function noteSent(
  deps: DeliverDeps,
  deliveryId: string,
  channelId: string,
  status: number,
): Promise<void> {
  return inTransaction(deps.database, async (tx) => {
    await markSent(tx, { id: deliveryId, status });
    await noteSuccess(tx, channelId);
  });
}

async function noteFailed(
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
      const asked = Math.min(outcome.retryAfterSeconds ?? 0, MAX_RETRY_AFTER_SECONDS);
      await addDeliveryJob(tx, delivery.id, Math.max(asked, delaySeconds));
    }
    return noteFailure(tx, channel.id);
  });
  const isFailing = failures >= PAUSE_FAILURES && seconds >= PAUSE_SECONDS;
  if (outcome.isGone || isFailing) {
    const reason = outcome.isGone
      ? outcome.reason
      : `${failures} failures in a row. The last: ${outcome.reason}`;
    await pauseChannel(deps, { organizationId: delivery.organization_id, id: channel.id, reason });
  }
}

/** By e-mail there is one attempt: the message is handed to the queue of mail, which has attempts of its own. */
async function deliverMail(
  deps: DeliverDeps,
  delivery: DeliveryToSend,
  channel: ChannelToSend | null,
): Promise<void> {
  if (channel !== null && isOver(channel)) return drop(deps, delivery.id);
  if (channel !== null && channel.paused_at !== null) return;
  await inTransaction(deps.database, async (tx) => {
    const batch = await lockMailBatch(tx, delivery.id);
    if ((await beginAttempt(tx, delivery.id)) === null) return;
    const count = await queueAlertMail(tx, deps, { delivery, channel, batch });
    if (count > 0) return markSent(tx, { id: delivery.id, status: null });
    if (channel === null) {
      return markDropped(tx, { id: delivery.id, reason: "The key has no owner to be told." });
    }
    const error = "Nobody is left to write to: no active member has one of the roles.";
    await markFailed(tx, { id: delivery.id, status: null, error, isFinal: true });
  });
}

/**
 * Tells PagerDuty of an incident that somebody has seen to what fired, or that it is over. Throws where another attempt is
 * worth it.
 */
export async function updateIncident(
  deps: DeliverDeps,
  action: "acknowledge" | "resolve",
  { firingId, channelId }: Incident,
): Promise<void> {
  const channel = await findChannel(deps.database, channelId);
  if (channel === null || isOver(channel) || channel.target_sealed === null) return;
  const target = openTarget(deps.sealingKey, channel.id, channel.target_sealed);
  if (target.kind !== "pagerduty") return;
  const outcome = await updateAtPagerDuty(deps, target, { action, firingId });
  if (outcome.kind === "failed" && !outcome.isGone) {
    throw new Error(`PagerDuty was not told to ${action} an incident: ${outcome.reason}`);
  }
}

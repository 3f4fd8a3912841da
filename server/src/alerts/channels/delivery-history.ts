import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { findNamedFirings } from "#src/alerts/firing/firing-message.sql.ts";
import { makeMessage, titleOf } from "#src/alerts/firing/firing-message.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { newId } from "#src/lib/ids.ts";
import { type ChannelRow, findChannel } from "./alert-channels.sql.ts";
import { type AlertChannelDeps, channelNotFound, stateOf } from "./alert-channels.ts";
import { queueTestMail } from "./alert-mail.ts";
import { NO_RECEIVER, recordSent, sendOnce } from "./deliver-alert.ts";
import { markFailed, markSent } from "./deliveries.sql.ts";
import {
  type DeliveryRow,
  findDelivery,
  insertTest,
  listDeliveries as listRows,
  requeueDelivery,
} from "./delivery-history.sql.ts";
import { countUnusedKeys, listFiringsOfDeliveries } from "./other-firings.sql.ts";
import { addDeliveryJob } from "./queue-deliveries.ts";

export interface ShownDelivery {
  row: DeliveryRow;
  title: string;
}

/** Throws a 404 for an unknown channel. */
export async function listDeliveries(
  deps: AlertChannelDeps,
  { caller }: Call,
  { channelId, statuses }: { channelId: string; statuses?: DeliveryRow["status"][] | undefined },
  request: PageRequest,
): Promise<PageOfRows<ShownDelivery>> {
  const { organizationId } = caller;
  const channel = await findChannel(deps.database, { organizationId, id: channelId });
  if (channel === null) throw channelNotFound();
  const filter = { organizationId, channelId, statuses: statuses ?? null };
  const page = toPage(await listRows(deps.database, filter, request), request);
  return { ...page, rows: await loadShownDeliveries(deps.database, page.rows) };
}

async function loadShownDeliveries(
  db: Database | Tx,
  rows: readonly DeliveryRow[],
): Promise<ShownDelivery[]> {
  const ids = rows.map(({ alert_firing_id: id }) => id).filter((id) => id !== null);
  const firings = await findNamedFirings(db, [...new Set(ids)]);
  const deliveryIds = rows.map(({ id }) => id);
  const listed = await listFiringsOfDeliveries(db, deliveryIds);
  const unusedKeys = await countUnusedKeys(db, deliveryIds);
  return rows.map((row) => {
    const firing = row.alert_firing_id === null ? null : firings.get(row.alert_firing_id);
    const of = { listed: listed.get(row.id) ?? [], unusedKeys: unusedKeys.get(row.id) ?? 0 };
    return { row, title: titleOf(firing ?? null, of) };
  });
}

async function loadShownDelivery(
  db: Database | Tx,
  of: { organizationId: string; id: string },
): Promise<ShownDelivery> {
  const row = await findDelivery(db, of);
  const [shown] = await loadShownDeliveries(db, row === null ? [] : [row]);
  if (shown === undefined) throw deliveryNotFound();
  return shown;
}

/**
 * Sends a test message and returns its outcome. The test is stored and audited before it is sent. A failed attempt does not
 * fail the call, is not retried, and does not count as a failure of the channel.
 */
export async function testAlertChannel(
  deps: AlertChannelDeps,
  { caller, origin }: Call,
  channelId: string,
): Promise<ShownDelivery> {
  const { organizationId } = caller;
  const { id, created_at } = await auditedTransaction(deps, caller, origin, async (tx) => {
    const channel = await getForUpdate(tx, organizationId, channelId);
    const id = newId(idPrefixes.alertDelivery, deps.nowMs(), deps.randomBytes);
    const created_at = await insertTest(tx, { id, organizationId, channelId });
    const delivery = { id, organization_id: organizationId, alert_firing_id: null, created_at };
    if (channel.kind === "email") await sendTestMail(tx, deps, delivery, channel);
    return {
      result: { id, created_at },
      audit: {
        event: "alert_channel.tested",
        subject: { type: "alert_channel", id: channelId },
        workspaceId: null,
        before: null,
        after: { name: channel.name, kind: channel.kind, alert_delivery_id: id },
      },
    };
  });
  const channel = await findChannel(deps.database, { organizationId, id: channelId });
  const isNew = origin.claim?.isReplayed !== true;
  if (isNew && channel !== null && channel.kind !== "email") {
    const delivery = { id, organization_id: organizationId, alert_firing_id: null, created_at };
    await sendTestMessage(deps, delivery, channel);
  }
  return loadShownDelivery(deps.database, { organizationId, id });
}

type TestDelivery = {
  id: string;
  organization_id: string;
  alert_firing_id: null;
  created_at: Date;
};

async function sendTestMail(
  tx: Tx,
  deps: AlertChannelDeps,
  delivery: TestDelivery,
  channel: ChannelRow,
): Promise<void> {
  const message = await makeMessage({ ...deps, database: tx }, delivery, channel);
  const count = await queueTestMail(tx, deps, { delivery, channel, message });
  if (count > 0) return markSent(tx, { id: delivery.id, status: null });
  await markFailed(tx, { id: delivery.id, status: null, error: NO_RECEIVER, isFinal: true });
}

async function sendTestMessage(
  deps: AlertChannelDeps,
  delivery: TestDelivery,
  channel: ChannelRow,
): Promise<void> {
  const outcome = await sendOnce(deps, delivery, channel);
  if (outcome.kind === "sent") {
    return recordSent(deps, delivery.id, channel.id, outcome.status);
  }
  const { status, reason: error } = outcome;
  await markFailed(deps.database, { id: delivery.id, status, error, isFinal: true });
}

async function getForUpdate(tx: Tx, organizationId: string, id: string): Promise<ChannelRow> {
  const channel = await findChannel(tx, { organizationId, id }, "for update");
  if (channel === null) throw channelNotFound();
  return channel;
}

/** Queues the message again under its id, in any state. Throws a 404, and a 409 if its channel is not working. */
export async function redeliverAlert(
  deps: AlertChannelDeps,
  { caller, origin }: Call,
  id: string,
): Promise<ShownDelivery> {
  const { organizationId } = caller;
  await auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findDelivery(tx, { organizationId, id }, "for update");
    if (before === null) throw deliveryNotFound();
    await checkChannelWorks(tx, organizationId, before.alert_channel_id);
    await requeueDelivery(tx, id);
    await addDeliveryJob(tx, id);
    return {
      result: null,
      audit: {
        event: "alert_delivery.redelivered",
        subject: { type: "alert_delivery", id },
        workspaceId: null,
        before: { status: before.status, attempts: before.attempts },
        after: {
          status: "queued",
          alert_channel_id: before.alert_channel_id,
          alert_firing_id: before.alert_firing_id,
        },
      },
    };
  });
  return loadShownDelivery(deps.database, { organizationId, id });
}

async function checkChannelWorks(
  tx: Tx,
  organizationId: string,
  channelId: string | null,
): Promise<void> {
  if (channelId === null) return;
  const channel = await findChannel(tx, { organizationId, id: channelId });
  if (channel !== null && stateOf(channel) === "working") return;
  const reason =
    channel === null
      ? "is deleted"
      : `is ${stateOf(channel)}. Enable it first, which also sends its waiting messages`;
  throw new ApiError("delivery_not_repeatable", `The alert channel of this message ${reason}.`);
}

function deliveryNotFound(): ApiError {
  return new ApiError(
    "resource_not_found",
    "Alert delivery not found",
    {},
    { resource: "alert_delivery" },
  );
}

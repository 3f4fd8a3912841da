import {
  type alertChannel,
  type alertChannelRoutes,
  type alertDelivery,
  listAlertChannels as listAlertChannelsRoute,
  listAlertDeliveries,
} from "@bursar/contract/admin/alert-channels.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { Caller } from "#src/domain/caller.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { hasOrganizationPermission } from "#src/domain/rights.ts";
import {
  type AlertChannelDeps,
  createAlertChannel,
  deleteAlertChannel,
  getAlertChannel,
  listAlertChannels,
  rotateAlertChannelSecret,
  type ShownChannel,
  stateOf,
  updateAlertChannel,
} from "./alert-channels.ts";
import {
  listDeliveries,
  redeliverAlert,
  type ShownDelivery,
  testAlertChannel,
} from "./delivery-history.ts";

export function makeAlertChannelHandlers(
  deps: AlertChannelDeps,
): HandlersFor<(typeof alertChannelRoutes)[number], Call> {
  return {
    createAlertChannel: async (call, { body }) => {
      const { secret, ...made } = await createAlertChannel(deps, call, body);
      return { ...toWire(call.caller, made), signing_secret: secret };
    },
    listAlertChannels: pagedList(
      listAlertChannelsRoute,
      (call, { query }, page) => listAlertChannels(deps, call, query, page),
      (shown, { caller }) => toWire(caller, shown),
    ),
    getAlertChannel: async (call, { params: { alert_channel_id: id } }) =>
      toWire(call.caller, await getAlertChannel(deps, call, id)),
    updateAlertChannel: async (call, { params: { alert_channel_id: id }, body }) =>
      toWire(call.caller, await updateAlertChannel(deps, call, id, body)),
    deleteAlertChannel: async (call, { params: { alert_channel_id: id } }) => {
      await deleteAlertChannel(deps, call, id);
      return { id, type: "alert_channel_deleted" };
    },
    rotateAlertChannelSecret: async (call, { params: { alert_channel_id: id }, body }) => {
      const { secret, ...rotated } = await rotateAlertChannelSecret(deps, call, id, body);
      return { ...toWire(call.caller, rotated), signing_secret: secret };
    },
    testAlertChannel: async (call, { params: { alert_channel_id: id } }) =>
      toWireDelivery(await testAlertChannel(deps, call, id)),
    listAlertDeliveries: pagedList(
      listAlertDeliveries,
      (call, { params: { alert_channel_id: channelId }, query: { statuses } }, page) =>
        listDeliveries(deps, call, { channelId, statuses }, page),
      toWireDelivery,
    ),
    redeliverAlert: async (call, { params: { alert_delivery_id: id } }) =>
      toWireDelivery(await redeliverAlert(deps, call, id)),
  };
}

/** Only callers who can change a channel see its receivers. */
function toWire(caller: Caller, { row, facts }: ShownChannel): z.input<typeof alertChannel> {
  const canWrite = hasOrganizationPermission(caller, "alert_channels:write");
  return {
    id: row.id,
    type: "alert_channel",
    name: row.name,
    kind: row.kind,
    recipients: canWrite ? row.recipients : null,
    target_hint: canWrite ? row.target_hint : null,
    state: stateOf(row),
    paused_at: row.paused_at?.toISOString() ?? null,
    pause_reason: row.pause_reason,
    failures_in_a_row: row.failures_in_a_row,
    old_secret_expires_at: facts.oldSecretExpiresAt?.toISOString() ?? null,
    alerts: facts.alerts,
    last_delivery: facts.lastDelivery && {
      status: facts.lastDelivery.status,
      at: facts.lastDelivery.at.toISOString(),
    },
    version: row.version,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function toWireDelivery({ row, title }: ShownDelivery): z.input<typeof alertDelivery> {
  return {
    id: row.id,
    type: "alert_delivery",
    alert_firing_id: row.alert_firing_id,
    title,
    status: row.status,
    attempts: row.attempts,
    last_status: row.last_status,
    last_error: row.last_error,
    last_attempt_at: row.last_attempt_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    sent_at: row.sent_at?.toISOString() ?? null,
  };
}

import type { Answer, Input } from "../../api-client.ts";
import { type ItemOf, useApi, useChange, useList, usePages } from "../../queries.ts";
import type { FiringView } from "./search.ts";

export type Alert = ItemOf<"listAlerts">;
export type Condition = Alert["condition"];
export type AlertKind = Condition["kind"];
export type AlertScope = Alert["scope"];
export type Firing = ItemOf<"listAlertFirings">;
export type Group = ItemOf<"listAlertGroups">;
export type Preview = Answer<"previewAlert">;
export type PreviewBody = Input<"previewAlert">["body"];
export type Channel = ItemOf<"listAlertChannels">;
export type ChannelKind = Channel["kind"];
export type Delivery = ItemOf<"listAlertDeliveries">;

const EVERY_MS = 10_000;

export const useAlerts = () =>
  useList("listAlerts", {}, { everyMs: 60_000, isPreviousShown: true });

/** Conditions of each view, for groups and for their firings. Open ones are those that the rail counts. */
const lasting = { is_over: false, is_superseded: false };
const groupFilters = {
  open: { state: "open", ...lasting },
  ended: { state: "open", is_over: true },
  acknowledged: { state: "acknowledged" },
  all: { state: "all" },
} as const;
const firingFilters = {
  open: { is_acknowledged: false, ...lasting },
  ended: { is_acknowledged: false, is_over: true },
  acknowledged: { is_acknowledged: true },
  all: {},
} as const;

export const useGroups = (
  view: FiringView,
  { kind, order }: { kind: AlertKind | undefined; order: "severity" | undefined },
) =>
  usePages(
    "listAlertGroups",
    {
      ...groupFilters[view],
      ...(kind !== undefined && { kinds: [kind] }),
      ...(order && { order }),
    },
    { everyMs: EVERY_MS },
  );
const MAX_FIRINGS = 100;
/** Newest firings of a group in this view. */
export const useFiringsOfGroup = (groupId: string, view: FiringView) =>
  useApi(
    "listAlertFirings",
    { query: { ...firingFilters[view], alert_group_id: groupId, limit: MAX_FIRINGS } },
    { everyMs: EVERY_MS },
  );
export const useFiring = (firingId: string) =>
  useApi("getAlertFiring", { params: { alert_firing_id: firingId } }, { everyMs: EVERY_MS });
export const useChannels = () =>
  useList("listAlertChannels", {}, { everyMs: 30_000, isPreviousShown: true });
const noPreview: PreviewBody = {
  scope: { type: "organization" },
  condition: { kind: "limit_overrun" },
};
/** Null: the form has no valid condition yet. */
export const usePreview = (body: PreviewBody | null) =>
  useApi(
    "previewAlert",
    { body: body ?? noPreview },
    { isEnabled: body !== null, isPreviousShown: true },
  );
export const useDeliveries = (channelId: string) =>
  useApi(
    "listAlertDeliveries",
    { params: { alert_channel_id: channelId }, query: { limit: 50 } },
    { everyMs: EVERY_MS },
  );

const staleAlerts = ["listAlerts", "getAlert", "listAlertChannels"] as const;
const staleFirings = ["listAlertGroups", "listAlertFirings", "getAlertFiring"] as const;
const staleChannels = ["listAlertChannels", "listAlerts", "listAlertDeliveries"] as const;

export const useCreateAlert = () => useChange("createAlert", [...staleAlerts, ...staleFirings]);
export const useUpdateAlert = () => useChange("updateAlert", [...staleAlerts, ...staleFirings]);
export const useDeleteAlert = () => useChange("deleteAlert", [...staleAlerts, ...staleFirings]);
export const useAcknowledge = () => useChange("acknowledgeAlertFiring", staleFirings);
export const useAcknowledgeSeveral = () => useChange("acknowledgeAlertFirings", staleFirings);
export const useCreateChannel = () => useChange("createAlertChannel", staleChannels);
export const useUpdateChannel = () => useChange("updateAlertChannel", staleChannels);
export const useDeleteChannel = () => useChange("deleteAlertChannel", staleChannels);
export const useRotateSecret = () => useChange("rotateAlertChannelSecret", staleChannels);
export const useTestChannel = () => useChange("testAlertChannel", staleChannels);
export const useRedeliver = () => useChange("redeliverAlert", staleChannels);

import { type ItemOf, useApi, useChange, useList, usePages } from "../../queries.ts";
import type { FiringView } from "./search.ts";

export type Alert = ItemOf<"listAlerts">;
export type Condition = Alert["condition"];
export type AlertKind = Condition["kind"];
export type AlertScope = Alert["scope"];
export type Firing = ItemOf<"listAlertFirings">;
export type Channel = ItemOf<"listAlertChannels">;
export type ChannelKind = Channel["kind"];
export type Delivery = ItemOf<"listAlertDeliveries">;

const EVERY_MS = 10_000;

export const useAlerts = () =>
  useList("listAlerts", {}, { everyMs: 60_000, isPreviousShown: true });
export const useFirings = (view: FiringView, kind: AlertKind | undefined) =>
  usePages(
    "listAlertFirings",
    {
      ...(view !== "all" && { is_acknowledged: view === "acknowledged" }),
      ...(kind !== undefined && { kinds: [kind] }),
    },
    { everyMs: EVERY_MS },
  );
export const useFiring = (firingId: string) =>
  useApi("getAlertFiring", { params: { alert_firing_id: firingId } }, { everyMs: EVERY_MS });
export const useChannels = () =>
  useList("listAlertChannels", {}, { everyMs: 30_000, isPreviousShown: true });
export const useDeliveries = (channelId: string) =>
  useApi(
    "listAlertDeliveries",
    { params: { alert_channel_id: channelId }, query: { limit: 50 } },
    { everyMs: EVERY_MS },
  );

const staleAlerts = ["listAlerts", "getAlert", "listAlertChannels"] as const;
const staleFirings = ["listAlertFirings", "getAlertFiring"] as const;
const staleChannels = ["listAlertChannels", "listAlerts", "listAlertDeliveries"] as const;

export const useCreateAlert = () => useChange("createAlert", [...staleAlerts, ...staleFirings]);
export const useUpdateAlert = () => useChange("updateAlert", staleAlerts);
export const useDeleteAlert = () => useChange("deleteAlert", [...staleAlerts, ...staleFirings]);
export const useAcknowledge = () => useChange("acknowledgeAlertFiring", staleFirings);
export const useCreateChannel = () => useChange("createAlertChannel", staleChannels);
export const useUpdateChannel = () => useChange("updateAlertChannel", staleChannels);
export const useDeleteChannel = () => useChange("deleteAlertChannel", staleChannels);
export const useRotateSecret = () => useChange("rotateAlertChannelSecret", staleChannels);
export const useTestChannel = () => useChange("testAlertChannel", staleChannels);
export const useRedeliver = () => useChange("redeliverAlert", staleChannels);

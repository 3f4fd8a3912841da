import type { Answer } from "../../api-client.ts";
import { type ItemOf, useChange, useList } from "../../queries.ts";

export type Receiver = ItemOf<"listTelemetryReceivers">;
export type Signal = Receiver["signals"][number];
export type ReceiverTest = Answer<"testTelemetryReceiver">;

const stale = ["listTelemetryReceivers", "getTelemetryReceiver"] as const;

export const useReceivers = () =>
  useList("listTelemetryReceivers", {}, { everyMs: 10_000, isPreviousShown: true });
export const useCreateReceiver = () => useChange("createTelemetryReceiver", stale);
export const useUpdateReceiver = () => useChange("updateTelemetryReceiver", stale);
export const useDeleteReceiver = () => useChange("deleteTelemetryReceiver", stale);
/** Changes nothing. */
export const useTestReceiver = () => useChange("testTelemetryReceiver", []);

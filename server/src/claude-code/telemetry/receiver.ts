import type { TelemetrySignal } from "@bursar/contract/telemetry-signals.ts";
import type { ReceiverHeaders } from "./receiver-headers.ts";

/** Target of the telemetry of one organization. */
export interface Receiver {
  id: string;
  organizationId: string;
  /** Version of the row. 0: from the environment. */
  version: number;
  /** Address without a slash at its end, such as `https://otel.example.com`. */
  url: string;
  /** Null: they cannot be decrypted, so nothing is sent. */
  headers: ReceiverHeaders | null;
  signals: readonly TelemetrySignal[];
}

/** Newest results of a receiver, milliseconds since the epoch. */
export interface ReceiverHealth {
  relayedAtMs: number | null;
  failedAtMs: number | null;
  failure: string | null;
}

export const noHealth: ReceiverHealth = { relayedAtMs: null, failedAtMs: null, failure: null };

/** Id of the receiver that `BURSAR_TELEMETRY_URL` names. */
export const ENVIRONMENT_RECEIVER_ID = "telrcv_environment";

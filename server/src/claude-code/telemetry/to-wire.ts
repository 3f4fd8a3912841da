import type { telemetryReceiver } from "@bursar/contract/admin/telemetry-receivers.ts";
import type { z } from "zod";
import { noHealth, type Receiver, type ReceiverHealth } from "./receiver.ts";
import type { ReceiverRow } from "./telemetry-receivers.sql.ts";

type Wire = z.input<typeof telemetryReceiver>;

export function toWire(row: ReceiverRow): Wire {
  const { id, name, url, header_names, signals, is_enabled, version, last_failure } = row;
  const health = {
    relayedAtMs: row.last_relayed_at?.getTime() ?? null,
    failedAtMs: row.last_failed_at?.getTime() ?? null,
    failure: last_failure,
  };
  return {
    ...{ id, type: "telemetry_receiver", source: "stored", name, url, header_names, signals },
    is_enabled,
    ...toHealth(health, is_enabled),
    version,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** Results are those of this node, which has no row for them. */
export function environmentToWire(
  { id, url, headers, signals }: Receiver,
  health: ReceiverHealth | null,
): Wire {
  return {
    ...{ id, type: "telemetry_receiver", source: "environment", name: "Environment", url },
    header_names: Object.keys(headers ?? {}).sort(),
    signals: [...signals],
    is_enabled: true,
    ...toHealth(health ?? noHealth, true),
    ...{ version: null, created_at: null, updated_at: null },
  };
}

function toHealth(
  health: ReceiverHealth,
  isEnabled: boolean,
): Pick<Wire, "state" | "last_relayed_at" | "last_failed_at" | "last_failure"> {
  return {
    state: isEnabled ? findState(health) : "off",
    last_relayed_at: formatTime(health.relayedAtMs),
    last_failed_at: formatTime(health.failedAtMs),
    last_failure: health.failure,
  };
}

function findState({ relayedAtMs, failedAtMs }: ReceiverHealth): "working" | "failing" | "unused" {
  if (relayedAtMs === null && failedAtMs === null) return "unused";
  return (failedAtMs ?? 0) > (relayedAtMs ?? 0) ? "failing" : "working";
}

function formatTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

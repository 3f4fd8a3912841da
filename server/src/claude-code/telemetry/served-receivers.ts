import type { Database } from "#src/db/pool.ts";
import { makeLatestRead } from "#src/lib/latest-read.ts";
import type { Receiver } from "./receiver.ts";
import { openHeaders } from "./receiver-headers.ts";
import { listEnabledReceivers, type ReceiverRow, saveHealth } from "./telemetry-receivers.sql.ts";
import type { TelemetryRelay } from "./telemetry-relay.ts";

export interface ServedReceiversDeps {
  database: Database;
  sealingKey: Buffer;
  relay: TelemetryRelay;
}

/** Gives a relay the stored receivers, and saves its results. Both reject without the database. */
export function makeServedReceivers({ database, sealingKey, relay }: ServedReceiversDeps) {
  return {
    reload: makeLatestRead(
      () => listEnabledReceivers(database),
      (rows) => relay.setReceivers(rows.map((row) => toReceiver(sealingKey, row))),
    ),
    async saveHealth(): Promise<void> {
      for (const { receiver, health } of relay.takeNews()) {
        const { id, version } = receiver;
        await saveHealth(database, {
          ...{ id, version },
          relayedAt: toDate(health.relayedAtMs),
          failedAt: toDate(health.failedAtMs),
          failure: health.failure,
        });
      }
    },
  };
}

export function toReceiver(sealingKey: Buffer, row: ReceiverRow): Receiver {
  const { id, organization_id: organizationId, version, url, signals } = row;
  return { id, organizationId, version, url, signals, headers: openHeaders(sealingKey, row) };
}

function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

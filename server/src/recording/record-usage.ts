import type { Tx } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import type { FlushParticipant } from "./flush.ts";
import { addToRollups } from "./rollups.sql.ts";
import { insertUsageEvents } from "./usage.sql.ts";
import { sumMinutes, toUsageEvent } from "./usage-rows.ts";

/** Metering's own part of a flush. */
export function recordUsage(nodeId: string): FlushParticipant {
  return { flush: (tx, batch) => addUsage(tx, nodeId, batch) };
}

/** One event per request, and what they add to the rollups that reports read. */
export async function addUsage(
  tx: Tx,
  nodeId: string,
  records: readonly EndRecord[],
): Promise<void> {
  if (records.length === 0) return;
  await insertUsageEvents(
    tx,
    records.map((record) => toUsageEvent(record, nodeId)),
  );
  const oldestMs = records.reduce((ms, record) => Math.min(ms, record.startedAtMs), Infinity);
  await addToRollups(tx, sumMinutes(records), oldestMs);
}

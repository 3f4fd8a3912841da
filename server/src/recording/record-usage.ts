import type { Tx } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import type { FlushParticipant, FlushPosition } from "./flush.ts";
import { insertUsageEvents } from "./usage.sql.ts";
import { insertBatch } from "./usage-batches.sql.ts";
import { sumMinutes, toUsageEvent } from "./usage-rows.ts";

export interface AppendOptions {
  nodeId: string;
  /** Returns JSON of the overruns and unresolved holds of a batch, for the fold. */
  encodeHoldCharges: (batch: readonly EndRecord[]) => string;
}

/** The flush itself: appends events and their batch. */
export function appendUsage(options: AppendOptions): FlushParticipant {
  return { flush: (tx, batch, position) => appendBatch(tx, { ...options, ...position }, batch) };
}

/** Inserts one event for each request, and the batch that the fold counts. */
export async function appendBatch(
  tx: Tx,
  { nodeId, journalId, toSeq, encodeHoldCharges }: AppendOptions & FlushPosition,
  records: readonly EndRecord[],
): Promise<void> {
  await insertUsageEvents(
    tx,
    records.map((record) => toUsageEvent(record, nodeId)),
  );
  const oldestMs = records.reduce((ms, record) => Math.min(ms, record.startedAtMs), Infinity);
  await insertBatch(tx, {
    nodeId,
    journalId,
    toSeq,
    oldestMs: Number.isFinite(oldestMs) ? oldestMs : null,
    rows: sumMinutes(records),
    holdCharges: encodeHoldCharges(records),
  });
}

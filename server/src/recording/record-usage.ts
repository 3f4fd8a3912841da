import type { Tx } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import type { FlushParticipant, FlushPosition } from "./flush.ts";
import { insertUsageEvents, storeTexts } from "./usage.sql.ts";
import { insertBatch } from "./usage-batches.sql.ts";
import { type EventRefs, UsageDictionary } from "./usage-dictionary.ts";
import { sumMinutes, toUsageEvent } from "./usage-rows.ts";

export interface AppendOptions {
  nodeId: string;
  /** Returns JSON of the overruns and unresolved holds of a batch, for the fold. */
  encodeHoldCharges: (batch: readonly EndRecord[]) => string;
}

/**
 * Appends events and their batch. New texts are committed before the flush, so that no node waits for the flush of another
 * one. The flush checks them again, because a database that lost its last seconds may have lost them.
 */
export function appendUsage(options: AppendOptions): FlushParticipant {
  const dictionary = new UsageDictionary();
  let refs: readonly EventRefs[] = [];
  return {
    started: () => dictionary.clear(),
    prepare: async (database, batch) => {
      const events = batch.map((record) => toUsageEvent(record, options.nodeId));
      await storeTexts(database, events, dictionary);
    },
    flush: async (tx, batch, position) => {
      refs = await appendBatch(tx, { ...options, ...position, dictionary }, batch);
    },
    committed: (_batch, { isCounted }) => {
      if (isCounted) markStored(refs);
      refs = [];
    },
  };
}

function markStored(refs: readonly EventRefs[]): void {
  for (const { labels, prices, node } of refs) {
    labels.isStored = true;
    prices.isStored = true;
    node.isStored = true;
  }
}

/** Inserts one event for each request, and the batch that the fold counts. Returns the texts of the events. */
export async function appendBatch(
  tx: Tx,
  of: AppendOptions & FlushPosition & { dictionary?: UsageDictionary },
  records: readonly EndRecord[],
): Promise<EventRefs[]> {
  const { nodeId, journalId, toSeq, encodeHoldCharges, dictionary } = of;
  const events = records.map((record) => toUsageEvent(record, nodeId));
  const refs = await insertUsageEvents(tx, events, dictionary);
  const oldestMs = records.reduce((ms, record) => Math.min(ms, record.startedAtMs), Infinity);
  await insertBatch(tx, {
    nodeId,
    journalId,
    toSeq,
    oldestMs: Number.isFinite(oldestMs) ? oldestMs : null,
    rows: sumMinutes(
      records,
      refs.map(({ labels }) => labels),
    ),
    holdCharges: encodeHoldCharges(records),
  });
  return refs;
}

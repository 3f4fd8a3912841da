import type { Tx } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { mapInSlices } from "#src/lib/slices.ts";
import type { FlushParticipant, FlushPosition } from "./flush.ts";
import { insertUsageEvents, storeTexts } from "./usage.sql.ts";
import { insertBatch } from "./usage-batches.sql.ts";
import { type EventRefs, UsageDictionary } from "./usage-dictionary.ts";
import { sumMinutes, toUsageEvent, type UsageEventRow } from "./usage-rows.ts";

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
  /** Events of the batch that was prepared last, so that its transaction is short. */
  let prepared: { batch: readonly EndRecord[]; events: UsageEventRow[] } | null = null;
  return {
    started: () => dictionary.clear(),
    prepare: async (database, batch) => {
      const events = await toEvents(batch, options.nodeId);
      prepared = { batch, events };
      await storeTexts(database, events, dictionary);
    },
    flush: async (tx, batch, position) => {
      const events = prepared?.batch === batch ? prepared.events : null;
      refs = await appendBatch(tx, { ...options, ...position, dictionary, events }, batch);
    },
    committed: (_batch, { isCounted }) => {
      if (isCounted) markStored(refs);
      refs = [];
      prepared = null;
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

function toEvents(batch: readonly EndRecord[], nodeId: string): Promise<UsageEventRow[]> {
  return mapInSlices(batch, (record) => toUsageEvent(record, nodeId));
}

export interface AppendedBatch extends AppendOptions, FlushPosition {
  dictionary?: UsageDictionary;
  /** Events of the records. Null or absent: they are made here. */
  events?: readonly UsageEventRow[] | null;
}

/** Inserts one event for each request, and the batch that the fold counts. Returns the texts of the events. */
export async function appendBatch(
  tx: Tx,
  of: AppendedBatch,
  records: readonly EndRecord[],
): Promise<EventRefs[]> {
  const { nodeId, journalId, toSeq, encodeHoldCharges, dictionary } = of;
  const events = of.events ?? (await toEvents(records, nodeId));
  const refs = await insertUsageEvents(tx, events, dictionary);
  const oldestMs = records.reduce((ms, record) => Math.min(ms, record.startedAtMs), Infinity);
  await insertBatch(tx, {
    nodeId,
    journalId,
    toSeq,
    oldestMs: Number.isFinite(oldestMs) ? oldestMs : null,
    rows: await sumMinutes(
      records,
      refs.map(({ labels }) => labels),
    ),
    holdCharges: encodeHoldCharges(records),
  });
  return refs;
}

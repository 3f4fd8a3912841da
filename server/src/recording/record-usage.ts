import type { Tx } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import type { FlushParticipant, FlushPosition } from "./flush.ts";
import { insertUsageEvents, storeTexts } from "./usage.sql.ts";
import { insertBatch } from "./usage-batches.sql.ts";
import { type EventRefs, UsageDictionary } from "./usage-dictionary.ts";
import { sumMinutes } from "./usage-rows.ts";

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
  /** Texts of the batch that was prepared last, so that its transaction is short. */
  let prepared: { batch: readonly EndRecord[]; refs: readonly EventRefs[] } | null = null;
  return {
    started: () => {
      dictionary.clear();
      prepared = null;
    },
    prepare: async (database, batch) => {
      const ended = { nodeId: options.nodeId, records: batch };
      prepared = { batch, refs: await storeTexts(database, ended, dictionary) };
    },
    flush: async (tx, batch, position) => {
      const known = prepared?.batch === batch ? prepared.refs : null;
      refs = await appendBatch(tx, { ...options, ...position, refs: known }, batch);
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

export interface AppendedBatch extends AppendOptions, FlushPosition {
  /** Texts of the records. Null or absent: they are found here. */
  refs?: readonly EventRefs[] | null;
}

/** Inserts one event for each request, and the batch that the fold counts. Returns the texts of the events. */
export async function appendBatch(
  tx: Tx,
  of: AppendedBatch,
  records: readonly EndRecord[],
): Promise<readonly EventRefs[]> {
  const { nodeId, journalId, toSeq, encodeHoldCharges } = of;
  const refs = await insertUsageEvents(tx, { nodeId, records }, of.refs);
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

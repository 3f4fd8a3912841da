import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { ModelLabels } from "#src/domain/model-labels.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { noCost, noTokens } from "#src/domain/usage.ts";
import type { GivenObject, ObjectReferences } from "#src/gateway/object-references.ts";
import { assert } from "#src/lib/assert.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { appendBatch } from "#src/recording/record-usage.ts";
import { BATCHES_NODE } from "#src/spend/ledger/batches-node.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import { listChainKeys, releaseDurableHold } from "#src/spend/ledger/durable-holds.sql.ts";
import { encodeLineCharges } from "#src/spend/ledger/hold-charges.ts";
import { findHighest, listSmallerHolds, sumLines } from "#src/spend/ledger/open-ended-holds.ts";
import {
  addMetered,
  type BatchLabels,
  deleteLines,
  endBatch,
  hasUnfoldedLines,
  lockRunning,
  markMetered,
  type StoredBatch,
  sumUnmetered,
} from "./batches.sql.ts";
import { billLine } from "./bill-line.ts";
import { type LineResult, type ReadLine, readResults } from "./read-result.ts";
import { decodeOpenEnded } from "./stored-open-ended.ts";

// Records the results of an ended batch, each line once. A transaction marks some lines, appends their records, and tells
// the fold how much of the hold they no longer need. A second run finds the marks.

export interface MeterDeps {
  database: Database;
  prices: { get(organizationId: string): PriceBook };
  labels: ModelLabels;
  /** Counts everything that was appended. Rejects with the database's error. */
  fold: () => Promise<void>;
  /** Records containers and files that results give. */
  references: Pick<ObjectReferences, "recordGiven">;
}

/** Time for which a worker alone follows a batch, from its last recorded line, milliseconds. Two would record each line once too. */
export const TAKEN_MS = 10_000;
/** Lines of one transaction. */
const CHUNK_LINES = 500;

export interface Metering {
  batch: StoredBatch;
  upstreamBatchId: string;
  endedAtMs: number;
}

/**
 * Records all results, then ends the hold. Rejects if the results break off, or with the database's error: the next run
 * continues. Does nothing for a batch that is not running.
 */
export async function meterBatch(
  deps: MeterDeps,
  metering: Metering,
  results: AsyncIterable<Buffer>,
): Promise<void> {
  let chunk = new Map<string, LineResult>();
  let objects: GivenObject[] = [];
  const record = async () => {
    if (objects.length > 0) await recordObjects(deps, metering, objects);
    await recordChunk(deps, metering, chunk);
    chunk = new Map();
    objects = [];
  };
  for await (const { customId, result, given } of readResults(results)) {
    chunk.set(customId, result);
    objects.push(...given);
    if (chunk.size >= CHUNK_LINES) await record();
  }
  await record();
  await finishBatch(deps, metering);
}

function recordObjects(
  { references }: MeterDeps,
  { batch: { organizationId, workspaceId, apiKeyId: id, upstreamId, failover } }: Metering,
  objects: readonly GivenObject[],
): Promise<void> {
  const source = { upstreamId, failover };
  return references.recordGiven({ organizationId, workspaceId, id }, source, objects);
}

/** Records the lines of the chunk that have no record yet. */
async function recordChunk(
  deps: MeterDeps,
  metering: Metering,
  chunk: ReadonlyMap<ReadLine["customId"], LineResult>,
): Promise<void> {
  if (chunk.size === 0) return;
  const { batch } = metering;
  const book = deps.prices.get(batch.organizationId);
  const openEnded = decodeOpenEnded(batch.openEndedHolds);
  await inTransaction(deps.database, async (tx) => {
    if (!(await lockRunning(tx, batch.id))) return;
    const lines = await markMetered(tx, batch.id, [...chunk.keys()]);
    if (lines.length === 0) return;
    const records = lines.flatMap((line) => {
      const result = chunk.get(line.customId);
      const bill = { book, labels: deps.labels };
      const ended = result && billLine(bill, { ...metering, line, result, openEnded });
      return ended ? [ended] : [];
    });
    const releasedOf = (highest: bigint | null) => sumLines(lines, highest);
    await appendLines(tx, batch, { lines: lines.length, releasedOf, records });
  });
  await deps.fold();
}

interface AppendedLines {
  /** Lines with a result. */
  lines: number;
  /** Sum of the holds of the lines, where open-ended ones have a highest hold, nano-USD. */
  releasedOf: (highestNanoUsd: bigint | null) => bigint;
  records: readonly EndRecord[];
}

async function appendLines(
  tx: Tx,
  batch: StoredBatch,
  { lines, releasedOf, records }: AppendedLines,
): Promise<void> {
  const openEnded = decodeOpenEnded(batch.openEndedHolds);
  const releases = listChainKeys(scopeOfBatch(batch), batch.startedAt.getTime()).map((key) => {
    return { ...key, holdId: batch.id, nanoUsd: releasedOf(findHighest(openEnded, key)) };
  });
  await appendBatch(
    tx,
    {
      nodeId: BATCHES_NODE,
      journalId: batch.id,
      toSeq: 0,
      encodeHoldCharges: (ended) => encodeLineCharges(ended, releases),
    },
    records,
  );
  const costNanoUsd = records.reduce((sum, { cost }) => sum + cost.total, 0n);
  await addMetered(tx, batch.id, { lines, costNanoUsd, takenMs: TAKEN_MS });
}

async function finishBatch(deps: MeterDeps, metering: Metering): Promise<void> {
  const { batch, endedAtMs } = metering;
  const { database } = deps;
  await inTransaction(database, async (tx) => {
    if (await lockRunning(tx, batch.id)) await recordUnmetered(tx, batch, endedAtMs);
  });
  await deps.fold();
  await inTransaction(database, async (tx) => {
    await lockFold(tx);
    if (await hasUnfoldedLines(tx, batch.id)) throw new Error("no fold has counted the batch yet");
    if (!(await endBatch(tx, batch.id, { from: ["running"], to: "metered" }))) return;
    await releaseHold(tx, batch);
    await deleteLines(tx, batch.id);
  });
}

/**
 * Records all lines without a result as one request with an unknown end, because they may have run. Their hold becomes unresolved
 * in the fold that counts the record.
 */
async function recordUnmetered(tx: Tx, batch: StoredBatch, endedAtMs: number): Promise<void> {
  const { lines, releasedOf } = await readUnmetered(tx, batch);
  if (lines === 0) return;
  const records = [makeUnknownRecord(batch, { releasedOf, endedAtMs })];
  await appendLines(tx, batch, { lines: 0, releasedOf, records });
  await deleteLines(tx, batch.id);
}

/** Counts the lines without a result, and sums their holds. */
async function readUnmetered(
  tx: Tx,
  batch: StoredBatch,
): Promise<Pick<AppendedLines, "lines" | "releasedOf">> {
  const { mostNanoUsd, chosen } = decodeOpenEnded(batch.openEndedHolds);
  const highest = [null, mostNanoUsd, ...chosen.map(({ nanoUsd }) => nanoUsd)];
  const { lines, sums } = await sumUnmetered(tx, batch.id, highest);
  return { lines, releasedOf: (of) => sums[highest.indexOf(of)] ?? 0n };
}

/** Deletes what is left of the hold. */
export function releaseHold(tx: Tx, batch: BatchLabels): Promise<void> {
  return releaseDurableHold(tx, {
    holdId: batch.id,
    scope: scopeOfBatch(batch),
    startedAtMs: batch.startedAt.getTime(),
  });
}

/**
 * Gives up a batch whose fate is unknown. Its hold becomes unresolved in the fold that counts the record, until it is released
 * or charged.
 */
export async function recordUnknownBatch(deps: MeterDeps, batch: StoredBatch): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    if (!(await endBatch(tx, batch.id, { from: ["sent"], to: "unresolved" }))) return;
    await recordUnmetered(tx, batch, (batch.sentAt ?? batch.startedAt).getTime());
  });
  await deps.fold();
}

/**
 * Ends a locked batch that is sent or running, whose results are never read. Lines with a record keep it, and the hold of all others
 * becomes unresolved in the next fold.
 */
export async function recordAbandonedBatch(
  tx: Tx,
  batch: StoredBatch,
  nowMs: number,
): Promise<void> {
  const isSent = batch.state === "sent";
  const to = isSent ? "unresolved" : "metered";
  assert(
    await endBatch(tx, batch.id, { from: ["sent", "running"], to }),
    "the batch has not ended",
  );
  await recordUnmetered(tx, batch, isSent ? (batch.sentAt ?? batch.startedAt).getTime() : nowMs);
  await deleteLines(tx, batch.id);
}

/** The record of lines with an unknown end. */
function makeUnknownRecord(
  batch: StoredBatch,
  { releasedOf, endedAtMs }: Pick<AppendedLines, "releasedOf"> & { endedAtMs: number },
): EndRecord {
  const openEnded = decodeOpenEnded(batch.openEndedHolds);
  const holdNanoUsd = releasedOf(openEnded.mostNanoUsd);
  const startedAtMs = batch.startedAt.getTime();
  const record: EndRecord = {
    requestId: batch.id,
    startedAtMs,
    organizationId: batch.organizationId,
    workspaceId: batch.workspaceId,
    apiKeyId: batch.apiKeyId,
    requestedModel: "other",
    isStream: false,
    client: batch.client,
    holdNanoUsd,
    endedAtMs: Math.max(endedAtMs, startedAtMs),
    outcome: "interrupted",
    httpStatus: null,
    isEstimated: true,
    isUnpriced: false,
    model: "other",
    serviceTier: batch.isSimulated ? "simulated" : "batch",
    contextWindow: "0-200k",
    inferenceGeo: "not_available",
    speed: "standard",
    usage: noTokens,
    cost: noCost,
    prices: "{}",
    upstreamRequestId: batch.upstreamBatchId,
    firstByteMs: null,
  };
  if (batch.memberId !== null) record.memberId = batch.memberId;
  if (batch.groupIds.length > 0) record.groupIds = batch.groupIds;
  if (batch.tagIds.length > 0) record.tagIds = batch.tagIds;
  const smallerHolds = listSmallerHolds(openEnded, releasedOf, holdNanoUsd);
  if (smallerHolds.length > 0) record.smallerHolds = smallerHolds;
  return record;
}

/** Scopes that count a batch. */
export function scopeOfBatch(batch: Omit<BatchLabels, "startedAt" | "client">): SpendScope {
  const { organizationId, workspaceId, apiKeyId, memberId, groupIds, tagIds } = batch;
  return {
    organizationId,
    workspaceId,
    apiKeyId,
    memberId: memberId ?? undefined,
    groupIds: groupIds.length > 0 ? groupIds : undefined,
    tagIds: tagIds.length > 0 ? tagIds : undefined,
  };
}

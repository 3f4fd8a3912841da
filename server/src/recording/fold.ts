import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Logger } from "#src/lib/logger.ts";
import { isRefusedData } from "./flush.ts";
import { lockFold, tryLockFold } from "./fold-lock.sql.ts";
import { addToRollups } from "./rollups.sql.ts";
import {
  deleteBatches,
  endFold,
  findNewestBatch,
  listBatches,
  lockNodes,
  type QueuedBatch,
  setBatchAside,
} from "./usage-batches.sql.ts";

// The one transaction that counts appended requests. A batch leaves the queue in the transaction that counts it, so it
// counts once, even if the result of the commit is lost. A fold that dies or pauses rolls back and releases its lock.

/** Part of a fold. Participants run in the order of their list, inside its transaction, after the rollups. */
export interface FoldParticipant {
  /** Counts the batches, whose nodes are locked. After a failure it runs again. */
  fold(tx: Tx, batches: readonly QueuedBatch[]): Promise<void>;
  /** The transaction is committed. Must not throw. */
  committed?(): void;
}

export interface FoldOptions {
  database: Database;
  participants: readonly FoldParticipant[];
  logger: Logger;
}

export type FoldResult =
  /** Another process folds at this moment. */
  | { kind: "busy" }
  /** `pauseMs`: time until the next fold is due. */
  | { kind: "folded"; batches: readonly QueuedBatch[]; hasMore: boolean; pauseMs: number };

/** Batches and rows of one fold. A large batch is a fold of its own. */
export const MAX_BATCHES = 64;
const MAX_ROWS = 10_000;
/** The pause between folds follows their duration, so that folds use at most a third of the time. */
const PAUSE_FACTOR = 2;
const MIN_PAUSE_MS = 200;
const MAX_PAUSE_MS = 1_000;

/**
 * Counts the oldest batches. `isWaiting`: waits for another fold instead of returning "busy". Throws the database's error.
 * Then nothing is counted, or the commit's result is lost, and the call can be repeated. A batch whose values the database
 * refuses is set aside, because it would stop the count of all others.
 */
export async function foldOnce(
  options: FoldOptions,
  { isWaiting }: { isWaiting: boolean },
): Promise<FoldResult> {
  try {
    return await foldBatches(options, { isWaiting, maxBatches: MAX_BATCHES });
  } catch (error) {
    if (!isRefusedData(error)) throw error;
  }
  // The refused batch is the first one, or the next fold finds it.
  const tried: QueuedBatch[] = [];
  try {
    return await foldBatches(options, { isWaiting, maxBatches: 1, tried });
  } catch (error) {
    const [refused] = tried;
    if (refused === undefined || !isRefusedData(error)) throw error;
    await setAside(options, refused, error);
    return { kind: "folded", batches: [], hasMore: true, pauseMs: 0 };
  }
}

async function foldBatches(
  { database, participants }: FoldOptions,
  {
    isWaiting,
    maxBatches,
    tried = [],
  }: { isWaiting: boolean; maxBatches: number; tried?: QueuedBatch[] },
): Promise<FoldResult> {
  const startedMs = performance.now();
  const result = await inTransaction(database, async (tx): Promise<FoldResult> => {
    if (isWaiting) await lockFold(tx);
    else if (!(await tryLockFold(tx))) return { kind: "busy" };
    const queued = await listBatches(tx, maxBatches + 1);
    const batches = takeBatches(queued.slice(0, maxBatches));
    const hasMore = batches.length < queued.length;
    if (batches.length === 0) return { kind: "folded", batches, hasMore, pauseMs: 0 };
    tried.push(...batches);
    // Rollups come first, because they take most of the time, and a flush waits while its node is locked.
    await addToRollups(tx, batches);
    await lockNodes(tx, batches);
    for (const participant of participants) await participant.fold(tx, batches);
    await deleteBatches(tx, batches);
    const restMs = (performance.now() - startedMs) * PAUSE_FACTOR;
    const pauseMs = hasMore ? 0 : Math.min(Math.max(restMs, MIN_PAUSE_MS), MAX_PAUSE_MS);
    await endFold(tx, pauseMs);
    return { kind: "folded", batches, hasMore, pauseMs };
  });
  if (result.kind === "folded" && result.batches.length > 0) {
    for (const participant of participants) participant.committed?.();
  }
  return result;
}

/** Excludes a batch whose values the database refuses. Another fold may have counted it meanwhile. */
async function setAside(
  { database, logger }: FoldOptions,
  batch: QueuedBatch,
  error: unknown,
): Promise<void> {
  await inTransaction(database, (tx) => setBatchAside(tx, batch));
  const { nodeId, toSeq } = batch;
  logger.error(
    { err: error, nodeId, toSeq },
    "the database refuses a batch of requests: they are not counted",
  );
}

function takeBatches(queued: readonly QueuedBatch[]): QueuedBatch[] {
  let rows = 0;
  const taken: QueuedBatch[] = [];
  for (const batch of queued) {
    rows += batch.rowCount;
    if (taken.length > 0 && rows > MAX_ROWS) break;
    taken.push(batch);
  }
  return taken;
}

/**
 * Counts everything that was appended before the call. Later batches do not prolong the call, which would not end while
 * nodes append faster than it counts. Throws the database's error.
 */
export async function foldAll(options: FoldOptions): Promise<void> {
  const newest = await findNewestBatch(options.database);
  for (let counted = -1n; newest !== null && counted < newest; ) {
    const result = await foldOnce(options, { isWaiting: true });
    if (result.kind !== "folded") continue;
    if (!result.hasMore) return;
    // Folds count in the order of ids.
    counted = result.batches.at(-1)?.id ?? counted;
  }
}

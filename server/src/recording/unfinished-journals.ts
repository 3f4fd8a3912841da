import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "#src/db/pool.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { Journal } from "./journal-contract.ts";
import { listWriters, type WriterRow } from "./journal-rows.sql.ts";
import type { OpenedJournal } from "./node-journal.ts";

// Journals without a writer: folders of processes that are not started again, and rows of nodes that died. Another process
// finishes them, exactly as the node itself would at its next start.

/** Replays a journal, flushes it and closes it. False: it was stopped before everything was flushed. */
export type SettleJournal = (journal: Journal, signal: AbortSignal) => Promise<boolean>;

export interface Housekeeping {
  /** Stops the work. Nothing runs after it resolves. */
  stop(): Promise<void>;
}

const RETRY_MS = 5_000;

/** Calls the handler when the database went back. Returns the function that ends the subscription. */
export type SubscribeToFailover = (handler: () => void) => () => void;

/**
 * Finishes the journals of folders, one after the other. Retries a journal that a process still writes. Finishes them
 * again after a failover, which can lose what was finished.
 */
export function finishUnfinishedJournals(options: {
  listIndexes: () => readonly number[];
  open: (index: number) => Promise<OpenedJournal>;
  settle: SettleJournal;
  subscribe: SubscribeToFailover;
  logger: Logger;
  retryMs?: number;
}): Housekeeping {
  const { listIndexes, open, settle, subscribe, logger, retryMs = RETRY_MS } = options;

  async function finish(signal: AbortSignal): Promise<void> {
    let left = [...listIndexes()];
    for (let attempt = 1; left.length > 0 && !signal.aborted; attempt++) {
      if (attempt > 1) await pause(retryMs, signal);
      const undone: number[] = [];
      for (const index of left) {
        try {
          const isDone = !signal.aborted && (await settleOpened(await open(index), settle, signal));
          if (isDone) logger.info({ index }, "an unfinished journal is flushed");
          else undone.push(index);
        } catch (error) {
          if (attempt === 1)
            logger.error({ err: error, index }, "an unfinished journal cannot be flushed yet");
          undone.push(index);
        }
      }
      left = undone;
    }
  }

  return runInBackground(async (signal) => {
    let failedOver = Promise.withResolvers<void>();
    const unsubscribe = subscribe(() => failedOver.resolve());
    signal.addEventListener("abort", () => failedOver.resolve());
    while (!signal.aborted) {
      failedOver = Promise.withResolvers();
      await finish(signal);
      await failedOver.promise;
    }
    unsubscribe();
  });
}

export interface DeadJournalOptions {
  database: Database;
  /** Id of this process's node. */
  ownNodeId: string;
  /** Time without a heartbeat after which a node counts as dead. */
  silentMs: number;
  pollMs: number;
  /** Adopts a journal. Null: the node lives, or another node adopted it first. */
  adopt: (seen: WriterRow) => Promise<OpenedJournal | null>;
  settle: SettleJournal;
  subscribe: SubscribeToFailover;
  clock: Clock;
  logger: Logger;
}

interface Seen {
  writer: WriterRow;
  sinceMs: number;
}

/**
 * Adopts the journals of silent nodes. This process measures the silence on its monotonic clock, and only while it reaches
 * the database without a gap. After an outage, a pause or a failover, the measurement starts again for all nodes.
 */
export function adoptDeadJournals(options: DeadJournalOptions): Housekeeping {
  const { clock, logger, pollMs, silentMs } = options;
  let seen = new Map<string, Seen>();
  let lastPollMs = Number.NEGATIVE_INFINITY;

  async function poll(signal: AbortSignal): Promise<void> {
    const startedMs = clock.monotonicMs();
    const writers = await listWriters(options.database);
    const nowMs = clock.monotonicMs();
    if (startedMs - lastPollMs > 2 * pollMs + silentMs / 4) seen = new Map();
    lastPollMs = nowMs;
    const next = new Map<string, Seen>();
    for (const writer of writers) {
      if (writer.nodeId === options.ownNodeId) continue;
      const before = seen.get(writer.nodeId);
      const isSilent = before?.writer.beat === writer.beat && before.writer.epoch === writer.epoch;
      next.set(writer.nodeId, { writer, sinceMs: isSilent ? before.sinceMs : startedMs });
    }
    seen = next;
    for (const { writer, sinceMs } of next.values()) {
      if (nowMs - sinceMs < silentMs || signal.aborted) continue;
      seen.delete(writer.nodeId);
      await adopt(writer, signal);
      lastPollMs = clock.monotonicMs();
    }
  }

  async function adopt(writer: WriterRow, signal: AbortSignal): Promise<void> {
    const { nodeId } = writer;
    try {
      const opened = await options.adopt(writer);
      if (opened === null) return;
      logger.warn({ nodeId }, "a node is silent: this process finishes its journal");
      await settleOpened(opened, options.settle, signal);
    } catch (error) {
      // The journal has no writer now, so any process can adopt it after the next silence.
      logger.error({ err: error, nodeId }, "the journal of a dead node cannot be finished");
    }
  }

  return runInBackground(async (signal) => {
    // A heartbeat that went back can have the value of an earlier one.
    const unsubscribe = options.subscribe(() => {
      seen = new Map();
      lastPollMs = Number.NEGATIVE_INFINITY;
    });
    while (!signal.aborted) {
      try {
        await poll(signal);
      } catch (error) {
        // A process that cannot reach the database cannot know which nodes are silent.
        seen = new Map();
        logger.debug({ err: error }, "journals of other nodes cannot be read");
      }
      await pause(pollMs, signal);
    }
    unsubscribe();
  });
}

/** Settles an open journal. Closes and releases it in any case. */
export async function settleOpened(
  { journal, release }: OpenedJournal,
  settle: SettleJournal,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await settle(journal, signal);
  } finally {
    // After a failed start the journal is still open.
    await journal.close();
    await release();
  }
}

function runInBackground(work: (signal: AbortSignal) => Promise<void>): Housekeeping {
  const stopping = new AbortController();
  const running = work(stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

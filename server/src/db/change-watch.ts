import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { assert } from "#src/lib/assert.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { Database, Tx } from "./pool.ts";

export interface ChangeWatchOptions {
  database: Database;
  /** Between the end of one poll and the start of the next. */
  intervalMs: number;
  clock: Clock;
  logger: Logger;
  /** The counter has another value than before. Called after the first poll never, then once per poll at most. */
  onChange: () => void;
}

export interface ChangeWatch {
  /** Resolves after the first poll that succeeded; rejects when the watch is stopped before that. */
  ready: Promise<void>;
  /** The database's clock, milliseconds since the epoch, carried on by our monotonic clock. Needs `ready`. */
  databaseNowMs(): number;
  /** Since the newest poll that succeeded was sent: all changes committed before that are known. */
  msSinceContact(): number;
  /** No call of `onChange` after it resolves. */
  stop(): Promise<void>;
}

/**
 * Tells every node that something it may have cached has changed. The row stays locked until `tx` commits, so the
 * values become visible in the order of the commits: a node that has seen value N has all changes up to N before it.
 */
export async function bumpChangeCounter(tx: Tx): Promise<void> {
  await tx.updateTable("change_counter").set({ value: sql<bigint>`value + 1` }).execute();
}

interface Contact {
  value: bigint;
  /** Monotonic, when the poll was sent. */
  sentMs: number;
  /** Database clock minus monotonic clock, assuming that the answer was made half way. */
  offsetMs: number;
}

/** Polls the counter, one poll at a time, also while the database is away. */
export function watchChanges(options: ChangeWatchOptions): ChangeWatch {
  const { clock, logger } = options;
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => undefined); // a watch may be stopped without anybody waiting for it
  const stopping = new AbortController();
  const startedMs = clock.monotonicMs();
  let isStopped = false;
  let isAway = false;
  let contact: Contact | null = null;

  async function poll(): Promise<void> {
    try {
      const next = await readCounter(options.database, clock);
      if (isStopped) return;
      if (isAway) logger.info("the database is back");
      isAway = false;
      const previous = contact;
      contact = next;
      first.resolve();
      if (previous !== null && previous.value !== next.value) options.onChange();
    } catch (error) {
      if (!isAway && !isStopped) logger.warn({ err: error }, "changes cannot be polled");
      isAway = true;
    }
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      await poll();
      // Rejects when the watch stops; leaves nothing behind on the signal, however many polls there are.
      await delay(options.intervalMs, undefined, { signal: stopping.signal }).catch(
        () => undefined,
      );
    }
  }

  const running = run();
  return {
    ready: first.promise,
    databaseNowMs: () => {
      assert(contact !== null, "the change watch is ready before its clock is read");
      return clock.monotonicMs() + contact.offsetMs;
    },
    msSinceContact: () => clock.monotonicMs() - (contact?.sentMs ?? startedMs),
    stop: async () => {
      isStopped = true;
      stopping.abort();
      first.reject(new Error("the change watch was stopped before its first poll"));
      await running;
    },
  };
}

async function readCounter(database: Database, clock: Clock): Promise<Contact> {
  const sentMs = clock.monotonicMs();
  const { value, now } = await database
    .selectFrom("change_counter")
    .select(["value", sql<Date>`clock_timestamp()`.as("now")])
    .executeTakeFirstOrThrow();
  const answeredMs = clock.monotonicMs();
  return { value, sentMs, offsetMs: now.getTime() - (sentMs + answeredMs) / 2 };
}

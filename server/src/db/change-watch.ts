import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { assert } from "#src/lib/assert.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { Database, Tx } from "./pool.ts";
import type { ChangeScopeKind } from "./tables.ts";

/** What a change was about, as far as nodes keep it of keys. `no_key`: nothing of a key can be different after it. */
export interface ChangeScope {
  kind: ChangeScopeKind;
  id: string;
}

/** What has changed since the poll before: these things, or anything at all. */
export type Changed = "anything" | readonly ChangeScope[];

export interface ChangeWatchOptions {
  database: Database;
  /** Between the end of one poll and the start of the next. */
  intervalMs: number;
  clock: Clock;
  logger: Logger;
  /** The counter has another value than before. Called after the first poll never, then once per poll at most. */
  onChange: (changed: Changed) => void;
}

export interface ChangeWatch {
  /** Resolves after the first poll that succeeded; rejects when the watch is stopped before that. */
  ready: Promise<void>;
  /** The database's clock, whole milliseconds since the epoch, carried on by our monotonic clock. Needs `ready`. */
  databaseNowMs(): number;
  /** Since the newest poll that succeeded was sent: all changes committed before that are known. */
  msSinceContact(): number;
  /** Polls now, not when it is time: something was changed through this process. */
  look(): void;
  /** No call of `onChange` after it resolves. */
  stop(): Promise<void>;
}

/** A node that was away for more changes than this forgets everything. */
const MAX_SCOPES = 500;

/**
 * Tells every node that something it may have cached has changed. The row stays locked until `tx` commits, so the
 * values become visible in the order of the commits: a node that has seen value N has all changes up to N before it.
 * Without a `scope` nodes forget all keys they keep, which is always right; with one, only what it names.
 */
export async function bumpChangeCounter(tx: Tx, scope: ChangeScope | null = null): Promise<void> {
  if (scope === null) {
    await tx.updateTable("change_counter").set({ value: sql<bigint>`value + 1` }).execute();
    return;
  }
  await sql`
    WITH bumped AS (UPDATE change_counter SET value = value + 1 RETURNING value),
      pruned AS (DELETE FROM change_scope USING bumped WHERE change_scope.value <= bumped.value - ${2 * MAX_SCOPES})
    INSERT INTO change_scope (value, kind, id) SELECT value, ${scope.kind}, ${scope.id} FROM bumped
  `.execute(tx);
}

interface Contact {
  value: bigint;
  changed: Changed;
  /** Monotonic, when the poll was sent. */
  sentMs: number;
  reading: ClockReading;
}

/** What an answer says of the database's clock. */
interface ClockReading {
  /** Database clock minus monotonic clock, assuming that the answer was made half way. */
  offsetMs: number;
  /** By how much that can be wrong. */
  withinMs: number;
}

/** Polls the counter, one poll at a time, also while the database is away. */
export function watchChanges(options: ChangeWatchOptions): ChangeWatch {
  const { clock, logger } = options;
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => undefined); // a watch may be stopped without anybody waiting for it
  let waking = new AbortController();
  const startedMs = clock.monotonicMs();
  let isStopped = false;
  let isAway = false;
  let contact: Contact | null = null;

  async function poll(): Promise<void> {
    try {
      const next = await readCounter(options.database, clock, contact?.value ?? null);
      if (isStopped) return;
      if (isAway) logger.info("the database is back");
      isAway = false;
      const previous = contact;
      contact = { ...next, reading: surer(previous?.reading ?? null, next.reading) };
      first.resolve();
      if (previous !== null && previous.value !== next.value) {
        options.onChange(next.changed);
      }
    } catch (error) {
      if (!isAway && !isStopped) logger.warn({ err: error }, "changes cannot be polled");
      isAway = true;
    }
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      await poll();
      // Rejects when somebody wants a poll or the watch stops. A wish that comes during a poll is not lost.
      await delay(options.intervalMs, undefined, { signal: waking.signal }).catch(() => undefined);
      waking = new AbortController();
    }
  }

  const running = run();
  return {
    ready: first.promise,
    databaseNowMs: () => {
      assert(contact !== null, "the change watch is ready before its clock is read");
      return Math.floor(clock.monotonicMs() + contact.reading.offsetMs);
    },
    msSinceContact: () => clock.monotonicMs() - (contact?.sentMs ?? startedMs),
    look: () => waking.abort(),
    stop: async () => {
      isStopped = true;
      waking.abort();
      first.reject(new Error("the change watch was stopped before its first poll"));
      await running;
    },
  };
}

async function readCounter(
  database: Database,
  clock: Clock,
  seen: bigint | null,
): Promise<Contact> {
  const sentMs = clock.monotonicMs();
  const { rows } = await sql<{ value: bigint; now: Date; scopes: ChangeScope[] | null }>`
    SELECT value, clock_timestamp() AS now,
      (SELECT json_agg(json_build_object('kind', kind, 'id', id))
        FROM (SELECT kind, id FROM change_scope AS s
          WHERE s.value > ${seen ?? 0n} AND s.value <= change_counter.value LIMIT ${MAX_SCOPES}) AS newer) AS scopes
    FROM change_counter`.execute(database);
  const answeredMs = clock.monotonicMs();
  const [row] = rows;
  assert(row, "the change counter has its one row");
  const { value, now } = row;
  const scopes = row.scopes ?? [];
  // A value without its scope was about anything; so is what a restored backup brings, whose counter is behind.
  const isComplete = seen !== null && value - seen === BigInt(scopes.length);
  const changed = isComplete ? scopes : "anything";
  const offsetMs = now.getTime() - (sentMs + answeredMs) / 2;
  const withinMs = (answeredMs - sentMs) / 2 + CLOCK_STEP_MS;
  return { value, changed, sentMs, reading: { offsetMs, withinMs } };
}

/** `now` comes in whole milliseconds. */
const CLOCK_STEP_MS = 1;

/**
 * An answer that took long, as on a busy machine, says less of the clock than one before it that did not. Only where the
 * two cannot both be right does the new one count: the clocks have drifted, or one was set.
 */
function surer(known: ClockReading | null, read: ClockReading): ClockReading {
  if (known === null || known.withinMs >= read.withinMs) return read;
  return Math.abs(known.offsetMs - read.offsetMs) <= read.withinMs ? known : read;
}

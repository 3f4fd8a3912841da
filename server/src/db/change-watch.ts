import { setTimeout as delay } from "node:timers/promises";
import { CompiledQuery, sql } from "kysely";
import { assert } from "#src/lib/assert.ts";
import type { Clock } from "#src/lib/clock.ts";
import { isDoneWithin } from "#src/lib/is-done-within.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { Incarnations } from "./incarnation.ts";
import type { Notifications } from "./notifications.ts";
import type { Database, Tx } from "./pool.ts";
import { prepareOnce } from "./prepared.ts";
import type { ChangeScopeKind } from "./tables.ts";

/** Subject of a change, for the key caches of nodes. `no_key`: the change affects no key. */
export interface ChangeScope {
  kind: ChangeScopeKind;
  id: string;
}

/** Changes since the previous poll: these subjects, or anything. */
export type Changed = "anything" | readonly ChangeScope[];

export interface ChangeWatchOptions {
  database: Database;
  /** Time between the end of a poll and the start of the next, milliseconds. */
  intervalMs: number;
  /** Each notification of a change starts a poll. Their connection answers the polls. Default: none. */
  notifications?: Pick<Notifications, "subscribe" | "isListening" | "query">;
  /** The interval while notifications arrive, milliseconds. Default: `intervalMs`. */
  slowIntervalMs?: number;
  /** Receives each value of the counter. */
  incarnations?: Pick<Incarnations, "observeCounter">;
  clock: Clock;
  logger: Logger;
  /** Called at most once per poll if the counter changed, never after the first poll. */
  onChange: (changed: Changed) => void;
}

export interface ChangeWatch {
  /** Resolves after the first successful poll. Rejects if the watch is stopped before. */
  ready: Promise<void>;
  /** The database's clock, whole milliseconds since the epoch, advanced by the local monotonic clock. Needs `ready`. */
  databaseNowMs(): number;
  /** Time since the newest successful poll was sent. All changes committed before that are known. */
  msSinceContact(): number;
  /**
   * Calls the listener with each move of the database's clock ahead of the local estimate. This machine was paused with all
   * its clocks, or the database's clock was set.
   */
  onClockAhead(listener: (byMs: number) => void): void;
  /** Polls at once, after a change by this process. */
  pollNow(): void;
  /** Stops the watch. After it resolves, `onChange` is not called. */
  stop(): Promise<void>;
}

/** Least time between two polls of notifications, so that many changes at once cause few reloads. */
const LEAST_GAP_MS = 100;
/** Maximum number of scopes. After more changes a node drops its whole cache. */
const MAX_SCOPES = 500;
/** Maximum number of scopes of one change, such as the members that a directory adds to a group. */
const MAX_SCOPES_OF_CHANGE = 100;

/**
 * Notifies every node of a change of cached data. The row stays locked until `tx` commits, so values become visible in
 * commit order. A node that has seen value N has all changes up to N. Without `scopes`, and with too many of them, nodes drop
 * all cached keys, which is always correct. With scopes, they drop only the keys that these name. Each scope is one value.
 */
export async function bumpChangeCounter(
  tx: Tx,
  scopes: readonly ChangeScope[] | null = null,
): Promise<void> {
  if (scopes === null || scopes.length > MAX_SCOPES_OF_CHANGE) {
    await tx.updateTable("change_counter").set({ value: sql<bigint>`value + 1` }).execute();
    return;
  }
  await sql`
    WITH bumped AS (UPDATE change_counter SET value = value + ${scopes.length} RETURNING value),
      pruned AS (DELETE FROM change_scope USING bumped WHERE change_scope.value <= bumped.value - ${2 * MAX_SCOPES})
    INSERT INTO change_scope (value, kind, id)
    SELECT bumped.value - ${scopes.length} + each.place, each.kind, each.id
    FROM bumped, unnest(${scopes.map(({ kind }) => kind)}::text[], ${scopes.map(({ id }) => id)}::text[])
      WITH ORDINALITY AS each (kind, id, place)
  `.execute(tx);
}

interface Contact {
  value: bigint;
  changed: Changed;
  /** Monotonic time at which the poll was sent. */
  sentMs: number;
  reading: ClockReading;
}

/** Reading of the database's clock from one response. */
interface ClockReading {
  /** Database clock minus monotonic clock, if the response was created halfway. */
  offsetMs: number;
  /** Maximum error of the offset. */
  withinMs: number;
}

/**
 * Polls the counter, one poll at a time, also while the database is unavailable. Notifications only make it earlier: the
 * slow interval alone bounds the time until a change is known, whatever happens to them.
 */
export function watchChanges(options: ChangeWatchOptions): ChangeWatch {
  const { clock, logger } = options;
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => undefined); // a watch can be stopped while no caller awaits it
  let waking = new AbortController();
  const startedMs = clock.monotonicMs();
  let isStopped = false;
  let isAway = false;
  let contact: Contact | null = null;
  const clockAhead: ((byMs: number) => void)[] = [];

  let polledMs = Number.NEGATIVE_INFINITY;
  let soon: NodeJS.Timeout | undefined;

  async function poll(): Promise<void> {
    polledMs = clock.monotonicMs();
    try {
      const next = await readCounter(options, contact?.value ?? null);
      if (isStopped) return;
      options.incarnations?.observeCounter(next.value);
      if (isAway) logger.info("the database is available again");
      isAway = false;
      const previous = contact;
      contact = { ...next, reading: chooseMoreAccurate(previous?.reading ?? null, next.reading) };
      first.resolve();
      const aheadMs = previous === null ? 0 : computeAheadMs(previous.reading, next.reading);
      if (aheadMs > 0) for (const listener of clockAhead) listener(aheadMs);
      if (previous !== null && previous.value !== next.value) {
        options.onChange(next.changed);
      }
    } catch (error) {
      if (!isAway && !isStopped) logger.warn({ err: error }, "cannot poll changes");
      isAway = true;
    }
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      await poll();
      // Rejects when a caller requests a poll or stops the watch. A request during a poll is not lost.
      await delay(chooseIntervalMs(), undefined, { signal: waking.signal }).catch(() => undefined);
      waking = new AbortController();
    }
  }

  function chooseIntervalMs(): number {
    const { intervalMs, slowIntervalMs = intervalMs, notifications } = options;
    return notifications?.isListening() ? slowIntervalMs : intervalMs;
  }

  function pollSoon(): void {
    if (soon !== undefined || isStopped) return;
    const inMs = Math.max(0, polledMs + LEAST_GAP_MS - clock.monotonicMs());
    soon = setTimeout(() => {
      soon = undefined;
      waking.abort();
    }, inMs);
  }

  const unsubscribe = options.notifications?.subscribe("change", pollSoon);

  const running = run();
  return {
    ready: first.promise,
    databaseNowMs: () => {
      assert(contact !== null, "the change watch is ready before its clock is read");
      return Math.floor(clock.monotonicMs() + contact.reading.offsetMs);
    },
    msSinceContact: () => clock.monotonicMs() - (contact?.sentMs ?? startedMs),
    onClockAhead: (listener) => clockAhead.push(listener),
    pollNow: () => waking.abort(),
    stop: async () => {
      isStopped = true;
      unsubscribe?.();
      clearTimeout(soon);
      waking.abort();
      first.reject(new Error("the change watch was stopped before its first poll"));
      await running;
    },
  };
}

/** The most frequent statement of an idle node. */
const READ_COUNTER = prepareOnce(
  "read_change_counter",
  `SELECT value, clock_timestamp() AS now,
    (SELECT json_agg(json_build_object('kind', kind, 'id', id))
      FROM (SELECT kind, id FROM change_scope AS s
        WHERE s.value > $1 AND s.value <= change_counter.value LIMIT ${MAX_SCOPES}) AS newer) AS scopes
  FROM change_counter`,
);

interface CounterRow {
  value: bigint;
  now: Date;
  scopes: ChangeScope[] | null;
}

async function readCounter(options: ChangeWatchOptions, seen: bigint | null): Promise<Contact> {
  const { rows, sentMs, answeredMs } = await queryCounter(options, [seen ?? 0n]);
  const [row] = rows;
  assert(row, "the change counter has its one row");
  const { value, now } = row;
  const scopes = row.scopes ?? [];
  // A value without a scope concerns anything. So does a restored backup, whose counter is behind.
  const isComplete = seen !== null && value - seen === BigInt(scopes.length);
  const changed = isComplete ? scopes : "anything";
  const offsetMs = now.getTime() - (sentMs + answeredMs) / 2;
  const withinMs = (answeredMs - sentMs) / 2 + CLOCK_STEP_MS;
  return { value, changed, sentMs, reading: { offsetMs, withinMs } };
}

/**
 * Maximum wait for the listening connection. The poll then uses another connection, so a change is known within a second
 * also when the listening one hangs.
 */
const LISTENER_ANSWER_MS = 150;

/** Reads the counter on the listening connection, which costs half as much as a pool's. Otherwise on a pool's. */
async function queryCounter(
  { database, clock, notifications }: ChangeWatchOptions,
  values: unknown[],
): Promise<{ rows: readonly CounterRow[]; sentMs: number; answeredMs: number }> {
  let sentMs = clock.monotonicMs();
  const answer = notifications?.query<CounterRow>(READ_COUNTER, values) ?? null;
  if (answer !== null) {
    // The listener itself notices and logs a loss.
    const isAnswered = await isDoneWithin(LISTENER_ANSWER_MS, answer).catch(() => false);
    if (isAnswered) return { rows: await answer, sentMs, answeredMs: clock.monotonicMs() };
    sentMs = clock.monotonicMs();
  }
  const { rows } = await database.executeQuery<CounterRow>(CompiledQuery.raw(READ_COUNTER, values));
  return { rows, sentMs, answeredMs: clock.monotonicMs() };
}

/** PostgreSQL's `now` as a Date has whole milliseconds. */
const CLOCK_STEP_MS = 1;

/** Time by which the database's clock moved ahead, beyond the errors of both readings. Otherwise zero or less. */
function computeAheadMs(known: ClockReading, read: ClockReading): number {
  return read.offsetMs - known.offsetMs - known.withinMs - read.withinMs;
}

/**
 * Returns the more accurate reading. A slow response, as on a busy machine, is less accurate than an earlier fast one.
 * The new one counts if both cannot be correct: the clocks have drifted, or one was set.
 */
function chooseMoreAccurate(known: ClockReading | null, read: ClockReading): ClockReading {
  if (known === null || known.withinMs >= read.withinMs) return read;
  return Math.abs(known.offsetMs - read.offsetMs) <= read.withinMs ? known : read;
}

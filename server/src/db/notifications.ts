import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import pg from "pg";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { Incarnations } from "./incarnation.ts";
import type { Database } from "./pool.ts";
import { usePrepared } from "./prepared.ts";

// One connection of the process receives PostgreSQL's notifications. They shorten waits and never replace a poll: a
// subscriber also polls, slowly while `isListening`, else at its usual interval.

/** Channels of PostgreSQL by the event that they announce. */
const channelNames = {
  /** The change counter has a new value. A trigger on its table sends it. */
  change: "bursar_changes",
  /** A background job was added. The queue's own functions send it. */
  job: "jobs:insert",
  /** A fold has counted requests. Its transaction sends it, a few times a second at most. */
  fold: "bursar_folds",
  /** A message batch is due at once, or waits for budget. */
  batch: "bursar_batches",
} as const;

export type Channel = keyof typeof channelNames;
const channels = Object.keys(channelNames) as Channel[];

export interface Notifications {
  /**
   * Calls the handler after each notification. Also calls it when listening starts or ends, because notifications may
   * have been missed, and the poll interval changes. Returns the function that ends the subscription.
   */
  subscribe(channel: Channel, handler: () => void): () => void;
  /** True while notifications arrive. A lost connection is noticed within three seconds. */
  isListening(): boolean;
  /**
   * Runs a statement on the listening connection. The answer is its health check too, so an idle process wakes once for
   * both. Null: the connection is not listening, or has not answered yet. Rejects if it is lost.
   */
  query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
  ): Promise<Row[]> | null;
  /** Closes the connection. No handler is called afterwards. */
  stop(): Promise<void>;
}

export interface NotificationsOptions {
  /** Database of the listening connection. */
  connectionString: string;
  /** Connections that send the probe. */
  database: Database;
  /** Checks each new connection. The connection is replaced after a failover. Default: no check. */
  incarnations?: Pick<Incarnations, "check" | "subscribe">;
  clock: Clock;
  logger: Logger;
}

/** Receives a notification that this process sends over another connection. */
const PROBE_CHANNEL = "bursar_probe";
const NO_PROBE = "A notification did not arrive. A pooler before the database may drop it.";
const CONNECT_TIMEOUT_MS = 5_000;
/** Maximum time until the probe arrives, the connect included. */
const START_TIMEOUT_MS = 10_000;
/** Longest time between two health checks. */
const CHECK_MS = 1_000;
/** Time without an answer to a health check after which the next one closes the connection. */
const UNANSWERED_MS = 2_000;
const GOODBYE_MS = 1_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;
/** A connection that lasted for this time was good, so the next attempt is not delayed further. */
const GOOD_MS = 60_000;

/** Starts to listen and reconnects after each loss, with growing delays. */
export function startNotifications(options: NotificationsOptions): Notifications {
  const { clock, logger } = options;
  const handlers = new Map<Channel, Set<() => void>>();
  const stopping = new AbortController();
  let state: "connecting" | "listening" | "stopped" = "connecting";
  let isLossLogged = false;
  let health: Health | null = null;

  function notify(channel: Channel): void {
    if (state === "stopped") return;
    for (const handler of handlers.get(channel) ?? []) handler();
  }

  function enter(next: "connecting" | "listening"): void {
    if (state === "stopped" || state === next) return;
    state = next;
    for (const channel of handlers.keys()) notify(channel);
  }

  async function listenUntilLost(): Promise<void> {
    const listener = await openListener(options, notify, stopping.signal);
    // An open connection can lead to the earlier primary.
    const unsubscribe = options.incarnations?.subscribe(() => listener.close());
    try {
      if (isLossLogged) logger.info("notifications of the database arrive again");
      isLossLogged = false;
      enter("listening");
      using checked = checkHealth(listener.client, clock);
      health = checked;
      await listener.lost;
    } finally {
      health = null;
      unsubscribe?.();
      enter("connecting");
      await closeClient(listener.client);
    }
  }

  async function run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!stopping.signal.aborted) {
      const startedMs = clock.monotonicMs();
      try {
        await listenUntilLost();
      } catch (error) {
        if (!isLossLogged && !stopping.signal.aborted) {
          logger.warn(
            { err: error },
            "notifications of the database do not arrive: polling instead",
          );
        }
        isLossLogged = true;
      }
      if (clock.monotonicMs() - startedMs >= GOOD_MS) retryMs = FIRST_RETRY_MS;
      await delay(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    }
  }

  const running = run();
  return {
    subscribe: (channel, handler) => {
      const subscribed = handlers.get(channel) ?? new Set();
      handlers.set(channel, subscribed.add(handler));
      return () => void subscribed.delete(handler);
    },
    isListening: () => state === "listening",
    query: (text, values) => health?.query(text, values) ?? null,
    stop: async () => {
      state = "stopped";
      stopping.abort();
      await running;
    },
  };
}

interface Listener {
  client: pg.Client;
  /** Rejects when the connection is lost. */
  lost: Promise<never>;
  /** Gives the connection up, so that another one replaces it. */
  close(): void;
}

/** Opens a connection on which a notification of another connection has arrived. */
async function openListener(
  options: NotificationsOptions,
  notify: (channel: Channel) => void,
  signal: AbortSignal,
): Promise<Listener> {
  const client = new pg.Client({
    connectionString: options.connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "bursar listener",
    keepAlive: true,
  });
  const loss = Promise.withResolvers<never>();
  loss.promise.catch(() => undefined); // a loss during the connect rejects that too
  client.on("error", loss.reject);
  client.on("end", () => loss.reject(new Error("Connection terminated by the database")));
  signal.addEventListener("abort", () => loss.reject(new Error("the listener was stopped")));
  const late = setTimeout(loss.reject, START_TIMEOUT_MS, new Error(NO_PROBE));
  try {
    await Promise.race([loss.promise, startListening(client, options, notify)]);
    const close = () => loss.reject(new Error("the database failed over"));
    return { client, lost: loss.promise, close };
  } catch (error) {
    await closeClient(client);
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** Resolves when a notification of another connection has arrived on this one. */
async function startListening(
  client: pg.Client,
  { database, incarnations }: NotificationsOptions,
  notify: (channel: Channel) => void,
): Promise<void> {
  const probe = randomUUID();
  const arrived = Promise.withResolvers<void>();
  client.on("notification", ({ channel, payload }) => {
    if (payload === probe) arrived.resolve();
    const known = channels.find((each) => channelNames[each] === channel);
    if (known !== undefined) notify(known);
  });
  usePrepared(client);
  await client.connect();
  await incarnations?.check(client);
  const names = [PROBE_CHANNEL, ...Object.values(channelNames)];
  await client.query(names.map((name) => `LISTEN ${pg.escapeIdentifier(name)}`).join(";"));
  await sql`SELECT pg_notify(${PROBE_CHANNEL}, ${probe})`.execute(database);
  await arrived.promise;
}

type Health = Disposable & { query: Notifications["query"] };

/**
 * Closes a connection that does not answer. Without a statement, a check is a Sync message, which needs no transaction. The
 * socket's own timeout cannot replace it, because each write restarts that.
 */
function checkHealth(client: pg.Client, clock: Clock): Health {
  const { connection } = client;
  let unansweredSinceMs: number | null = null;
  connection.on("readyForQuery", () => {
    unansweredSinceMs = null;
  });
  const check = () => {
    const nowMs = clock.monotonicMs();
    if (unansweredSinceMs === null) {
      unansweredSinceMs = nowMs;
      connection.sync();
    } else if (nowMs - unansweredSinceMs >= UNANSWERED_MS) {
      const silence = new Error("Connection terminated: the database does not respond");
      connection.stream.destroy(Object.assign(silence, { code: "ETIMEDOUT" }));
    }
  };
  const timer = setInterval(check, CHECK_MS);
  return {
    query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) {
      if (unansweredSinceMs !== null) return null;
      unansweredSinceMs = clock.monotonicMs();
      timer.refresh();
      return client.query<Row>(text, [...values]).then(({ rows }) => rows);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

async function closeClient(client: pg.Client): Promise<void> {
  const timeout = new AbortController();
  const late = delay(GOODBYE_MS, undefined, { signal: timeout.signal }).catch(() => undefined);
  await Promise.race([client.end().catch(() => undefined), late]);
  timeout.abort();
  client.connection.stream.destroy();
}

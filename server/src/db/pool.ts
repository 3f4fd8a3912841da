import { Socket } from "node:net";
import { Kysely, PostgresDialect, type Transaction } from "kysely";
import pg from "pg";
import type { Incarnations } from "./incarnation.ts";
import { usePrepared } from "./prepared.ts";
import type { Tables } from "./tables.ts";

export type Database = Kysely<Tables>;
export type Tx = Transaction<Tables>;

// Money is int8 and must never pass through a double. A `date` is a day, not a time in some zone.
pg.types.setTypeParser(pg.types.builtins.INT8, BigInt);
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

export interface PoolOptions {
  connectionString: string;
  maxConnections: number;
  /** Called for an error on an idle connection (server restart, network). The pool replaces the connection. */
  onIdleError: (error: Error) => void;
  /** Maximum silence of the server on a used connection before it counts as lost, milliseconds. Default: 35 s. */
  silenceMs?: number;
  /** Time after which an unused connection is closed, milliseconds. Default: 90 s, or less than `silenceMs` if given. */
  maxIdleMs?: number;
  /** Aborts every connection and forbids new ones, for a stop that cannot wait. */
  abandoned?: AbortSignal | undefined;
  /** Maximum wait for a connection, milliseconds. Default: 5 s. */
  connectTimeoutMs?: number;
  /** Maximum idle time of a transaction before the server ends it, milliseconds. Default: 5 s. */
  idleTransactionMs?: number;
  /** Checks each new connection before its first use. Default: no check. */
  incarnations?: Incarnations;
  /** True: the server refuses every write in these sessions. */
  isReadOnly?: boolean;
  /** Name in `pg_stat_activity`. Default: bursar. */
  applicationName?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/**
 * Ends transactions of a process that is paused (SIGSTOP, a frozen machine). Its locks block others: the organization's
 * balance blocks all nodes. The process repeats the work when it continues.
 */
const IDLE_TRANSACTION_MS = 5_000;
/** Longer than the statement timeout. The system itself drops a vanished machine after 15 minutes or never. */
const SILENCE_MS = 35_000;
/**
 * Longer than a minute, the interval of scheduled jobs. A new connection costs as much as dozens of polls, and an idle server
 * opened three a minute.
 */
const MAX_IDLE_MS = 90_000;
/** The pool closes an idle connection this long before its silence would end it. */
const IDLE_MARGIN_MS = 2_000;

/** Creates a pool that connects on demand. The caller closes it with `database.destroy()`. */
export function openDatabase(options: PoolOptions): Database {
  const silenceMs = options.silenceMs ?? SILENCE_MS;
  const maxIdleMs = options.maxIdleMs ?? chooseMaxIdleMs(options);
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: maxIdleMs,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: options.idleTransactionMs ?? IDLE_TRANSACTION_MS,
    application_name: options.applicationName ?? "bursar",
    // JIT compilation of one statement over many tables takes over a second, and running it some milliseconds.
    options: options.isReadOnly ? "-c jit=off -c default_transaction_read_only=on" : "-c jit=off",
    // Detects a peer that vanished (a pulled cable, a dropped NAT entry) while a connection is idle.
    keepAlive: true,
    ...verifyBy(options.incarnations),
  });
  pool.on("connect", (client) => {
    usePrepared(client);
    endWhenSilent(client);
    setMaxSilence(client, silenceMs);
  });
  pool.on("acquire", (client) => setMaxSilence(client, silenceMs));
  pool.on("release", (_, client) => setMaxSilence(client, maxIdleMs + IDLE_MARGIN_MS));
  const { end } = surviveConnectionLosses(pool, options.onIdleError, options.abandoned);
  const connect = () => connectUnlessAbandoned(pool, options.abandoned);
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: { connect, end, options: pool.options } }),
  });
}

/** A user that waits for short silences only also gets no connection that was silent for longer before. */
function chooseMaxIdleMs({ silenceMs }: PoolOptions): number {
  return silenceMs === undefined ? MAX_IDLE_MS : silenceMs - IDLE_MARGIN_MS;
}

/** Setting of a pool that checks each new connection. A refused connection is closed, and its user gets the error. */
export function verifyBy(incarnations: Incarnations | undefined): Pick<pg.PoolConfig, "verify"> {
  if (incarnations === undefined) return {};
  return { verify: (client, done) => void incarnations.check(client).then(() => done(), done) };
}

/** Rejects as soon as the database is abandoned, because a connection attempt takes up to 5 s to fail. */
async function connectUnlessAbandoned(
  pool: pg.Pool,
  abandoned: AbortSignal | undefined,
): Promise<pg.PoolClient> {
  // A free connection is returned at once.
  const isFree = pool.idleCount > pool.waitingCount;
  if (abandoned === undefined || (isFree && !abandoned.aborted)) return pool.connect();
  const { promise: failure, reject } = Promise.withResolvers<never>();
  const fail = () => reject(makeAbandonedError());
  if (abandoned.aborted) fail();
  abandoned.addEventListener("abort", fail);
  const connecting = pool.connect();
  try {
    return await Promise.race([failure, connecting]);
  } catch (error) {
    connecting.then(
      (client) => client.release(true),
      () => undefined,
    );
    throw error;
  } finally {
    abandoned.removeEventListener("abort", fail);
  }
}

function makeAbandonedError(): Error {
  const error = new Error("Connection terminated: the server stops without the database");
  return Object.assign(error, { code: "ECONNRESET" });
}

/** Maximum wait for the server's response to a close. */
const GOODBYE_MS = 2_000;

/**
 * Keeps the process alive when connections of this new pool are lost. `end` waits until all connections are closed. The
 * pool's own `end` returns earlier, and a database that is stopped or dropped then would report them as lost.
 */
export function surviveConnectionLosses(
  pool: pg.Pool,
  onIdleError: (error: Error) => void,
  abandoned?: AbortSignal,
): { end: () => Promise<void> } {
  const open = new Set<pg.PoolClient>();
  const allClosed = Promise.withResolvers<void>();
  abandoned?.addEventListener("abort", () => {
    for (const client of open) findSocket(client)?.destroy(makeAbandonedError());
    allClosed.resolve();
  });
  pool.on("connect", (client) => {
    open.add(client);
    // A connection lost between two statements of a transaction is neither in a query nor idle. The next statement on
    // it fails, which is enough.
    client.on("error", () => undefined);
  });
  pool.on("remove", (client) => {
    open.delete(client);
    if (pool.ended && open.size === 0) allClosed.resolve();
  });
  pool.on("error", (error) => {
    // The pool attaches the whole connection to the error, which a log must not contain.
    Reflect.deleteProperty(error, "client");
    onIdleError(error);
  });
  return {
    async end() {
      await Promise.race([pool.end(), allClosed.promise]);
      if (open.size === 0) return;
      const giveUp = setTimeout(allClosed.resolve, GOODBYE_MS);
      await allClosed.promise;
      clearTimeout(giveUp);
    },
  };
}

/** Ends a silent connection. Otherwise a statement, and with it a flush, a poll or the stop, would wait without end. */
function endWhenSilent(client: pg.PoolClient): void {
  const stream = findSocket(client);
  stream?.on("timeout", () => {
    const silence = new Error("Connection terminated: the database does not respond");
    stream.destroy(Object.assign(silence, { code: "ETIMEDOUT" }));
  });
}

function setMaxSilence(client: pg.PoolClient, ms: number): void {
  findSocket(client)?.setTimeout(ms);
}

function findSocket(client: pg.PoolClient): Socket | null {
  const stream = client instanceof pg.Client ? client.connection.stream : null;
  return stream instanceof Socket ? stream : null;
}

import { Socket } from "node:net";
import { Kysely, PostgresDialect, type Transaction } from "kysely";
import pg from "pg";
import { usePrepared } from "./prepared.ts";
import type { Tables } from "./tables.ts";

export type Database = Kysely<Tables>;
export type Tx = Transaction<Tables>;

// Money is int8 and must never pass through a double; a `date` is a day, not an instant in some zone.
pg.types.setTypeParser(pg.types.builtins.INT8, BigInt);
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

export interface PoolOptions {
  connectionString: string;
  maxConnections: number;
  /** Called for an error on an idle connection (server restart, network): the pool makes a new one by itself. */
  onIdleError: (error: Error) => void;
  /** Longest that a server may say nothing to a connection before it counts as gone, milliseconds. */
  silenceMs?: number;
  /** Once it aborts every connection is broken off, and none is made any more: for a stop that cannot wait. */
  abandoned?: AbortSignal | undefined;
  /** Longest that a transaction of ours may ask nothing before the server ends it, milliseconds. */
  idleTransactionMs?: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/**
 * A process that is stopped in the middle of a transaction (SIGSTOP, a frozen machine) holds its locks, and others wait
 * for them: for the balance of the organization all nodes do. Its work is done again when it goes on.
 */
const IDLE_TRANSACTION_MS = 5_000;
/** Longer than any statement may take. The system itself gives up on a machine that vanished after 15 minutes or never. */
const SILENCE_MS = 35_000;

/** Opens nothing yet: connections are made on demand. The caller ends it with `database.destroy()`. */
export function openDatabase(options: PoolOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: options.idleTransactionMs ?? IDLE_TRANSACTION_MS,
    application_name: "bursar",
    // Notices a peer that vanished without a word (a pulled cable, a dropped NAT entry) while a connection is idle.
    keepAlive: true,
  });
  pool.on("connect", (client) => {
    usePrepared(client);
    endWhenSilent(client, options.silenceMs ?? SILENCE_MS);
  });
  const { end } = outliveLosses(pool, options.onIdleError, options.abandoned);
  const connect = () => connectUnlessAbandoned(pool, options.abandoned);
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: { connect, end, options: pool.options } }),
  });
}

/** Rejects as soon as the database is abandoned: a connection that is being made takes up to 5 s to fail. */
async function connectUnlessAbandoned(
  pool: pg.Pool,
  abandoned: AbortSignal | undefined,
): Promise<pg.PoolClient> {
  if (abandoned === undefined) return pool.connect();
  const { promise: failure, reject } = Promise.withResolvers<never>();
  const fail = () => reject(abandonedError());
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

function abandonedError(): Error {
  const error = new Error("Connection terminated: the server stops without its database");
  return Object.assign(error, { code: "ECONNRESET" });
}

/** Longest wait for a server that does not answer the goodbye. */
const GOODBYE_MS = 2_000;

/**
 * Lost connections of this new pool do not end the process. `end` is that of the pool, which itself is done when it has
 * begun to close its connections: a database that is stopped or dropped then would report them as lost.
 */
export function outliveLosses(
  pool: pg.Pool,
  onIdleError: (error: Error) => void,
  abandoned?: AbortSignal,
): { end: () => Promise<void> } {
  const open = new Set<pg.PoolClient>();
  const allClosed = Promise.withResolvers<void>();
  abandoned?.addEventListener("abort", () => {
    for (const client of open) findSocket(client)?.destroy(abandonedError());
    allClosed.resolve();
  });
  pool.on("connect", (client) => {
    open.add(client);
    // A connection that is lost between two statements of a transaction belongs to nobody's query and not to the idle
    // ones. The next statement on it fails, and that is enough.
    client.on("error", () => undefined);
  });
  pool.on("remove", (client) => {
    open.delete(client);
    if (pool.ended && open.size === 0) allClosed.resolve();
  });
  pool.on("error", (error) => {
    // The pool hangs the whole connection on the error, which is nothing for a log.
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

/** A statement that waits for an answer that never comes would wait for ever, and with it a flush, a poll or the stop. */
function endWhenSilent(client: pg.PoolClient, silenceMs: number): void {
  const stream = findSocket(client);
  stream?.setTimeout(silenceMs, () => {
    const silence = new Error("Connection terminated: the database does not answer");
    stream.destroy(Object.assign(silence, { code: "ETIMEDOUT" }));
  });
}

function findSocket(client: pg.PoolClient): Socket | null {
  const stream = client instanceof pg.Client ? client.connection.stream : null;
  return stream instanceof Socket ? stream : null;
}

import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { ServerExit, ServerProcess } from "./server-process.ts";

export interface ServerAddress {
  /** Socket folder, or a loopback address on systems without sockets. */
  host: string;
  port: number;
  user: string;
  password: string;
}

export type Readiness = { kind: "ready" } | { kind: "exited"; exit: ServerExit };

const POLL_MS = 10;
const CONNECT_TIMEOUT_MS = 5_000;
/** Replaying the log after a crash can take minutes on a slow disk. The server responds 57P03 during it. */
const READY_TIMEOUT_MS = 600_000;

const STARTING_UP = "57P03";
const NO_SUCH_DATABASE = "3D000";
const DUPLICATE_DATABASE = "42P04";

/**
 * Waits until the server accepts a connection to `database`, and creates the database if it is missing. A connection is
 * the only reliable test, because log lines only announce intentions. Throws the server's error if it is up and
 * refuses.
 */
export async function waitUntilReady(
  server: ServerProcess,
  address: ServerAddress,
  database: string,
): Promise<Readiness> {
  let exit: ServerExit | null = null;
  void server.exited.then((ended) => {
    exit = ended;
  });
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += POLL_MS) {
    const error = await tryConnect(address, database);
    if (error === null) return { kind: "ready" };
    if (exit !== null) return { kind: "exited", exit };
    if (error instanceof pg.DatabaseError && error.code === NO_SUCH_DATABASE) {
      await createDatabase(address, database);
    } else if (error instanceof pg.DatabaseError && error.code !== STARTING_UP) {
      throw error;
    }
    await delay(POLL_MS);
  }
  throw new Error(`PostgreSQL was not ready after ${READY_TIMEOUT_MS / 60_000} minutes`);
}

async function tryConnect(address: ServerAddress, database: string): Promise<Error | null> {
  const client = makeClient(address, database);
  try {
    await client.connect();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function createDatabase(address: ServerAddress, database: string): Promise<void> {
  const client = makeClient(address, "postgres");
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== DUPLICATE_DATABASE) throw error;
  } finally {
    await client.end();
  }
}

function makeClient(address: ServerAddress, database: string): pg.Client {
  const client = new pg.Client({
    ...address,
    database,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "bursar start",
  });
  client.on("error", () => undefined); // the failed statement or connect reports it
  return client;
}

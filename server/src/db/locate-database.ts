import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessLock } from "#src/lib/process-lock.ts";
import { acquireProcessLock } from "#src/lib/process-lock.ts";
import { StartError } from "#src/lib/start-error.ts";
import { DATABASE_FOLDER, readServerPassword } from "./embedded-postgres/data-directory.ts";
import { SERVER_ROLE } from "./embedded-postgres/roles.ts";
import { startEmbeddedPostgres, toConnectionString } from "./embedded-postgres.ts";
import type { DatabasePlace } from "./storage.ts";

// Locates the database for a command on the server's machine, with or without a running server. Nothing is migrated.

export interface LocatedDatabase {
  place: DatabasePlace;
  /** True if a server of this data folder runs now. */
  isServerRunning: boolean;
  /** Stops an embedded server that was started for the command. */
  close(): Promise<void>;
}

export interface LocateOptions {
  dataDir: string;
  databaseUrl: string | undefined;
  /** Memory of an embedded server that the command starts. Default: a share of the machine's. */
  postgresMemoryBytes?: number | undefined;
}

/**
 * Locks the data folder and starts its database. A missing embedded database is created, unless it `isRequired`. Throws
 * a StartError while a server uses the folder.
 */
export async function lockDatabase(
  options: LocateOptions & { isRequired?: boolean },
): Promise<LocatedDatabase> {
  if (options.isRequired === true) refuseMissing(options);
  return locateLocked(options, await acquireProcessLock(options.dataDir));
}

/** Uses the database of a running server, or locks it without one. Throws a StartError without a database. */
export async function locateDatabase(options: LocateOptions): Promise<LocatedDatabase> {
  refuseMissing(options);
  const lock = await acquireProcessLock(options.dataDir).catch((error: unknown) => {
    if (error instanceof StartError) return error;
    throw error;
  });
  if (!(lock instanceof StartError)) return locateLocked(options, lock);
  const { databaseUrl } = options;
  const connectionString = databaseUrl ?? (await findRunning(options.dataDir));
  if (connectionString === null) throw lock;
  const place = {
    connectionString,
    folder: options.dataDir,
    isEmbedded: databaseUrl === undefined,
  };
  return { place, isServerRunning: true, close: async () => undefined };
}

function refuseMissing({ dataDir, databaseUrl }: LocateOptions): void {
  if (databaseUrl !== undefined || existsSync(join(dataDir, DATABASE_FOLDER))) return;
  throw new StartError(
    `No database in ${dataDir}. Set BURSAR_DATA_DIR or DATABASE_URL to the server's value.`,
  );
}

async function locateLocked(
  { databaseUrl, postgresMemoryBytes: memoryBytes }: LocateOptions,
  lock: ProcessLock,
): Promise<LocatedDatabase> {
  const { folder } = lock;
  const isServerRunning = false;
  if (databaseUrl !== undefined) {
    const place = { connectionString: databaseUrl, folder, isEmbedded: false };
    return { place, isServerRunning, close: () => lock.release() };
  }
  try {
    const embedded = await startEmbeddedPostgres({ lock, memoryBytes });
    const place = { connectionString: embedded.connectionString, folder, isEmbedded: true };
    const close = async () => {
      await embedded.stop();
      await lock.release();
    };
    return { place, isServerRunning, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

// Line numbers of postmaster.pid in PostgreSQL's documentation.
const PORT_LINE = 3;
const SOCKET_LINE = 4;
const ADDRESS_LINE = 5;

/** Finds the address of a running server's embedded PostgreSQL. Null while it starts or stops. */
async function findRunning(dataDir: string): Promise<string | null> {
  const databaseDir = join(dataDir, DATABASE_FOLDER);
  const text = await readFile(join(databaseDir, "postmaster.pid"), "utf8").catch(() => null);
  const lines = text?.split("\n") ?? [];
  const host = lines[SOCKET_LINE] || lines[ADDRESS_LINE];
  if (!host) return null;
  const port = Number(lines[PORT_LINE]);
  const password = await readServerPassword(databaseDir);
  return toConnectionString({ host, port, user: SERVER_ROLE, password });
}

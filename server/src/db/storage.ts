import type { Logger } from "#src/lib/logger.ts";
import { acquireProcessLock, type ProcessLock } from "#src/lib/process-lock.ts";
import { type EmbeddedPostgresEvent, startEmbeddedPostgres } from "./embedded-postgres.ts";
import { type MigrateResult, migrate } from "./migrate.ts";
import { type Database, openDatabase } from "./pool.ts";

export interface StorageOptions {
  dataDir: string;
  /** A PostgreSQL of the operator's; undefined starts the embedded one in the data folder. */
  databaseUrl: string | undefined;
  logger: Logger;
  /** The embedded database stays down: nothing can go on without it. */
  onFailure: (reason: string) => void;
  /** Processes that share the embedded server; 1 when not given. */
  processes?: number;
}

/** A database that somebody else keeps: its supervisor for one of several processes. */
export interface DatabasePlace {
  /** With its password: not for a log, an argument or the environment. */
  connectionString: string;
  /** The data folder, absolute and without links; locked by the supervisor. */
  folder: string;
  isEmbedded: boolean;
}

export interface Storage {
  readonly place: DatabasePlace;
  /** For keys, limits, the meter and the change watch. */
  database: Database;
  /** For the Admin surface: reports that take long must not keep a Claude request waiting for a connection. */
  adminDatabase: Database;
  /** The data folder, absolute and without links; locked until `close`. */
  folder: string;
  isEmbedded: boolean;
  /** More connections; the caller ends them. `silenceMs` as for `openDatabase`. */
  openPool(maxConnections: number, silenceMs?: number): Database;
  /** Breaks every connection off in so many milliseconds, unless `close` ends before: a stop does not wait longer. */
  abandonAfter(ms: number): void;
  /** Aborts when the database is abandoned. */
  readonly abandoned: AbortSignal;
  /** Closes the pools, stops the embedded server, and gives the data folder free, in this order. */
  close(): Promise<void>;
}

export interface OwnStorage extends Storage {
  migrated: MigrateResult;
}

const POOL_SIZE = 8;
const ADMIN_POOL_SIZE = 8;
const JOURNAL_POOL_SIZE = 2;
/** Two queues of three (process/start-jobs.ts). */
const JOB_CONNECTIONS = 6;
/** PostgreSQL's default, which is plenty for three processes. */
const LEAST_CONNECTIONS = 100;
/** For people with psql, migrations and what PostgreSQL keeps for itself. */
const SPARE_CONNECTIONS = 20;

/** Locks the data folder, starts or reaches PostgreSQL, and brings the schema up to date. Throws StartError. */
export async function openStorage(options: StorageOptions): Promise<OwnStorage> {
  const lock = await acquireProcessLock(options.dataDir);
  try {
    return await openLocked(options, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openLocked(options: StorageOptions, lock: ProcessLock): Promise<OwnStorage> {
  const embedded =
    options.databaseUrl === undefined
      ? await startEmbeddedPostgres({
          lock,
          onEvent: makeEventLog(options),
          settings: { max_connections: String(connectionsFor(options.processes ?? 1)) },
        })
      : null;
  try {
    const place = {
      connectionString: embedded?.connectionString ?? options.databaseUrl ?? "",
      folder: lock.folder,
      isEmbedded: embedded !== null,
    };
    const migrated = await migrate(place);
    const joined = joinStorage(place, options.logger);
    const close = async () => {
      await joined.close();
      await embedded?.stop();
      await lock.release();
    };
    return { ...joined, migrated, close };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

/** Connections to a database that is up and migrated, in a data folder that is locked. Closing ends only these. */
export function joinStorage(place: DatabasePlace, logger: Logger): Storage {
  const abandoning = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const openPool = (maxConnections: number, silenceMs?: number) =>
    openDatabase({
      connectionString: place.connectionString,
      maxConnections,
      ...(silenceMs !== undefined && { silenceMs }),
      abandoned: abandoning.signal,
      onIdleError: (error) => logger.warn({ err: error }, "a database connection was lost"),
    });
  const database = openPool(POOL_SIZE);
  const adminDatabase = openPool(ADMIN_POOL_SIZE);
  return {
    place,
    database,
    adminDatabase,
    folder: place.folder,
    isEmbedded: place.isEmbedded,
    openPool,
    abandoned: abandoning.signal,
    abandonAfter: (ms) => {
      timer = setTimeout(() => {
        logger.warn("the database does not answer in time: the stop continues without it");
        abandoning.abort();
      }, ms);
    },
    close: async () => {
      await Promise.all([database.destroy(), adminDatabase.destroy()]);
      clearTimeout(timer);
    },
  };
}

function connectionsFor(processes: number): number {
  const each = POOL_SIZE + ADMIN_POOL_SIZE + JOURNAL_POOL_SIZE + JOB_CONNECTIONS;
  return Math.max(LEAST_CONNECTIONS, processes * each + SPARE_CONNECTIONS);
}

function makeEventLog(options: StorageOptions): (event: EmbeddedPostgresEvent) => void {
  return (event) => {
    switch (event.kind) {
      case "created":
      case "restarted":
      case "orphan_stopped":
        options.logger.info(event, "embedded PostgreSQL");
        return;
      case "died":
        options.logger.error(event, "embedded PostgreSQL");
        return;
      case "gave_up":
        options.logger.fatal(event, "embedded PostgreSQL");
        options.onFailure(event.reason ?? "the embedded PostgreSQL does not stay up");
        return;
    }
  };
}

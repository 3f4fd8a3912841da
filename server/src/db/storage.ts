import type { Logger } from "#src/lib/logger.ts";
import { acquireProcessLock, type ProcessLock } from "#src/lib/process-lock.ts";
import { type EmbeddedPostgresEvent, startEmbeddedPostgres } from "./embedded-postgres.ts";
import { Incarnations } from "./incarnation.ts";
import { type MigrateResult, migrate } from "./migrate.ts";
import { type Database, openDatabase } from "./pool.ts";
import { commandPools, countConnections, type PoolSizes } from "./pool-sizes.ts";

export interface StorageOptions {
  dataDir: string;
  /** An external PostgreSQL. Undefined: the embedded one in the data folder is started. */
  databaseUrl: string | undefined;
  logger: Logger;
  /** Called when the embedded database stays down, which ends the process. */
  onFailure: (reason: string) => void;
  /** Number of processes that share the embedded server. Default: 1. */
  processes?: number;
  /** Default: those of a command. */
  pools?: PoolSizes;
  /** Memory of the embedded server. Default: a share of the machine's. */
  postgresMemoryBytes?: number | undefined;
}

/** A database that another process runs: the supervisor's, for one of several processes. */
export interface DatabasePlace {
  /** Connection string, possibly with a password: not for a log, an argument or the environment. */
  connectionString: string;
  /** The data folder, absolute and without links, locked by the supervisor. */
  folder: string;
  isEmbedded: boolean;
}

export interface Storage {
  readonly place: DatabasePlace;
  /** Connections for keys, limits, usage and the change watch. */
  database: Database;
  /** Connections for the Admin API, so that long reports do not delay Claude requests. */
  adminDatabase: Database;
  /** The data folder, absolute and without links, locked until `close`. */
  folder: string;
  isEmbedded: boolean;
  /** Incarnations of the database, by the connections of all pools. */
  incarnations: Incarnations;
  /** Opens more connections. The caller closes them. `silenceMs`: see `openDatabase`. */
  openPool(maxConnections: number, silenceMs?: number): Database;
  /** Aborts every connection after this time, unless `close` ends before, so that a stop does not wait longer. */
  scheduleAbandon(ms: number): void;
  /** Aborts when the database is abandoned. */
  readonly abandoned: AbortSignal;
  /** Closes the pools, stops the embedded server, and releases the data folder, in this order. */
  close(): Promise<void>;
}

export interface OwnStorage extends Storage {
  migrated: MigrateResult;
}

/** PostgreSQL's default, enough for three processes. */
const LEAST_CONNECTIONS = 100;
/** Reserved for psql, migrations and PostgreSQL itself. */
const SPARE_CONNECTIONS = 20;

/** Locks the data folder, starts or connects PostgreSQL, and migrates the schema. Throws StartError. */
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
  const pools = options.pools ?? commandPools;
  const connections = (options.processes ?? 1) * countConnections(pools);
  const embedded =
    options.databaseUrl === undefined
      ? await startEmbeddedPostgres({
          lock,
          onEvent: makeEventLog(options),
          connections,
          memoryBytes: options.postgresMemoryBytes,
          settings: {
            max_connections: String(Math.max(LEAST_CONNECTIONS, connections + SPARE_CONNECTIONS)),
          },
        })
      : null;
  try {
    const place = {
      connectionString: embedded?.connectionString ?? options.databaseUrl ?? "",
      folder: lock.folder,
      isEmbedded: embedded !== null,
    };
    const migrated = await migrate(place);
    const joined = connectStorage(place, options.logger, pools);
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

/** Connects to a running, migrated database in a locked data folder. Closing ends only these connections. */
export function connectStorage(
  place: DatabasePlace,
  logger: Logger,
  pools: PoolSizes = commandPools,
): Storage {
  const abandoning = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const incarnations = new Incarnations(logger);
  const openPool = (maxConnections: number, silenceMs?: number) =>
    openDatabase({
      connectionString: place.connectionString,
      maxConnections,
      ...(silenceMs !== undefined && { silenceMs }),
      abandoned: abandoning.signal,
      incarnations,
      onIdleError: (error) => logger.warn({ err: error }, "a database connection was lost"),
    });
  const database = openPool(pools.requestConnections);
  const adminDatabase = openPool(pools.adminConnections);
  return {
    place,
    database,
    adminDatabase,
    folder: place.folder,
    isEmbedded: place.isEmbedded,
    incarnations,
    openPool,
    abandoned: abandoning.signal,
    scheduleAbandon: (ms) => {
      timer = setTimeout(() => {
        logger.warn("the database does not respond in time, so the stop continues without it");
        abandoning.abort();
      }, ms);
    },
    close: async () => {
      await Promise.all([database.destroy(), adminDatabase.destroy()]);
      clearTimeout(timer);
    },
  };
}

function makeEventLog(options: StorageOptions): (event: EmbeddedPostgresEvent) => void {
  return (event) => {
    switch (event.kind) {
      case "created":
      case "restarted":
      case "orphan_stopped":
      case "server_role_demoted":
        options.logger.info(event, "embedded PostgreSQL");
        return;
      case "died":
        options.logger.error(event, "embedded PostgreSQL");
        return;
      case "gave_up":
        options.logger.fatal(event, "embedded PostgreSQL");
        options.onFailure(event.reason ?? "the embedded PostgreSQL dies repeatedly");
        return;
    }
  };
}

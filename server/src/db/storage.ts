import type { Logger } from "#src/lib/logger.ts";
import { acquireProcessLock, type ProcessLock } from "#src/lib/process-lock.ts";
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresEvent,
  startEmbeddedPostgres,
} from "./embedded-postgres.ts";
import { type MigrateResult, migrate } from "./migrate.ts";
import { type Database, openDatabase } from "./pool.ts";

export interface StorageOptions {
  dataDir: string;
  /** A PostgreSQL of the operator's; undefined starts the embedded one in the data folder. */
  databaseUrl: string | undefined;
  logger: Logger;
  /** The embedded database stays down: nothing can go on without it. */
  onFailure: (reason: string) => void;
}

export interface Storage {
  /** For keys, limits, the meter and the change watch. */
  database: Database;
  /** For the Admin surface: reports that take long must not keep a Claude request waiting for a connection. */
  adminDatabase: Database;
  /** For the job queue, which keeps connections of its own. */
  connectionString: string;
  /** The data folder, absolute and without links; locked until `close`. */
  folder: string;
  isEmbedded: boolean;
  migrated: MigrateResult;
  /** Closes the pools, stops the embedded server, and gives the data folder free, in this order. */
  close(): Promise<void>;
}

const POOL_SIZE = 8;
const ADMIN_POOL_SIZE = 8;

/** Locks the data folder, starts or reaches PostgreSQL, and brings the schema up to date. Throws StartError. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const lock = await acquireProcessLock(options.dataDir);
  try {
    return await openLocked(options, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openLocked(options: StorageOptions, lock: ProcessLock): Promise<Storage> {
  const embedded =
    options.databaseUrl === undefined
      ? await startEmbeddedPostgres({ lock, onEvent: makeEventLog(options) })
      : null;
  try {
    const connectionString = embedded?.connectionString ?? options.databaseUrl ?? "";
    const migrated = await migrate({ connectionString });
    const openPool = (maxConnections: number) =>
      openDatabase({
        connectionString,
        maxConnections,
        onIdleError: (error) =>
          options.logger.warn({ err: error }, "a database connection was lost"),
      });
    const database = openPool(POOL_SIZE);
    const adminDatabase = openPool(ADMIN_POOL_SIZE);
    return {
      database,
      adminDatabase,
      connectionString,
      folder: lock.folder,
      isEmbedded: embedded !== null,
      migrated,
      close: () => closeAll([database, adminDatabase], embedded, lock),
    };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

async function closeAll(
  pools: readonly Database[],
  embedded: EmbeddedPostgres | null,
  lock: ProcessLock,
): Promise<void> {
  await Promise.all(pools.map((pool) => pool.destroy()));
  await embedded?.stop();
  await lock.release();
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

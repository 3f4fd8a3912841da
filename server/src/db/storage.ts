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
  database: Database;
  /** The data folder, absolute and without links; locked until `close`. */
  folder: string;
  isEmbedded: boolean;
  migrated: MigrateResult;
  /** Closes the pool, stops the embedded server, and gives the data folder free, in this order. */
  close(): Promise<void>;
}

const POOL_SIZE = 12;

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
    const database = openDatabase({
      connectionString,
      maxConnections: POOL_SIZE,
      onIdleError: (error) => options.logger.warn({ err: error }, "a database connection was lost"),
    });
    return {
      database,
      folder: lock.folder,
      isEmbedded: embedded !== null,
      migrated,
      close: () => closeAll(database, embedded, lock),
    };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

async function closeAll(
  database: Database,
  embedded: EmbeddedPostgres | null,
  lock: ProcessLock,
): Promise<void> {
  await database.destroy();
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

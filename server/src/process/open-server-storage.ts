import type { Config } from "#src/config.ts";
import { type OwnStorage, openStorage } from "#src/db/storage.ts";
import type { Logger } from "#src/lib/logger.ts";

/** The data folder and the database of a server. */
export interface OpenedStorage {
  storage: OwnStorage;
  /** Resolves with a reason when the embedded database stays down. */
  failed: Promise<string>;
}

/** Opens the storage before the other modules of the server are loaded. Throws a StartError with the remedy. */
export async function openServerStorage(config: Config, logger: Logger): Promise<OpenedStorage> {
  const failure = Promise.withResolvers<string>();
  const { dataDir, databaseUrl, postgresMemoryBytes, processes } = config;
  const storage = await openStorage({
    dataDir,
    databaseUrl,
    processes,
    pools: config,
    postgresMemoryBytes,
    logger,
    onFailure: (reason) => {
      process.exitCode = 1;
      failure.resolve(reason);
    },
  });
  return { storage, failed: failure.promise };
}

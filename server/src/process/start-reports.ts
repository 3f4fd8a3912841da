import type { Config } from "#src/config.ts";
import {
  openReplica,
  type ReportsDatabase,
  useReportsOfPrimary,
} from "#src/db/reports-database.ts";
import type { Storage } from "#src/db/storage.ts";
import type { Logger } from "#src/lib/logger.ts";

interface ReportsOptions {
  config: Config;
  storage: Storage;
  logger: Logger;
}

/** Connects to BURSAR_REPORTS_DATABASE_URL, if it is set. Throws a StartError if that is another database. */
export async function startReports(
  { config, storage, logger }: ReportsOptions,
  nowMs: () => number,
  parts: AsyncDisposableStack,
): Promise<ReportsDatabase> {
  const primary = storage.adminDatabase;
  const connectionString = config.reportsDatabaseUrl;
  if (connectionString === undefined) return useReportsOfPrimary({ primary, nowMs });
  const replica = await openReplica({
    connectionString,
    primary,
    watched: storage.database,
    nowMs,
    logger,
    abandoned: storage.abandoned,
  });
  parts.defer(() => replica.close());
  return replica;
}

import type { Database, Tx } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { findCleanupWork } from "./cleanup-work.sql.ts";
import { countLimitsIfNeeded, deleteOldDraws } from "./lease-draws.sql.ts";
import { endAwaits, fenceSilentNodes } from "./leases.sql.ts";
import { recordMissedOverruns } from "./overruns.sql.ts";
import { releaseUnresolved } from "./release-unresolved.sql.ts";

/** Functions of the fold that leases call. */
export interface LeaseFold {
  /** Counts all batches that were appended before the call. Rejects with the database's error. */
  fold: () => Promise<void>;
  /** Acquires the fold's lock until the end of the transaction. */
  lockFold: (tx: Tx) => Promise<void>;
}

export interface LeaseCleanupOptions extends LeaseFold {
  database: Database;
  logger: Logger;
  graceMs: number;
  unresolvedReleaseMs: number;
  /** True: also run statements that read whole tables. */
  isLong: boolean;
}

/**
 * Fences silent nodes, ends the wait for nodes after a failover, releases old unresolved amounts, records missed overruns
 * and deletes unused counts. Any node can run it, and a second run changes nothing.
 */
export async function cleanUpLeases(options: LeaseCleanupOptions): Promise<void> {
  const { database } = options;
  const work = await findCleanupWork(database, options);
  const hasFenced = work.hasSilentNodes && (await fenceSilent(options));
  if (work.hasOverdueReports) await endOverdueAwaits(options);
  if (work.hasUnresolved || hasFenced) await releaseOld(options);
  if (work.hasLimits) await checkLimits(options);
  if (options.isLong) await deleteOldDraws(database, { ...options, atMs: null });
}

/** Returns whether a node was fenced. */
async function fenceSilent({ database, logger, graceMs }: LeaseCleanupOptions): Promise<boolean> {
  const fenced = await fenceSilentNodes(database, { graceMs, atMs: null });
  if (fenced.length > 0) logger.warn({ nodes: fenced }, "silent nodes fenced");
  return fenced.length > 0;
}

async function endOverdueAwaits({ database, logger }: LeaseCleanupOptions): Promise<void> {
  const silent = await endAwaits(database, { atMs: null });
  if (silent.length === 0) return;
  logger.warn(
    { nodes: silent },
    "these nodes have not reported their leases since the failover: budget is granted again, and what they spend beyond a limit is an overrun",
  );
}

async function releaseOld(options: LeaseCleanupOptions): Promise<void> {
  const { database, logger, unresolvedReleaseMs: afterMs } = options;
  // Spend that no fold has counted is still in the unresolved budget. Without this fold it would be released as unspent.
  await options.fold();
  const released = await releaseUnresolved(database, { afterMs, atMs: null });
  if (released.length > 0) logger.warn({ rows: released.length }, "unresolved amounts released");
}

async function checkLimits(options: LeaseCleanupOptions): Promise<void> {
  const { database, logger } = options;
  const missed = await recordMissedOverruns(database);
  if (missed > 0) logger.warn({ balances: missed }, "missed overruns recorded");
  await countLimitsIfNeeded(database, { ...options, atMs: null });
}

import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type RepeatedWork, startRepeatedWork } from "#src/lib/repeated-work.ts";
import {
  findClosableEndMs,
  hasOlderNode,
  limitStatements,
  planSteps,
  readClosingLagMs,
  switchToClosing,
} from "./close-hours.sql.ts";
import { lockFold } from "./fold-lock.sql.ts";
import { readDatabaseNowMs } from "./node.sql.ts";
import { findRollupProgress, type RollupProgress } from "./open-hours.sql.ts";
import { closeRows } from "./rollups.sql.ts";

// Adds the usage of hours that are over to the other rollups. Steps are short, because the fold waits for each.

/** Most ends of an hour's requests have arrived by then. A later one costs more, and is counted all the same. */
const CLOSED_AFTER_MS = 5 * 60_000;
/** Rows of usage_hour in one transaction. 500 rows of different keys took 40 to 70 ms of processor time. */
const ROWS_PER_STEP = 500;
/** Half a million rows. The next run continues. */
const MAX_STEPS = 1_000;
/** Longest statement under the lock of the fold, milliseconds. */
const TIMEOUT_MS = 2_000;
/** Time between two steps. A fold that finds the lock taken tries again within it (fold-worker.ts). */
const PAUSE_MS = 150;
const INTERVAL_MS = 60_000;

export interface ClosingOptions {
  /** Checked between the steps. */
  isStopped?: () => boolean;
  rowsPerStep?: number;
  maxSteps?: number;
  /** Awaited after each step, without the lock of the fold. */
  pause?: () => Promise<unknown>;
}

/** Closes the hours that ended some minutes ago. Returns the number of steps. Any node can call it at any time. */
export async function closeHours(
  database: Database,
  options: ClosingOptions = {},
): Promise<number> {
  const endMs = await findClosableEndMs(database, CLOSED_AFTER_MS);
  return closeHoursBefore(database, endMs, { pause: () => delay(PAUSE_MS), ...options });
}

/** Closes the hours before a time, the start of an hour. Ends early when another node closes hours. */
export async function closeHoursBefore(
  database: Database,
  endMs: number,
  {
    isStopped = () => false,
    rowsPerStep = ROWS_PER_STEP,
    maxSteps = MAX_STEPS,
    pause = () => Promise.resolve(),
  }: ClosingOptions = {},
): Promise<number> {
  let steps = 0;
  let from = await findRollupProgress(database);
  for (;;) {
    const positions = await planSteps(database, from, { endMs, rowsPerStep });
    if (positions.length === 0) return steps;
    for (const to of positions) {
      if (isStopped() || steps >= maxSteps) return steps;
      if (!(await closeStep(database, { from, to }))) return steps;
      steps += 1;
      from = to;
      await pause();
    }
  }
}

/** Returns false if the progress is not `from` any more. */
function closeStep(
  database: Database,
  { from, to }: { from: RollupProgress; to: RollupProgress },
): Promise<boolean> {
  return database.transaction().execute(async (tx) => {
    await lockFold(tx);
    await limitStatements(tx, TIMEOUT_MS);
    if (!isSame(await findRollupProgress(tx), from)) return false;
    await closeRows(tx, { from, to });
    return true;
  });
}

function isSame(one: RollupProgress, other: RollupProgress): boolean {
  return (
    one.hourMs === other.hourMs &&
    one.organizationId === other.organizationId &&
    one.workspaceId === other.workspaceId &&
    one.apiKeyId === other.apiKeyId
  );
}

/** Begins to close hours when no node of version 0.1 is left. Returns the first hour, or null for no change. */
export function beginClosing(database: Database): Promise<Date | null> {
  return inTransaction(database, async (tx) => {
    if ((await findRollupProgress(tx)).hourMs !== Infinity || (await hasOlderNode(tx))) return null;
    return switchToClosing(tx, new Date(await readDatabaseNowMs(tx)));
  });
}

export interface HourClosing extends RepeatedWork {
  /** Time since the end of the oldest hour that is over and not closed, milliseconds. 0: none. */
  lagMs(): number;
}

/** Closes hours now, and then every minute. A failure is logged, and the next minute tries again. */
export function startHourClosing({
  database,
  logger,
}: {
  database: Database;
  logger: Logger;
}): HourClosing {
  let last = { lagMs: null as number | null, atMs: 0 };
  const repeated = startRepeatedWork({
    everyMs: INTERVAL_MS,
    work: async (isStopped) => {
      const from = await beginClosing(database);
      if (from !== null) logger.info({ from }, "hours are closed from now on");
      const steps = await closeHours(database, { isStopped });
      if (steps > 0) logger.debug({ steps }, "usage of past hours added to the rollups");
      last = { lagMs: await readClosingLagMs(database), atMs: performance.now() };
    },
    onError: (error) =>
      logger.warn({ err: error }, "usage of past hours could not be added to the rollups"),
  });
  // The lag grows until the next run has succeeded.
  const lagMs = () =>
    last.lagMs === null ? 0 : Math.max(0, last.lagMs + performance.now() - last.atMs);
  return { ...repeated, lagMs };
}

import type { Logger } from "#src/lib/logger.ts";
import { StartError } from "#src/lib/start-error.ts";
import { isReplicaFailure } from "./database-error.ts";
import { type Database, openDatabase, type Tx } from "./pool.ts";
import { type ReplicaFault, type ReplicaWatch, watchReplica } from "./replica-watch.ts";
import { inSnapshot } from "./transaction.ts";

// The database of reports: a replica if one is configured and usable, else the primary. The routes with `isReport` in
// the contract read it, and no other code does.

/** Reads of one response. */
export interface ReportReader {
  /** The data has every commit from before this time, milliseconds since the epoch. */
  dataAsOfMs(): number;
  /** Lag of the replica in use at the start of the read, milliseconds. Null: the primary is in use. */
  replicaLagMs(): number | null;
  /**
   * Runs `work` on one snapshot of one database. If the replica fails, `work` runs once more on the primary, which then
   * serves the rest of the response.
   */
  inSnapshot<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>;
}

export interface ReportsDatabase {
  hasReplica: boolean;
  /** Selects the database of one response. `notBeforeMs`: its data must not be older. */
  openReader(notBeforeMs?: number | null): Promise<ReportReader>;
  /** Null: no replica is configured. */
  status(): ReportsDatabaseStatus | null;
}

export interface ReportsDatabaseStatus {
  /** Null: the replica is in use. */
  fault: ReplicaFault | null;
  /** Code of the error of an unreachable replica. Null: it has none. */
  errorCode: string | null;
  /** Lag of the replica, milliseconds. Null: unknown. */
  lagMs: number | null;
  /** Reads that the replica failed, and that ran again on the primary. */
  retries: number;
}

interface Primary {
  primary: Database;
  /** The primary's clock, milliseconds since the epoch. */
  nowMs: () => number;
}

interface ReplicaOptions extends Primary {
  connectionString: string;
  /** Connections to the primary for the checks, which no report occupies. */
  watched: Database;
  logger: Logger;
  /** Aborts every connection to the replica. */
  abandoned?: AbortSignal;
  /** Time between two checks of the replica, milliseconds. Default: one second. */
  checkEveryMs?: number;
}

/** Most connections of one process to the replica, besides that of the checks. */
const REPORT_CONNECTIONS = 6;
/** A replica that is silent for longer in a check does not respond. */
const CHECK_SILENCE_MS = 5_000;

/** Reads reports from the primary. */
export function useReportsOfPrimary({ primary, nowMs }: Primary): ReportsDatabase {
  return {
    hasReplica: false,
    openReader: async () => readPrimary({ primary, nowMs }),
    status: () => null,
  };
}

export interface ReplicaReports extends ReportsDatabase {
  /** Checks the replica now. Never rejects. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Connects to the replica. Throws a StartError if it belongs to another database. */
export async function openReplica(options: ReplicaOptions): Promise<ReplicaReports> {
  const { logger, nowMs } = options;
  const open = (maxConnections: number, silenceMs?: number) =>
    openDatabase({
      connectionString: options.connectionString,
      maxConnections,
      isReadOnly: true,
      applicationName: "bursar reports",
      abandoned: options.abandoned,
      ...(silenceMs !== undefined && { silenceMs }),
      onIdleError: (error) => logger.debug({ err: error }, "a connection to the replica was lost"),
    });
  const replica = open(REPORT_CONNECTIONS);
  const checks = open(1, CHECK_SILENCE_MS);
  const watch = watchReplica({
    primary: options.watched,
    replica: checks,
    nowMs,
    logger,
    ...(options.checkEveryMs !== undefined && { intervalMs: options.checkEveryMs }),
  });
  const close = async () => {
    await watch.stop();
    await Promise.all([replica.destroy(), checks.destroy()]);
  };
  await watch.check();
  if (watch.fault() === "another_database") {
    await close();
    throw new StartError(
      "BURSAR_REPORTS_DATABASE_URL points to another database than DATABASE_URL. Set it to a standby of the same server, " +
        "with the same database name, or remove it.",
    );
  }
  const counter = { retries: 0 };
  return {
    hasReplica: true,
    openReader: async (notBeforeMs = null) => {
      const asOfMs = await chooseDataTime(watch, notBeforeMs);
      if (asOfMs === null) return readPrimary(options);
      return readReplica({ ...options, replica, asOfMs, onRetry: () => counter.retries++ });
    },
    status: () => ({
      fault: watch.fault(),
      errorCode: watch.errorCode(),
      lagMs: watch.lagMs(),
      retries: counter.retries,
    }),
    check: () => watch.check(),
    close,
  };
}

/** Returns the time of the replica's data. Null: the response must read the primary. */
async function chooseDataTime(
  watch: ReplicaWatch,
  notBeforeMs: number | null,
): Promise<number | null> {
  // A report does not wait for a replica that failed its last check.
  if (watch.fault() !== null) return null;
  await watch.freshen();
  const find = () => {
    const asOfMs = watch.fault() === null ? watch.dataAsOfMs() : null;
    return asOfMs !== null && asOfMs >= (notBeforeMs ?? asOfMs) ? asOfMs : null;
  };
  if (find() === null && watch.fault() === null) await watch.check();
  return find();
}

/** Makes a reader of the primary. */
export function readPrimary({ primary, nowMs }: Primary): ReportReader {
  const asOfMs = nowMs();
  return {
    dataAsOfMs: () => asOfMs,
    replicaLagMs: () => null,
    inSnapshot: (work) => inSnapshot(primary, work),
  };
}

interface ReplicaRead extends Primary {
  replica: Database;
  asOfMs: number;
  logger: Logger;
  onRetry: () => void;
}

function readReplica(options: ReplicaRead): ReportReader {
  const { replica, asOfMs, nowMs, logger, onRetry } = options;
  const lagMs = Math.max(0, nowMs() - asOfMs);
  let fallback: ReportReader | null = null;
  return {
    dataAsOfMs: () => fallback?.dataAsOfMs() ?? asOfMs,
    replicaLagMs: () => (fallback === null ? lagMs : null),
    inSnapshot: async (work) => {
      if (fallback !== null) return fallback.inSnapshot(work);
      try {
        return await inSnapshot(replica, work);
      } catch (error) {
        if (!isReplicaFailure(error)) throw error;
        logger.debug({ err: error }, "the replica failed a report, which the primary reads again");
        onRetry();
        fallback = readPrimary(options);
        return fallback.inSnapshot(work);
      }
    },
  };
}

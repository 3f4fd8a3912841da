import { setTimeout as delay } from "node:timers/promises";
import { isDoneWithin } from "#src/lib/is-done-within.ts";
import type { Logger } from "#src/lib/logger.ts";
import { findErrorCode } from "./database-error.ts";
import type { Database } from "./pool.ts";
import { readServerProgress, type ServerProgress } from "./read-server-progress.ts";
import { WalPositions } from "./wal-positions.ts";

/** Reason why reports are not read from the replica. */
export type ReplicaFault =
  | "unreachable"
  | "another_database"
  | "not_a_standby"
  | "earlier_primary"
  | "older_schema"
  | "unknown_lag"
  | "stale";

/** Maximum lag of a replica that reports read, milliseconds. */
const MAX_LAG_MS = 30_000;
/** A replica that was too stale is read again below this lag, so that it does not alternate. */
const RETURN_LAG_MS = 10_000;
const CHECK_EVERY_MS = 1_000;
/** Maximum age of the check that a report relies on, milliseconds. */
const FRESH_MS = 100;
/** Maximum wait of a report for a check. Then it relies on the one before. */
const FRESHEN_WITHIN_MS = 250;

interface ReplicaWatchOptions {
  /** Connections to the primary. A check runs short statements. */
  primary: Database;
  /** Connections to the replica that no report occupies. */
  replica: Database;
  /** The primary's clock, milliseconds since the epoch. */
  nowMs: () => number;
  logger: Logger;
  /** Default: one second. */
  intervalMs?: number;
}

export interface ReplicaWatch {
  /** Null: reports may read the replica. */
  fault(): ReplicaFault | null;
  /** Code of the error of an unreachable replica. Null: it has none. */
  errorCode(): string | null;
  /** The replica has every commit from before this time, milliseconds since the epoch. Null: unknown. */
  dataAsOfMs(): number | null;
  /** Lag at the last check, and the delay of the next one, milliseconds. Null: unknown. */
  lagMs(): number | null;
  /** Checks the replica before a report, unless the last check is recent. */
  freshen(): Promise<void>;
  /** Checks the replica now. Concurrent calls share one check. Never rejects. */
  check(): Promise<void>;
  stop(): Promise<void>;
}

interface Checked {
  /** Start of the check, milliseconds since the epoch. */
  atMs: number;
  fault: ReplicaFault | null;
  asOfMs: number | null;
  error?: unknown;
}

/** Compares the replica with the primary once a second, until it is stopped. Call `check` before the first read. */
export function watchReplica(options: ReplicaWatchOptions): ReplicaWatch {
  const { nowMs, logger, intervalMs = CHECK_EVERY_MS } = options;
  const stopping = new AbortController();
  const positions = new WalPositions();
  let primary: ServerProgress | null = null;
  let checked: Checked = { atMs: nowMs(), fault: "unknown_lag", asOfMs: null };
  /** State of the last log line. Undefined: none yet. */
  let logged: ReplicaFault | null | undefined;
  let checking: Promise<void> | null = null;

  async function checkOnce(): Promise<void> {
    const atMs = nowMs();
    // Without a new position of the primary, the data grows older until it is too stale.
    primary = await readServerProgress(options.primary).catch(() => primary);
    if (primary?.lsn != null && !primary.isStandby) positions.add({ lsn: primary.lsn, atMs });
    try {
      const replica = await readServerProgress(options.replica);
      checked = { atMs, ...judge(replica, primary, positions) };
    } catch (error) {
      checked = { atMs, fault: "unreachable", asOfMs: checked.asOfMs, error };
    }
    logChange();
  }

  function findFault(): ReplicaFault | null {
    const { fault, asOfMs } = checked;
    if (fault !== null) return fault;
    if (asOfMs === null) return "unknown_lag";
    return nowMs() - asOfMs > (logged === "stale" ? RETURN_LAG_MS : MAX_LAG_MS) ? "stale" : null;
  }

  function logChange(): void {
    const fault = findFault();
    if (fault === logged || stopping.signal.aborted) return;
    logged = fault;
    if (fault === null) {
      logger.info("reports are read from the replica");
      return;
    }
    const why = explainReplicaFault(fault);
    logger.warn(
      { fault, lagMs: measureLag(checked, nowMs()), err: checked.error },
      `reports are read from the primary: ${why}`,
    );
  }

  function check(): Promise<void> {
    checking ??= checkOnce().finally(() => {
      checking = null;
    });
    return checking;
  }

  async function freshen(): Promise<void> {
    if (nowMs() - checked.atMs >= FRESH_MS) await isDoneWithin(FRESHEN_WITHIN_MS, check());
  }

  async function run(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      await delay(intervalMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await check();
    }
  }

  const running = run();
  return {
    fault: findFault,
    errorCode: () => findErrorCode(checked.error),
    dataAsOfMs: () => checked.asOfMs,
    lagMs: () => measureLag(checked, nowMs()),
    freshen,
    check,
    stop: async () => {
      stopping.abort();
      await running;
      await checking;
    },
  };
}

function measureLag({ atMs, asOfMs }: Checked, nowMs: number): number | null {
  if (asOfMs === null) return null;
  const delayMs = Math.max(0, nowMs - atMs - CHECK_EVERY_MS);
  return Math.max(0, atMs - asOfMs + delayMs);
}

function judge(
  replica: ServerProgress,
  primary: ServerProgress | null,
  positions: WalPositions,
): Omit<Checked, "atMs"> {
  if (primary === null) return { fault: "unknown_lag", asOfMs: null };
  if (isAnotherDatabase(replica, primary)) return { fault: "another_database", asOfMs: null };
  if (!replica.isStandby) return { fault: "not_a_standby", asOfMs: null };
  if (isOfEarlierPrimary(replica, primary)) return { fault: "earlier_primary", asOfMs: null };
  const asOfMs = findDataTime(replica, positions);
  if (replica.schema < primary.schema) return { fault: "older_schema", asOfMs };
  return { fault: asOfMs === null ? "unknown_lag" : null, asOfMs };
}

function isAnotherDatabase(replica: ServerProgress, primary: ServerProgress): boolean {
  const differs = (a: string | null, b: string | null) => a !== null && b !== null && a !== b;
  return (
    replica.databaseName !== primary.databaseName ||
    differs(replica.systemId, primary.systemId) ||
    differs(replica.installationId, primary.installationId) ||
    // A standby without tables can be behind the first start. Another server never gets them.
    (replica.installationId === null && !replica.isStandby)
  );
}

/** True if the replica did not follow a failover. Such a replica can have commits that the promoted server lacks. */
function isOfEarlierPrimary(
  { incarnation: own }: ServerProgress,
  { incarnation: newest }: ServerProgress,
): boolean {
  if (own === null || newest === null) return false;
  return own.value < newest.value || (own.value === newest.value && own.id !== newest.id);
}

/**
 * Returns the time up to which the replica has all commits. The commit time of the last replayed transaction is such a time
 * too, because the log has every earlier commit before it. On a busy primary it is later than that of the positions.
 */
function findDataTime(replica: ServerProgress, positions: WalPositions): number | null {
  const { lsn, replayedAtMs } = replica;
  if (lsn === null) return null;
  const positionMs = positions.findTime(lsn);
  if (positionMs === null) return replayedAtMs;
  return Math.max(positionMs, replayedAtMs ?? positionMs);
}

/** Explains the fault to an operator. */
export function explainReplicaFault(fault: ReplicaFault): string {
  switch (fault) {
    case "unreachable":
      return "the connection to the replica fails";
    case "another_database":
      return "BURSAR_REPORTS_DATABASE_URL points to another database";
    case "not_a_standby":
      return "the server of BURSAR_REPORTS_DATABASE_URL is not a standby";
    case "earlier_primary":
      return "the replica has not followed the failover of the primary";
    case "older_schema":
      return "the replica does not have the newest migration yet";
    case "unknown_lag":
      return "the lag of the replica is not known";
    case "stale":
      return `the replica is more than ${MAX_LAG_MS / 1_000} s behind`;
  }
}

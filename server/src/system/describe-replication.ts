import type { system } from "@bursar/contract/admin/system.ts";
import type { z } from "zod";
import type { Database } from "#src/db/pool.ts";
import { explainReplicaFault } from "#src/db/replica-watch.ts";
import type { ReportsDatabaseStatus } from "#src/db/reports-database.ts";
import { judgeReplication, type Standby } from "./replication.rule.ts";
import { readReplication } from "./replication.sql.ts";

type Wire = z.input<typeof system>;
type Replication = Wire["replication"];
type ReportsDatabase = Wire["reports_database"];

/** Describes how the primary is replicated. Null: the server refuses to report it. */
export async function describeReplication(
  { database }: { database: Database },
  nodes: readonly Pick<Wire["nodes"][number], "journal" | "is_silent">[],
): Promise<Replication> {
  const facts = await readReplication(database);
  if (facts === null) return null;
  const hasJournalInDatabase = nodes.some(
    ({ journal, is_silent }) => journal === "postgres" && !is_silent,
  );
  const { kind, promise, problems } = judgeReplication(facts, { hasJournalInDatabase });
  return {
    kind,
    promise,
    is_connected_to_standby: facts.isStandby,
    wal_level: facts.walLevel,
    synchronous_commit: facts.synchronousCommit,
    synchronous_standby_names: facts.synchronousStandbyNames,
    standbys: facts.standbys.map(toWireStandby),
    slots: facts.slots.map(({ name, isActive, retainedBytes }) => ({
      name,
      is_active: isActive,
      retained_bytes: retainedBytes,
    })),
    problems: problems.map(({ code, isFault, message }) => ({ code, is_fault: isFault, message })),
  };
}

function toWireStandby({ name, state, syncState, replayLagMs, lagBytes }: Standby) {
  // PostgreSQL measures the lag of commits only. Without any, a standby with the whole log has none.
  const lagMs = lagBytes === 0 ? 0 : replayLagMs;
  return {
    name,
    state,
    sync_state: syncState,
    lag_seconds: lagMs === null ? null : lagMs / 1_000,
    lag_bytes: lagBytes,
  };
}

/** Describes the replica of reports. Null: none is configured. */
export function describeReportsDatabase(status: ReportsDatabaseStatus | null): ReportsDatabase {
  if (status === null) return null;
  const { fault, errorCode, lagMs, retries } = status;
  return {
    is_replica_in_use: fault === null,
    fault,
    error_code: errorCode,
    message: fault === null ? null : explainReplicaFault(fault),
    lag_seconds: lagMs === null ? null : lagMs / 1_000,
    retries,
  };
}

/** Returns the problems of the replication as sentences. `findDurabilityWarning` has that of `synchronous_commit`. */
export function warningsOfReplication(replication: Replication): string[] {
  const problems = replication?.problems ?? [];
  return problems
    .filter(({ code }) => code !== "commits_not_durable")
    .map(({ message }) => message);
}

export function findReportsWarning(reports: ReportsDatabase): string | null {
  if (reports === null || reports.message === null) return null;
  return `Reports are read from the primary: ${reports.message}.`;
}

import type { system } from "@bursar/contract/admin/system.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { ChainReport, ChainWatch } from "#src/audit/watch-chains.ts";
import { findDurabilityWarning, readDurabilitySettings } from "#src/db/durability.ts";
import type { Database } from "#src/db/pool.ts";
import type { ReportsDatabaseStatus } from "#src/db/reports-database.ts";
import { toWireMaker } from "#src/domain/caller.ts";
import { formatUsd } from "#src/domain/money.ts";
import { PRICE_LIST_AS_OF } from "#src/domain/price-list.ts";
import { countHeldKeys } from "#src/key-lookup/held-keys.sql.ts";
import { assert } from "#src/lib/assert.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import { readClosingLagMs } from "#src/recording/close-hours.sql.ts";
import { type FoldQueue, readFoldQueue } from "#src/recording/usage-batches.sql.ts";
import {
  type ExceededBound,
  listExceededBounds,
} from "#src/spend/exceeded-bounds/exceeded-bounds.sql.ts";
import {
  describeReplication,
  describeReportsDatabase,
  findReportsWarning,
  warningsOfReplication,
} from "./describe-replication.ts";
import {
  countJobs,
  countMail,
  countPriceOverrides,
  findNewestFailover,
  listNodes,
  type NodeState,
  readBackupState,
  readDatabaseState,
} from "./system.sql.ts";

/** Facts of a node about itself. */
export interface NodeFacts {
  nodeId: string;
  isDatabaseEmbedded: boolean;
  journal: "disk" | "postgres";
  journalSync: "interval" | "group";
  leaseTtlMs: number;
  mailFrom: string | null;
  /** Warning of a listener that is open to the network without TLS, or null. */
  exposure: string | null;
  requestsInFlight(): number;
  meter(): {
    pendingRecords: number;
    oldestPendingMs: number;
    isJournalHealthy: boolean;
    /** Null or omitted: no record was lost since the start. */
    reappended?: { lost: number; appended: number } | null;
  };
  upstream(): z.input<typeof system>["upstream"];
  /** Null: no replica is configured. */
  reportsDatabase(): ReportsDatabaseStatus | null;
}

export interface SystemDeps {
  database: Database;
  chains: Pick<ChainWatch, "getReport">;
  isMailServerConfigured: boolean;
  /** Version of the program. */
  version: string;
  node: NodeFacts;
}

const MAX_NODES = 100;
const LATE_DAYS = 7;
const LATE_FOLD_MS = 2_000;
/** Hours are closed five minutes after their end, a million rows in about ten minutes more. */
const LATE_CLOSING_MS = 30 * 60_000;

type Wire = z.input<typeof system>;

/** Returns the state of the installation for the caller's organization. */
export async function getSystem(deps: SystemDeps, { caller }: Call): Promise<Wire> {
  const { database, node, version } = deps;
  const { organizationId } = caller;
  const durability = await findDurabilityWarning(database);
  const nodes = await listSystemNodes(deps, organizationId);
  const mail = await countMail(database, organizationId);
  const upstream = node.upstream();
  const backup = await describeBackup(deps, organizationId);
  const state = await describeDatabase(deps);
  const replication = await describeReplication(deps, nodes);
  const reportsDatabase = describeReportsDatabase(node.reportsDatabase());
  const failover = await describeFailover(deps);
  return {
    type: "system",
    version,
    node_version: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    warnings: [
      durability,
      node.exposure,
      upstream.problem,
      findConnectionWarning(state),
      ...warningsOfReplication(replication),
      findReportsWarning(reportsDatabase),
      ...warningsOfFailover(failover),
      ...warningsOf(backup),
      ...warningsOfFold(await readFoldQueue(database)),
      findClosingWarning(await readClosingLagMs(database)),
      ...nodes.flatMap(warningsOfNode),
      ...(await listExceededBounds(database, organizationId)).map(toBoundWarning),
    ].filter((warning) => warning !== null),
    this_node: describeThisNode(node),
    nodes,
    database: state,
    replication,
    reports_database: reportsDatabase,
    job_queue: await describeJobs(database),
    mail: { is_configured: deps.isMailServerConfigured, from: node.mailFrom, ...mail },
    price_list: {
      as_of: PRICE_LIST_AS_OF,
      overrides: await countPriceOverrides(database, organizationId),
    },
    upstream,
    audit_log: toAuditLog(deps.chains.getReport(organizationId)),
    backup,
    newest_failover: failover,
  };
}

function warningsOfFailover(failover: Wire["newest_failover"]): string[] {
  if (!failover?.is_recent) return [];
  const { at, reason, awaited_nodes: awaited } = failover;
  const waits =
    awaited.length === 0
      ? ""
      : ` Limits grant nothing until ${awaited.join(", ")} reports its leases, or its lease time is over.`;
  return [
    `${failoverReasons[reason]} at ${at}. Changes of the last seconds before may be lost: the audit log lists those that the nodes remember.${waits}`,
  ];
}

const failoverReasons = {
  timeline: "A standby database was promoted",
  system: "The data was moved to another database server",
  rollback: "The database went back to an earlier state",
} as const;

async function describeFailover({ database, node }: SystemDeps): Promise<Wire["newest_failover"]> {
  const newest = await findNewestFailover(database);
  if (newest === null) return null;
  const { lost, appended } = node.meter().reappended ?? { lost: 0, appended: 0 };
  return {
    incarnation: Number(newest.value),
    reason: newest.reason,
    at: newest.raisedAt.toISOString(),
    is_recent: newest.isRecent,
    awaited_nodes: newest.awaitedNodes,
    appended_records: appended,
    missing_records: lost - appended,
  };
}

export async function listSystemNodes(
  { database, node }: SystemDeps,
  organizationId: string,
): Promise<Wire["nodes"]> {
  const silentAfterMs = node.leaseTtlMs;
  const rows = await listNodes(database, { organizationId, silentAfterMs, limit: MAX_NODES });
  return rows.map((row) => toNode(row, node));
}

/** Soft limits, alerts and reports lack the requests that wait. */
function warningsOfFold({ lagMs, setAside }: FoldQueue): string[] {
  const warnings: string[] = [];
  if (lagMs > LATE_FOLD_MS) {
    warnings.push(
      `Requests have waited ${Math.round(lagMs / 1000)} s to be counted: PostgreSQL is slow, or another transaction locks its tables. Reports, soft limits and alerts lack them until then.`,
    );
  }
  if (setAside > 0) {
    const batches = formatPlural(setAside, "batch of requests is", "batches of requests are");
    warnings.push(
      `${batches} not counted, because PostgreSQL refused the values. The server log has the error. Report it as a defect.`,
    );
  }
  return warnings;
}

/** Returns a warning if hours are not closed in time. Null: they are. */
function findClosingWarning(lagMs: number | null): string | null {
  if (lagMs === null || lagMs <= LATE_CLOSING_MS) return null;
  return `Usage of an hour that ended ${Math.round(lagMs / 60_000)} minutes ago is not in the daily sums. Reports are right, but slower, and requests of that day are not deleted by their age. The server log has the cause.`;
}

function toBoundWarning({ id, kind, name, observed, allowed }: ExceededBound): string {
  const [figure, bound] = [observed, allowed].map((tokens) => tokens.toLocaleString("en-US"));
  const excess =
    kind === "model"
      ? `The model ${name} was faster than its highest speed: ${figure} tokens per second instead of ${bound}.`
      : `Calls with results of the tool ${name} read ${figure} tokens, and its bound had ${bound} at that time.`;
  return `${excess} Strict limits hold its requests whole. \`./bursar exceeded-bounds delete ${id}\` holds them in steps again.`;
}

function warningsOfNode(node: Wire["nodes"][number]): string[] {
  if (!node.is_silent || node.waiting_budget_usd === "0.00") return [];
  return [
    `Node ${node.id} has been silent since ${node.last_seen_at}, and $${node.waiting_budget_usd} of limits waits for its journal. Start it again. If it is lost, \`./bursar nodes forget ${node.id}\` releases the budget.`,
  ];
}

/** Describes the backups. A new installation has no warning in the first week. */
async function describeBackup(
  { database, node }: SystemDeps,
  organizationId: string,
): Promise<Wire["backup"]> {
  const { newest, ageDays, newestRestore } = await readBackupState(database);
  const isWatched = newest !== null || node.isDatabaseEmbedded;
  return {
    newest: newest && {
      made_at: newest.made_at.toISOString(),
      file_name: newest.file_name,
      size_bytes: Number(newest.size_bytes),
      requests: Number(newest.requests),
      is_encrypted: newest.is_encrypted,
      has_secret: newest.has_secret,
      made_by: toWireMaker({
        created_by_type: newest.made_by_type,
        created_by_id: newest.made_by_id,
      }),
    },
    is_late: isWatched && ageDays > LATE_DAYS,
    newest_restore: newestRestore,
    held_keys: await countHeldKeys(database, organizationId),
  };
}

function warningsOf({ newest, is_late, held_keys }: Wire["backup"]): string[] {
  const warnings: string[] = [];
  if (is_late) {
    const since =
      newest === null ? "No backup exists" : `The newest backup is from ${newest.made_at}`;
    warnings.push(`${since}: \`./bursar backup <file>\` creates one while the server runs.`);
  }
  if (held_keys > 0) {
    const keys = formatPlural(held_keys, "key waits", "keys wait");
    warnings.push(
      `${keys} for confirmation after a restored backup: run \`./bursar restore keys\`.`,
    );
  }
  return warnings;
}

function describeThisNode(node: NodeFacts): Wire["this_node"] {
  const meter = node.meter();
  return {
    id: node.nodeId,
    requests_in_flight: node.requestsInFlight(),
    unflushed_records: meter.pendingRecords,
    oldest_unflushed_ms: Math.round(meter.oldestPendingMs),
    is_journal_healthy: meter.isJournalHealthy,
    journal: node.journal,
    journal_sync: node.journalSync,
    lease_ttl_seconds: node.leaseTtlMs / 1000,
  };
}

/** Returns a warning if the nodes in contact can open more connections than the server accepts. Null: they cannot. */
function findConnectionWarning(state: Wire["database"]): string | null {
  const { needed_connections, max_connections, reserved_connections } = state;
  if (needed_connections <= max_connections - reserved_connections) return null;
  return (
    `The nodes open up to ${needed_connections} database connections, but PostgreSQL accepts ${max_connections - reserved_connections}. ` +
    `Set its max_connections to ${needed_connections + reserved_connections} or more, or lower BURSAR_REQUEST_CONNECTIONS and BURSAR_ADMIN_CONNECTIONS.`
  );
}

async function describeDatabase({ database, node }: SystemDeps): Promise<Wire["database"]> {
  const state = await readDatabaseState(database, { silentAfterMs: node.leaseTtlMs });
  assert(state !== null, "a database has a state");
  const { size_bytes, ...rest } = state;
  return {
    ...rest,
    size_bytes: Number(size_bytes),
    is_embedded: node.isDatabaseEmbedded,
    settings: await readDurabilitySettings(database),
  };
}

async function describeJobs(database: Database): Promise<Wire["job_queue"]> {
  const jobs = await countJobs(database);
  assert(jobs !== null, "a count has a row");
  return { ...jobs, oldest_due_at: jobs.oldest_due_at?.toISOString() ?? null };
}

function toNode(row: NodeState, own: NodeFacts): Wire["nodes"][number] {
  const isThisOne = row.id === own.nodeId;
  const unflushed = isThisOne ? own.meter().pendingRecords : row.unflushed_records;
  return {
    id: row.id,
    version: row.version,
    is_this_one: isThisOne,
    is_silent: row.is_silent,
    started_at: row.started_at.toISOString(),
    last_seen_at: row.seen_at.toISOString(),
    epoch: Number(row.epoch),
    journal: row.has_journal_in_database ? "postgres" : "disk",
    leased_usd: formatUsd(row.leased_nano_usd),
    unresolved_usd: formatUsd(row.unresolved_nano_usd),
    waiting_budget_usd: formatUsd(row.budget_nano_usd),
    max_connections: row.max_connections,
    unflushed_records: unflushed === null ? null : Number(unflushed),
  };
}

function toAuditLog({ verified, checkedAtMs, firstBroken }: ChainReport): Wire["audit_log"] {
  const isChecked = checkedAtMs !== null || firstBroken !== null;
  return {
    is_intact: isChecked ? firstBroken === null : null,
    verified_through_seq: verified === null ? null : Number(verified.seq),
    checked_at: checkedAtMs === null ? null : new Date(checkedAtMs).toISOString(),
  };
}

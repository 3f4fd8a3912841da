import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { isBudget } from "#src/spend/ledger/release-unresolved.sql.ts";

export interface NodeState {
  id: string;
  version: string;
  started_at: Date;
  seen_at: Date;
  epoch: bigint;
  is_silent: boolean;
  has_journal_in_database: boolean;
  leased_nano_usd: bigint;
  unresolved_nano_usd: bigint;
  /** Budget that waits for the node, without holds of single requests. */
  budget_nano_usd: bigint;
  /** Null: the journal is not in the database. */
  unflushed_records: bigint | null;
  /** Null: the node's version does not publish it. */
  max_connections: number | null;
}

/** Lists nodes of the installation, latest contact first, with their budget of the organization's limits. */
export async function listNodes(
  db: Database,
  of: { organizationId: string; silentAfterMs: number; limit: number },
): Promise<NodeState[]> {
  const { rows } = await sql<NodeState>`
    SELECT node.id, node.version, node.started_at, contact.seen_at, node.epoch, node.max_connections,
      greatest(contact.seen_at, contact.lease_expires_at) < now() - make_interval(secs => ${of.silentAfterMs / 1000})
        AS is_silent,
      EXISTS (SELECT FROM journal_writer AS writer
        WHERE writer.node_id = node.id AND writer.journal_id = node.journal_id) AS has_journal_in_database,
      coalesce(held.leased, 0)::bigint AS leased_nano_usd, coalesce(held.unresolved, 0)::bigint AS unresolved_nano_usd,
      coalesce(held.budget, 0)::bigint AS budget_nano_usd, written.ends AS unflushed_records
    FROM node JOIN node_contact AS contact ON contact.id = node.id
    LEFT JOIN LATERAL (
      SELECT sum(amount_nano_usd) FILTER (WHERE unresolved_since IS NULL) AS leased,
        sum(amount_nano_usd) FILTER (WHERE unresolved_since IS NOT NULL) AS unresolved,
        sum(amount_nano_usd) FILTER (WHERE unresolved_since IS NOT NULL
          AND ${isBudget}) AS budget
      FROM lease_left AS lease WHERE lease.node_id = node.id AND lease.organization_id = ${of.organizationId}
    ) AS held ON true
    LEFT JOIN LATERAL (
      SELECT count(record.seq) AS ends FROM journal_writer AS writer
      LEFT JOIN journal_record AS record ON record.node_id = writer.node_id AND record.seq > node.flushed_seq
      WHERE writer.node_id = node.id AND writer.journal_id = node.journal_id GROUP BY writer.node_id
    ) AS written ON true
    ORDER BY contact.seen_at DESC, node.id LIMIT ${of.limit}`.execute(db);
  return rows;
}

/** Returns the last contact of an existing node. */
export async function readNodeContact(
  tx: Tx,
  of: { nodeId: string; silentAfterMs: number },
): Promise<{ seenAt: Date; isRecent: boolean }> {
  const { rows } = await sql<{ seenAt: Date; isRecent: boolean }>`
    SELECT seen_at AS "seenAt", seen_at > now() - make_interval(secs => ${of.silentAfterMs / 1000}) AS "isRecent"
    FROM node_contact WHERE id = ${of.nodeId}`.execute(tx);
  const [contact] = rows;
  if (contact === undefined) throw new Error(`node ${of.nodeId} has no row`);
  return contact;
}

/** Most connections of a node before 0.2, whose pools had fixed sizes. */
const UNPUBLISHED_CONNECTIONS = 24;

/** True while no fold has counted requests that the node has appended. The node's row is locked. */
export async function hasUncountedRequests(tx: Tx, nodeId: string): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    SELECT EXISTS (SELECT FROM usage_batch WHERE node_id = ${nodeId} AND set_aside_at IS NULL) AS has`.execute(
    tx,
  );
  return rows[0]?.has === true;
}

export interface DatabaseState {
  version: string;
  size_bytes: bigint;
  connections: number;
  max_connections: number;
  reserved_connections: number;
  /** Sum over the nodes that have not stopped and were in contact lately. */
  needed_connections: number;
  migration: string;
}

export async function readDatabaseState(
  db: Database,
  { silentAfterMs }: { silentAfterMs: number },
): Promise<DatabaseState | null> {
  const { rows } = await sql<DatabaseState>`
    SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size_bytes,
      (SELECT count(*)::integer FROM pg_stat_activity WHERE datname = current_database()) AS connections,
      current_setting('max_connections')::integer AS max_connections,
      current_setting('superuser_reserved_connections')::integer
        + coalesce(current_setting('reserved_connections', true), '0')::integer AS reserved_connections,
      (SELECT coalesce(sum(coalesce(node.max_connections, ${UNPUBLISHED_CONNECTIONS})), 0)::integer
        FROM node JOIN node_contact AS contact ON contact.id = node.id
        WHERE contact.lease_expires_at IS NOT NULL
          AND greatest(contact.seen_at, contact.lease_expires_at) >= now() - make_interval(secs => ${silentAfterMs / 1000}))
        AS needed_connections,
      (SELECT lpad(number::text, 4, '0') || '_' || name FROM schema_migration ORDER BY number DESC LIMIT 1) AS migration
  `.execute(db);
  return rows[0] ?? null;
}

export interface JobCounts {
  waiting: number;
  running: number;
  failing: number;
  given_up: number;
  oldest_due_at: Date | null;
  last_error: string | null;
}

/** Counts jobs in the queue of `jobs/`, which contains a job until it succeeds. */
export async function countJobs(db: Database): Promise<JobCounts | null> {
  const { rows } = await sql<JobCounts>`
    SELECT (count(*) FILTER (WHERE NOT is_running AND NOT is_given_up))::integer AS waiting,
      (count(*) FILTER (WHERE is_running))::integer AS running,
      (count(*) FILTER (WHERE NOT is_running AND NOT is_given_up AND attempts > 0))::integer AS failing,
      (count(*) FILTER (WHERE is_given_up AND NOT is_running))::integer AS given_up,
      min(run_at) FILTER (WHERE NOT is_running AND NOT is_given_up AND run_at <= now()) AS oldest_due_at,
      (array_agg(last_error ORDER BY updated_at DESC) FILTER (WHERE last_error IS NOT NULL))[1] AS last_error
    FROM (SELECT run_at, updated_at, attempts, last_error, locked_at IS NOT NULL AS is_running,
        attempts >= max_attempts AS is_given_up FROM graphile_worker.jobs) AS job`.execute(db);
  return rows[0] ?? null;
}

export async function countMail(
  db: Database,
  organizationId: string,
): Promise<{ queued: number; failed: number }> {
  const { rows } = await sql<{ queued: number; failed: number }>`
    SELECT (count(*) FILTER (WHERE status = 'queued'))::integer AS queued,
      (count(*) FILTER (WHERE status = 'failed'))::integer AS failed
    FROM mail WHERE organization_id = ${organizationId}`.execute(db);
  return rows[0] ?? { queued: 0, failed: 0 };
}

export async function countPriceOverrides(db: Database, organizationId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM price_override WHERE organization_id = ${organizationId}`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

interface NewestBackup {
  made_at: Date;
  file_name: string;
  size_bytes: bigint;
  requests: bigint;
  is_encrypted: boolean;
  has_secret: boolean;
  made_by_type: string;
  made_by_id: string;
}

export interface BackupState {
  newest: NewestBackup | null;
  /** Age of the newest backup, else of the installation, days. */
  ageDays: number;
  newestRestore: { restored_at: string; backup_made_at: string | null } | null;
}

export async function readBackupState(db: Database): Promise<BackupState> {
  const backups = await sql<NewestBackup>`
    SELECT made_at, file_name, size_bytes, requests, is_encrypted, has_secret, made_by_type, made_by_id
    FROM backup ORDER BY made_at DESC LIMIT 1`.execute(db);
  const [newest] = backups.rows;
  const { rows } = await sql<{ age_days: number; restore: BackupState["newestRestore"] }>`
    SELECT (extract(epoch FROM now() - coalesce(${newest?.made_at ?? null}::timestamptz,
        (SELECT min(created_at) FROM organization), now())) / 86400)::double precision AS age_days,
      (SELECT value::json FROM installation WHERE key = 'newest_restore') AS restore`.execute(db);
  const [row] = rows;
  return {
    newest: newest ?? null,
    ageDays: row?.age_days ?? 0,
    newestRestore: row?.restore ?? null,
  };
}

export interface NewestFailover {
  value: bigint;
  reason: "timeline" | "system" | "rollback";
  raisedAt: Date;
  /** True for a day. */
  isRecent: boolean;
  /** Nodes that have not reported their leases. */
  awaitedNodes: string[];
}

/** Returns the newest incarnation that followed another one, or null. */
export async function findNewestFailover(db: Database): Promise<NewestFailover | null> {
  const { rows } = await sql<NewestFailover>`
    SELECT value, reason, raised_at AS "raisedAt", raised_at > now() - interval '24 hours' AS "isRecent",
      (SELECT coalesce(array_agg(node_id ORDER BY node_id), '{}') FROM lease_node WHERE awaited_until > now()) AS "awaitedNodes"
    FROM incarnation WHERE reason <> 'first' ORDER BY value DESC LIMIT 1`.execute(db);
  return rows[0] ?? null;
}

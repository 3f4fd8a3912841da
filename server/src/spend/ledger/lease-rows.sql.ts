import { CompiledQuery, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";
import type { LeaseClock } from "./lease-clock.sql.ts";
import type { LeaseKey, LeaseRow, LeaseWork, MessageNode, SyncMessage } from "./lease-rules.ts";
import { balanceKeyText } from "./spend-key.ts";

// Rows that a message of a node is decided on, read by one statement in one snapshot, without locks.

/** Row of the node, as of its last message. */
export interface ReadNode extends MessageNode {
  /** True while a node of version 0.1 may use the database. */
  hasOlderNodes: boolean;
  /** The node's leases or its contact are stored as version 0.1 stores them. */
  isOlder: boolean;
}

export interface MessageRows {
  node: ReadNode;
  work: LeaseWork;
  /** Balances without a row. */
  missing: readonly LeaseKey[];
}

interface ReadRow extends Omit<ReadNode, "isOlder"> {
  foldedSeq: bigint;
  /** Live nodes without the node of the message. */
  otherNodes: bigint;
  /** The node has not reported its leases since a failover. */
  isAwaited: boolean;
  /** Another such node. Null: none. */
  awaitedId: string | null;
  awaitedUntil: Date | null;
  hasOlderLeases: boolean;
  hasOlderContact: boolean;
  /** Null: the message names no balance. */
  scopeType: LeaseKey["scopeType"] | null;
  scopeId: string;
  period: LeaseKey["period"];
  periodStart: string;
  organizationId: string;
  grantedNanoUsd: bigint | null;
  olderNanoUsd: bigint | null;
  isFenced: boolean;
  drawnNanoUsd: bigint;
  countId: bigint | null;
  limitNanoUsd: bigint | null;
  /** Null: the balance has no row. */
  settledNanoUsd: bigint | null;
  leasedNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
}

const ME = `me AS MATERIALIZED (
    SELECT node.epoch, node.folded_seq, node.lease_op, node.lease_expires_at, last.node_id AS last_id, last.epoch AS last_epoch,
      last.op, last.expires_at, (SELECT value FROM limits_version) AS version,
      (SELECT hour_at > now() FROM rollup_progress) AS has_older_nodes,
      (SELECT count(*) FROM node_contact WHERE id <> $1 AND lease_expires_at IS NOT NULL) AS other_nodes,
      EXISTS (SELECT FROM lease WHERE node_id = $1 AND request_id = '' AND granted_nano_usd IS NULL) AS has_older_leases,
      coalesce(last.awaited_until > coalesce($2::timestamptz, clock_timestamp()), false) AS is_awaited,
      other.node_id AS awaited_id, other.awaited_until
    FROM node LEFT JOIN lease_node AS last ON last.node_id = node.id LEFT JOIN LATERAL (
      SELECT node_id, awaited_until FROM lease_node
      WHERE node_id <> $1 AND awaited_until > coalesce($2::timestamptz, clock_timestamp())
      ORDER BY awaited_until DESC, node_id LIMIT 1
    ) AS other ON true
    WHERE node.id = $1
  )`;

const ME_COLUMNS = `me.epoch, me.folded_seq AS "foldedSeq", me.other_nodes AS "otherNodes", me.version,
    me.has_older_nodes AS "hasOlderNodes", me.has_older_leases AS "hasOlderLeases",
    me.lease_expires_at IS NOT NULL AS "hasOlderContact",
    coalesce(me.expires_at, me.lease_expires_at) IS NOT NULL AS "isLive", me.is_awaited AS "isAwaited",
    me.awaited_id AS "awaitedId", me.awaited_until AS "awaitedUntil",
    CASE WHEN me.last_epoch = me.epoch THEN me.op WHEN me.has_older_nodes THEN me.lease_op ELSE 0 END AS op`;

/** For a message without balances, as an idle node sends it. */
const READ_NODE = prepareOnce(
  "read_lease_node",
  `WITH ${ME} SELECT ${ME_COLUMNS}, NULL AS "scopeType" FROM me`,
);

/**
 * Not prepared once: a plan for few leases scans all of them for each key, and a node may soon have thousands. Planning takes
 * 1 ms. Each key looks up its lease by itself, because the planner expects one lease of a new node.
 */
const READ = `WITH ${ME}, key AS (
    SELECT * FROM unnest($3::text[], $4::text[], $5::text[], $6::date[], $7::uuid[])
      AS named (scope_type, scope_id, period, period_start, organization_id)
    UNION
    SELECT scope_type, scope_id, period, period_start, organization_id FROM lease
    WHERE $8::boolean AND node_id = $1 AND request_id = ''
  )
  SELECT ${ME_COLUMNS},
    key.scope_type AS "scopeType", key.scope_id AS "scopeId", key.period, key.period_start AS "periodStart",
    key.organization_id AS "organizationId", own.granted_nano_usd AS "grantedNanoUsd",
    own.amount_nano_usd AS "olderNanoUsd", own.unresolved_since IS NOT NULL AS "isFenced",
    coalesce(draw.drawn_nano_usd, 0) AS "drawnNanoUsd", counted.id AS "countId",
    strict.amount_nano_usd AS "limitNanoUsd", sum.settled_nano_usd AS "settledNanoUsd",
    coalesce(sum.leased_nano_usd, 0) AS "leasedNanoUsd", coalesce(sum.unresolved_nano_usd, 0) AS "unresolvedNanoUsd"
  FROM me
  LEFT JOIN key ON true
  LEFT JOIN LATERAL (
    SELECT granted_nano_usd, amount_nano_usd, unresolved_since FROM lease WHERE node_id = $1 AND request_id = ''
      AND scope_type = key.scope_type AND scope_id = key.scope_id AND period = key.period
      AND period_start = key.period_start OFFSET 0
  ) AS own ON true
  LEFT JOIN LATERAL (
    SELECT drawn_nano_usd FROM lease_draw WHERE node_id = $1 AND scope_type = key.scope_type
      AND scope_id = key.scope_id AND period = key.period AND period_start = key.period_start OFFSET 0
  ) AS draw ON true
  LEFT JOIN counted_limit AS counted ON counted.scope_type = key.scope_type AND counted.scope_id = key.scope_id
    AND counted.period = key.period
  LEFT JOIN spend_limit AS strict ON strict.scope_type = key.scope_type AND strict.scope_id = key.scope_id
    AND strict.period = key.period AND strict.enforcement = 'strict'
  LEFT JOIN balance_sum AS sum ON sum.scope_type = key.scope_type AND sum.scope_id = key.scope_id
    AND sum.period = key.period AND sum.period_start = key.period_start`;

/** Reads the rows of a message. Null: the database has no such node. */
export async function readMessageRows(
  db: Database | Tx,
  message: SyncMessage,
  { atMs }: LeaseClock,
): Promise<MessageRows | null> {
  const { nodeId, keys, isComplete } = message;
  const values = [nodeId, atMs === null ? null : new Date(atMs)];
  const { rows } = await db.executeQuery<ReadRow>(
    keys.size === 0 && !isComplete
      ? CompiledQuery.raw(READ_NODE, values)
      : CompiledQuery.raw(READ, [...values, ...keyColumns([...keys.values()]), isComplete]),
  );
  const [first] = rows;
  if (first === undefined) return null;
  const { epoch, op, isLive, version, hasOlderNodes, hasOlderLeases, hasOlderContact } = first;
  const isOlder = hasOlderLeases || hasOlderContact;
  return {
    node: { epoch, op, isLive, version, hasOlderNodes, isOlder },
    ...toWork(message, rows),
  };
}

/** Values of the arrays that name balances in a statement. */
export function keyColumns(keys: readonly LeaseKey[]): unknown[] {
  return [
    keys.map(({ scopeType }) => scopeType),
    keys.map(({ scopeId }) => scopeId),
    keys.map(({ period }) => period),
    keys.map(({ periodStart }) => periodStart),
    keys.map(({ organizationId }) => organizationId),
  ];
}

function toWork(message: SyncMessage, rows: readonly ReadRow[]): Omit<MessageRows, "node"> {
  const keys = new Map<string, LeaseKey>();
  const balances: LeaseWork["balances"] = new Map();
  const leases = new Map<string, LeaseRow>();
  const counts = new Map<string, bigint>();
  const limits = new Map<string, bigint>();
  const missing: LeaseKey[] = [];
  for (const row of rows) {
    const { scopeType, scopeId, period, periodStart, organizationId } = row;
    if (scopeType === null) continue;
    const key = { organizationId, scopeType, scopeId, period, periodStart };
    const text = balanceKeyText(key);
    keys.set(text, key);
    const { settledNanoUsd, leasedNanoUsd, unresolvedNanoUsd } = row;
    if (settledNanoUsd === null) missing.push(key);
    balances.set(text, { settledNanoUsd: settledNanoUsd ?? 0n, leasedNanoUsd, unresolvedNanoUsd });
    const lease = toLease(row);
    if (lease.grantedNanoUsd > 0n || lease.drawnNanoUsd > 0n) leases.set(text, lease);
    if (!message.keys.has(text)) continue;
    if (row.countId !== null) counts.set(text, row.countId);
    if (row.limitNanoUsd !== null) limits.set(text, row.limitNanoUsd);
  }
  const foldedSeq = Number(rows[0]?.foldedSeq ?? 0n);
  const liveNodes = Number(rows[0]?.otherNodes ?? 0n) + 1;
  const awaited = toAwaited(rows[0]);
  const tables = { keys, balances, leases, counts, limits, kept: new Map() };
  return { work: { foldedSeq, liveNodes, awaited, ...tables }, missing };
}

function toAwaited(row: ReadRow | undefined): LeaseWork["awaited"] {
  const { isAwaited = false, awaitedId = null, awaitedUntil = null } = row ?? {};
  const other =
    awaitedId === null || awaitedUntil === null
      ? null
      : { nodeId: awaitedId, untilMs: awaitedUntil.getTime() };
  return { isSelf: isAwaited, other };
}

function toLease({ grantedNanoUsd, olderNanoUsd, drawnNanoUsd, isFenced }: ReadRow): LeaseRow {
  const older = olderNanoUsd === null ? 0n : drawnNanoUsd + olderNanoUsd;
  return { grantedNanoUsd: grantedNanoUsd ?? older, drawnNanoUsd, isFenced };
}

/** Rest of a row of `lease`, or its unresolved amount. A statement that deletes the row reads it as it was. */
export const leftOfRow = sql<bigint>`(SELECT rest.amount_nano_usd FROM lease_left AS rest
  WHERE rest.node_id = lease.node_id AND rest.request_id = lease.request_id AND rest.scope_type = lease.scope_type
    AND rest.scope_id = lease.scope_id AND rest.period = lease.period AND rest.period_start = lease.period_start)`;

/** Row of a node whose leases are locked. */
export interface LockedNode {
  epoch: bigint;
  /** Number of the last message to nodes of version 0.1. */
  op: bigint;
  /** Time until which the node may use its leases, or until which its report is awaited. Null: it is not live. */
  expiresAt: Date | null;
}

/** Locks the leases of a node against its messages, then its row against its flushes and folds. */
export async function lockNode(tx: Tx, nodeId: string): Promise<LockedNode | null> {
  const { rows: last } = await sql<{ expiresAt: Date | null }>`
    SELECT greatest(expires_at, awaited_until) AS "expiresAt" FROM lease_node WHERE node_id = ${nodeId} FOR UPDATE`.execute(
    tx,
  );
  const { rows } = await sql<LockedNode>`
    SELECT epoch, lease_op AS op, lease_expires_at AS "expiresAt" FROM node WHERE id = ${nodeId} FOR UPDATE`.execute(
    tx,
  );
  const [row] = rows;
  return row ? { ...row, expiresAt: laterOf(row.expiresAt, last[0]?.expiresAt ?? null) } : null;
}

function laterOf(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one > other ? one : other;
}

import { CompiledQuery, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";
import { sharedScopeName } from "#src/db/scope-name.ts";
import type { ScopeType } from "#src/db/tables.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { lockBalances } from "./balances.sql.ts";
import { addBatchCharges, type ChargedBalance, listDraws } from "./batch-charges.sql.ts";
import { type HoldRelease, lowerDurableHolds } from "./durable-holds.sql.ts";
import { decodeHoldCharges, type HoldCharge } from "./hold-charges.ts";
import type { StrictLimit } from "./hold-refusal.ts";
import { type BalanceChange, changeBalances, setAmounts } from "./lease-changes.sql.ts";
import { type LeaseClock, nowOf } from "./lease-clock.sql.ts";
import { addDraws } from "./lease-draws.sql.ts";
import { keyColumns, lockNode, readMessageRows } from "./lease-rows.sql.ts";
import {
  draftSync,
  findRefusal,
  isAcknowledged,
  type LeaseKey,
  type SyncAnswer,
  type SyncDraft,
  type SyncMessage,
  type SyncRefusal,
} from "./lease-rules.ts";
import { isActivating } from "./limits.sql.ts";
import {
  convertOlderLeases,
  drawOlderLeases,
  fenceOlderLeases,
  syncOlderLeases,
} from "./older-leases.sql.ts";
import { type BeyondHolds, recordOverruns } from "./overruns.sql.ts";
import { balanceKeyText } from "./spend-key.ts";

// Messages of nodes about their leases, over the rows that lease-rows.sql.ts reads. A message locks the node's row of
// `lease_node`, then the counts of the limits that it grants from. No fold and no flush locks one of them.

/** After so many drafts that other nodes made invalid, a message is applied without grants. */
const MAX_DRAFTS = 8;

const NO_TOP_UPS: SyncMessage["topUps"] = new Map();

/**
 * Handles one message of a node: a read without locks, the decision, and a write that checks it. Throws the database's error.
 * The result of the message is then unknown.
 */
export async function syncLeases(
  database: Database,
  message: SyncMessage,
  options: LeaseClock & { ttlMs: number },
): Promise<SyncAnswer> {
  for (let drafts = 1; drafts <= MAX_DRAFTS; drafts++) {
    const isLast = drafts === MAX_DRAFTS;
    const asked = isLast ? { ...message, grantRequests: [], topUps: NO_TOP_UPS } : message;
    const drafted = await draftMessage(database, asked, options);
    if (drafted.kind === "older") return syncOlderLeases(database, message, options);
    if (drafted.kind !== "drafted") return drafted;
    const answer = await writeDraft(database, drafted, options);
    if (answer?.kind === "done" && isLast) {
      return { ...answer, grants: message.grantRequests.map(() => null) };
    }
    if (answer !== null) return answer;
  }
  return { kind: "late" };
}

export interface DraftedMessage extends SyncDraft {
  kind: "drafted";
  message: SyncMessage;
}

export type Draft = DraftedMessage | SyncRefusal | { kind: "older" };

/** Reads the rows of a message and decides on it. "older": a node of version 0.1 may be alive. */
export async function draftMessage(
  database: Database,
  message: SyncMessage,
  clock: LeaseClock,
): Promise<Draft> {
  let rows = await readMessageRows(database, message, clock);
  if (rows?.node.hasOlderNodes === true) return { kind: "older" };
  const isUnready = rows !== null && (rows.node.isOlder || rows.missing.length > 0);
  if (rows !== null && isUnready) {
    const { node, missing } = rows;
    if (node.isOlder) await convertOlderLeases(database, message.nodeId);
    if (missing.length > 0) await inTransaction(database, (tx) => lockBalances(tx, missing));
    rows = await readMessageRows(database, message, clock);
  }
  if (rows === null) return { kind: "fenced" };
  const refusal = findRefusal(rows.node, message);
  return refusal ?? { kind: "drafted", message, ...draftSync(rows.work, message) };
}

const WRITE = prepareOnce(
  "write_leases",
  `SELECT write_leases($1, $2, $3, $4, $5, $6, $7, $8, $9::text[], $10::text[], $11::text[], $12::date[], $13::uuid[],
    $14::bigint[], $15::bigint[], $16::boolean[], $17::bigint[], $18) AS result`,
);

/** Writes a draft. Null: it is not valid any more, and nothing was written. */
export async function writeDraft(
  database: Database,
  { message, answer, changes, isAwaiting }: DraftedMessage,
  { atMs, ttlMs }: LeaseClock & { ttlMs: number },
): Promise<SyncAnswer | null> {
  const isFollowing = isAcknowledged(message, answer);
  const { rows } = await database.executeQuery<{
    result: "done" | "changed" | "fenced" | "late" | "behind";
  }>(
    CompiledQuery.raw(WRITE, [
      message.nodeId,
      message.epoch,
      message.op,
      message.limitsVersion,
      isFollowing ? message.limitsVersion : null,
      isFollowing && message.isLeaving,
      atMs === null ? null : new Date(atMs),
      ttlMs,
      ...keyColumns(changes.map(({ key }) => key)),
      changes.map(({ grantedNanoUsd }) => grantedNanoUsd),
      changes.map(({ countId }) => countId),
      changes.map(({ isGuarded }) => isGuarded),
      changes.map(({ keptNanoUsd }) => keptNanoUsd),
      isAwaiting,
    ]),
  );
  const kind = rows[0]?.result ?? "changed";
  if (kind === "done") return answer;
  return kind === "changed" ? null : { kind };
}

/** A batch in the transaction of its fold. */
export interface FoldedBatch {
  id: bigint;
  nodeId: string;
  holdCharges: unknown;
}

export interface SettledBalance extends ChargedBalance {
  /** This fold settled more than a strict limit allows. */
  isOverrunGrown: boolean;
}

/**
 * Settles batches inside the fold, which has locked the rows of their nodes: leased turns into settled and unresolved in
 * one step. Returns the balances that a limit or an alert watches. Throws the database's error.
 */
export async function settleBatches(
  tx: Tx,
  batches: readonly FoldedBatch[],
  clock: LeaseClock,
): Promise<SettledBalance[]> {
  const ids = batches.map(({ id }) => id);
  const holds = batches.flatMap(({ nodeId, holdCharges }) =>
    decodeHoldCharges(holdCharges).map((charge) => ({ ...charge, nodeId })),
  );
  const charged = await addBatchCharges(tx, ids, holds);
  const limited = charged.filter(({ hasLimit }) => hasLimit);
  const added = limited.map((balance) => ({ ...balance, nanoUsd: balance.addedNanoUsd }));
  const overrun = await recordOverruns(tx, added, sumBeyondHolds(holds));
  await drawBatches(tx, await findDraws(tx, ids, holds), clock);
  await lowerDurableHolds(tx, listReleases(holds));
  return charged.map((balance) => {
    return { ...balance, isOverrunGrown: overrun.has(balanceKeyText(balance)) };
  });
}

/** Parts of holds of message batches whose lines these batches count. */
function listReleases(holds: readonly HoldCharge[]): HoldRelease[] {
  return holds.flatMap(({ released, organizationId, scopeType, scopeId, period, periodStart }) =>
    released.map((each) => ({ ...each, organizationId, scopeType, scopeId, period, periodStart })),
  );
}

/** Requests beyond their holds of all batches, by key of the balance. */
function sumBeyondHolds(holds: readonly HoldCharge[]): ReadonlyMap<string, BeyondHolds> {
  const sums = new Map<string, BeyondHolds>();
  for (const hold of holds) {
    if (hold.beyondRequests === 0) continue;
    const text = balanceKeyText(hold);
    const sum = sums.get(text);
    const beyond = sum === undefined ? hold.beyond : [...sum.beyond, ...hold.beyond];
    const beyondRequests = hold.beyondRequests + (sum?.beyondRequests ?? 0);
    sums.set(text, { beyond, beyondRequests });
  }
  return sums;
}

/** Spend of one node's batches on one balance. */
interface NodeDraw {
  nodeId: string;
  key: LeaseKey;
  costNanoUsd: bigint;
  /** Holds of requests whose cost is unknown. */
  unresolved: readonly { requestId: string; nanoUsd: bigint }[];
}

/** Sums the draws of the batches, by node and balance. */
async function findDraws(
  tx: Tx,
  ids: readonly bigint[],
  holds: readonly (HoldCharge & { nodeId: string })[],
): Promise<NodeDraw[]> {
  const draws = new Map<string, NodeDraw>();
  for (const { nodeId, addedNanoUsd: costNanoUsd, ...key } of await listDraws(tx, ids)) {
    draws.set(`${nodeId}\n${balanceKeyText(key)}`, { nodeId, key, costNanoUsd, unresolved: [] });
  }
  for (const hold of holds) {
    const { nodeId, unresolved, organizationId, scopeType, scopeId, period, periodStart } = hold;
    if (unresolved.length === 0) continue;
    const key = { organizationId, scopeType, scopeId, period, periodStart };
    const text = `${nodeId}\n${balanceKeyText(key)}`;
    const draw = draws.get(text) ?? { nodeId, key, costNanoUsd: 0n, unresolved: [] };
    draws.set(text, { ...draw, unresolved: [...draw.unresolved, ...unresolved] });
  }
  return [...draws.values()];
}

/** Unresolved holds of one request become part of the balance, beside the draws. */
async function drawBatches(tx: Tx, draws: readonly NodeDraw[], clock: LeaseClock): Promise<void> {
  const sums = draws.map(({ nodeId, key, ...spent }) => ({ nodeId, key, nanoUsd: sumOf(spent) }));
  await addDraws(tx, sums);
  await drawOlderLeases(tx, sums);
  const unresolved = draws.flatMap(({ nodeId, key, unresolved: holds }) =>
    holds.map(({ requestId, nanoUsd }) => ({ nodeId, key, requestId, amountNanoUsd: nanoUsd })),
  );
  const byBalance = new Map<string, BalanceChange>();
  for (const { key, amountNanoUsd } of unresolved) {
    const text = balanceKeyText(key);
    const change = byBalance.get(text) ?? { key, leasedNanoUsd: 0n, unresolvedNanoUsd: 0n };
    change.unresolvedNanoUsd += amountNanoUsd;
    byBalance.set(text, change);
  }
  await changeBalances(tx, [...byBalance.values()]);
  await setAmounts(tx, unresolved, nowOf(clock));
}

function sumOf({ costNanoUsd, unresolved }: Pick<NodeDraw, "costNanoUsd" | "unresolved">): bigint {
  return unresolved.reduce((sum, { nanoUsd }) => sum + nanoUsd, costNanoUsd);
}

/** Fences nodes that were silent for a TTL and a grace. Frees nothing. Returns their ids. */
export async function fenceSilentNodes(
  database: Database,
  options: LeaseClock & { graceMs: number },
): Promise<string[]> {
  const isOver = sql<boolean>`lease_expires_at + ${options.graceMs} * interval '1 millisecond' < ${nowOf(options)}`;
  const { rows: late } = await sql<{ id: string }>`
    SELECT id FROM node_contact WHERE ${isOver} ORDER BY id`.execute(database);
  const fenced: string[] = [];
  for (const { id } of late) {
    const isFenced = await inTransaction(database, async (tx) => {
      await lockNode(tx, id);
      const contact = await sql`
        SELECT FROM node_contact WHERE id = ${id} AND ${isOver}`.execute(tx);
      if (contact.rows.length === 0) return false;
      await fenceNode(tx, id, options);
      return true;
    });
    if (isFenced) fenced.push(id);
  }
  return fenced;
}

/** Ends the epoch of a locked node. Its leases count as unresolved. */
async function fenceNode(tx: Tx, nodeId: string, clock: LeaseClock): Promise<void> {
  await sql`
    UPDATE node SET epoch = epoch + 1, lease_expires_at = NULL WHERE id = ${nodeId}`.execute(tx);
  await sql`
    UPDATE lease_node SET expires_at = NULL, awaited_until = NULL WHERE node_id = ${nodeId}`.execute(
    tx,
  );
  await sql`
    UPDATE lease SET unresolved_since = ${nowOf(clock)}
    WHERE node_id = ${nodeId} AND granted_nano_usd IS NOT NULL AND unresolved_since IS NULL`.execute(
    tx,
  );
  await fenceOlderLeases(tx, nodeId, clock);
}

/**
 * Ends the wait for nodes that have not reported their leases since a failover, and whose leases are over by now. Returns
 * their ids.
 */
export async function endAwaits(database: Database, clock: LeaseClock): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    UPDATE lease_node SET awaited_until = NULL WHERE awaited_until <= ${nowOf(clock)}
    RETURNING node_id AS id`.execute(database);
  return rows.map(({ id }) => id).sort();
}

/**
 * After a restore, while no node runs: fences every node. Spend after the backup is unknown here, so leases count as
 * unresolved. A node whose journal knows it reinstates them.
 */
export async function voidAllLeases(tx: Tx): Promise<{ nodes: number; leasedNanoUsd: bigint }> {
  const { rows } = await sql<{ leasedNanoUsd: bigint }>`
    SELECT coalesce(sum(amount_nano_usd), 0)::bigint AS "leasedNanoUsd" FROM lease_left
    WHERE unresolved_since IS NULL`.execute(tx);
  const { rows: nodes } = await sql<{ id: string }>`SELECT id FROM node ORDER BY id`.execute(tx);
  for (const { id } of nodes) {
    await lockNode(tx, id);
    await fenceNode(tx, id, { atMs: null });
  }
  return { nodes: nodes.length, leasedNanoUsd: rows[0]?.leasedNanoUsd ?? 0n };
}

/** Rises with every change of a limit. */
export async function readLimitsVersion(db: Database | Tx): Promise<bigint> {
  const { rows } = await sql<{ value: bigint }>`SELECT value FROM limits_version`.execute(db);
  return rows[0]?.value ?? 0n;
}

/** All strict limits that count requests, and the version they stand at, of one moment. */
export async function readStrictLimits(
  db: Database | Tx,
): Promise<{ limits: StrictLimit[]; version: bigint }> {
  const { rows } = await sql<{ version: bigint; scopeType: ScopeType | null } & StrictLimit>`
    SELECT v.value AS version, l.id, l.organization_id AS "organizationId", l.scope_type AS "scopeType",
      l.scope_id AS "scopeId", l.period, l.amount_nano_usd AS "amountNanoUsd",
      l.open_ended_hold_nano_usd AS "openEndedHoldNanoUsd", l.unknown_features AS "unknownFeatures", l.hold,
      ${sharedScopeName("l")} AS "scopeName"
    FROM limits_version v LEFT JOIN spend_limit l ON l.enforcement = 'strict' AND l.scope_type <> 'group_member'
    ORDER BY l.scope_type, l.scope_id, l.period`.execute(db);
  const version = rows[0]?.version ?? 0n;
  const limits = rows.filter(({ scopeType }) => scopeType !== null);
  return { limits: limits.map(({ version: _, ...limit }) => limit), version };
}

/** Lists strict limits that do not count all spend yet. */
export async function listActivating(db: Database | Tx): Promise<StrictLimit[]> {
  const { rows } = await sql<StrictLimit>`
    SELECT l.id, l.organization_id AS "organizationId", l.scope_type AS "scopeType", l.scope_id AS "scopeId",
      l.period, l.amount_nano_usd AS "amountNanoUsd", l.open_ended_hold_nano_usd AS "openEndedHoldNanoUsd"
    FROM spend_limit l WHERE ${isActivating}`.execute(db);
  return rows;
}

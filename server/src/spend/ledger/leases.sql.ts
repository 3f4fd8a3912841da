import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { ScopeType } from "#src/db/tables.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { lockBalances } from "./balances.sql.ts";
import { addBatchCharges, type ChargedBalance, listDraws } from "./batch-charges.sql.ts";
import { decodeHoldCharges, type HoldCharge } from "./hold-charges.ts";
import type { StrictLimit } from "./hold-refusal.ts";
import { type LeaseClock, nowOf } from "./lease-clock.sql.ts";
import { addDraws, lockCounts, readDraws } from "./lease-draws.sql.ts";
import {
  applySync,
  type BalanceRow,
  isAcknowledged,
  type LeaseKey,
  type LeaseRow,
  type LeaseWork,
  leftOf,
  type SyncAnswer,
  type SyncMessage,
} from "./lease-rules.ts";
import { isActivating } from "./limits.sql.ts";
import { recordOverruns } from "./overruns.sql.ts";
import { balanceKeyText } from "./spend-key.ts";

// The rows behind lease-rules.ts: loaded and locked, decided on there, written. Locks are taken in one order everywhere:
// the node's row, then balances by their keys. A node's leases are changed under the lock of the node's row only.

/**
 * Handles one message of a node, in one transaction. Throws the database's error. It is then unknown whether the message
 * was obeyed.
 */
export function syncLeases(
  database: Database,
  message: SyncMessage,
  options: LeaseClock & { ttlMs: number },
): Promise<SyncAnswer> {
  return inTransaction(database, async (tx) => {
    const node = await lockNode(tx, message.nodeId);
    if (node === null || node.epoch !== message.epoch) return { kind: "fenced" };
    if (node.op >= BigInt(message.op)) return { kind: "late" };
    const isNew = node.expiresAt === null;
    if (isNew && message.limitsVersion < (await lockLimitsVersion(tx))) return { kind: "behind" };
    const own = await listLeases(tx, message.nodeId);
    const work = await loadWork(tx, { message, own, foldedSeq: node.foldedSeq });
    const before = new Map([...work.balances].map(([key, row]) => [key, { ...row }]));
    const answer = applySync(work, message);
    await writeWork(tx, { message, work, before, own, options });
    const isFollowing = isAcknowledged(message, answer);
    await tx
      .updateTable("node")
      .set({
        lease_op: BigInt(message.op),
        lease_expires_at:
          isFollowing && message.isLeaving
            ? null
            : sql<Date>`${nowOf(options)} + ${options.ttlMs} * interval '1 millisecond'`,
        seen_at: sql<Date>`now()`,
        ...(isFollowing && { limits_version: message.limitsVersion }),
      })
      .where("id", "=", message.nodeId)
      .execute();
    return answer;
  });
}

export async function lockNode(tx: Tx, nodeId: string) {
  const row = await tx
    .selectFrom("node")
    .select(["epoch", "folded_seq", "lease_op as op", "lease_expires_at as expiresAt"])
    .where("id", "=", nodeId)
    .forUpdate()
    .executeTakeFirst();
  return row ? { ...row, foldedSeq: Number(row.folded_seq) } : null;
}

/** A node that begins to count waits for changes under way, and they for it: none of them misses it. */
async function lockLimitsVersion(tx: Tx): Promise<bigint> {
  const row = await tx
    .selectFrom("limits_version")
    .select("value")
    .forShare()
    .executeTakeFirstOrThrow();
  return row.value;
}

/** Row of a node's lease. */
interface OwnLease extends LeaseKey {
  /** Part that is not drawn, integer nano-USD. */
  amountNanoUsd: bigint;
  isReclaimed: boolean;
}

async function listLeases(tx: Tx, nodeId: string): Promise<Map<string, OwnLease>> {
  const rows = await tx
    .selectFrom("lease")
    .select([
      "scope_type as scopeType",
      "scope_id as scopeId",
      "period",
      "period_start as periodStart",
      "organization_id as organizationId",
      "amount_nano_usd as amountNanoUsd",
      "unresolved_since as since",
    ])
    .where("node_id", "=", nodeId)
    .where("request_id", "=", "")
    .execute();
  return new Map(
    rows.map(({ since, ...row }) => [balanceKeyText(row), { ...row, isReclaimed: since !== null }]),
  );
}

/** Locks the balances of the message and of all leases of the node, then reads everything about them. */
async function loadWork(
  tx: Tx,
  loaded: { message: SyncMessage; own: ReadonlyMap<string, OwnLease>; foldedSeq: number },
): Promise<LeaseWork> {
  const { message, own, foldedSeq } = loaded;
  const keys = new Map<string, LeaseKey>([...own, ...message.keys]);
  const balances = await lockBalances(tx, [...keys.values()]);
  await lockCounts(
    tx,
    [...message.keys].filter(([text]) => !own.has(text)).map(([, key]) => key),
  );
  const { nodeId } = message;
  const { drawn, counts } = await readDraws(tx, { nodeId, keys: [...keys.values()] });
  const leases = new Map<string, LeaseRow>();
  for (const text of keys.keys()) {
    const drawnNanoUsd = drawn.get(text) ?? 0n;
    const { amountNanoUsd = 0n, isReclaimed = false } = own.get(text) ?? {};
    const grantedNanoUsd = drawnNanoUsd + amountNanoUsd;
    if (grantedNanoUsd > 0n) leases.set(text, { grantedNanoUsd, drawnNanoUsd, isReclaimed });
  }
  const limits = await readStrictAmounts(tx, message.keys);
  return { foldedSeq, balances, leases, counts, limits, kept: new Map() };
}

async function readStrictAmounts(
  tx: Tx,
  keys: ReadonlyMap<string, LeaseKey>,
): Promise<Map<string, bigint>> {
  if (keys.size === 0) return new Map();
  const wanted = [...keys];
  const { rows } = await sql<{ text: string; amountNanoUsd: bigint }>`
    SELECT k.text, l.amount_nano_usd AS "amountNanoUsd"
    FROM unnest(${wanted.map(([text]) => text)}::text[],
      ${wanted.map(([, key]) => key.scopeType)}::text[], ${wanted.map(([, key]) => key.scopeId)}::text[],
      ${wanted.map(([, key]) => key.period)}::text[]) AS k (text, scope_type, scope_id, period)
    JOIN spend_limit l USING (scope_type, scope_id, period)
    WHERE l.enforcement = 'strict'`.execute(tx);
  return new Map(rows.map(({ text, amountNanoUsd }) => [text, amountNanoUsd]));
}

interface Written {
  message: SyncMessage;
  work: LeaseWork;
  before: ReadonlyMap<string, BalanceRow>;
  own: ReadonlyMap<string, OwnLease>;
  options: LeaseClock;
}

async function writeWork(tx: Tx, { message, work, before, own, options }: Written): Promise<void> {
  const keys = new Map<string, LeaseKey>([...own, ...message.keys]);
  const changes: BalanceChange[] = [];
  const leases: { key: LeaseKey; requestId: string; amountNanoUsd: bigint }[] = [];
  const kept: typeof leases = [];
  for (const [text, key] of keys) {
    const [was, is] = [before.get(text), work.balances.get(text)];
    if (was === undefined || is === undefined) continue;
    const leasedNanoUsd = is.leasedNanoUsd - was.leasedNanoUsd;
    const unresolvedNanoUsd = is.unresolvedNanoUsd - was.unresolvedNanoUsd;
    if (leasedNanoUsd !== 0n || unresolvedNanoUsd !== 0n) {
      changes.push({ key, leasedNanoUsd, unresolvedNanoUsd });
    }
    const lease = work.leases.get(text);
    const row = own.get(text);
    const amountNanoUsd = lease === undefined ? 0n : leftOf(lease);
    const isChanged = amountNanoUsd !== (row?.amountNanoUsd ?? 0n) || row?.isReclaimed === true;
    if (isChanged) leases.push({ key, requestId: "", amountNanoUsd });
    const keptNanoUsd = work.kept.get(text);
    if (keptNanoUsd !== undefined) {
      kept.push({ key, requestId: `epoch:${message.epoch}`, amountNanoUsd: keptNanoUsd });
    }
  }
  await changeBalances(tx, changes);
  await setLeases(tx, message.nodeId, leases, null);
  await setLeases(tx, message.nodeId, kept, nowOf(options));
}

export interface BalanceChange {
  key: LeaseKey;
  leasedNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
}

/** The rows are locked already. */
export async function changeBalances(tx: Tx, changes: readonly BalanceChange[]): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    UPDATE balance SET leased_nano_usd = leased_nano_usd + c.leased,
      unresolved_nano_usd = unresolved_nano_usd + c.unresolved
    FROM unnest(${changes.map(({ key }) => key.scopeType)}::text[],
      ${changes.map(({ key }) => key.scopeId)}::text[], ${changes.map(({ key }) => key.period)}::text[],
      ${changes.map(({ key }) => key.periodStart)}::date[],
      ${changes.map((change) => change.leasedNanoUsd)}::bigint[],
      ${changes.map((change) => change.unresolvedNanoUsd)}::bigint[])
      AS c (scope_type, scope_id, period, period_start, leased, unresolved)
    WHERE balance.scope_type = c.scope_type AND balance.scope_id = c.scope_id
      AND balance.period = c.period AND balance.period_start = c.period_start`.execute(tx);
}

/** `since` null: leases. A row of nothing goes. */
async function setLeases(
  tx: Tx,
  nodeId: string,
  rows: readonly { key: LeaseKey; requestId: string; amountNanoUsd: bigint }[],
  since: ReturnType<typeof nowOf> | null,
): Promise<void> {
  if (rows.length === 0) return;
  await tx
    .insertInto("lease")
    .values(
      rows.map(({ key, requestId, amountNanoUsd }) => ({
        node_id: nodeId,
        request_id: requestId,
        scope_type: key.scopeType,
        scope_id: key.scopeId,
        period: key.period,
        period_start: key.periodStart,
        organization_id: key.organizationId,
        amount_nano_usd: amountNanoUsd,
        unresolved_since: since,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(["node_id", "request_id", "scope_type", "scope_id", "period", "period_start"])
        .doUpdateSet((eb) => ({
          // A lease is set. What is unresolved adds up: a node may have to say twice what its journal has lost.
          amount_nano_usd: eb
            .case()
            .when("lease.request_id", "=", "")
            .then(eb.ref("excluded.amount_nano_usd"))
            .else(eb("lease.amount_nano_usd", "+", eb.ref("excluded.amount_nano_usd")))
            .end(),
          unresolved_since: eb.ref("excluded.unresolved_since"),
        })),
    )
    .execute();
  const isSpent = rows.some(({ amountNanoUsd }) => amountNanoUsd === 0n);
  await deleteSpentLeases(tx, nodeId, [{ isSpent }]);
}

async function deleteSpentLeases(
  tx: Tx,
  nodeId: string,
  changed: readonly { isSpent: boolean }[],
): Promise<void> {
  if (!changed.some(({ isSpent }) => isSpent)) return;
  await tx
    .deleteFrom("lease")
    .where("node_id", "=", nodeId)
    .where("request_id", "=", "")
    .where("amount_nano_usd", "=", 0n)
    .execute();
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
  const overrun = await recordOverruns(tx, added);
  await drawBatches(tx, await findDraws(tx, ids, holds), clock);
  return charged.map((balance) => {
    return { ...balance, isOverrunGrown: overrun.has(balanceKeyText(balance)) };
  });
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
  for (const { nodeId, unresolved, overrunNanoUsd: _, ...key } of holds) {
    if (unresolved.length === 0) continue;
    const text = `${nodeId}\n${balanceKeyText(key)}`;
    const draw = draws.get(text) ?? { nodeId, key, costNanoUsd: 0n, unresolved: [] };
    draws.set(text, { ...draw, unresolved: [...draw.unresolved, ...unresolved] });
  }
  return [...draws.values()];
}

async function drawBatches(tx: Tx, draws: readonly NodeDraw[], clock: LeaseClock): Promise<void> {
  await addDraws(
    tx,
    draws.map(({ nodeId, key, ...spent }) => ({ nodeId, key, nanoUsd: sumOf(spent) })),
  );
  for (const [nodeId, own] of Map.groupBy(draws, (draw) => draw.nodeId)) {
    const leases = await listLeases(tx, nodeId);
    const drawn = own.map((draw) => drawFrom(leases.get(balanceKeyText(draw.key)), draw));
    await changeBalances(
      tx,
      drawn.filter((change) => change.leasedNanoUsd !== 0n || change.unresolvedNanoUsd !== 0n),
    );
    await drawLeases(tx, nodeId, drawn);
    await deleteSpentLeases(tx, nodeId, drawn);
    const unresolved = own.flatMap(({ key, unresolved: holds }) =>
      holds.map(({ requestId, nanoUsd }) => ({ key, requestId, amountNanoUsd: nanoUsd })),
    );
    await setLeases(tx, nodeId, unresolved, nowOf(clock));
  }
}

function sumOf({ costNanoUsd, unresolved }: Pick<NodeDraw, "costNanoUsd" | "unresolved">): bigint {
  return unresolved.reduce((sum, { nanoUsd }) => sum + nanoUsd, costNanoUsd);
}

/** Change of a balance and of the lease that is drawn. */
interface Drawn extends BalanceChange {
  leaseNanoUsd: bigint;
  isSpent: boolean;
}

/** Leased becomes settled and unresolved in one step, also beyond the lease. */
function drawFrom(lease: OwnLease | undefined, draw: NodeDraw): Drawn {
  const amount = lease?.amountNanoUsd ?? 0n;
  const sum = sumOf(draw);
  const taken = sum < amount ? sum : amount;
  const isReclaimed = lease?.isReclaimed === true;
  return {
    key: draw.key,
    leasedNanoUsd: isReclaimed ? 0n : -taken,
    unresolvedNanoUsd: sum - draw.costNanoUsd - (isReclaimed ? taken : 0n),
    leaseNanoUsd: -taken,
    isSpent: taken > 0n && taken === amount,
  };
}

async function drawLeases(tx: Tx, nodeId: string, drawn: readonly Drawn[]): Promise<void> {
  const rows = drawn.filter((each) => each.leaseNanoUsd !== 0n);
  if (rows.length === 0) return;
  await sql`
    UPDATE lease SET amount_nano_usd = lease.amount_nano_usd + d.nano_usd
    FROM unnest(${rows.map(({ key }) => key.scopeType)}::text[], ${rows.map(({ key }) => key.scopeId)}::text[],
      ${rows.map(({ key }) => key.period)}::text[], ${rows.map(({ key }) => key.periodStart)}::date[],
      ${rows.map((each) => each.leaseNanoUsd)}::bigint[])
      AS d (scope_type, scope_id, period, period_start, nano_usd)
    WHERE lease.node_id = ${nodeId} AND lease.request_id = '' AND lease.scope_type = d.scope_type
      AND lease.scope_id = d.scope_id AND lease.period = d.period
      AND lease.period_start = d.period_start`.execute(tx);
}

/**
 * Fences the nodes that were not heard of for a TTL and a grace: nothing is freed, what they had turns unresolved.
 * Gives back their ids.
 */
export async function reclaimLeases(
  database: Database,
  options: LeaseClock & { graceMs: number },
): Promise<string[]> {
  const isOver = sql<boolean>`lease_expires_at + ${options.graceMs} * interval '1 millisecond' < ${nowOf(options)}`;
  const late = await database.selectFrom("node").select("id").where(isOver).orderBy("id").execute();
  const reclaimed: string[] = [];
  for (const { id } of late) {
    const isReclaimed = await inTransaction(database, async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable("node")
        .set({ epoch: sql<bigint>`epoch + 1`, lease_expires_at: null })
        .where("id", "=", id)
        .where(isOver)
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n) return false;
      await markUnresolved(tx, id, options);
      return true;
    });
    if (isReclaimed) reclaimed.push(id);
  }
  return reclaimed;
}

/** What the node has of balances; its row is locked. Gives the sum over all balances. */
async function markUnresolved(tx: Tx, nodeId: string, clock: LeaseClock): Promise<bigint> {
  const leases = [...(await listLeases(tx, nodeId)).values()].filter((row) => !row.isReclaimed);
  await lockBalances(tx, leases);
  await changeBalances(
    tx,
    leases.map((key) => ({
      key,
      leasedNanoUsd: -key.amountNanoUsd,
      unresolvedNanoUsd: key.amountNanoUsd,
    })),
  );
  const rows = leases.map((key) => ({ key, requestId: "", amountNanoUsd: key.amountNanoUsd }));
  await setLeases(tx, nodeId, rows, nowOf(clock));
  return leases.reduce((sum, { amountNanoUsd }) => sum + amountNanoUsd, 0n);
}

/**
 * After a restore, while no node runs: raises every node's epoch and frees nothing. What nodes had leased is unresolved,
 * since what they spent of it after the backup is not known here. One whose journal knows takes it up again.
 */
export async function voidAllLeases(tx: Tx): Promise<{ nodes: number; leasedNanoUsd: bigint }> {
  const nodes = await tx
    .updateTable("node")
    .set({ epoch: sql<bigint>`epoch + 1`, lease_expires_at: null })
    .returning("id")
    .execute();
  let leasedNanoUsd = 0n;
  for (const { id } of nodes) leasedNanoUsd += await markUnresolved(tx, id, { atMs: null });
  return { nodes: nodes.length, leasedNanoUsd };
}

/** Rises with every change of a limit. */
export async function readLimitsVersion(db: Database | Tx): Promise<bigint> {
  const row = await db.selectFrom("limits_version").select("value").executeTakeFirstOrThrow();
  return row.value;
}

/** All strict limits and the version they stand at, of one moment. */
export async function readStrictLimits(
  db: Database | Tx,
): Promise<{ limits: StrictLimit[]; version: bigint }> {
  const { rows } = await sql<{ version: bigint; scopeType: ScopeType | null } & StrictLimit>`
    SELECT v.value AS version, l.id, l.organization_id AS "organizationId", l.scope_type AS "scopeType",
      l.scope_id AS "scopeId", l.period, l.amount_nano_usd AS "amountNanoUsd",
      l.open_ended_hold_nano_usd AS "openEndedHoldNanoUsd"
    FROM limits_version v LEFT JOIN spend_limit l ON l.enforcement = 'strict'
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

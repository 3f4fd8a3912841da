import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { lockBalances } from "./balances.sql.ts";
import { type BalanceChange, changeBalances, setAmounts } from "./lease-changes.sql.ts";
import { type LeaseClock, nowOf } from "./lease-clock.sql.ts";
import { lockCounts } from "./lease-draws.sql.ts";
import { lockNode, readMessageRows } from "./lease-rows.sql.ts";
import {
  type BalanceRow,
  draftSync,
  findRefusal,
  isAcknowledged,
  type LeaseChange,
  type LeaseKey,
  type LeaseWork,
  leftOf,
  type SyncAnswer,
  type SyncMessage,
} from "./lease-rules.ts";
import { balanceKeyText } from "./spend-key.ts";

// Leases as nodes of version 0.1 read and write them. A row of `lease` has the rest of the lease, and the balance has the
// sum. All of it changes under the locks of the node's row and of the balances. Nodes of this version write such rows
// while a node of version 0.1 may be alive, and convert their own afterwards. Leases of dead nodes stay as they are.

/** A lease as version 0.1 stores it. */
interface OlderLease extends LeaseKey {
  nodeId: string;
  /** Rest of the lease, integer nano-USD. */
  amountNanoUsd: bigint;
  isFenced: boolean;
}

async function listOlderLeases(tx: Tx, nodeIds: readonly string[]): Promise<OlderLease[]> {
  const { rows } = await sql<OlderLease>`
    SELECT node_id AS "nodeId", scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart",
      organization_id AS "organizationId", amount_nano_usd AS "amountNanoUsd",
      unresolved_since IS NOT NULL AS "isFenced"
    FROM lease WHERE node_id = ANY(${[...nodeIds]}::text[]) AND request_id = '' AND granted_nano_usd IS NULL`.execute(
    tx,
  );
  return rows;
}

/** Handles one message of a node while a node of version 0.1 may be alive. Throws the database's error. */
export function syncOlderLeases(
  database: Database,
  message: SyncMessage,
  options: LeaseClock & { ttlMs: number },
): Promise<SyncAnswer> {
  return inTransaction(database, async (tx) => {
    await lockNode(tx, message.nodeId);
    await sql`SELECT value FROM limits_version FOR SHARE`.execute(tx);
    const own = message.isComplete ? await listOlderLeases(tx, [message.nodeId]) : [];
    await lockBalances(tx, [...own, ...message.keys.values()]);
    await lockCounts(tx, [...message.keys.values()]);
    const rows = await readMessageRows(tx, message, options);
    if (rows === null) return { kind: "fenced" };
    const refusal = findRefusal(rows.node, message);
    if (refusal !== null) return refusal;
    const { work } = rows;
    const before = new Map([...work.balances].map(([text, row]) => [text, { ...row }]));
    const { answer, changes } = draftSync(work, message);
    await writeChanges(tx, { message, work, before, changes, options });
    const isFollowing = isAcknowledged(message, answer);
    const expiresAt =
      isFollowing && message.isLeaving
        ? sql`NULL`
        : sql`${nowOf(options)} + ${options.ttlMs} * interval '1 millisecond'`;
    await sql`
      UPDATE node SET lease_op = ${message.op}, lease_expires_at = ${expiresAt}, seen_at = now(),
        limits_version = coalesce(${isFollowing ? message.limitsVersion : null}::bigint, limits_version)
      WHERE id = ${message.nodeId}`.execute(tx);
    if (isFollowing) await endAwait(tx, message.nodeId);
    return answer;
  });
}

async function endAwait(tx: Tx, nodeId: string): Promise<void> {
  await sql`
    UPDATE lease_node SET awaited_until = NULL
    WHERE node_id = ${nodeId} AND awaited_until IS NOT NULL`.execute(tx);
}

interface Written {
  message: SyncMessage;
  work: LeaseWork;
  before: ReadonlyMap<string, BalanceRow>;
  changes: readonly LeaseChange[];
  options: LeaseClock;
}

async function writeChanges(
  tx: Tx,
  { message, work, before, changes, options }: Written,
): Promise<void> {
  const { nodeId } = message;
  await changeBalances(
    tx,
    [...work.balances].flatMap(([text, is]) => {
      const [key, was] = [work.keys.get(text), before.get(text)];
      return key === undefined || was === undefined ? [] : [{ key, ...subtract(is, was) }];
    }),
  );
  const leases = changes.map(({ text, key }) => {
    const lease = work.leases.get(text);
    return { nodeId, key, requestId: "", amountNanoUsd: lease ? leftOf(lease) : 0n };
  });
  await setAmounts(tx, leases, null);
  await deleteSpent(tx, nodeId);
  const kept = changes.flatMap(({ key, keptNanoUsd: amountNanoUsd }) => {
    const requestId = `epoch:${message.epoch}`;
    return amountNanoUsd === null ? [] : [{ nodeId, key, requestId, amountNanoUsd }];
  });
  await setAmounts(tx, kept, nowOf(options));
}

function subtract(is: BalanceRow, was: BalanceRow): Omit<BalanceChange, "key"> {
  return {
    leasedNanoUsd: is.leasedNanoUsd - was.leasedNanoUsd,
    unresolvedNanoUsd: is.unresolvedNanoUsd - was.unresolvedNanoUsd,
  };
}

async function deleteSpent(tx: Tx, nodeId: string): Promise<void> {
  await sql`
    DELETE FROM lease WHERE node_id = ${nodeId} AND request_id = '' AND granted_nano_usd IS NULL
      AND amount_nano_usd = 0`.execute(tx);
}

/** Spend of one node on one balance, counted by a fold. */
export interface LeaseDraw {
  nodeId: string;
  key: LeaseKey;
  /** Cost and unresolved holds, integer nano-USD. */
  nanoUsd: bigint;
}

/** Subtracts draws from leases inside a fold, which has locked the nodes and the balances. */
export async function drawOlderLeases(tx: Tx, draws: readonly LeaseDraw[]): Promise<void> {
  const nodeIds = [...new Set(draws.map(({ nodeId }) => nodeId))];
  const leases = nodeIds.length === 0 ? [] : await listOlderLeases(tx, nodeIds);
  if (leases.length === 0) return;
  const sums = new Map(draws.map((draw) => [`${draw.nodeId}\n${balanceKeyText(draw.key)}`, draw]));
  const drawn = leases.flatMap((lease) => {
    const nanoUsd = sums.get(`${lease.nodeId}\n${balanceKeyText(lease)}`)?.nanoUsd ?? 0n;
    const takenNanoUsd = nanoUsd < lease.amountNanoUsd ? nanoUsd : lease.amountNanoUsd;
    return takenNanoUsd === 0n ? [] : [{ lease, takenNanoUsd }];
  });
  for (const nodeId of nodeIds) {
    const own = drawn.filter(({ lease }) => lease.nodeId === nodeId);
    if (own.length === 0) continue;
    await changeBalances(
      tx,
      own.map(({ lease, takenNanoUsd }) => ({
        key: lease,
        leasedNanoUsd: lease.isFenced ? 0n : -takenNanoUsd,
        unresolvedNanoUsd: lease.isFenced ? -takenNanoUsd : 0n,
      })),
    );
    await sql`
      UPDATE lease SET amount_nano_usd = lease.amount_nano_usd - d.nano_usd
      FROM unnest(${own.map(({ lease }) => lease.scopeType)}::text[], ${own.map(({ lease }) => lease.scopeId)}::text[],
        ${own.map(({ lease }) => lease.period)}::text[], ${own.map(({ lease }) => lease.periodStart)}::date[],
        ${own.map(({ takenNanoUsd }) => takenNanoUsd)}::bigint[])
        AS d (scope_type, scope_id, period, period_start, nano_usd)
      WHERE lease.node_id = ${nodeId} AND lease.request_id = '' AND lease.scope_type = d.scope_type
        AND lease.scope_id = d.scope_id AND lease.period = d.period
        AND lease.period_start = d.period_start`.execute(tx);
    await deleteSpent(tx, nodeId);
  }
}

/** Turns the leases of a node into unresolved amounts. The node's row is locked. */
export async function fenceOlderLeases(tx: Tx, nodeId: string, clock: LeaseClock): Promise<void> {
  const leases = (await listOlderLeases(tx, [nodeId])).filter((row) => !row.isFenced);
  if (leases.length === 0) return;
  await lockBalances(tx, leases);
  await changeBalances(
    tx,
    leases.map(({ amountNanoUsd, ...key }) => ({
      key,
      leasedNanoUsd: -amountNanoUsd,
      unresolvedNanoUsd: amountNanoUsd,
    })),
  );
  const rows = leases.map(({ amountNanoUsd, ...key }) => {
    return { nodeId, key, requestId: "", amountNanoUsd };
  });
  await setAmounts(tx, rows, nowOf(clock));
}

/**
 * Converts the leases and the contact of a node, once no node of version 0.1 is left. Amounts of no balance change. A second
 * run changes nothing.
 */
export async function convertOlderLeases(database: Database, nodeId: string): Promise<void> {
  await inTransaction(database, async (tx) => {
    if ((await lockNode(tx, nodeId)) === null) return;
    const leases = await listOlderLeases(tx, [nodeId]);
    await lockBalances(tx, leases);
    await changeBalances(
      tx,
      leases.map(({ amountNanoUsd, isFenced, ...key }) => ({
        key,
        leasedNanoUsd: isFenced ? 0n : -amountNanoUsd,
        unresolvedNanoUsd: isFenced ? -amountNanoUsd : 0n,
      })),
    );
    await sql`
      UPDATE lease SET amount_nano_usd = 0, granted_nano_usd = lease.amount_nano_usd + coalesce((
        SELECT drawn_nano_usd FROM lease_draw AS draw WHERE draw.node_id = lease.node_id
          AND draw.scope_type = lease.scope_type AND draw.scope_id = lease.scope_id AND draw.period = lease.period
          AND draw.period_start = lease.period_start), 0)
      WHERE node_id = ${nodeId} AND request_id = '' AND granted_nano_usd IS NULL`.execute(tx);
    await sql`
      INSERT INTO lease_node (node_id, epoch, op, expires_at, limits_version, seen_at)
      SELECT id, epoch, lease_op, lease_expires_at, limits_version, seen_at FROM node
      WHERE id = ${nodeId} AND lease_expires_at IS NOT NULL
      ON CONFLICT (node_id) DO UPDATE SET epoch = excluded.epoch, op = excluded.op, expires_at = excluded.expires_at,
        limits_version = excluded.limits_version, seen_at = excluded.seen_at`.execute(tx);
    await sql`
      UPDATE node SET lease_expires_at = NULL
      WHERE id = ${nodeId} AND lease_expires_at IS NOT NULL`.execute(tx);
  });
}

import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { sharedScopeName } from "#src/db/scope-name.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import { lockBalances } from "./balances.sql.ts";
import { BATCHES_NODE } from "./batches-node.ts";
import { chainOf, type SpendScope } from "./charges.ts";
import {
  describeHold,
  findRefusal,
  findSpent,
  type HoldRefusal,
  hasRoom,
  type LimitInForce,
  type StrictLimit,
} from "./hold-refusal.ts";
import { type BalanceChange, changeBalances, setAmounts } from "./lease-changes.sql.ts";
import { keyColumns } from "./lease-rows.sql.ts";
import type { AwaitedNode, BalanceRow, LeaseKey } from "./lease-rules.ts";
import { balanceKeyText } from "./spend-key.ts";

// Holds of message batches. A batch outlives its node, so its hold is no part of a lease. The hold has a row in every
// balance of its chain, with or without a limit, and is part of the leased amount. Folds lower it by the holds of the lines
// that they count, so each line is held or settled at every moment (docs/decisions/0116-holds-of-batches.md).

export interface DurableHold {
  /** Id of the batch. */
  holdId: string;
  scope: SpendScope;
  /** Time that decides the periods, milliseconds since the epoch. */
  startedAtMs: number;
  amountNanoUsd: bigint;
  /** Amount of one balance, nano-USD. Default: `amountNanoUsd`. */
  amountOf?: (key: Pick<LeaseKey, "scopeType" | "scopeId" | "period">) => bigint;
}

/** A part of a hold that ended lines no longer need. */
export interface HoldRelease extends LeaseKey {
  holdId: string;
  nanoUsd: bigint;
}

/** Lists the balances that count a request of this scope and start. */
export function listChainKeys(scope: SpendScope, startedAtMs: number): LeaseKey[] {
  return periodNames.flatMap((period) => {
    const periodStart = periodOf(period, startedAtMs).start;
    return chainOf(scope).map(([scopeType, scopeId]) => {
      const { organizationId } = scope;
      return { organizationId, scopeType, scopeId, period, periodStart };
    });
  });
}

function findAmount({ amountNanoUsd, amountOf }: DurableHold, key: LeaseKey): bigint {
  return amountOf?.(key) ?? amountNanoUsd;
}

/**
 * Holds the amount in every balance of the chain, or in none. The guard is that of a grant: settled + leased + unresolved +
 * amount <= limit. Grants and holds of one limit run one after the other. Returns null, or the refusal.
 */
export async function placeDurableHold(tx: Tx, hold: DurableHold): Promise<HoldRefusal | null> {
  const keys = listChainKeys(hold.scope, hold.startedAtMs);
  await lockGrants(tx, keys);
  await lockBalances(tx, keys);
  const refusal = await findDurableRefusal(tx, keys, hold);
  if (refusal !== null) return refusal;
  await writeHold(tx, keys, hold);
  return null;
}

/** Holds a batch that the upstream runs already, without a guard. A failover has lost its hold. */
export async function restoreDurableHold(tx: Tx, hold: DurableHold): Promise<void> {
  const keys = listChainKeys(hold.scope, hold.startedAtMs);
  await lockBalances(tx, keys);
  await writeHold(tx, keys, hold);
}

async function writeHold(tx: Tx, keys: readonly LeaseKey[], hold: DurableHold): Promise<void> {
  const rows = keys.map((key) => {
    const amountNanoUsd = findAmount(hold, key);
    return { nodeId: BATCHES_NODE, requestId: rowId(hold.holdId), key, amountNanoUsd };
  });
  await setAmounts(tx, rows, null);
  await changeBalances(
    tx,
    rows.map(({ key, amountNanoUsd: leasedNanoUsd }) => {
      return { key, leasedNanoUsd, unresolvedNanoUsd: 0n };
    }),
  );
}

/** Deletes what is left of a hold. Nothing of it was sent, or folds have counted all its lines. */
export async function releaseDurableHold(
  tx: Tx,
  { holdId, scope, startedAtMs }: Omit<DurableHold, "amountNanoUsd">,
): Promise<void> {
  await lockBalances(tx, listChainKeys(scope, startedAtMs));
  const { rows } = await sql<LeaseKey & { nanoUsd: bigint }>`
    DELETE FROM lease WHERE node_id = ${BATCHES_NODE} AND request_id = ${rowId(holdId)}
    RETURNING scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart",
      organization_id AS "organizationId", amount_nano_usd AS "nanoUsd"`.execute(tx);
  await lowerBalances(tx, rows);
}

/**
 * Lowers holds inside a fold, which has locked their balances. A row without a rest is deleted. Older nodes that fold a batch
 * lower nothing, so no release is larger than its row.
 */
export async function lowerDurableHolds(tx: Tx, releases: readonly HoldRelease[]): Promise<void> {
  if (releases.length === 0) return;
  const { rows } = await sql<LeaseKey & { nanoUsd: bigint }>`
    WITH release AS (
      SELECT request_id, scope_type, scope_id, period, period_start, sum(nano_usd)::bigint AS nano_usd
      FROM unnest(${releases.map(({ holdId }) => rowId(holdId))}::text[],
        ${releases.map(({ scopeType }) => scopeType)}::text[], ${releases.map(({ scopeId }) => scopeId)}::text[],
        ${releases.map(({ period }) => period)}::text[], ${releases.map((each) => each.periodStart)}::date[],
        ${releases.map(({ nanoUsd }) => nanoUsd)}::bigint[])
        AS one (request_id, scope_type, scope_id, period, period_start, nano_usd)
      GROUP BY 1, 2, 3, 4, 5
    )
    UPDATE lease SET amount_nano_usd = lease.amount_nano_usd - least(lease.amount_nano_usd, release.nano_usd)
    FROM release, (SELECT * FROM lease WHERE node_id = ${BATCHES_NODE}) AS before
    WHERE lease.node_id = ${BATCHES_NODE} AND lease.request_id = release.request_id
      AND lease.scope_type = release.scope_type AND lease.scope_id = release.scope_id
      AND lease.period = release.period AND lease.period_start = release.period_start
      AND before.request_id = lease.request_id AND before.scope_type = lease.scope_type
      AND before.scope_id = lease.scope_id AND before.period = lease.period
      AND before.period_start = lease.period_start
    RETURNING lease.scope_type AS "scopeType", lease.scope_id AS "scopeId", lease.period,
      lease.period_start AS "periodStart", lease.organization_id AS "organizationId",
      least(before.amount_nano_usd, release.nano_usd) AS "nanoUsd"`.execute(tx);
  await lowerBalances(tx, rows);
  const ids = [...new Set(releases.map(({ holdId }) => rowId(holdId)))];
  await sql`
    DELETE FROM lease WHERE node_id = ${BATCHES_NODE} AND request_id = ANY(${ids}::text[])
      AND amount_nano_usd = 0`.execute(tx);
}

/** Key of the rows of a hold. The row of an unresolved request has the id of the batch itself. */
function rowId(holdId: string): string {
  return `batch:${holdId}`;
}

async function lowerBalances(
  tx: Tx,
  rows: readonly (LeaseKey & { nanoUsd: bigint })[],
): Promise<void> {
  const sums = new Map<string, BalanceChange>();
  for (const { nanoUsd, ...key } of rows) {
    const text = balanceKeyText(key);
    const sum = sums.get(text) ?? { key, leasedNanoUsd: 0n, unresolvedNanoUsd: 0n };
    sum.leasedNanoUsd -= nanoUsd;
    sums.set(text, sum);
  }
  await changeBalances(tx, [...sums.values()]);
}

/** Waits for grants on the limits of these balances, and keeps new ones out, as a grant of a node does. */
async function lockGrants(tx: Tx, keys: readonly LeaseKey[]): Promise<void> {
  const [types, ids, periods] = keyColumns(keys);
  await sql`
    SELECT FROM counted_limit WHERE (scope_type, scope_id, period) IN (
      SELECT * FROM unnest(${types}::text[], ${ids}::text[], ${periods}::text[]))
    ORDER BY scope_type, scope_id, period FOR NO KEY UPDATE`.execute(tx);
}

interface LimitRow extends StrictLimit, BalanceRow {
  isCounted: boolean;
}

async function findDurableRefusal(
  tx: Tx,
  keys: readonly LeaseKey[],
  hold: DurableHold,
): Promise<HoldRefusal | null> {
  const chain = await readLimits(tx, keys, hold);
  const spent = findSpent({ amountNanoUsd: hold.amountNanoUsd }, chain);
  if (spent !== null) return spent;
  for (const state of chain) {
    const tooLarge = findRefusal(state, [state]);
    if (tooLarge !== null) return tooLarge;
  }
  const uncounted = chain.find(({ isCounted }) => !isCounted);
  if (uncounted !== undefined) {
    return { kind: "refused", reason: "uncounted", ...describeHold(uncounted, uncounted) };
  }
  const full = chain.find((state) => !hasRoom(state, state));
  if (full !== undefined) {
    return { kind: "refused", reason: "held", ...describeHold(full, full) };
  }
  const awaited = chain.length === 0 ? null : await findAwaited(tx);
  if (awaited === null) return null;
  return {
    kind: "refused",
    reason: "node_awaited",
    ...describeHold({ amountNanoUsd: hold.amountNanoUsd }, chain[0]),
    awaited,
  };
}

/** A strict limit, and the amount that the hold needs under it. */
interface LimitOfHold extends LimitInForce {
  isCounted: boolean;
  amountNanoUsd: bigint;
}

/** Strict limits of the balances, narrowest scope first, with their amounts under the locks of the transaction. */
async function readLimits(
  tx: Tx,
  keys: readonly LeaseKey[],
  hold: DurableHold,
): Promise<LimitOfHold[]> {
  const [types, ids, periods, starts] = keyColumns(keys);
  const { rows } = await sql<LimitRow>`
    SELECT l.id, l.organization_id AS "organizationId", l.scope_type AS "scopeType", l.scope_id AS "scopeId", l.period,
      l.amount_nano_usd AS "amountNanoUsd", l.open_ended_hold_nano_usd AS "openEndedHoldNanoUsd",
      l.unknown_features AS "unknownFeatures", ${sharedScopeName("l")} AS "scopeName",
      counted.id IS NOT NULL AS "isCounted", sum.settled_nano_usd AS "settledNanoUsd",
      sum.leased_nano_usd AS "leasedNanoUsd", sum.unresolved_nano_usd AS "unresolvedNanoUsd"
    FROM unnest(${types}::text[], ${ids}::text[], ${periods}::text[], ${starts}::date[]) WITH ORDINALITY
      AS key (scope_type, scope_id, period, period_start, place)
    JOIN spend_limit AS l USING (scope_type, scope_id, period)
    JOIN balance_sum AS sum USING (scope_type, scope_id, period, period_start)
    LEFT JOIN counted_limit AS counted USING (scope_type, scope_id, period)
    WHERE l.enforcement = 'strict' ORDER BY key.place`.execute(tx);
  return rows.map(({ isCounted, settledNanoUsd, leasedNanoUsd, unresolvedNanoUsd, ...limit }) => {
    const amounts = { settledNanoUsd, leasedNanoUsd, unresolvedNanoUsd };
    const seen = { ...amounts, limitNanoUsd: limit.amountNanoUsd };
    const { endMs } = periodOf(limit.period, hold.startedAtMs);
    const amountNanoUsd = hold.amountOf?.(limit) ?? hold.amountNanoUsd;
    return { limit, seen, endMs, isCounted, amountNanoUsd };
  });
}

/** Node that has not reported its leases since a failover. Nothing is held meanwhile, as nothing is granted. */
async function findAwaited(tx: Tx): Promise<AwaitedNode | null> {
  const { rows } = await sql<{ nodeId: string; until: Date }>`
    SELECT node_id AS "nodeId", awaited_until AS until FROM lease_node
    WHERE awaited_until > clock_timestamp() ORDER BY awaited_until DESC, node_id LIMIT 1`.execute(
    tx,
  );
  const [row] = rows;
  return row === undefined ? null : { nodeId: row.nodeId, untilMs: row.until.getTime() };
}

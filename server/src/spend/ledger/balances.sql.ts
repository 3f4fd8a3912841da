import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { BalanceRow, LeaseKey } from "./lease-rules.ts";
import { type BalanceKey, balanceKeyText } from "./spend-key.ts";

// Spend per scope and period. Only this folder writes `balance`.

/** Integer nano-USD. */
export interface Balance extends BalanceKey {
  organizationId: string;
  settledNanoUsd: bigint;
  leasedNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
  /** Cost of requests beyond their holds. Part of settled spend. */
  overrunNanoUsd: bigint;
  /** Spend settled beyond the strict limit in force. Part of settled spend. */
  limitOverrunNanoUsd: bigint;
}

/** What a batch of ended requests adds to one balance. */
export interface BalanceCharge extends BalanceKey {
  organizationId: string;
  nanoUsd: bigint;
  /** The part of it that exceeds what was held; none unless told. */
  overrunNanoUsd?: bigint;
}

const columns = [
  "scope_type as scopeType",
  "scope_id as scopeId",
  "period",
  "period_start as periodStart",
  "organization_id as organizationId",
  "settled_nano_usd as settledNanoUsd",
  "leased_nano_usd as leasedNanoUsd",
  "unresolved_nano_usd as unresolvedNanoUsd",
  "overrun_nano_usd as overrunNanoUsd",
  "limit_overrun_nano_usd as limitOverrunNanoUsd",
] as const;

/** One balance, or null where no request of that scope and period has ended yet (it is then 0). */
export async function findBalance(
  db: Database | Tx,
  of: BalanceKey & { organizationId: string },
): Promise<Balance | null> {
  const row = await db
    .selectFrom("balance_sum")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("scope_type", "=", of.scopeType)
    .where("scope_id", "=", of.scopeId)
    .where("period", "=", of.period)
    .where("period_start", "=", of.periodStart)
    .executeTakeFirst();
  return row ?? null;
}

/**
 * The balances that exist among `keys`, and how far this node's flushes had come when they were read: both from one
 * snapshot, since they mean something only together. `foldedSeq` is null without a node.
 */
export async function readBalancesAtSeq(
  db: Database | Tx,
  of: { nodeId: string | null; keys: readonly BalanceKey[] },
): Promise<{ foldedSeq: number | null; balances: Balance[] }> {
  const { rows } = await sql<{ foldedSeq: bigint | null } & Nullable<Balance>>`
    SELECT node.folded_seq AS "foldedSeq", b.scope_type AS "scopeType", b.scope_id AS "scopeId",
      b.period, b.period_start AS "periodStart", b.organization_id AS "organizationId",
      b.settled_nano_usd AS "settledNanoUsd", b.leased_nano_usd AS "leasedNanoUsd",
      b.unresolved_nano_usd AS "unresolvedNanoUsd", b.overrun_nano_usd AS "overrunNanoUsd",
      b.limit_overrun_nano_usd AS "limitOverrunNanoUsd"
    FROM (SELECT max(folded_seq) AS folded_seq FROM node WHERE id = ${of.nodeId}) AS node
    LEFT JOIN (
      unnest(${of.keys.map((key) => key.scopeType)}::text[], ${of.keys.map((key) => key.scopeId)}::text[],
        ${of.keys.map((key) => key.period)}::text[], ${of.keys.map((key) => key.periodStart)}::date[])
        AS wanted (scope_type, scope_id, period, period_start)
      JOIN balance_sum USING (scope_type, scope_id, period, period_start)
    ) AS b ON true`.execute(db);
  const foldedSeq = rows[0]?.foldedSeq ?? null;
  return {
    foldedSeq: foldedSeq === null ? null : Number(foldedSeq),
    balances: rows.filter((row) => isBalance(row)),
  };
}

type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null };

function isBalance(row: Nullable<Balance>): row is Balance {
  return row.scopeType !== null;
}

/**
 * Adds the charges and gives back the balances as they then stand. The charges must be in key order and hold each key
 * once: rows are locked in the order given, the same on every node, so two flushes wait for each other and never
 * deadlock. Settling has no guard: it always succeeds.
 */
export async function addToBalances(tx: Tx, charges: readonly BalanceCharge[]): Promise<Balance[]> {
  if (charges.length === 0) return [];
  const { rows } = await sql<Balance>`
    INSERT INTO balance AS b
      (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd, overrun_nano_usd)
    SELECT * FROM unnest(${charges.map((charge) => charge.scopeType)}::text[],
      ${charges.map((charge) => charge.scopeId)}::text[],
      ${charges.map((charge) => charge.period)}::text[],
      ${charges.map((charge) => charge.periodStart)}::date[],
      ${charges.map((charge) => charge.organizationId)}::uuid[],
      ${charges.map((charge) => charge.nanoUsd)}::bigint[],
      ${charges.map((charge) => charge.overrunNanoUsd ?? 0n)}::bigint[])
    ON CONFLICT (scope_type, scope_id, period, period_start)
    DO UPDATE SET settled_nano_usd = b.settled_nano_usd + excluded.settled_nano_usd,
      overrun_nano_usd = b.overrun_nano_usd + excluded.overrun_nano_usd
    RETURNING scope_type AS "scopeType", scope_id AS "scopeId", period,
      period_start AS "periodStart", organization_id AS "organizationId",
      settled_nano_usd AS "settledNanoUsd", leased_nano_usd AS "leasedNanoUsd",
      unresolved_nano_usd AS "unresolvedNanoUsd", overrun_nano_usd AS "overrunNanoUsd",
      limit_overrun_nano_usd AS "limitOverrunNanoUsd"`.execute(tx);
  return rows;
}

/** Makes those that are missing; locks in key order. */
export async function lockBalances(
  tx: Tx,
  keys: readonly LeaseKey[],
): Promise<Map<string, BalanceRow>> {
  const byText = new Map(keys.map((key) => [balanceKeyText(key), key]));
  const sorted = [...byText].sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = await addToBalances(
    tx,
    sorted.map(([, key]) => ({ ...key, nanoUsd: 0n })),
  );
  return new Map(rows.map((row) => [balanceKeyText(row), row]));
}

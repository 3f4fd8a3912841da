import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { assert } from "#src/lib/assert.ts";
import { RECORDED_SPEND } from "#src/recording/recorded-spend.sql.ts";
import type { BalanceRow, LeaseKey } from "./lease-rules.ts";
import { type BalanceKey, balanceKeyText } from "./spend-key.ts";

// Spend per scope and period. Only this folder writes `balance`. A scope has balances while a limit or an alert watches it.
// A row without all counted spend is incomplete, and has only leased and unresolved amounts. The fold completes the rows of
// watched scopes (batch-charges.sql.ts, watched-balances.sql.ts).

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

/** Amounts that ended requests add to one balance. */
export interface BalanceCharge extends BalanceKey {
  organizationId: string;
  nanoUsd: bigint;
  /** Part that exceeds the holds. Absent: none. */
  overrunNanoUsd?: bigint;
}

/** A scope and period whose spend is read. */
export interface SpendPlace extends LeaseKey {
  /** Workspace of the scope. Null: organization. */
  workspaceId: string | null;
}

const amountColumns = sql`b.settled_nano_usd AS "settledNanoUsd", b.leased_nano_usd AS "leasedNanoUsd",
  b.unresolved_nano_usd AS "unresolvedNanoUsd", b.overrun_nano_usd AS "overrunNanoUsd",
  b.limit_overrun_nano_usd AS "limitOverrunNanoUsd"`;

/**
 * Reads the balances of any scopes, watched or not, by key text. Spend of a scope without a complete balance is summed from
 * its recorded usage. One statement for all.
 */
export async function readSpend(
  db: Database | Tx,
  places: readonly SpendPlace[],
): Promise<Map<string, Balance>> {
  if (places.length === 0) return new Map();
  const { rows } = await sql<Balance>`
    SELECT wanted.scope_type AS "scopeType", wanted.scope_id AS "scopeId", wanted.period,
      wanted.period_start AS "periodStart", wanted.organization_id AS "organizationId", ${amountColumns}
    FROM unnest(${places.map(({ organizationId }) => organizationId)}::uuid[],
      ${places.map(({ workspaceId }) => workspaceId)}::text[], ${places.map(({ scopeType }) => scopeType)}::text[],
      ${places.map(({ scopeId }) => scopeId)}::text[], ${places.map(({ period }) => period)}::text[],
      ${places.map(({ periodStart }) => periodStart)}::date[])
      AS wanted (organization_id, workspace_id, scope_type, scope_id, period, period_start)
    LEFT JOIN balance_sum AS stored USING (scope_type, scope_id, period, period_start)
    CROSS JOIN LATERAL (
      SELECT CASE WHEN stored.is_complete THEN stored.settled_nano_usd ELSE ${RECORDED_SPEND} END,
        coalesce(stored.leased_nano_usd, 0), coalesce(stored.unresolved_nano_usd, 0),
        coalesce(stored.overrun_nano_usd, 0), coalesce(stored.limit_overrun_nano_usd, 0)
    ) AS b (settled_nano_usd, leased_nano_usd, unresolved_nano_usd, overrun_nano_usd, limit_overrun_nano_usd)`.execute(
    db,
  );
  return new Map(rows.map((row) => [balanceKeyText(row), row]));
}

/** Reads the balance of one scope and period. */
export async function readSpendOf(db: Database | Tx, place: SpendPlace): Promise<Balance> {
  const [balance] = (await readSpend(db, [place])).values();
  assert(balance !== undefined, "each place has one row");
  return balance;
}

/**
 * Reads the stored balances of watched scopes, and the node's folded position of the same snapshot. A watched scope without
 * a balance has no spend. `foldedSeq` is null without a node.
 */
export async function readBalancesAtSeq(
  db: Database | Tx,
  of: { nodeId: string | null; keys: readonly BalanceKey[] },
): Promise<{ foldedSeq: number | null; balances: Balance[] }> {
  const { rows } = await sql<{ foldedSeq: bigint | null } & Nullable<Balance>>`
    SELECT node.folded_seq AS "foldedSeq", b.scope_type AS "scopeType", b.scope_id AS "scopeId",
      b.period, b.period_start AS "periodStart", b.organization_id AS "organizationId", ${amountColumns}
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
 * Adds spend to balances. Incomplete balances get the overrun only. The charges are in key order, so that two transactions
 * wait for each other and never deadlock. Each key occurs once. The transaction has the fold's lock.
 */
export async function addToBalances(tx: Tx, charges: readonly BalanceCharge[]): Promise<void> {
  if (charges.length === 0) return;
  await sql`
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
    DO UPDATE SET settled_nano_usd = b.settled_nano_usd + CASE WHEN b.is_complete THEN excluded.settled_nano_usd ELSE 0 END,
      overrun_nano_usd = b.overrun_nano_usd + excluded.overrun_nano_usd`.execute(tx);
}

/**
 * SQL of whether folds keep every balance, because nodes of version 0.1 read and write them. `margin`: interval before the
 * end of that time.
 */
export function keepsAllBalances(margin: RawBuilder<unknown> = sql`interval '0'`) {
  return sql<boolean>`(SELECT hour_at > now() + ${margin} FROM rollup_progress)`;
}

/** Ends before the folds leave out balances. So no fold has left out spend of a row that is created complete. */
const isNewRowComplete = keepsAllBalances(sql`interval '1 minute'`);

/** Scopes that version 0.1 knows, and keeps balances of. */
export const ownScopes = sql`('organization', 'workspace', 'api_key')`;

/**
 * SQL of whether a balance can have all counted spend. Nodes of version 0.1 add nothing to members, groups and tags. Until
 * the last one is gone, each fold sums these balances from the rollups.
 */
export function canBeComplete(scopeType: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`(${scopeType} IN ${ownScopes} OR NOT ${keepsAllBalances()})`;
}

/** SQL of the scopes (type and id) of a row with the labels of requests. */
export function scopesOf(table: string): RawBuilder<unknown> {
  const of = (column: string) => sql.ref(`${table}.${column}`);
  return sql`(VALUES ('api_key', ${of("api_key_id")}), ('workspace', ${of("workspace_id")}),
      ('organization', ${of("organization_id")}::text)
    UNION ALL SELECT 'member', ${of("member_id")} WHERE ${of("member_id")} <> ''
    UNION ALL SELECT 'group', unnest(string_to_array(${of("group_ids")}, ','))
    UNION ALL SELECT 'tag', unnest(string_to_array(${of("tag_ids")}, ',')))`;
}

/** Creates missing balances without spend, and locks all in key order. The next fold completes those of watched scopes. */
export async function lockBalances(
  tx: Tx,
  keys: readonly LeaseKey[],
): Promise<Map<string, BalanceRow>> {
  if (keys.length === 0) return new Map();
  const byText = new Map(keys.map((key) => [balanceKeyText(key), key]));
  const sorted = [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
  const { rows } = await sql<BalanceRow & BalanceKey>`
    INSERT INTO balance AS b (scope_type, scope_id, period, period_start, organization_id, is_complete)
    SELECT *, ${isNewRowComplete} AND scope_type IN ${ownScopes} FROM unnest(${sorted.map(({ scopeType }) => scopeType)}::text[],
      ${sorted.map(({ scopeId }) => scopeId)}::text[], ${sorted.map(({ period }) => period)}::text[],
      ${sorted.map(({ periodStart }) => periodStart)}::date[],
      ${sorted.map(({ organizationId }) => organizationId)}::uuid[])
      AS wanted (scope_type, scope_id, period, period_start, organization_id)
    ON CONFLICT (scope_type, scope_id, period, period_start)
    DO UPDATE SET settled_nano_usd = b.settled_nano_usd
    RETURNING scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart",
      ${amountColumns}`.execute(tx);
  return new Map(rows.map((row) => [balanceKeyText(row), row]));
}

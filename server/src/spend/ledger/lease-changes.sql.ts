import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { nowOf } from "./lease-clock.sql.ts";
import type { LeaseKey } from "./lease-rules.ts";

export interface BalanceChange {
  key: LeaseKey;
  leasedNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
}

/** Changes the stored sums of balances. The rows are locked already. */
export async function changeBalances(tx: Tx, changes: readonly BalanceChange[]): Promise<void> {
  const real = changes.filter((each) => each.leasedNanoUsd !== 0n || each.unresolvedNanoUsd !== 0n);
  if (real.length === 0) return;
  await sql`
    UPDATE balance SET leased_nano_usd = leased_nano_usd + c.leased,
      unresolved_nano_usd = unresolved_nano_usd + c.unresolved
    FROM unnest(${real.map(({ key }) => key.scopeType)}::text[],
      ${real.map(({ key }) => key.scopeId)}::text[], ${real.map(({ key }) => key.period)}::text[],
      ${real.map(({ key }) => key.periodStart)}::date[],
      ${real.map((change) => change.leasedNanoUsd)}::bigint[],
      ${real.map((change) => change.unresolvedNanoUsd)}::bigint[])
      AS c (scope_type, scope_id, period, period_start, leased, unresolved)
    WHERE balance.scope_type = c.scope_type AND balance.scope_id = c.scope_id
      AND balance.period = c.period AND balance.period_start = c.period_start`.execute(tx);
}

/** Stored amount of a row of `lease`. */
export interface StoredAmount {
  nodeId: string;
  key: LeaseKey;
  /** "": a lease as version 0.1 stores it. Otherwise an unresolved amount. */
  requestId: string;
  amountNanoUsd: bigint;
}

/** Sets leases, and adds to unresolved amounts. `since` null: leases in use. */
export async function setAmounts(
  tx: Tx,
  rows: readonly StoredAmount[],
  since: ReturnType<typeof nowOf> | null,
): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    INSERT INTO lease AS l (node_id, request_id, scope_type, scope_id, period, period_start, organization_id,
      amount_nano_usd, unresolved_since)
    SELECT one.*, ${since}::timestamptz
    FROM unnest(${rows.map(({ nodeId }) => nodeId)}::text[], ${rows.map(({ requestId }) => requestId)}::text[],
      ${rows.map(({ key }) => key.scopeType)}::text[], ${rows.map(({ key }) => key.scopeId)}::text[],
      ${rows.map(({ key }) => key.period)}::text[], ${rows.map(({ key }) => key.periodStart)}::date[],
      ${rows.map(({ key }) => key.organizationId)}::uuid[], ${rows.map((row) => row.amountNanoUsd)}::bigint[]) AS one
    ON CONFLICT (node_id, request_id, scope_type, scope_id, period, period_start) DO UPDATE SET
      -- A node may have to report again what its journal has lost.
      amount_nano_usd = excluded.amount_nano_usd + CASE l.request_id WHEN '' THEN 0 ELSE l.amount_nano_usd END,
      unresolved_since = excluded.unresolved_since`.execute(tx);
}

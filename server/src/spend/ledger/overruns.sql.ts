import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { lockBalances } from "./balances.sql.ts";
import type { LeaseKey } from "./lease-rules.ts";
import { findOverrun, type LimitedSpend } from "./overrun-rules.ts";
import { type BalanceKey, balanceKeyText } from "./spend-key.ts";

// Spend beyond strict limits, recorded in the transaction that settles it.

/** Spend added to a balance. Integer nano-USD. */
interface AddedSpend extends LeaseKey {
  nanoUsd: bigint;
}

type ComparedRow = LimitedSpend & LeaseKey;

/** End of the period of a row of `balance`, `lease` or `lease_draw`, by the name of its table in the statement. */
export function periodEndOf(table: "b" | "lease" | "draw"): RawBuilder<Date> {
  const [start, period] = [sql.ref(`${table}.period_start`), sql.ref(`${table}.period`)];
  return sql`((${start} + CASE ${period} WHEN 'daily' THEN interval '1 day'
    WHEN 'weekly' THEN interval '7 days' ELSE interval '1 month' END) AT TIME ZONE 'UTC')`;
}

const periodEnd = periodEndOf("b");
const periodStart = sql`(b.period_start::timestamp AT TIME ZONE 'UTC')`;

const comparedColumns = sql`b.scope_type AS "scopeType", b.scope_id AS "scopeId", b.period,
  b.period_start AS "periodStart", b.organization_id AS "organizationId", b.settled_nano_usd AS "settledNanoUsd",
  b.limit_compared_nano_usd AS "comparedNanoUsd", b.limit_revision AS "comparedRevision",
  l.amount_nano_usd AS "limitNanoUsd", l.revision AS "limitRevision", l.updated_at <= ${periodStart} AS "isWholePeriod"`;

/** A limit that was changed after the end of a period did not apply to that period. */
const exceedsLimit = sql`l.enforcement = 'strict' AND b.settled_nano_usd > l.amount_nano_usd
  AND l.updated_at < ${periodEnd}`;

/**
 * Records the part of the added spend that exceeds strict limits. The caller has locked the balances and added the spend.
 * A statement of its own reads the limits, so that it includes changes that were made during the wait for the locks.
 * Returns the keys of the balances whose overrun grew.
 */
export async function recordOverruns(
  tx: Tx,
  added: readonly AddedSpend[],
): Promise<ReadonlySet<string>> {
  const spent = added.filter(({ nanoUsd }) => nanoUsd > 0n);
  if (spent.length === 0) return NONE;
  const { rows } = await sql<ComparedRow>`
    SELECT ${comparedColumns}, b.settled_nano_usd - added.nano_usd AS "settledBeforeNanoUsd"
    FROM unnest(${spent.map(({ scopeType }) => scopeType)}::text[], ${spent.map(({ scopeId }) => scopeId)}::text[],
      ${spent.map(({ period }) => period)}::text[], ${spent.map((each) => each.periodStart)}::date[],
      ${spent.map(({ nanoUsd }) => nanoUsd)}::bigint[])
      AS added (scope_type, scope_id, period, period_start, nano_usd)
    JOIN spend_limit l USING (scope_type, scope_id, period)
    JOIN balance b USING (scope_type, scope_id, period, period_start)
    WHERE ${exceedsLimit}`.execute(tx);
  return writeOverruns(tx, rows);
}

/**
 * Records overruns that nodes of older versions settled in the current periods. Returns the number of balances whose
 * overrun grew.
 */
export async function recordMissedOverruns(database: Database): Promise<number> {
  const isMissed = sql`${exceedsLimit} AND ${periodEnd} > now() AND CASE WHEN b.limit_revision = l.revision
    THEN b.settled_nano_usd > b.limit_compared_nano_usd ELSE l.updated_at <= ${periodStart} END`;
  const select = (of: ReturnType<typeof sql>) => sql<ComparedRow>`
    SELECT ${comparedColumns}, b.settled_nano_usd AS "settledBeforeNanoUsd"
    FROM spend_limit l JOIN balance b USING (scope_type, scope_id, period) WHERE ${isMissed} AND ${of}`;
  const missed = await select(sql`true`).execute(database);
  if (missed.rows.length === 0) return 0;
  return inTransaction(database, async (tx) => {
    const keys = missed.rows;
    await lockBalances(tx, keys);
    const isOneOf = sql`(b.scope_type, b.scope_id, b.period, b.period_start) IN (SELECT * FROM unnest(
      ${keys.map(({ scopeType }) => scopeType)}::text[], ${keys.map(({ scopeId }) => scopeId)}::text[],
      ${keys.map(({ period }) => period)}::text[], ${keys.map((each) => each.periodStart)}::date[]))`;
    const { rows } = await select(isOneOf).execute(tx);
    return (await writeOverruns(tx, rows)).size;
  });
}

/** Writes the overruns of locked rows. Returns the keys of the rows whose overrun grew. */
async function writeOverruns(tx: Tx, rows: readonly ComparedRow[]): Promise<ReadonlySet<string>> {
  const found = rows.flatMap((row) => {
    const overrun = findOverrun(row);
    return overrun === null ? [] : [{ row, overrun }];
  });
  if (found.length === 0) return NONE;
  await sql`
    UPDATE balance SET limit_overrun_nano_usd = limit_overrun_nano_usd + o.nano_usd,
      limit_compared_nano_usd = o.compared, limit_revision = o.revision
    FROM unnest(${found.map(({ row }) => row.scopeType)}::text[], ${found.map(({ row }) => row.scopeId)}::text[],
      ${found.map(({ row }) => row.period)}::text[], ${found.map(({ row }) => row.periodStart)}::date[],
      ${found.map(({ overrun }) => overrun.nanoUsd)}::bigint[],
      ${found.map(({ overrun }) => overrun.comparedNanoUsd)}::bigint[],
      ${found.map(({ row }) => row.limitRevision)}::bigint[])
      AS o (scope_type, scope_id, period, period_start, nano_usd, compared, revision)
    WHERE balance.scope_type = o.scope_type AND balance.scope_id = o.scope_id AND balance.period = o.period
      AND balance.period_start = o.period_start`.execute(tx);
  const grown = found.filter(({ overrun }) => overrun.nanoUsd > 0n);
  return new Set(grown.map(({ row }) => balanceKeyText(row)));
}

const NONE: ReadonlySet<string> = new Set();

export interface ExceededBalance extends BalanceKey, Omit<LimitedSpend, "settledBeforeNanoUsd"> {
  limitOverrunNanoUsd: bigint;
}

/**
 * Lists balances of the organization whose spend exceeds a strict limit, with that limit. Includes the current periods, and
 * periods that were compared with the limit.
 */
export async function listExceeded(tx: Tx, organizationId: string): Promise<ExceededBalance[]> {
  const { rows } = await sql<ExceededBalance>`
    SELECT ${comparedColumns}, b.limit_overrun_nano_usd AS "limitOverrunNanoUsd"
    FROM spend_limit l JOIN balance b USING (scope_type, scope_id, period)
    WHERE b.organization_id = ${organizationId}::uuid AND ${exceedsLimit}
      AND (${periodEnd} > now() OR b.limit_revision = l.revision)`.execute(tx);
  return rows;
}

import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { lockBalances } from "./balances.sql.ts";
import { type BeyondHold, MAX_NAMED_BEYOND } from "./charges.ts";
import type { LeaseKey } from "./lease-rules.ts";
import { findOverrun, type LimitedSpend } from "./overrun-rules.ts";
import { type BalanceKey, balanceKeyText } from "./spend-key.ts";

// Spend beyond strict limits, recorded in the transaction that settles it.

/** Spend added to a balance. Integer nano-USD. */
interface AddedSpend extends LeaseKey {
  nanoUsd: bigint;
}

/** Requests beyond their holds in one balance, of which the first ones are named. */
export interface BeyondHolds {
  beyond: readonly BeyondHold[];
  beyondRequests: number;
}

type ComparedRow = LimitedSpend & LeaseKey;

/** End of the period of a row of the ledger, by the name of its table in the statement. */
export function periodEndOf(table: "b" | "lease" | "draw" | "o"): RawBuilder<Date> {
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
 * `beyondOf` has the requests beyond their holds by key of the balance. Returns the keys of the balances whose overrun grew.
 */
export async function recordOverruns(
  tx: Tx,
  added: readonly AddedSpend[],
  beyondOf: ReadonlyMap<string, BeyondHolds> = NOTHING_BEYOND,
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
  return writeOverruns(tx, rows, beyondOf);
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
    return (await writeOverruns(tx, rows, NOTHING_BEYOND)).size;
  });
}

/** Writes the overruns of locked rows. Returns the keys of the rows whose overrun grew. */
async function writeOverruns(
  tx: Tx,
  rows: readonly ComparedRow[],
  beyondOf: ReadonlyMap<string, BeyondHolds>,
): Promise<ReadonlySet<string>> {
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
  if (grown.length > 0) await addToMinutes(tx, grown, beyondOf);
  return new Set(grown.map(({ row }) => balanceKeyText(row)));
}

interface GrownOverrun {
  row: ComparedRow;
  overrun: { nanoUsd: bigint };
}

/** Adds overruns to the rows of this minute. The rows of a period have the sum of its balance. */
async function addToMinutes(
  tx: Tx,
  grown: readonly GrownOverrun[],
  beyondOf: ReadonlyMap<string, BeyondHolds>,
): Promise<void> {
  const beyond = grown.map(({ row }) => beyondOf.get(balanceKeyText(row)) ?? NO_REQUESTS);
  const named = beyond.map((each) => each.beyond.slice(0, MAX_NAMED_BEYOND));
  // An array of arrays has one length for all, so the values of a row are one text.
  const join = (texts: readonly (string | bigint)[]) => texts.join(",");
  await sql`
    INSERT INTO limit_overrun AS o (organization_id, scope_type, scope_id, period, period_start, minute_at,
      overrun_nano_usd, limit_nano_usd, settled_nano_usd, request_ids, beyond_nano_usd, beyond_requests)
    SELECT organization_id, scope_type, scope_id, period, period_start, date_trunc('minute', now()),
      nano_usd, limit_nano_usd, settled, string_to_array(request_ids, ','), string_to_array(beyond, ',')::bigint[], requests
    FROM unnest(${grown.map(({ row }) => row.organizationId)}::uuid[], ${grown.map(({ row }) => row.scopeType)}::text[],
      ${grown.map(({ row }) => row.scopeId)}::text[], ${grown.map(({ row }) => row.period)}::text[],
      ${grown.map(({ row }) => row.periodStart)}::date[], ${grown.map(({ overrun }) => overrun.nanoUsd)}::bigint[],
      ${grown.map(({ row }) => row.limitNanoUsd)}::bigint[], ${grown.map(({ row }) => row.settledNanoUsd)}::bigint[],
      ${named.map((each) => join(each.map(({ requestId }) => requestId)))}::text[],
      ${named.map((each) => join(each.map(({ nanoUsd }) => nanoUsd)))}::text[],
      ${beyond.map(({ beyondRequests }) => BigInt(beyondRequests))}::bigint[])
      AS one (organization_id, scope_type, scope_id, period, period_start, nano_usd, limit_nano_usd, settled, request_ids,
        beyond, requests)
    ON CONFLICT (scope_type, scope_id, period, period_start, minute_at) DO UPDATE SET
      overrun_nano_usd = o.overrun_nano_usd + excluded.overrun_nano_usd,
      limit_nano_usd = excluded.limit_nano_usd, settled_nano_usd = excluded.settled_nano_usd,
      request_ids = (o.request_ids || excluded.request_ids)[1:${sql.lit(MAX_NAMED_BEYOND)}],
      beyond_nano_usd = (o.beyond_nano_usd || excluded.beyond_nano_usd)[1:${sql.lit(MAX_NAMED_BEYOND)}],
      beyond_requests = o.beyond_requests + excluded.beyond_requests`.execute(tx);
}

const NONE: ReadonlySet<string> = new Set();
const NOTHING_BEYOND: ReadonlyMap<string, BeyondHolds> = new Map();
const NO_REQUESTS: BeyondHolds = { beyond: [], beyondRequests: 0 };

/** An overrun of one minute. Integer nano-USD. */
export interface RecordedOverrun extends BalanceKey {
  minuteAt: Date;
  overrunNanoUsd: bigint;
  /** Limit in force at the last overrun of the minute. */
  limitNanoUsd: bigint;
  /** Spend of the period after the last overrun of the minute. */
  settledNanoUsd: bigint;
  /** Named requests beyond their holds, and the cost of each beyond its hold. */
  requestIds: string[];
  beyondNanoUsd: bigint[];
  beyondRequests: bigint;
}

/** Lists overruns of one limit's scope and period in all its periods, newest first, before `page`. */
export async function listOverruns(
  db: Database | Tx,
  of: Pick<LeaseKey, "organizationId" | "scopeType" | "scopeId" | "period">,
  page: { before: Pick<RecordedOverrun, "minuteAt" | "periodStart"> | null; limit: number },
): Promise<RecordedOverrun[]> {
  const { before } = page;
  const isBefore =
    before === null
      ? sql`true`
      : sql`(minute_at, period_start::text) < (${before.minuteAt}, ${before.periodStart})`;
  // The driver parses single amounts only, so an array of them is read as texts.
  const { rows } = await sql<Omit<RecordedOverrun, "beyondNanoUsd"> & { beyond: string[] }>`
    SELECT scope_type AS "scopeType", scope_id AS "scopeId", period, period_start AS "periodStart", minute_at AS "minuteAt",
      overrun_nano_usd AS "overrunNanoUsd", limit_nano_usd AS "limitNanoUsd", settled_nano_usd AS "settledNanoUsd",
      request_ids AS "requestIds", beyond_nano_usd::text[] AS beyond, beyond_requests AS "beyondRequests"
    FROM limit_overrun
    WHERE organization_id = ${of.organizationId}::uuid AND scope_type = ${of.scopeType} AND scope_id = ${of.scopeId}
      AND period = ${of.period} AND ${isBefore}
    ORDER BY minute_at DESC, period_start DESC LIMIT ${page.limit}`.execute(db);
  return rows.map(({ beyond, ...row }) => ({ ...row, beyondNanoUsd: beyond.map(BigInt) }));
}

/** Deletes at most `limit` overruns whose period ended before the mark of balances. Returns their number. */
export async function deleteOldOverruns(tx: Tx, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM limit_overrun WHERE ctid = ANY(ARRAY(
      SELECT o.ctid FROM limit_overrun AS o, retention_mark
      WHERE ${periodEndOf("o")} <= balances_before::timestamp AT TIME ZONE 'UTC'
      LIMIT ${limit} FOR UPDATE OF o SKIP LOCKED))`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

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

import { enforcements } from "@bursar/contract/admin/spend-limits.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import type { Call } from "#src/access/call.ts";
import { fireCrossed } from "#src/alerts/firing/fire-spend.ts";
import type { AlertingDeps } from "#src/alerts/firing/recorded-firing.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { PageOfRows, PageRequest } from "#src/domain/page-position.ts";
import { periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { assert } from "#src/lib/assert.ts";
import { changeInScope, changeLimit } from "#src/limits/change-limit.ts";
import { getLimit, type LimitQuery, listLimits } from "#src/limits/visible-limits.ts";
import { type Balance, findBalance, readBalancesAtSeq } from "#src/spend/ledger/balances.sql.ts";
import { findActivating, type SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { balanceKeyText } from "#src/spend/ledger/spend-key.ts";
import { readWanted } from "./read-limit.ts";
import { spendLimits, type WantedLimit } from "./spend-limit-kind.ts";

/** A change may cross what alerts wait for. */
export type LimitDeps = AuditDeps & AlertingDeps;

/** A limit, if there is one, and its balance of the running period; a null balance is 0. */
export interface MaybeLimitState {
  limit: SpendLimit | null;
  period: SpendPeriod;
  balance: Balance | null;
  /** Null once every living node keeps to the limit. */
  activatingSince: Date | null;
}

export interface LimitState extends MaybeLimitState {
  limit: SpendLimit;
}

export interface NewSpendLimit {
  scope: WireScope;
  period: PeriodName;
  limit_usd: string | number;
  enforcement: (typeof enforcements)[number];
  open_ended_hold_usd: string | number | null;
  if_version?: number | null | undefined;
}

/** Creates or replaces the limit of (scope, period). Throws what `lockScope` and `changeLimit` throw. */
export function setSpendLimit(
  deps: LimitDeps,
  call: Call,
  input: NewSpendLimit,
): Promise<LimitState> {
  const wanted = readWanted("limit_usd", input.limit_usd, input);
  const change = { ...input, ifVersion: input.if_version, wanted: () => wanted };
  return changeSpendLimit(deps, call, change, toLimitState);
}

/**
 * Sets the amount alone: the rest of a limit that is there stays as it is, and a new one is strict. Throws what
 * `setSpendLimit` throws.
 */
export function setLimitAmount(
  deps: LimitDeps,
  call: Call,
  input: { scope: WireScope; period: PeriodName; amountNanoUsd: bigint },
): Promise<LimitState> {
  const wanted = (before: SpendLimit | null) => ({
    amountNanoUsd: input.amountNanoUsd,
    enforcement: before?.enforcement ?? enforcements[0],
    openEndedHoldNanoUsd: before?.openEndedHoldNanoUsd ?? null,
  });
  return changeSpendLimit(deps, call, { ...input, wanted }, toLimitState);
}

function toLimitState({ limit, ...state }: MaybeLimitState): LimitState {
  assert(limit !== null, "a limit that is set is there");
  return { limit, ...state };
}

interface ChangeSpendLimit {
  scope: WireScope;
  period: PeriodName;
  ifVersion?: number | null | undefined;
  /** Returns null to delete the limit. */
  wanted: (before: SpendLimit | null) => WantedLimit | null;
}

/** Changes one limit and fires the alerts that the change crosses. Throws what `lockScope` and `changeLimit` throw. */
export function changeSpendLimit<Result>(
  deps: LimitDeps,
  call: Call,
  { scope, period: name, ifVersion, wanted }: ChangeSpendLimit,
  toResult: (state: MaybeLimitState, tx: Tx) => Result | Promise<Result>,
): Promise<Result> {
  const period = periodOf(name, deps.nowMs());
  return changeInScope(spendLimits, deps, { call, scope }, async (tx, locked) => {
    const of = { ...locked, period: name };
    const change = await changeLimit(spendLimits, tx, deps, { of, wanted, ifVersion });
    const limit = change.after;
    await fireCrossed(tx, deps, of);
    const balance = await findBalance(tx, { ...of, periodStart: period.start });
    const activating = limit && (await findActivating(tx, [limit.id])).get(limit.id);
    const state = { limit, period, balance, activatingSince: activating ?? null };
    return { change, result: await toResult(state, tx) };
  });
}

/** Throws a 404 for a limit that the caller cannot see, or of another scope than `scopeTypes`. */
export async function getSpendLimit(
  deps: AuditDeps,
  { caller }: Call,
  of: { id: string; scopeTypes?: readonly ScopeType[] },
): Promise<LimitState> {
  const [state] = await withBalances(deps, [
    await getLimit(spendLimits, deps.database, caller, of),
  ]);
  assert(state !== undefined, "one limit has one state");
  return state;
}

export interface SpendLimitQuery extends LimitQuery {
  scopeTypes?: readonly ScopeType[] | undefined;
  period?: PeriodName | undefined;
}

/** A page of the limits that the caller can see. Throws a 404 for a workspace or key that it cannot see. */
export async function listSpendLimits(
  deps: AuditDeps,
  call: Call,
  query: SpendLimitQuery,
  request: PageRequest,
): Promise<PageOfRows<LimitState>> {
  const { scopeTypes, period } = query;
  const filter = { scopeTypes, period };
  const page = await listLimits(spendLimits, deps, call, { query, filter, request });
  return { ...page, rows: await withBalances(deps, page.rows) };
}

/** Limits with their balances, in the order given. */
export async function withBalances(
  deps: AuditDeps,
  limits: readonly SpendLimit[],
): Promise<LimitState[]> {
  const nowMs = deps.nowMs();
  const keyed = limits.map((limit) => {
    const period = periodOf(limit.period, nowMs);
    const { scopeType, scopeId } = limit;
    const key = { scopeType, scopeId, period: limit.period, periodStart: period.start };
    return { limit, period, key };
  });
  const keys = keyed.map(({ key }) => key);
  const { balances } = await readBalancesAtSeq(deps.database, { nodeId: null, keys });
  const balanceOf = new Map(balances.map((balance) => [balanceKeyText(balance), balance]));
  const ids = limits.map(({ id }) => id);
  const activating = await findActivating(deps.database, ids);
  return keyed.map(({ limit, period, key }) => ({
    limit,
    period,
    balance: balanceOf.get(balanceKeyText(key)) ?? null,
    activatingSince: activating.get(limit.id) ?? null,
  }));
}

import type {
  enforcements,
  holdRules,
  unknownFeatureRules,
} from "@bursar/contract/admin/spend-limits.ts";
import type { Rank } from "@bursar/contract/permissions.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import type { Call } from "#src/access/call.ts";
import { fireCrossedThresholds } from "#src/alerts/firing/fire-spend.ts";
import type { AlertingDeps } from "#src/alerts/firing/recorded-firing.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import type { PageOfRows, PageRequest } from "#src/domain/page-position.ts";
import { periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { assert } from "#src/lib/assert.ts";
import { changeInScope, changeLimit } from "#src/limits/change-limit.ts";
import type { LimitValue } from "#src/limits/limit-values.rule.ts";
import { readValues } from "#src/limits/limit-values.ts";
import { findScopeNames } from "#src/limits/scope-names.sql.ts";
import { getLimit, type LimitQuery, listLimits } from "#src/limits/visible-limits.ts";
import { type Balance, readBalancesAtSeq, readSpendOf } from "#src/spend/ledger/balances.sql.ts";
import { findActivating, type SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { balanceKeyText } from "#src/spend/ledger/spend-key.ts";
import type { WantedLimit } from "./combine-values.rule.ts";
import { countGroupMembers } from "./group-sizes.sql.ts";
import { readWantedLimit } from "./read-limit.ts";
import { findDecidingGroups } from "./sourced-limits.ts";
import { spendLimits } from "./spend-limit-kind.ts";

/** With the dependencies of alerts, because a change of a limit may cross a threshold. */
export type LimitDeps = AuditDeps & AlertingDeps;

/** An optional limit and its balance in the current period. A balance of null means 0. */
export interface OptionalLimitState {
  limit: SpendLimit | null;
  period: SpendPeriod;
  balance: Balance | null;
  /** Start of the activation, while a node may still use the previous limit. Null: all living nodes use this one. */
  activatingSince: Date | null;
  /** Values by rank, highest first. */
  values: readonly LimitValue<WantedLimit>[];
}

export interface LimitState extends OptionalLimitState {
  limit: SpendLimit;
  /** Empty: the scope no longer exists. */
  scopeName: string;
  /** Group whose default cap decides the amount of a member's limit. Null: a value of the scope itself. */
  inheritedFrom: { groupId: string; groupName: string } | null;
  /** Members of the group, for a default cap. Null: another scope. */
  memberCount: number | null;
}

export interface NewSpendLimit {
  scope: WireScope;
  period: PeriodName;
  limit_usd: string | number;
  enforcement: (typeof enforcements)[number];
  open_ended_hold_usd: string | number | null;
  unknown_features: (typeof unknownFeatureRules)[number];
  hold?: (typeof holdRules)[number] | undefined;
  rank?: Rank | undefined;
  if_version?: number | null | undefined;
}

/** Creates or replaces the limit of (scope, period). Throws what `lockScope` and `changeLimit` throw. */
export function setSpendLimit(
  deps: LimitDeps,
  call: Call,
  input: NewSpendLimit,
): Promise<LimitState> {
  const wanted = readWantedLimit("limit_usd", input.limit_usd, input);
  const change = { ...input, ifVersion: input.if_version, wanted };
  return changeSpendLimit(deps, call, change, toLimitState);
}

export async function toLimitState(
  { limit, ...state }: OptionalLimitState,
  tx: Tx,
): Promise<LimitState> {
  assert(limit !== null, "a set limit is stored");
  const [named] = await addOrigins(tx, [{ limit, ...state }]);
  assert(named !== undefined, "one limit has one state");
  return named;
}

interface ChangeSpendLimit {
  scope: WireScope;
  period: PeriodName;
  rank?: Rank | undefined;
  ifVersion?: number | null | undefined;
  /** Returns the value of the caller's rank. Null removes values. */
  wanted: (own: WantedLimit | null, before: SpendLimit | null) => WantedLimit | null;
}

/** Changes one limit and fires the alerts that the change crosses. Throws what `lockScope` and `changeLimit` throw. */
export function changeSpendLimit<Result>(
  deps: LimitDeps,
  call: Call,
  { scope, rank, period: name, ifVersion, wanted }: ChangeSpendLimit,
  toResult: (state: OptionalLimitState, tx: Tx) => Result | Promise<Result>,
): Promise<Result> {
  const period = periodOf(name, deps.nowMs());
  return changeInScope(spendLimits, deps, { call, scope, rank }, async (tx, locked) => {
    const of = { ...locked, period: name };
    const change = await changeLimit(spendLimits, tx, deps, { of, wanted, ifVersion });
    const limit = change.after;
    await fireCrossedThresholds(tx, deps, of);
    const balance = await readSpendOf(tx, { ...of, periodStart: period.start });
    const activating = limit && (await findActivating(tx, [limit.id])).get(limit.id);
    const { values } = change;
    const state = { limit, period, balance, activatingSince: activating ?? null, values };
    return { change, result: await toResult(state, tx) };
  });
}

/** Throws a 404 for a limit that the caller cannot see, or of another scope than `scopeTypes`. */
export async function getSpendLimit(
  deps: AuditDeps,
  { caller }: Call,
  of: { id: string; scopeTypes?: readonly ScopeType[]; isOwnOnly?: boolean },
): Promise<LimitState> {
  const [state] = await readLimitStates(deps, [
    await getLimit(spendLimits, deps.database, caller, of),
  ]);
  assert(state !== undefined, "one limit has one state");
  return state;
}

export interface SpendLimitQuery extends LimitQuery {
  scopeTypes?: readonly ScopeType[] | undefined;
  period?: PeriodName | undefined;
  isOwnOnly?: boolean | undefined;
}

/** Lists limits that the caller can see. Throws a 404 for a workspace or key that it cannot see. */
export async function listSpendLimits(
  deps: AuditDeps,
  call: Call,
  query: SpendLimitQuery,
  request: PageRequest,
): Promise<PageOfRows<LimitState>> {
  const { scopeTypes, period, isOwnOnly } = query;
  const filter = { scopeTypes, period, isOwnOnly };
  const page = await listLimits(spendLimits, deps, call, { query, filter, request });
  return { ...page, rows: await readLimitStates(deps, page.rows) };
}

/** Reads the balances and values of limits. Keeps their order. */
export async function readLimitStates(
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
  const values = await readValues(spendLimits, deps.database, limits);
  const states = keyed.map(({ limit, period, key }, place) => ({
    limit,
    period,
    balance: balanceOf.get(balanceKeyText(key)) ?? null,
    activatingSince: activating.get(limit.id) ?? null,
    values: values[place] ?? [],
  }));
  return addOrigins(deps.database, states);
}

type KnownLimit = OptionalLimitState & { limit: SpendLimit };

/** Adds names of scopes, and what limits of members and defaults of groups have besides. */
async function addOrigins(db: Database | Tx, states: readonly KnownLimit[]): Promise<LimitState[]> {
  const limits = states.map(({ limit }) => limit);
  const groupOf = await findDecidingGroups(
    db,
    limits,
    states.map(({ values }) => values),
  );
  const groups = limits.flatMap(({ id, organizationId }) => {
    const scopeId = groupOf.get(id);
    return scopeId === undefined ? [] : { organizationId, scopeType: "group" as const, scopeId };
  });
  const names = await findScopeNames(db, [...limits, ...groups]);
  const counts = await countGroupMembers(
    db,
    limits.flatMap(({ scopeType, scopeId }) => (scopeType === "group_member" ? scopeId : [])),
  );
  return states.map((state) => {
    const { id, scopeType, scopeId } = state.limit;
    const groupId = groupOf.get(id);
    return {
      ...state,
      scopeName: names.get(scopeId) ?? "",
      inheritedFrom:
        groupId === undefined ? null : { groupId, groupName: names.get(groupId) ?? "" },
      memberCount: scopeType === "group_member" ? (counts.get(scopeId) ?? 0) : null,
    };
  });
}

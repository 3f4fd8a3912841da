import { enforcements } from "@bursar/contract/admin/spend-limits.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import type { Call } from "#src/access/call.ts";
import { lockScope } from "#src/access/limited-scope.ts";
import { getWorkspaceFor, getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import { fireCrossed } from "#src/alerts/firing/fire-spend.ts";
import type { AlertingDeps } from "#src/alerts/firing/recorded-firing.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { fromCursor, type PageOfRows, toPage } from "#src/domain/page-position.ts";
import { workspacesWhere } from "#src/domain/rights.ts";
import { periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { assert } from "#src/lib/assert.ts";
import { type Balance, findBalance, readBalancesAtSeq } from "#src/spend/ledger/balances.sql.ts";
import {
  auditOfDeleted,
  auditOfSet,
  changeLimit,
  readLimit,
  readOpenEndedHold,
  type WantedLimit,
} from "#src/spend/ledger/change-limit.ts";
import {
  deleteSpendLimit as deleteRow,
  findActivating,
  findSpendLimit,
  type LimitRow,
} from "#src/spend/ledger/limits.sql.ts";
import { balanceKeyText } from "#src/spend/ledger/spend-key.ts";
import { findVisibleLimit, type LimitVisibility, listVisibleLimits } from "./spend-limits.sql.ts";

/** A change may cross what alerts wait for. */
export type LimitDeps = AuditDeps & AlertingDeps;

/** A limit and its balance of the running period; a null balance is 0. */
export interface LimitState {
  limit: LimitRow;
  period: SpendPeriod;
  balance: Balance | null;
  /** Null once every living node keeps to the limit. */
  activatingSince: Date | null;
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
  const wanted = {
    amountNanoUsd: readLimit("limit_usd", input.limit_usd),
    enforcement: input.enforcement,
    openEndedHoldNanoUsd: readOpenEndedHold(input.open_ended_hold_usd),
  };
  return setLimit(deps, call, { ...input, ifVersion: input.if_version, wanted: () => wanted });
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
  const { amountNanoUsd } = input;
  return setLimit(deps, call, {
    ...input,
    wanted: (before) => ({
      amountNanoUsd,
      enforcement: before?.enforcement ?? enforcements[0],
      openEndedHoldNanoUsd: before?.openEndedHoldNanoUsd ?? null,
    }),
  });
}

interface SetLimit {
  scope: WireScope;
  period: PeriodName;
  ifVersion?: number | null | undefined;
  wanted: (before: LimitRow | null) => WantedLimit;
}

function setLimit(
  deps: LimitDeps,
  { caller, origin }: Call,
  { scope: wireScope, period: name, ifVersion, wanted }: SetLimit,
): Promise<LimitState> {
  const period = periodOf(name, deps.nowMs());
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const scope = await lockScope(tx, caller, wireScope);
    const of = { ...scope, organizationId: caller.organizationId, period: name };
    const before = await findSpendLimit(tx, of);
    const change = await changeLimit(tx, deps, of, wanted(before), ifVersion);
    assert(change.after !== null, "a limit that is set is there");
    const { id } = change.after;
    await fireCrossed(tx, deps, of);
    const balance = await findBalance(tx, { ...of, periodStart: period.start });
    const activatingSince = (await findActivating(tx, [id])).get(id) ?? null;
    return {
      result: { limit: change.after, period, balance, activatingSince },
      audit: auditOfSet(scope.workspaceId, change),
    };
  });
}

/** Those that the official shape has words for. */
export const officialScopeTypes = ["organization", "workspace"] as const satisfies ScopeType[];
const allScopeTypes: readonly ScopeType[] = [...officialScopeTypes, "api_key"];

/** Throws a 404 for a limit that the caller cannot see, or that is of another kind than `scopeTypes`. */
export async function getSpendLimit(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
  scopeTypes = allScopeTypes,
): Promise<LimitState> {
  const limit = await findVisibleLimit(deps.database, visibilityOf(caller), id);
  if (limit === null || !scopeTypes.includes(limit.scopeType)) throw spendLimitNotFound();
  const [state] = await withBalances(deps, [limit]);
  assert(state !== undefined, "one limit has one state");
  return state;
}

/** Throws what `getSpendLimit` throws, and a 400 where what it limits is archived. */
export function deleteSpendLimit(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
  scopeTypes = allScopeTypes,
): Promise<void> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const found = await findVisibleLimit(tx, visibilityOf(caller), id);
    if (found === null || !scopeTypes.includes(found.scopeType)) throw spendLimitNotFound();
    const { workspaceId } = await lockScope(tx, caller, toWireScope(found));
    // Deleted or replaced while the lock was waited for: what the log says is what is deleted now.
    const deleted = await deleteRow(tx, { organizationId: caller.organizationId, id });
    if (deleted === null) throw spendLimitNotFound();
    return { result: undefined, audit: auditOfDeleted(workspaceId, deleted) };
  });
}

export interface SpendLimitQuery {
  scopeTypes?: readonly ScopeType[] | undefined;
  workspace_id?: string | undefined;
  api_key_id?: string | undefined;
  period?: PeriodName | undefined;
}

/** Filters that a cursor of the list is bound to. */
export function filtersOf({
  scopeTypes,
  workspace_id,
  api_key_id,
  period,
}: SpendLimitQuery): unknown {
  return { list: "spend_limits", scopeTypes, workspace_id, api_key_id, period };
}

/** A page of the limits that the caller can see. Throws a 404 for a workspace or key that it cannot see. */
export async function listSpendLimits(
  deps: AuditDeps,
  { caller }: Call,
  query: SpendLimitQuery & { limit: number; page?: string | undefined },
): Promise<PageOfRows<LimitState>> {
  const request = fromCursor(query.page, query.limit, filtersOf(query));
  const { workspace_id: workspaceId, api_key_id: apiKeyId } = query;
  const { database } = deps;
  if (workspaceId !== undefined)
    await getWorkspaceFor(database, caller, "spend_limits:read", workspaceId);
  if (apiKeyId !== undefined)
    await getWorkspaceIdOfApiKey(database, caller, "spend_limits:read", apiKeyId);
  const filter = {
    ...visibilityOf(caller),
    scopeTypes: query.scopeTypes,
    workspaceId,
    apiKeyId,
    period: query.period,
  };
  const page = toPage(await listVisibleLimits(deps.database, filter, request), request);
  return { hasMore: page.hasMore, rows: await withBalances(deps, page.rows) };
}

/** Limits with their balances, in the order given. */
export async function withBalances(
  deps: AuditDeps,
  limits: readonly LimitRow[],
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

export function visibilityOf(caller: Caller): LimitVisibility {
  return {
    organizationId: caller.organizationId,
    onlyWorkspaceIds: workspacesWhere(caller, "spend_limits:read"),
  };
}

function spendLimitNotFound(): ApiError {
  return new ApiError(
    "resource_not_found",
    "Spend limit not found",
    {},
    { resource: "spend_limit" },
  );
}

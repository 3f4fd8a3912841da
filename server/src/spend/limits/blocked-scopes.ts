import { checkEverywhere } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { getVisibleWorkspace, getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Database } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseFields } from "#src/domain/refuse-field.ts";
import { periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { assert } from "#src/lib/assert.ts";
import { visibilityOf } from "#src/limits/visible-limits.ts";
import { readSpendOf } from "#src/spend/ledger/balances.sql.ts";
import { type BlockingTime, type DescribedScope, describeScopes } from "./blocked-scopes.sql.ts";
import { spendLimits } from "./spend-limit-kind.ts";
import { countBlocking, listVisibleLimits } from "./spend-limits.sql.ts";
import { type LimitState, readLimitStates } from "./spend-limits.ts";

export interface BlockingLimit extends LimitState {
  scope: DescribedScope;
}

/** Lists limits that block requests now and that the caller can see. */
export async function listBlockingLimits(
  deps: AuditDeps,
  { caller }: Call,
  request: PageRequest,
): Promise<PageOfRows<BlockingLimit>> {
  const { database } = deps;
  const blockingAt = toBlockingTime(deps.nowMs());
  const { now } = blockingAt;
  const filter = { ...visibilityOf(spendLimits, caller), blockingAt };
  const page = toPage(await listVisibleLimits(database, filter, request), request);
  const { organizationId } = caller;
  const scopes = await describeScopes(database, { organizationId, scopes: page.rows, now });
  const scopeOf = new Map(scopes.map((scope) => [scope.scopeId, scope]));
  const states = await readLimitStates(deps, page.rows);
  const rows = states.map((state) => {
    const scope = scopeOf.get(state.limit.scopeId);
    assert(scope !== undefined, "a limit belongs to a scope of its organization");
    return { ...state, scope };
  });
  return { ...page, rows };
}

/** Counts limits that block requests now and that the caller can see. */
export function countBlockingLimits(
  database: Database,
  caller: Caller,
  nowMs: number,
): Promise<number> {
  return countBlocking(database, visibilityOf(spendLimits, caller), toBlockingTime(nowMs));
}

function toBlockingTime(nowMs: number): BlockingTime {
  return { now: toDate(nowMs), periodStarts: listPeriodStarts(nowMs) };
}

/** First days of the current periods. */
export function listPeriodStarts(nowMs: number): BlockingTime["periodStarts"] {
  const startOf = (period: PeriodName) => periodOf(period, nowMs).start;
  return { daily: startOf("daily"), weekly: startOf("weekly"), monthly: startOf("monthly") };
}

export interface PeriodSpend {
  scope: DescribedScope;
  periodName: PeriodName;
  period: SpendPeriod;
  spentNanoUsd: bigint;
}

interface PeriodSpendQuery {
  period: PeriodName;
  workspace_id?: string | undefined;
  api_key_id?: string | undefined;
  member_id?: string | undefined;
  group_id?: string | undefined;
  tag_id?: string | undefined;
}

/** Throws a 404 for a scope that the caller cannot see, and a 403 for the organization without a role in it. */
export async function getPeriodSpend(
  deps: AuditDeps,
  { caller }: Call,
  query: PeriodSpendQuery,
): Promise<PeriodSpend> {
  const { organizationId } = caller;
  const nowMs = deps.nowMs();
  const period = periodOf(query.period, nowMs);
  const requested = await readScope(deps, caller, query);
  const of = { organizationId, scopes: [requested], now: toDate(nowMs) };
  const [scope] = await describeScopes(deps.database, of);
  assert(scope !== undefined, "a scope of the query has a row");
  if (scope.name === null) throw scopeNotFound(requested.scopeType);
  const { workspaceId } = scope;
  const key = { ...requested, organizationId, period: query.period, periodStart: period.start };
  const { settledNanoUsd } = await readSpendOf(deps.database, { ...key, workspaceId });
  return { scope, periodName: query.period, period, spentNanoUsd: settledNanoUsd };
}

async function readScope(
  { database }: AuditDeps,
  caller: Caller,
  query: PeriodSpendQuery,
): Promise<{ scopeType: ScopeType; scopeId: string }> {
  const { workspace_id: workspaceId, api_key_id: apiKeyId } = query;
  const sent = scopeFields.filter((field) => query[field] !== undefined);
  if (sent.length > 1) throw refuseFields(`${sent.join(", ")}: send only one of them.`, sent);
  if (apiKeyId !== undefined) {
    await getWorkspaceIdOfApiKey(database, caller, "spend_limits:read", apiKeyId);
    return { scopeType: "api_key", scopeId: apiKeyId };
  }
  if (workspaceId !== undefined) {
    await getVisibleWorkspace(database, caller, "spend_limits:read", workspaceId);
    return { scopeType: "workspace", scopeId: workspaceId };
  }
  checkEverywhere(caller, "spend_limits:read");
  const { member_id: memberId, group_id: groupId, tag_id: tagId } = query;
  if (memberId !== undefined) return { scopeType: "member", scopeId: memberId };
  if (groupId !== undefined) return { scopeType: "group", scopeId: groupId };
  if (tagId !== undefined) return { scopeType: "tag", scopeId: tagId };
  return { scopeType: "organization", scopeId: caller.organizationId };
}

const scopeFields = ["workspace_id", "api_key_id", "member_id", "group_id", "tag_id"] as const;

function scopeNotFound(scopeType: ScopeType): ApiError {
  const resource = scopeType === "organization" ? "workspace" : scopeType;
  return new ApiError("resource_not_found", "Scope not found", {}, { resource });
}

function toDate(ms: number): Date {
  return new Date(Math.floor(ms));
}

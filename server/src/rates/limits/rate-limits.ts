import type { WireScope } from "@bursar/contract/scope.ts";
import type { Call } from "#src/access/call.ts";
import { lockScope } from "#src/access/limited-scope.ts";
import { getWorkspaceFor, getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { ScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { modelGroupOf, modelGroups } from "#src/domain/model-groups.ts";
import { fromCursor, type PageOfRows, toPage } from "#src/domain/page-position.ts";
import { workspacesWhere } from "#src/domain/rights.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { assert } from "#src/lib/assert.ts";
import {
  capacityOf,
  hasRoom,
  msUntil,
  type RateKind,
  rateKinds,
} from "#src/rates/buckets/bucket.ts";
import { readLevels } from "#src/rates/buckets/buckets.sql.ts";
import {
  deleteRateLimit as deleteRow,
  listRateLimitsOf,
  type PerMinute,
  type RateLimit,
} from "#src/rates/buckets/limits.sql.ts";
import { appliesTo } from "#src/rates/buckets/node-rates.ts";
import {
  auditOfDeleted,
  auditOfSet,
  changeRateLimit,
  checkPerMinute,
  readModelGroup,
} from "./change-rate-limit.ts";
import {
  findVisibleRateLimit,
  listVisibleRateLimits,
  type RateLimitVisibility,
} from "./rate-limits.sql.ts";

/** A limit and what is left of it at this moment. */
export interface RateLimitState {
  limit: RateLimit;
  levels: PerMinute;
  /** Until requests are taken again, milliseconds; null where they are. */
  freeInMs: number | null;
}

export interface NewRateLimit {
  scope: WireScope;
  model_group: string;
  requests_per_minute: number | null;
  input_tokens_per_minute: number | null;
  output_tokens_per_minute: number | null;
  if_version?: number | null | undefined;
}

/** Creates or replaces the limit of (scope, group). Throws what `lockScope` and `changeRateLimit` throw, and a 400. */
export async function setRateLimit(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: NewRateLimit,
): Promise<RateLimitState> {
  const group = readModelGroup(input.model_group);
  const wanted: PerMinute = {
    requests: input.requests_per_minute,
    input_tokens: input.input_tokens_per_minute,
    output_tokens: input.output_tokens_per_minute,
  };
  checkPerMinute(group, wanted);
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const scope = await lockScope(tx, caller, input.scope, "rate_limits");
    const of = { ...scope, organizationId, modelGroup: group.id };
    const change = await changeRateLimit(tx, of, () => wanted, input.if_version);
    assert(change.after !== null, "a limit that is set is there");
    const [state] = toStates([change.after], await readLevels(tx, [change.after.id]));
    assert(state !== undefined, "one limit has one state");
    return { result: state, audit: auditOfSet(scope.workspaceId, change) };
  });
}

/** Throws a 404 for a limit that the caller cannot see. */
export async function getRateLimit(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
): Promise<RateLimitState> {
  const limit = await findVisibleRateLimit(deps.database, visibilityOf(caller), id);
  if (limit === null) throw rateLimitNotFound();
  const [state] = await withLevels(deps, [limit]);
  assert(state !== undefined, "one limit has one state");
  return state;
}

/** Throws what `getRateLimit` and `lockScope` throw. */
export function deleteRateLimit(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<void> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const found = await findVisibleRateLimit(tx, visibilityOf(caller), id);
    if (found === null) throw rateLimitNotFound();
    const { workspaceId } = await lockScope(tx, caller, toWireScope(found), "rate_limits");
    // Deleted or replaced while the lock was waited for: what the log says is what is deleted now.
    const deleted = await deleteRow(tx, { organizationId: caller.organizationId, id });
    if (deleted === null) throw rateLimitNotFound();
    return { result: undefined, audit: auditOfDeleted(workspaceId, deleted) };
  });
}

export interface RateLimitQuery {
  scope_type?: ScopeType | undefined;
  workspace_id?: string | undefined;
  api_key_id?: string | undefined;
  model_group?: string | undefined;
}

/** Filters that a cursor of the list is bound to. */
export function filtersOf({
  scope_type,
  workspace_id,
  api_key_id,
  model_group,
}: RateLimitQuery): unknown {
  return { list: "rate_limits", scope_type, workspace_id, api_key_id, model_group };
}

/** A page of the limits that the caller can see. Throws a 404 for a workspace or key that it cannot see. */
export async function listRateLimits(
  deps: AuditDeps,
  { caller }: Call,
  query: RateLimitQuery & { limit: number; page?: string | undefined },
): Promise<PageOfRows<RateLimitState>> {
  const request = fromCursor(query.page, query.limit, filtersOf(query));
  const { workspace_id: workspaceId, api_key_id: apiKeyId, model_group: modelGroup } = query;
  const { database } = deps;
  if (modelGroup !== undefined) readModelGroup(modelGroup);
  if (workspaceId !== undefined) {
    await getWorkspaceFor(database, caller, "rate_limits:read", workspaceId);
  }
  if (apiKeyId !== undefined) {
    await getWorkspaceIdOfApiKey(database, caller, "rate_limits:read", apiKeyId);
  }
  const scopeType = query.scope_type;
  const filter = { ...visibilityOf(caller), scopeType, workspaceId, apiKeyId, modelGroup };
  const page = toPage(await listVisibleRateLimits(database, filter, request), request);
  return { hasMore: page.hasMore, rows: await withLevels(deps, page.rows) };
}

/** What a request of one key must find room in, narrowest scope first. */
export interface EffectiveRateLimits {
  apiKeyId: string;
  workspaceId: string;
  model: string | null;
  modelGroup: string | null;
  limits: readonly RateLimitState[];
}

const narrowestFirst: readonly ScopeType[] = ["api_key", "workspace", "organization"];

/** Without `model` the limits of every group. Throws a 404 for a key that the caller cannot see. */
export async function getEffectiveRateLimits(
  deps: AuditDeps,
  { caller }: Call,
  { api_key_id: apiKeyId, model = null }: { api_key_id: string; model?: string | null | undefined },
): Promise<EffectiveRateLimits> {
  const { organizationId } = caller;
  const { database } = deps;
  const workspaceId = await getWorkspaceIdOfApiKey(database, caller, "rate_limits:read", apiKeyId);
  const modelGroup = model === null ? null : modelGroupOf(model);
  const scopeIds = [apiKeyId, workspaceId, organizationId];
  const found = await listRateLimitsOf(database, { organizationId, scopeIds });
  const limits = found
    .filter((limit) => modelGroup === null || appliesTo(limit, modelGroup))
    .toSorted((a, b) => placeOf(a) - placeOf(b));
  return { apiKeyId, workspaceId, model, modelGroup, limits: await withLevels(deps, limits) };
}

function placeOf({ scopeType, modelGroup }: RateLimit): number {
  const group = modelGroups.findIndex(({ id }) => id === modelGroup);
  return narrowestFirst.indexOf(scopeType) * modelGroups.length + group;
}

/** Limits with what is left of them, in the order given. */
async function withLevels(
  deps: AuditDeps,
  limits: readonly RateLimit[],
): Promise<RateLimitState[]> {
  if (limits.length === 0) return [];
  const ids = limits.map(({ id }) => id);
  return toStates(limits, await readLevels(deps.database, ids));
}

function toStates(
  limits: readonly RateLimit[],
  known: ReadonlyMap<string, Partial<Record<RateKind, number>>>,
): RateLimitState[] {
  return limits.map((limit) => {
    const levels = { requests: null, input_tokens: null, output_tokens: null } as Record<
      RateKind,
      number | null
    >;
    let freeInMs: number | null = null;
    for (const kind of rateKinds) {
      const perMinute = limit.perMinute[kind];
      if (perMinute === null) continue;
      const level = known.get(limit.id)?.[kind] ?? capacityOf(kind, perMinute);
      levels[kind] = level;
      if (!hasRoom(level)) freeInMs = Math.max(freeInMs ?? 0, msUntil(level, 1, perMinute));
    }
    return { limit, levels, freeInMs };
  });
}

export function visibilityOf(caller: Caller): RateLimitVisibility {
  return {
    organizationId: caller.organizationId,
    onlyWorkspaceIds: workspacesWhere(caller, "rate_limits:read"),
  };
}

export function rateLimitNotFound(): ApiError {
  return new ApiError("resource_not_found", "Rate limit not found", {}, { resource: "rate_limit" });
}

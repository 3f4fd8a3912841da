import type { Rank } from "@bursar/contract/permissions.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import type { Call } from "#src/access/call.ts";
import { getWorkspaceIdOfApiKey } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { RateScopeType } from "#src/db/tables.ts";
import { modelGroupOf, modelGroups } from "#src/domain/model-groups.ts";
import type { PageOfRows, PageRequest } from "#src/domain/page-position.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { isOwnScope } from "#src/domain/wire-scope.ts";
import { assert } from "#src/lib/assert.ts";
import { changeInScope, changeLimit } from "#src/limits/change-limit.ts";
import type { LimitValue } from "#src/limits/limit-values.rule.ts";
import { readValues } from "#src/limits/limit-values.ts";
import { findScopeNames } from "#src/limits/scope-names.sql.ts";
import { getLimit, type LimitQuery, listLimits } from "#src/limits/visible-limits.ts";
import {
  capacityOf,
  hasRoom,
  msUntilLevel,
  type RateKind,
  rateKinds,
} from "#src/rates/buckets/bucket.ts";
import { readLevels } from "#src/rates/buckets/buckets.sql.ts";
import {
  listScopeRateLimits,
  type PerMinute,
  type RateLimit,
} from "#src/rates/buckets/limits.sql.ts";
import { coversGroup } from "#src/rates/buckets/node-rates.ts";
import type { WantedRates } from "./combine-values.rule.ts";
import { findOwnerOfKey } from "./member-rates.sql.ts";
import { rateLimits } from "./rate-limit-kind.ts";
import { checkPerMinute, readModelGroup } from "./read-rate-limit.ts";

/** Limit with its current levels. */
export interface RateLimitState {
  limit: RateLimit;
  /** Empty: the scope no longer exists. */
  scopeName: string;
  levels: PerMinute;
  /** Time until requests are accepted again, milliseconds. Null: they are accepted. */
  freeInMs: number | null;
  values: readonly LimitValue<WantedRates>[];
}

export interface NewRateLimit {
  scope: WireScope;
  model_group: string;
  requests_per_minute: number | null;
  input_tokens_per_minute: number | null;
  output_tokens_per_minute: number | null;
  rank?: Rank | undefined;
  if_version?: number | null | undefined;
}

/** Creates or replaces the limit of (scope, group). Throws a 400, and what `lockScope` and `changeLimit` throw. */
export async function setRateLimit(
  deps: AuditDeps,
  call: Call,
  input: NewRateLimit,
): Promise<RateLimitState> {
  const group = readModelGroup(input.model_group);
  const perMinute: PerMinute = {
    requests: input.requests_per_minute,
    input_tokens: input.input_tokens_per_minute,
    output_tokens: input.output_tokens_per_minute,
  };
  checkPerMinute(group, perMinute);
  const { rank } = input;
  return changeInScope(rateLimits, deps, { call, scope: input.scope, rank }, async (tx, scope) => {
    const change = await changeLimit(rateLimits, tx, deps, {
      of: { ...scope, modelGroup: group.id },
      wanted: () => ({ perMinute }),
      ifVersion: input.if_version,
    });
    assert(change.after !== null, "a limit that is set is there");
    const limits = [change.after];
    const levels = await readLevels(tx, [change.after.id]);
    const names = await findScopeNames(tx, limits);
    const [state] = toStates(limits, { levels, names, values: [change.values] });
    assert(state !== undefined, "one limit has one state");
    return { change, result: state };
  });
}

/** Returns one limit. Throws a 404 for a limit that the caller cannot see. */
export async function getRateLimit(
  deps: AuditDeps,
  { caller }: Call,
  id: string,
): Promise<RateLimitState> {
  const [state] = await addLevels(deps, [
    await getLimit(rateLimits, deps.database, caller, { id }),
  ]);
  assert(state !== undefined, "one limit has one state");
  return state;
}

export interface RateLimitQuery extends LimitQuery {
  scope_type?: RateScopeType | undefined;
  model_group?: string | undefined;
}

/** Returns a page of the limits that the caller can see. Throws a 404 for a hidden workspace or key. */
export async function listRateLimits(
  deps: AuditDeps,
  call: Call,
  query: RateLimitQuery,
  request: PageRequest,
): Promise<PageOfRows<RateLimitState>> {
  const { scope_type: scopeType, model_group: modelGroup } = query;
  if (modelGroup !== undefined) readModelGroup(modelGroup);
  const filter = { scopeTypes: scopeType && [scopeType], modelGroup };
  const page = await listLimits(rateLimits, deps, call, { query, filter, request });
  return { ...page, rows: await addLevels(deps, page.rows) };
}

/** Limits that apply to requests of one key, narrowest scope first. */
export interface EffectiveRateLimits {
  apiKeyId: string;
  workspaceId: string;
  model: string | null;
  modelGroup: string | null;
  limits: readonly RateLimitState[];
}

const narrowestFirst: readonly RateScopeType[] = [
  "api_key",
  "member",
  "group",
  "workspace",
  "organization",
];

/** Without `model`: the limits of every group. Throws a 404 for a key that the caller cannot see. */
export async function getEffectiveRateLimits(
  deps: AuditDeps,
  { caller }: Call,
  { api_key_id: apiKeyId, model = null }: { api_key_id: string; model?: string | null | undefined },
): Promise<EffectiveRateLimits> {
  const { organizationId } = caller;
  const { database } = deps;
  const workspaceId = await getWorkspaceIdOfApiKey(database, caller, "rate_limits:read", apiKeyId);
  const modelGroup = model === null ? null : modelGroupOf(model);
  const { memberId, groupIds } = await findOwnerOfKey(database, { organizationId, apiKeyId });
  const own = memberId === null ? [] : [memberId];
  const scopeIds = [apiKeyId, ...own, ...groupIds, workspaceId, organizationId];
  const found = await listScopeRateLimits(database, { organizationId, scopeIds });
  const canSeeAll = listPermittedWorkspaces(caller, "rate_limits:read") === null;
  const limits = found
    .filter(({ scopeType }) => narrowestFirst.includes(scopeType))
    .filter(({ scopeType }) => canSeeAll || isOwnScope(scopeType))
    .filter((limit) => modelGroup === null || coversGroup(limit, modelGroup))
    .toSorted((a, b) => placeOf(a) - placeOf(b));
  return { apiKeyId, workspaceId, model, modelGroup, limits: await addLevels(deps, limits) };
}

function placeOf({ scopeType, modelGroup }: RateLimit): number {
  const group = modelGroups.findIndex(({ id }) => id === modelGroup);
  return narrowestFirst.indexOf(scopeType) * modelGroups.length + group;
}

/** Adds the current levels and the values to limits, in the same order. */
async function addLevels(deps: AuditDeps, limits: readonly RateLimit[]): Promise<RateLimitState[]> {
  if (limits.length === 0) return [];
  const ids = limits.map(({ id }) => id);
  const levels = await readLevels(deps.database, ids);
  const names = await findScopeNames(deps.database, limits);
  const values = await readValues(rateLimits, deps.database, limits);
  return toStates(limits, { levels, names, values });
}

function toStates(
  limits: readonly RateLimit[],
  known: {
    levels: ReadonlyMap<string, Partial<Record<RateKind, number>>>;
    names: ReadonlyMap<string, string>;
    /** Values of each limit, in the order of the limits. */
    values: readonly (readonly LimitValue<WantedRates>[])[];
  },
): RateLimitState[] {
  return limits.map((limit, place) => {
    const levels = { requests: null, input_tokens: null, output_tokens: null } as Record<
      RateKind,
      number | null
    >;
    let freeInMs: number | null = null;
    for (const kind of rateKinds) {
      const perMinute = limit.perMinute[kind];
      if (perMinute === null) continue;
      const level = known.levels.get(limit.id)?.[kind] ?? capacityOf(kind, perMinute);
      levels[kind] = level;
      if (!hasRoom(level)) freeInMs = Math.max(freeInMs ?? 0, msUntilLevel(level, 1, perMinute));
    }
    const scopeName = known.names.get(limit.scopeId) ?? "";
    return { limit, scopeName, levels, freeInMs, values: known.values[place] ?? [] };
  });
}

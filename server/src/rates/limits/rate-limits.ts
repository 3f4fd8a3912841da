import type { Rank } from "@bursar/contract/permissions.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { RateScopeType } from "#src/db/tables.ts";
import type { PageOfRows, PageRequest } from "#src/domain/page-position.ts";
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
import type { PerMinute, RateLimit } from "#src/rates/buckets/limits.sql.ts";
import type { WantedRates } from "./combine-values.rule.ts";
import { limitPlaceOf, listInheritedRates, type MemberRate } from "./member-rates.rule.ts";
import { listMemberRates } from "./member-rates.sql.ts";
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
  /** Numbers of a member's limit that defaults of groups decide. */
  inherited: readonly InheritedRate[];
}

export interface InheritedRate extends Pick<MemberRate, "kind" | "perMinute" | "groupId"> {
  groupName: string;
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
    const [state] = await readStates(tx, [change.after], [change.values]);
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
  const [state] = await readRateStates(deps, [
    await getLimit(rateLimits, deps.database, caller, { id }),
  ]);
  assert(state !== undefined, "one limit has one state");
  return state;
}

export interface RateLimitQuery extends LimitQuery {
  scope_type?: RateScopeType | undefined;
  model_group?: string | undefined;
  inherited?: "true" | "false" | undefined;
}

/** Returns a page of the limits that the caller can see. Throws a 404 for a hidden workspace or key. */
export async function listRateLimits(
  deps: AuditDeps,
  call: Call,
  query: RateLimitQuery,
  request: PageRequest,
): Promise<PageOfRows<RateLimitState>> {
  const { scope_type: scopeType, model_group: modelGroup, inherited } = query;
  if (modelGroup !== undefined) readModelGroup(modelGroup);
  const isOwnOnly = inherited === "false";
  const filter = { scopeTypes: scopeType && [scopeType], modelGroup, isOwnOnly };
  const page = await listLimits(rateLimits, deps, call, { query, filter, request });
  return { ...page, rows: await readRateStates(deps, page.rows) };
}

/** Adds the current levels, the values and their origin to limits, in the same order. */
export async function readRateStates(
  { database }: Pick<AuditDeps, "database">,
  limits: readonly RateLimit[],
): Promise<RateLimitState[]> {
  if (limits.length === 0) return [];
  return readStates(database, limits, await readValues(rateLimits, database, limits));
}

/** `values` are those of each limit, in the order of the limits. */
async function readStates(
  db: Database | Tx,
  limits: readonly RateLimit[],
  values: readonly (readonly LimitValue<WantedRates>[])[],
): Promise<RateLimitState[]> {
  const ids = limits.map(({ id }) => id);
  const levels = await readLevels(db, ids);
  const inherited = await findInherited(db, limits, values);
  const groups = [...inherited].flatMap(([{ organizationId }, rates]) =>
    rates.map(({ groupId }) => ({ organizationId, scopeType: "group" as const, scopeId: groupId })),
  );
  const names = await findScopeNames(db, [...limits, ...groups]);
  return limits.map((limit, place) => ({
    ...toLevels(limit, levels.get(limit.id)),
    limit,
    scopeName: names.get(limit.scopeId) ?? "",
    values: values[place] ?? [],
    inherited: (inherited.get(limit) ?? []).map(({ kind, perMinute, groupId }) => {
      return { kind, perMinute, groupId, groupName: names.get(groupId) ?? "" };
    }),
  }));
}

/** Finds the defaults of groups that decide numbers of members' limits. */
async function findInherited(
  db: Database | Tx,
  limits: readonly RateLimit[],
  values: readonly (readonly LimitValue<WantedRates>[])[],
): Promise<ReadonlyMap<RateLimit, MemberRate[]>> {
  const ofMembers = limits.filter(({ scopeType }) => scopeType === "member");
  const [first] = ofMembers;
  if (first === undefined) return new Map();
  const { organizationId } = first;
  const memberIds = [...new Set(ofMembers.map(({ scopeId }) => scopeId))];
  const defaults = await listMemberRates(db, { organizationId, memberIds });
  const defaultsOf = Map.groupBy(defaults, limitPlaceOf);
  return new Map(
    limits.flatMap((limit, place) => {
      if (limit.scopeType !== "member") return [];
      const { scopeId: memberId, modelGroup } = limit;
      const own = defaultsOf.get(limitPlaceOf({ memberId, modelGroup })) ?? [];
      return [[limit, listInheritedRates(limit, own, values[place] ?? [])] as const];
    }),
  );
}

function toLevels(
  limit: RateLimit,
  known: Partial<Record<RateKind, number>> | undefined,
): Pick<RateLimitState, "levels" | "freeInMs"> {
  const levels = { requests: null, input_tokens: null, output_tokens: null } as Record<
    RateKind,
    number | null
  >;
  let freeInMs: number | null = null;
  for (const kind of rateKinds) {
    const perMinute = limit.perMinute[kind];
    if (perMinute === null) continue;
    const level = known?.[kind] ?? capacityOf(kind, perMinute);
    levels[kind] = level;
    if (!hasRoom(level)) freeInMs = Math.max(freeInMs ?? 0, msUntilLevel(level, 1, perMinute));
  }
  return { levels, freeInMs };
}

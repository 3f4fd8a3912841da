import {
  type effectiveRateLimits,
  listRateLimits as listRateLimitsRoute,
  type modelGroup,
  type rateLimit,
  type rateLimitRoutes,
} from "@bursar/contract/admin/rate-limits.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { findModelGroup, modelGroupOf, modelGroups } from "#src/domain/model-groups.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { deleteLimit, toWireSetter } from "#src/limits/change-limit.ts";
import type { LimitValue } from "#src/limits/limit-values.rule.ts";
import { type RateKind, ROUNDING } from "#src/rates/buckets/bucket.ts";
import type { WantedRates } from "./combine-values.rule.ts";
import { type EffectiveRateLimits, getEffectiveRateLimits } from "./effective-rates.ts";
import {
  listOfficialRateLimits,
  listOfficialWorkspaceRateLimits,
  setOfficialWorkspaceRateLimit,
} from "./official.ts";
import { rateLimits } from "./rate-limit-kind.ts";
import { getRateLimit, listRateLimits, type RateLimitState, setRateLimit } from "./rate-limits.ts";

export function makeRateLimitHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof rateLimitRoutes)[number], Call> {
  const toWire = (state: RateLimitState) => toRateLimit(state, deps.nowMs());
  return {
    setRateLimit: async (call, { body }) => toWire(await setRateLimit(deps, call, body)),
    listRateLimits: pagedList(
      listRateLimitsRoute,
      (call, { query }, page) => listRateLimits(deps, call, query, page),
      toWire,
    ),
    getRateLimit: async (call, { params }) =>
      toWire(await getRateLimit(deps, call, params.rate_limit_id)),
    deleteRateLimit: async (call, { params: { rate_limit_id: id }, query: { rank } }) => {
      const values = await deleteLimit(rateLimits, deps, call, { id, rank });
      return { id, type: "rate_limit_deleted", values: values.map(toRateLimitValue) };
    },
    getEffectiveRateLimits: async (call, { query }) =>
      toEffective(await getEffectiveRateLimits(deps, call, query), deps.nowMs()),
    listModelGroups: async (_, { query: { model } }) => ({
      data: modelGroups
        .filter(({ id }) => model === undefined || id === modelGroupOf(model))
        .map(toModelGroup),
    }),
    listOfficialRateLimits: (call, { query }) => listOfficialRateLimits(deps, call, query),
    listOfficialWorkspaceRateLimits: (call, { params, query }) =>
      listOfficialWorkspaceRateLimits(deps, call, params.workspace_id, query),
    updateOfficialWorkspaceRateLimit: (call, { params, body }) =>
      setOfficialWorkspaceRateLimit(deps, call, {
        workspaceId: params.workspace_id,
        rateLimitId: params.rate_limit_id,
        wanted: body.limits,
      }),
  };
}

function toModelGroup(group: (typeof modelGroups)[number]): z.input<typeof modelGroup> {
  return {
    type: "model_group",
    id: group.id,
    display_name: group.displayName,
    models: group.models === null ? null : [...group.models],
    counts_tokens: group.hasTokenLimits,
  };
}

function toRateLimit(state: RateLimitState, nowMs: number): z.input<typeof rateLimit> {
  const { limit, levels, freeInMs } = state;
  const group = findModelGroup(limit.modelGroup);
  return {
    type: "rate_limit",
    id: limit.id,
    scope: toWireScope(limit),
    scope_name: state.scopeName,
    model_group: limit.modelGroup,
    model_group_name: group?.displayName ?? limit.modelGroup,
    models: group?.models == null ? null : [...group.models],
    requests_per_minute: limit.perMinute.requests,
    input_tokens_per_minute: limit.perMinute.input_tokens,
    output_tokens_per_minute: limit.perMinute.output_tokens,
    remaining: {
      requests: levels.requests && Math.max(0, roundLevel(levels.requests)),
      input_tokens: levels.input_tokens && roundLevel(levels.input_tokens),
      output_tokens: levels.output_tokens && roundLevel(levels.output_tokens),
    },
    blocks_now: freeInMs !== null,
    free_at: toTime(nowMs, freeInMs),
    values: state.values.map(toRateLimitValue),
    inherited: state.inherited.map(({ kind, perMinute, groupId, groupName }) => ({
      ...{ kind, per_minute: perMinute, group_id: groupId, group_name: groupName },
    })),
    version: Number(limit.revision),
    created_at: limit.createdAt.toISOString(),
    updated_at: limit.updatedAt.toISOString(),
  };
}

function toRateLimitValue({ rank, wanted, setBy, setAtMs }: LimitValue<WantedRates>) {
  const { perMinute } = wanted;
  return {
    rank,
    requests_per_minute: perMinute.requests,
    input_tokens_per_minute: perMinute.input_tokens,
    output_tokens_per_minute: perMinute.output_tokens,
    set_by: toWireSetter(setBy),
    set_at: new Date(setAtMs).toISOString(),
  };
}

const roundLevel = (level: number) => Math.floor(level + ROUNDING);

function toTime(nowMs: number, inMs: number | null): string | null {
  return inMs === null ? null : new Date(Math.ceil(nowMs + inMs)).toISOString();
}

function toEffective(
  { limits, common, ...of }: EffectiveRateLimits,
  nowMs: number,
): z.input<typeof effectiveRateLimits> {
  const waits = common.flatMap(({ freeInMs }) => freeInMs ?? []);
  return {
    type: "effective_rate_limits",
    api_key_id: of.apiKeyId,
    workspace_id: of.workspaceId,
    member_id: of.memberId,
    model: of.model,
    model_group: of.modelGroup,
    limits: limits.map((state) => toRateLimit(state, nowMs)),
    tightest: {
      requests: toTightest(common, "requests"),
      input_tokens: toTightest(common, "input_tokens"),
      output_tokens: toTightest(common, "output_tokens"),
    },
    is_blocked: waits.length > 0,
    free_at: toTime(nowMs, waits.length === 0 ? null : Math.max(...waits)),
  };
}

/** Returns the lowest limit. Among equal ones, the narrowest scope comes first. */
function toTightest(limits: readonly RateLimitState[], kind: RateKind) {
  const tightest = limits
    .filter(({ limit }) => limit.perMinute[kind] !== null)
    .toSorted((a, b) => (a.limit.perMinute[kind] ?? 0) - (b.limit.perMinute[kind] ?? 0))[0];
  if (tightest === undefined) return null;
  const { limit, levels } = tightest;
  return {
    rate_limit_id: limit.id,
    per_minute: limit.perMinute[kind] ?? 0,
    remaining: roundLevel(levels[kind] ?? 0),
  };
}

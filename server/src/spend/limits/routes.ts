import type { limitForecastRoutes } from "@bursar/contract/admin/limit-forecasts.ts";
import { listLimitOverruns as listLimitOverrunsRoute } from "@bursar/contract/admin/limit-overruns.ts";
import type { myLimitRoutes } from "@bursar/contract/admin/my-usage.ts";
import { listOfficialSpendLimits } from "@bursar/contract/admin/official-spend-limits.ts";
import {
  type effectiveSpendLimits,
  listBlockingLimits as listBlockingLimitsRoute,
  listSpendLimits as listSpendLimitsRoute,
  listWorkspaceLimits as listWorkspaceLimitsRoute,
  type spendLimitRoutes,
} from "@bursar/contract/admin/spend-limits.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { formatUsd } from "#src/domain/money.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { deleteLimit } from "#src/limits/change-limit.ts";
import { fromOfficialScopeType, toOfficialSpendLimit } from "#src/spend/ledger/official-limit.ts";
import { getPeriodSpend, listBlockingLimits } from "./blocked-scopes.ts";
import { type EffectiveLimits, getEffectiveLimits } from "./effective-limits.ts";
import { getGroupLimitMode, setGroupLimitMode } from "./group-limit-mode.ts";
import { getLimitCapacity, toCapacity } from "./limit-capacity.ts";
import { listLimitForecasts } from "./limit-forecasts.ts";
import { listLimitOverruns, toLimitOverrun } from "./limit-overruns.ts";
import { listMemberLimits } from "./member-limits.ts";
import { listMyLimits } from "./my-limits.ts";
import { setOfficialLimit } from "./official-limits.ts";
import { spendLimits } from "./spend-limit-kind.ts";
import { getSpendLimit, type LimitDeps, listSpendLimits, setSpendLimit } from "./spend-limits.ts";
import {
  toBlockingLimit,
  toGroupLimitMode,
  toLimitForecast,
  toMyLimit,
  toPeriodSpend,
  toSpendLimit,
  toSpendLimitValue,
  toWorkspaceLimit,
} from "./to-wire.ts";
import { listWorkspaceLimits, setWorkspaceLimit } from "./workspace-limits.ts";

export function makeMyLimitHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof myLimitRoutes)[number], Call> {
  return {
    listMyLimits: async (call) => ({ data: (await listMyLimits(deps, call)).map(toMyLimit) }),
  };
}

export function makeLimitForecastHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof limitForecastRoutes)[number], Call> {
  return {
    listLimitForecasts: async (call) => {
      const { rows, hasMore } = await listLimitForecasts(deps, call);
      return { data: rows.map(toLimitForecast), has_more: hasMore };
    },
  };
}

/** Limits of the official shape. A user has only those with an own value. */
const officialLimits = {
  scopeTypes: ["organization", "workspace", "member", "group_member"],
  isOwnOnly: true,
} as const;

export function makeSpendLimitHandlers(
  deps: LimitDeps,
): HandlersFor<(typeof spendLimitRoutes)[number], Call> {
  return {
    setWorkspaceLimit: async (call, { body }) =>
      toWorkspaceLimit(await setWorkspaceLimit(deps, call, body)),
    listWorkspaceLimits: pagedList(
      listWorkspaceLimitsRoute,
      (call, { query }, page) => listWorkspaceLimits(deps, call, query, page),
      toWorkspaceLimit,
    ),
    setSpendLimit: async (call, { body }) => toSpendLimit(await setSpendLimit(deps, call, body)),
    listSpendLimits: pagedList(
      listSpendLimitsRoute,
      (call, { query: { scope_type, inherited, ...rest } }, page) => {
        const scopeTypes = scope_type && [scope_type];
        const query = { ...rest, scopeTypes, isOwnOnly: inherited === "false" };
        return listSpendLimits(deps, call, query, page);
      },
      toSpendLimit,
    ),
    getSpendLimit: async (call, { params }) =>
      toSpendLimit(await getSpendLimit(deps, call, { id: params.spend_limit_id })),
    listLimitOverruns: pagedList(
      listLimitOverrunsRoute,
      (call, { params }, page) => listLimitOverruns(deps, call, params.spend_limit_id, page),
      toLimitOverrun,
    ),
    getSpendLimitCapacity: async (call, { params }) =>
      toCapacity(await getLimitCapacity(deps, call, params.spend_limit_id)),
    deleteSpendLimit: async (call, { params: { spend_limit_id: id }, query: { rank } }) => {
      const values = await deleteLimit(spendLimits, deps, call, { id, rank });
      return { id, type: "spend_limit_deleted", values: values.map(toSpendLimitValue) };
    },
    getEffectiveSpendLimits: async (call, { query }) =>
      toEffective(await getEffectiveLimits(deps, call, query)),
    listBlockingLimits: pagedList(
      listBlockingLimitsRoute,
      (call, _, page) => listBlockingLimits(deps, call, page),
      toBlockingLimit,
    ),
    getPeriodSpend: async (call, { query }) =>
      toPeriodSpend(await getPeriodSpend(deps, call, query)),
    getGroupLimitMode: async (call) => toGroupLimitMode(await getGroupLimitMode(deps, call)),
    setGroupLimitMode: async (call, { body: { mode } }) =>
      toGroupLimitMode(await setGroupLimitMode(deps, call, mode)),
    listOfficialSpendLimits: pagedList(
      listOfficialSpendLimits,
      (call, { query: { scope_type, ...rest } }, page) => {
        const scopeTypes = scope_type?.map(fromOfficialScopeType) ?? officialLimits.scopeTypes;
        const query = { ...rest, ...officialLimits, scopeTypes };
        return listSpendLimits(deps, call, query, page);
      },
      ({ limit }) => toOfficialSpendLimit(limit),
    ),
    listEffectiveMemberLimits: (call, { query }) => listMemberLimits(deps, call, query),
    setOfficialSpendLimit: async (call, { body }) =>
      toOfficialSpendLimit((await setOfficialLimit(deps, call, body)).limit),
    getOfficialSpendLimit: async (call, { params: { spend_limit_id: id } }) =>
      toOfficialSpendLimit((await getSpendLimit(deps, call, { id, ...officialLimits })).limit),
    deleteOfficialSpendLimit: async (call, { params: { spend_limit_id: id } }) => {
      await deleteLimit(spendLimits, deps, call, { id, scopeTypes: officialLimits.scopeTypes });
      return { id, type: "spend_limit_deleted" };
    },
  };
}

function toEffective(effective: EffectiveLimits): z.input<typeof effectiveSpendLimits> {
  const { apiKeyId, workspaceId, memberId, limits, bindsFirst, isBlocked } = effective;
  const toUsd = (nanoUsd: bigint | null) => (nanoUsd === null ? null : formatUsd(nanoUsd));
  return {
    type: "effective_spend_limits",
    api_key_id: apiKeyId,
    workspace_id: workspaceId,
    member_id: memberId,
    limits: limits.map(toSpendLimit),
    binds_first: bindsFirst && {
      spend_limit_id: bindsFirst.isVisible ? bindsFirst.limit.id : null,
      scope_type: bindsFirst.limit.scopeType,
      period: bindsFirst.limit.period,
      period_ends_at: new Date(bindsFirst.period.endMs).toISOString(),
    },
    is_blocked: isBlocked,
    max_request_usd: toUsd(effective.maxRequestNanoUsd),
    max_stream_usd: toUsd(effective.maxStreamNanoUsd),
    max_first_hold_usd: toUsd(effective.maxFirstHoldNanoUsd),
  };
}

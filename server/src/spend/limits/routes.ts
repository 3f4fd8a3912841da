import type {
  effectiveSpendLimits,
  spendLimitRoutes,
} from "@bursar/contract/admin/spend-limits.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { formatUsd } from "#src/domain/money.ts";
import { nextCursor } from "#src/domain/page-position.ts";
import { deleteLimit } from "#src/limits/change-limit.ts";
import { filtersOf, positionOf } from "#src/limits/visible-limits.ts";
import { fromOfficialAmount, toOfficialSpendLimit } from "#src/spend/ledger/official-limit.ts";
import { blockingFilters, getPeriodSpend, listBlockingLimits } from "./blocked-scopes.ts";
import { type EffectiveLimits, getEffectiveLimits } from "./effective-limits.ts";
import { listMemberLimits } from "./member-limits.ts";
import { spendLimits } from "./spend-limit-kind.ts";
import {
  getSpendLimit,
  type LimitDeps,
  listSpendLimits,
  setLimitAmount,
  setSpendLimit,
} from "./spend-limits.ts";
import { toBlockingLimit, toPeriodSpend, toSpendLimit, toWorkspaceLimit } from "./to-wire.ts";
import { listWorkspaceLimits, setWorkspaceLimit, workspaceFiltersOf } from "./workspace-limits.ts";

/** Scopes that the official shape has. */
const officialScopes = { scopeTypes: ["organization", "workspace"] } as const;

export function makeSpendLimitHandlers(
  deps: LimitDeps,
): HandlersFor<(typeof spendLimitRoutes)[number], Call> {
  return {
    setWorkspaceLimit: async (call, { body }) =>
      toWorkspaceLimit(await setWorkspaceLimit(deps, call, body)),
    listWorkspaceLimits: async (call, { query }) => {
      const page = await listWorkspaceLimits(deps, call, query);
      const next_page = nextCursor(page, workspaceFiltersOf(query), ({ workspace }) => ({
        createdAtMs: workspace.created_at.getTime(),
        id: workspace.id,
      }));
      return { data: page.rows.map(toWorkspaceLimit), next_page };
    },
    setSpendLimit: async (call, { body }) => toSpendLimit(await setSpendLimit(deps, call, body)),
    listSpendLimits: async (call, { query: { scope_type, ...rest } }) => {
      const query = { scopeTypes: scope_type && [scope_type], ...rest };
      const page = await listSpendLimits(deps, call, query);
      const next_page = nextCursor(page, filtersOf(spendLimits, query), positionOf);
      return { data: page.rows.map(toSpendLimit), next_page };
    },
    getSpendLimit: async (call, { params }) =>
      toSpendLimit(await getSpendLimit(deps, call, { id: params.spend_limit_id })),
    deleteSpendLimit: async (call, { params: { spend_limit_id: id } }) => {
      await deleteLimit(spendLimits, deps, call, { id });
      return { id, type: "spend_limit_deleted" };
    },
    getEffectiveSpendLimits: async (call, { query }) =>
      toEffective(await getEffectiveLimits(deps, call, query.api_key_id)),
    listBlockingLimits: async (call, { query }) => {
      const page = await listBlockingLimits(deps, call, query);
      const next_page = nextCursor(page, blockingFilters, positionOf);
      return { data: page.rows.map(toBlockingLimit), next_page };
    },
    getPeriodSpend: async (call, { query }) =>
      toPeriodSpend(await getPeriodSpend(deps, call, query)),
    listOfficialSpendLimits: async (call, { query: { scope_type, ...rest } }) => {
      const query = { scopeTypes: scope_type ?? officialScopes.scopeTypes, ...rest };
      const page = await listSpendLimits(deps, call, query);
      const next_page = nextCursor(page, filtersOf(spendLimits, query), positionOf);
      return { data: page.rows.map(({ limit }) => toOfficialSpendLimit(limit)), next_page };
    },
    listEffectiveMemberLimits: (call, { query }) => listMemberLimits(deps, call, query),
    setOfficialSpendLimit: async (call, { body: { scope, period, amount } }) => {
      const wanted = { scope, period, amountNanoUsd: fromOfficialAmount(amount) };
      return toOfficialSpendLimit((await setLimitAmount(deps, call, wanted)).limit);
    },
    getOfficialSpendLimit: async (call, { params: { spend_limit_id: id } }) =>
      toOfficialSpendLimit((await getSpendLimit(deps, call, { id, ...officialScopes })).limit),
    deleteOfficialSpendLimit: async (call, { params: { spend_limit_id: id } }) => {
      await deleteLimit(spendLimits, deps, call, { id, ...officialScopes });
      return { id, type: "spend_limit_deleted" };
    },
  };
}

function toEffective(effective: EffectiveLimits): z.input<typeof effectiveSpendLimits> {
  const { apiKeyId, workspaceId, limits, bindsFirst, isBlocked, maxRequestNanoUsd } = effective;
  return {
    type: "effective_spend_limits",
    api_key_id: apiKeyId,
    workspace_id: workspaceId,
    limits: limits.map(toSpendLimit),
    binds_first: bindsFirst && {
      spend_limit_id: bindsFirst.isVisible ? bindsFirst.limit.id : null,
      scope_type: bindsFirst.limit.scopeType,
      period: bindsFirst.limit.period,
      period_ends_at: new Date(bindsFirst.period.endMs).toISOString(),
    },
    is_blocked: isBlocked,
    max_request_usd: maxRequestNanoUsd === null ? null : formatUsd(maxRequestNanoUsd),
  };
}

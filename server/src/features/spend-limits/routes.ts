import type {
  spendLimit,
  spendLimitRoutes,
  workspaceLimit,
} from "@bursar/contract/admin/spend-limits.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { formatUsd } from "#src/domain/money.ts";
import { nextCursor } from "#src/domain/page-position.ts";
import { toWireScope } from "./limited-scope.ts";
import {
  deleteSpendLimit,
  filtersOf,
  getSpendLimit,
  type LimitState,
  listSpendLimits,
  setSpendLimit,
} from "./spend-limits.ts";
import {
  listWorkspaceLimits,
  setWorkspaceLimit,
  type WorkspaceLimit,
  workspaceFiltersOf,
} from "./workspace-limits.ts";

export function makeSpendLimitHandlers(
  deps: AuditDeps,
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
    listSpendLimits: async (call, { query }) => {
      const page = await listSpendLimits(deps, call, query);
      const next_page = nextCursor(page, filtersOf(query), ({ limit }) => ({
        createdAtMs: limit.createdAt.getTime(),
        id: limit.id,
      }));
      return { data: page.rows.map(toSpendLimit), next_page };
    },
    getSpendLimit: async (call, { params }) =>
      toSpendLimit(await getSpendLimit(deps, call, params.spend_limit_id)),
    deleteSpendLimit: async (call, { params }) => {
      await deleteSpendLimit(deps, call, params.spend_limit_id);
      return { id: params.spend_limit_id, type: "spend_limit_deleted" };
    },
  };
}

function toWorkspaceLimit(row: WorkspaceLimit): z.input<typeof workspaceLimit> {
  const { workspace, limit, spentNanoUsd, period } = row;
  const left = limit === null ? null : limit.amountNanoUsd - spentNanoUsd;
  return {
    type: "workspace_limit",
    id: limit?.id ?? null,
    workspace_id: workspace.id,
    workspace_name: workspace.name,
    monthly_limit_usd: limit && toNumber(limit.amountNanoUsd),
    enforcement: limit?.enforcement ?? null,
    period: "monthly",
    period_starts_at: new Date(period.startMs).toISOString(),
    period_ends_at: new Date(period.endMs).toISOString(),
    spent_usd: formatUsd(spentNanoUsd),
    remaining_usd: left === null ? null : toRemaining(left),
    updated_at: limit?.updatedAt.toISOString() ?? null,
  };
}

function toSpendLimit({ limit, period, balance }: LimitState): z.input<typeof spendLimit> {
  const spent = balance?.settledNanoUsd ?? 0n;
  const held = balance?.leasedNanoUsd ?? 0n;
  const unresolved = balance?.unresolvedNanoUsd ?? 0n;
  return {
    type: "spend_limit",
    id: limit.id,
    scope: toWireScope(limit),
    period: limit.period,
    limit_usd: toNumber(limit.amountNanoUsd),
    enforcement: limit.enforcement,
    period_starts_at: new Date(period.startMs).toISOString(),
    period_ends_at: new Date(period.endMs).toISOString(),
    spent_usd: formatUsd(spent),
    held_usd: formatUsd(held),
    unresolved_usd: formatUsd(unresolved),
    remaining_usd: toRemaining(limit.amountNanoUsd - spent - held - unresolved),
    created_at: limit.createdAt.toISOString(),
    updated_at: limit.updatedAt.toISOString(),
  };
}

/** Exact: a limit has no more digits than a double keeps (`readLimit`). */
function toNumber(nanoUsd: bigint): number {
  return Number(formatUsd(nanoUsd));
}

function toRemaining(nanoUsd: bigint): string {
  return formatUsd(nanoUsd > 0n ? nanoUsd : 0n);
}

import {
  listSpendAdjustments as listSpendAdjustmentsRoute,
  listUnresolvedSpend as listUnresolvedSpendRoute,
  type requestCostRoutes,
  type spendAdjustment,
  type unresolvedSpend,
  type unresolvedSpendRoutes,
} from "@bursar/contract/admin/unresolved-spend.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { formatUsd } from "#src/domain/money.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { msFromIsoDate, periodOf } from "#src/domain/spend-period.ts";
import type { AdjustmentRow, UnresolvedItem } from "#src/spend/ledger/unresolved.sql.ts";
import { setRequestCost } from "./request-cost.ts";
import {
  listSpendAdjustments,
  listUnresolvedSpend,
  resolveUnresolvedSpend,
  type UnresolvedDeps,
} from "./unresolved-spend.ts";

export function makeUnresolvedSpendHandlers(
  deps: UnresolvedDeps,
): HandlersFor<(typeof unresolvedSpendRoutes | typeof requestCostRoutes)[number], Call> {
  return {
    listUnresolvedSpend: pagedList(
      listUnresolvedSpendRoute,
      (call, _, page) => listUnresolvedSpend(deps, call, page),
      (item) => toUnresolved(item, deps),
    ),
    resolveUnresolvedSpend: async (call, { params: { unresolved_spend_id: id }, body }) => {
      const resolved = await resolveUnresolvedSpend(deps, call, { id, ...body });
      return {
        type: "unresolved_spend_resolved",
        id,
        decision: body.decision,
        charged_usd: formatUsd(resolved.chargedNanoUsd),
        adjustment_id: resolved.adjustmentId,
      };
    },
    setRequestCost: async (call, { params: { request_id: requestId }, body }) => {
      const decided = await setRequestCost(deps, call, { requestId, ...body });
      const { recordedNanoUsd, adjustedNanoUsd } = decided;
      return {
        type: "request_cost",
        request_id: requestId,
        recorded_usd: formatUsd(recordedNanoUsd),
        adjustment_usd: formatUsd(adjustedNanoUsd),
        cost_usd: formatUsd(recordedNanoUsd + adjustedNanoUsd),
        released_usd: formatUsd(decided.releasedNanoUsd),
        adjustment_id: decided.adjustmentId,
      };
    },
    listSpendAdjustments: pagedList(
      listSpendAdjustmentsRoute,
      (call, _, page) => listSpendAdjustments(deps, call, page),
      toAdjustment,
    ),
  };
}

function toUnresolved(
  item: UnresolvedItem,
  { unresolvedReleaseMs }: UnresolvedDeps,
): z.input<typeof unresolvedSpend> {
  return {
    type: "unresolved_spend",
    id: item.id,
    kind: item.kind,
    request_id: item.requestId,
    node_id: item.nodeId,
    scope: {
      type: item.scopeType,
      id: item.scopeId,
      workspace_id: item.workspaceId,
      api_key_id: item.scopeType === "api_key" ? item.scopeId : null,
    },
    period: item.period,
    amount_usd: formatUsd(item.amountNanoUsd),
    since: item.since.toISOString(),
    releases_at: new Date(releasableFromMs(item) + unresolvedReleaseMs).toISOString(),
  };
}

/** Start of the release time. The budget of a node or journal first waits for the end of its period. */
function releasableFromMs({ since, period, periodStart }: UnresolvedItem): number {
  if (period === null || periodStart === null) return since.getTime();
  return Math.max(since.getTime(), periodOf(period, msFromIsoDate(periodStart)).endMs);
}

function toAdjustment(row: AdjustmentRow): z.input<typeof spendAdjustment> {
  return {
    type: "spend_adjustment",
    id: row.id,
    workspace_id: row.workspaceId,
    api_key_id: row.apiKeyId,
    request_id: row.requestId,
    started_at: row.startedAt.toISOString(),
    cost_usd: formatUsd(row.costNanoUsd),
    reason: row.reason,
    created_at: row.createdAt.toISOString(),
  };
}

import type { spendLimitRoutes, workspaceLimit } from "@bursar/contract/admin/spend-limits.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { formatUsd } from "#src/domain/money.ts";
import { nextCursor } from "#src/domain/page-position.ts";
import {
  filtersOf,
  listWorkspaceLimits,
  setWorkspaceLimit,
  type WorkspaceLimit,
} from "./spend-limits.ts";

export function makeSpendLimitHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof spendLimitRoutes)[number], Call> {
  return {
    setWorkspaceLimit: async (call, { body }) => toWire(await setWorkspaceLimit(deps, call, body)),
    listWorkspaceLimits: async (call, { query }) => {
      const page = await listWorkspaceLimits(deps, call, query);
      const next_page = nextCursor(page, filtersOf(query), ({ workspace }) => ({
        createdAtMs: workspace.created_at.getTime(),
        id: workspace.id,
      }));
      return { data: page.rows.map(toWire), next_page };
    },
  };
}

function toWire(row: WorkspaceLimit): z.input<typeof workspaceLimit> {
  const { workspace, limit, spentNanoUsd, period } = row;
  const left = limit === null ? null : limit.amountNanoUsd - spentNanoUsd;
  return {
    type: "workspace_limit",
    id: limit?.id ?? null,
    workspace_id: workspace.id,
    workspace_name: workspace.name,
    monthly_limit_usd: limit && Number(formatUsd(limit.amountNanoUsd)),
    enforcement: limit?.enforcement ?? null,
    period: "monthly",
    period_starts_at: new Date(period.startMs).toISOString(),
    period_ends_at: new Date(period.endMs).toISOString(),
    spent_usd: formatUsd(spentNanoUsd),
    remaining_usd: left === null ? null : formatUsd(left > 0n ? left : 0n),
    updated_at: limit?.updatedAt.toISOString() ?? null,
  };
}

import { z } from "zod";
import { optionalQuery, timestamp, usdAmount, usdText } from "../fields.ts";
import { spendLimitId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

/**
 * The limit itself is a JSON number, as it is in the request: it has at most 15 significant digits, so nothing is lost.
 * What was spent is a sum and therefore decimal text.
 */
export const workspaceLimit = z
  .object({
    type: z.literal("workspace_limit"),
    id: spendLimitId.nullable(),
    workspace_id: workspaceId,
    workspace_name: z.string(),
    monthly_limit_usd: z.number().nullable().meta({ description: "Null: no limit." }),
    enforcement: z
      .enum(["strict", "soft", "alert_only"])
      .nullable()
      .meta({ description: "soft: requests are refused once spend has reached the limit." }),
    period: z.literal("monthly"),
    period_starts_at: timestamp,
    period_ends_at: timestamp,
    spent_usd: usdText,
    remaining_usd: usdText.nullable(),
    updated_at: timestamp.nullable(),
  })
  .meta({ id: "WorkspaceLimit" });

export const setWorkspaceLimit = route({
  operationId: "setWorkspaceLimit",
  method: "POST",
  path: "/v1/admin/workspaces/limits",
  summary: "Set a workspace's monthly limit",
  description:
    "Creates or replaces the limit; null removes it. Months are calendar months in UTC. Takes effect at once.",
  action: "spend_limits:write",
  audited: "spend_limit.set",
  body: z.strictObject({ workspace_id: workspaceId, monthly_limit_usd: usdAmount.nullable() }),
  response: workspaceLimit,
});

export const listWorkspaceLimits = route({
  operationId: "listWorkspaceLimits",
  method: "GET",
  path: "/v1/admin/workspaces/limits",
  summary: "List limits and what is spent this month",
  description:
    "One entry for each active workspace, newest first, also where no limit is set. With `workspace_id`, that workspace only, also when it is archived.",
  action: "spend_limits:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, workspace_id: optionalQuery(workspaceId) }),
  response: pageCursor(workspaceLimit),
});

export const spendLimitRoutes = [setWorkspaceLimit, listWorkspaceLimits] as const;

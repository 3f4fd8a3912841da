import { z } from "zod";
import { optionalQuery, timestamp, usdAmount, usdText } from "../fields.ts";
import { apiKeyId, spendLimitId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

/**
 * What may be asked of a limit; the first is the default, in both families of routes. A word stands here only once it is
 * enforced as it says.
 */
export const enforcements = ["strict", "soft", "alert_only"] as const;

const enforcement = z.enum(enforcements);
const enforcementMeaning =
  "strict: a request is sent only when the most that it can cost still fits, beside all that run. soft: requests are refused once spend has reached the limit. alert_only: none is refused.";

const scopeTypes = ["organization", "workspace", "api_key"] as const;
const periods = ["daily", "weekly", "monthly"] as const;

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
    enforcement: enforcement.nullable().meta({ description: enforcementMeaning }),
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
  stepUp: true,
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

const limitScope = z
  .discriminatedUnion(
    "type",
    [
      z.strictObject({ type: z.literal("organization") }),
      z.strictObject({ type: z.literal("workspace"), workspace_id: workspaceId }),
      z.strictObject({ type: z.literal("api_key"), api_key_id: apiKeyId }),
    ],
    {
      error: ({ code }) =>
        code === "invalid_union" ? `expected one of ${scopeTypes.join(", ")}` : undefined,
    },
  )
  .meta({ description: "Whose spend is limited." });
export type LimitScope = z.output<typeof limitScope>;

/** Amounts are those of the running period. What remains is what is neither spent nor held nor unresolved. */
export const spendLimit = z
  .object({
    type: z.literal("spend_limit"),
    id: spendLimitId,
    scope: limitScope,
    period: z.enum(periods),
    limit_usd: z.number(),
    enforcement: enforcement.meta({ description: enforcementMeaning }),
    period_starts_at: timestamp,
    period_ends_at: timestamp,
    spent_usd: usdText,
    held_usd: usdText.meta({ description: "What running requests may still cost, in US dollars." }),
    unresolved_usd: usdText.meta({
      description: "What requests may have cost whose outcome is not known, in US dollars.",
    }),
    remaining_usd: usdText.meta({ description: "Never below 0.00." }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "SpendLimit" });

const spendLimitParams = z.strictObject({ spend_limit_id: spendLimitId });

export const setSpendLimit = route({
  operationId: "setSpendLimit",
  method: "POST",
  path: "/v1/admin/spend_limits",
  summary: "Set a spend limit",
  description:
    "Creates the limit of this scope and period, or replaces it; it keeps its id. Periods are calendar days, weeks (from Monday) and months in UTC. Takes effect at once. The organization's limits need an admin key or the role Owner, Admin or Billing.",
  action: "spend_limits:write",
  audited: "spend_limit.set",
  stepUp: true,
  body: z.strictObject({
    scope: limitScope,
    period: z.enum(periods),
    limit_usd: usdAmount,
    enforcement: z
      .enum(enforcements)
      .default(enforcements[0])
      .meta({ description: enforcementMeaning }),
  }),
  response: spendLimit,
});

export const listSpendLimits = route({
  operationId: "listSpendLimits",
  method: "GET",
  path: "/v1/admin/spend_limits",
  summary: "List spend limits and what is spent against them",
  description:
    "Newest first. `workspace_id` finds the limits of that workspace and of its keys; the filters narrow one another.",
  action: "spend_limits:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    scope_type: optionalQuery(z.enum(scopeTypes)),
    workspace_id: optionalQuery(workspaceId),
    api_key_id: optionalQuery(apiKeyId),
    period: optionalQuery(z.enum(periods)),
  }),
  response: pageCursor(spendLimit),
});

export const getSpendLimit = route({
  operationId: "getSpendLimit",
  method: "GET",
  path: "/v1/admin/spend_limits/{spend_limit_id}",
  summary: "Get a spend limit",
  action: "spend_limits:read",
  audited: null,
  params: spendLimitParams,
  response: spendLimit,
});

export const deleteSpendLimit = route({
  operationId: "deleteSpendLimit",
  method: "DELETE",
  path: "/v1/admin/spend_limits/{spend_limit_id}",
  summary: "Delete a spend limit",
  description: "Spend goes on being counted. Takes effect at once.",
  action: "spend_limits:write",
  audited: "spend_limit.deleted",
  stepUp: true,
  params: spendLimitParams,
  response: z.object({ id: spendLimitId, type: z.literal("spend_limit_deleted") }),
});

export const spendLimitRoutes = [
  setWorkspaceLimit,
  listWorkspaceLimits,
  setSpendLimit,
  listSpendLimits,
  getSpendLimit,
  deleteSpendLimit,
] as const;

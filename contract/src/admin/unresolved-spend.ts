import { z } from "zod";
import { reasonText, timestamp, usdAmount, usdText } from "../fields.ts";
import { apiKeyId, requestId, unresolvedSpendId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { scopeTypes } from "../scope.ts";

const kinds = ["request", "node", "journal"] as const;
const kindDescription =
  "`request`: a sent request with an unknown outcome. `node`: budget of a silent node, which uses it again when it returns. `journal`: spend that a node may have lost with the last records of its disk.";

export const unresolvedSpend = z
  .object({
    type: z.literal("unresolved_spend"),
    id: unresolvedSpendId,
    kind: z.enum(kinds).meta({ description: kindDescription }),
    request_id: z.string().nullable().meta({ description: "Null: not a request." }),
    node_id: z.string(),
    scope: z.object({
      type: z.enum(scopeTypes),
      id: z.string(),
      workspace_id: workspaceId.nullable(),
      api_key_id: apiKeyId.nullable(),
    }),
    period: z.enum(["daily", "weekly", "monthly"]).nullable().meta({
      description:
        "Period of the limit. Null: a request, which counts in all its periods and scopes.",
    }),
    amount_usd: usdText.meta({ description: "Highest possible amount, in US dollars." }),
    since: timestamp,
    releases_at: timestamp.meta({
      description:
        "Time of the automatic release, without an earlier decision. Budget of a node or a journal is released after its period has ended.",
    }),
  })
  .meta({ id: "UnresolvedSpend" });

export const listUnresolvedSpend = route({
  operationId: "listUnresolvedSpend",
  method: "GET",
  path: "/v1/admin/unresolved_spend",
  summary: "List unresolved spend",
  description: "Newest first. Limits count it as spent.",
  action: "spend:resolve",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(unresolvedSpend),
});

export const resolvedSpend = z
  .object({
    type: z.literal("unresolved_spend_resolved"),
    id: unresolvedSpendId,
    decision: z.enum(["release", "charge"]),
    charged_usd: usdText,
    adjustment_id: z.string().nullable(),
  })
  .meta({ id: "ResolvedSpend" });

export const resolveUnresolvedSpend = route({
  operationId: "resolveUnresolvedSpend",
  method: "POST",
  path: "/v1/admin/unresolved_spend/{unresolved_spend_id}/resolve",
  summary: "Resolve unresolved spend",
  description:
    "`release`: nothing more was spent. `charge`: `amount_usd` was spent in addition to the recorded cost, by default the whole amount. Only a request can be charged. A charge is recorded as an adjustment in the periods of the request's start. Cannot be undone.",
  action: "spend:resolve",
  audited: "unresolved_spend.resolved",
  stepUp: true,
  params: z.strictObject({ unresolved_spend_id: unresolvedSpendId }),
  body: z.strictObject({
    decision: z.enum(["release", "charge"]),
    amount_usd: usdAmount.optional(),
    reason: reasonText,
  }),
  response: resolvedSpend,
});

export const spendAdjustment = z
  .object({
    type: z.literal("spend_adjustment"),
    id: z.string(),
    workspace_id: workspaceId,
    api_key_id: apiKeyId,
    request_id: z.string(),
    started_at: timestamp.meta({ description: "Start of the charged request." }),
    cost_usd: usdText.meta({ description: "Negative: a credit." }),
    reason: z.string(),
    created_at: timestamp,
  })
  .meta({ id: "SpendAdjustment" });

export const listSpendAdjustments = route({
  operationId: "listSpendAdjustments",
  method: "GET",
  path: "/v1/admin/spend_adjustments",
  summary: "List spend adjustments",
  description:
    "Newest first. Spend of a limit is the cost of requests plus these adjustments. Usage reports have the cost of requests only.",
  action: "spend:resolve",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(spendAdjustment),
});

export const requestCost = z
  .object({
    type: z.literal("request_cost"),
    request_id: requestId,
    recorded_usd: usdText.meta({ description: "Cost in the request log." }),
    adjustment_usd: usdText.meta({ description: "Sum of all decisions. Negative: a credit." }),
    cost_usd: usdText.meta({ description: "Recorded cost and adjustments." }),
    released_usd: usdText.meta({ description: "Unresolved spend of the request, now released." }),
    adjustment_id: z.string(),
  })
  .meta({ id: "RequestCost" });

export const setRequestCost = route({
  operationId: "setRequestCost",
  method: "POST",
  path: "/v1/admin/requests/{request_id}/cost",
  summary: "Set the cost of a request",
  description:
    "For a request whose cost is estimated or unknown. `cost_usd` is the whole cost that the upstream billed. The difference to " +
    "the recorded cost is an adjustment in the periods of the request's start, and its unresolved spend is released. A later " +
    "call replaces the decision.",
  action: "spend:resolve",
  audited: "request.cost_set",
  stepUp: true,
  params: z.strictObject({ request_id: requestId }),
  body: z.strictObject({ cost_usd: usdAmount, reason: reasonText }),
  response: requestCost,
});

export const unresolvedSpendRoutes = [
  listUnresolvedSpend,
  resolveUnresolvedSpend,
  listSpendAdjustments,
] as const;

export const requestCostRoutes = [setRequestCost] as const;

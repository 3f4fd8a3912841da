import { z } from "zod";
import { timestamp, usdAmount, usdText } from "../fields.ts";
import { apiKeyId, unresolvedSpendId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const kinds = ["request", "node", "journal"] as const;
const kindMeaning =
  "request: it was sent, and its outcome never became known. node: budget of a node that fell silent; the node uses it again when it is back. journal: spend that a node may have lost with the last records of its disk.";

export const unresolvedSpend = z
  .object({
    type: z.literal("unresolved_spend"),
    id: unresolvedSpendId,
    kind: z.enum(kinds).meta({ description: kindMeaning }),
    request_id: z.string().nullable().meta({ description: "Of a request; else null." }),
    node_id: z.string(),
    scope: z.object({
      type: z.enum(["organization", "workspace", "api_key"]),
      workspace_id: workspaceId.nullable(),
      api_key_id: apiKeyId.nullable(),
    }),
    period: z.enum(["daily", "weekly", "monthly"]).nullable().meta({
      description:
        "Of the limit whose budget it is. Null for a request, which counts in all periods and scopes of its chain.",
    }),
    amount_usd: usdText.meta({ description: "The most that it can be, in US dollars." }),
    since: timestamp,
    releases_at: timestamp.meta({
      description:
        "From then on it counts as not spent, unless someone decides before. Budget of a node or a journal is released after its period ended.",
    }),
  })
  .meta({ id: "UnresolvedSpend" });

export const listUnresolvedSpend = route({
  operationId: "listUnresolvedSpend",
  method: "GET",
  path: "/v1/admin/unresolved_spend",
  summary: "List spend of unknown fate",
  description: "Newest first. Limits count it as if it were spent.",
  action: "spend:resolve",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(unresolvedSpend),
});

const MAX_REASON = 500;

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
  summary: "Decide about spend of unknown fate",
  description:
    "release: it was not spent. charge: it was; `amount_usd` is what, and where that is left out all that was held. Only a request can be charged. A charge is recorded as an adjustment in the periods in which the request began. It cannot be undone.",
  action: "spend:resolve",
  audited: "unresolved_spend.resolved",
  stepUp: true,
  params: z.strictObject({ unresolved_spend_id: unresolvedSpendId }),
  body: z.strictObject({
    decision: z.enum(["release", "charge"]),
    amount_usd: usdAmount.optional(),
    reason: z
      .string()
      .trim()
      .min(1)
      .max(MAX_REASON)
      .meta({ description: "Why; it stands in the audit log." }),
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
    started_at: timestamp.meta({ description: "When the request began whose cost it is." }),
    cost_usd: usdText,
    reason: z.string(),
    created_at: timestamp,
  })
  .meta({ id: "SpendAdjustment" });

export const listSpendAdjustments = route({
  operationId: "listSpendAdjustments",
  method: "GET",
  path: "/v1/admin/spend_adjustments",
  summary: "List spend that was charged by a decision",
  description:
    "Newest first. What a limit shows as spent is the cost of requests and these. Usage reports hold the cost of requests only.",
  action: "spend:resolve",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(spendAdjustment),
});

export const unresolvedSpendRoutes = [
  listUnresolvedSpend,
  resolveUnresolvedSpend,
  listSpendAdjustments,
] as const;

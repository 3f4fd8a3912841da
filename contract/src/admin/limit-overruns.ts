import { z } from "zod";
import { count, timestamp, usdText } from "../fields.ts";
import { alertFiringId, alertId, spendLimitId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

export const limitOverrun = z
  .object({
    type: z.literal("limit_overrun"),
    spend_limit_id: spendLimitId,
    at: timestamp.meta({ description: "Minute in which the spend was recorded." }),
    period_starts_at: timestamp,
    period_ends_at: timestamp,
    overrun_usd: usdText.meta({ description: "Spend beyond the limit in this minute." }),
    limit_usd: usdText.meta({ description: "Limit in force at that time." }),
    spent_usd: usdText.meta({ description: "Spend of the period after this overrun." }),
    requests: z
      .array(
        z.object({
          request_id: z.string(),
          beyond_usd: usdText.meta({
            description: "Cost beyond the hold of the request, or the amount of its adjustment.",
          }),
        }),
      )
      .meta({ description: "Requests that cost more than their holds, at most 20." }),
    request_count: count.meta({
      description: "Number of all requests that cost more than their holds in this minute.",
    }),
    firings: z
      .array(
        z.object({
          id: alertFiringId,
          alert: z.object({ id: alertId, name: z.string() }),
          fired_at: timestamp,
        }),
      )
      .meta({
        description:
          "Firings of alerts about overruns of this limit in the period, newest first, at most 20. An alert fires when an overrun begins, and again when it has grown much, or after a raise above the spend.",
      }),
  })
  .meta({ id: "LimitOverrun" });

export const listLimitOverruns = route({
  operationId: "listLimitOverruns",
  method: "GET",
  path: "/v1/admin/spend_limits/{spend_limit_id}/overruns",
  summary: "List overruns of a spend limit",
  description:
    "Newest first: spend that settled beyond the strict limit, by minute, in all periods that balances are kept for. Overruns that nodes of version 0.1 recorded are only in `overrun_usd` of their period.",
  action: "spend_limits:read",
  audited: null,
  params: z.strictObject({ spend_limit_id: spendLimitId }),
  query: z.strictObject(pageCursorQuery),
  response: pageCursor(limitOverrun),
});

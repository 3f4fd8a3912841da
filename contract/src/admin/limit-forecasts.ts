import { z } from "zod";
import { timestamp, usdText } from "../fields.ts";
import { workspaceId } from "../ids.ts";
import { route } from "../route.ts";
import { spendLimit } from "./spend-limits.ts";

/** Most forecasts of one response. */
export const MAX_LIMIT_FORECASTS = 20;

export const limitForecast = z
  .object({
    type: z.literal("limit_forecast"),
    scope_name: z.string().meta({ description: "Name of the scope." }),
    workspace_id: workspaceId
      .nullable()
      .meta({ description: "Workspace of the scope. Null: not a workspace or key." }),
    reached_at: timestamp.meta({
      description: "Time at which the limit is used up at the current pace, to the minute.",
    }),
    forecast_usd: usdText.meta({ description: "Cost of the whole period at the current pace." }),
    usd_per_day: usdText.meta({
      description: "Average cost per day until the period ends, at the current pace.",
    }),
    spend_limit: spendLimit,
  })
  .meta({ id: "LimitForecast" });

export const listLimitForecasts = route({
  operationId: "listLimitForecasts",
  method: "GET",
  path: "/v1/admin/spend_limits/forecasts",
  summary: "List limits that will block requests soon",
  description: `Lists strict and soft limits that still allow requests, and are used up before their period ends at the current pace. The earliest is first, and at most ${MAX_LIMIT_FORECASTS} are listed. The rule is that of forecast alerts with 100 %, and needs a week of usage. Limits that block now are in \`/v1/admin/spend_limits/blocking\`.`,
  action: "spend_limits:read",
  audited: null,
  response: z.object({
    data: z.array(limitForecast),
    has_more: z.boolean().meta({
      description: "True: more limits may be used up. Only the closest ones were examined.",
    }),
  }),
});

export const limitForecastRoutes = [listLimitForecasts] as const;

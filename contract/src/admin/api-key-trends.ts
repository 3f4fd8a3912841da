import { z } from "zod";
import { queryList, timestamp, usdText } from "../fields.ts";
import { apiKeyId } from "../ids.ts";
import { route } from "../route.ts";

export const TREND_DAYS = 14;

export const getApiKeyTrends = route({
  operationId: "getApiKeyTrends",
  method: "GET",
  path: "/v1/admin/api_keys/trends",
  summary: "Get the daily cost of API keys",
  description:
    "Returns the cost of each key on the last 14 days in UTC, today included. Keys whose usage the caller cannot see are left out.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    api_key_ids: queryList(apiKeyId).meta({ description: "Up to 100 keys. Omitted: none." }),
  }),
  response: z
    .object({
      type: z.literal("api_key_trends"),
      starting_at: timestamp.meta({ description: "Start of the first day." }),
      data: z.array(
        z.object({
          api_key_id: apiKeyId,
          cost_usd: z.array(usdText).length(TREND_DAYS).meta({
            description: "Cost of each day, the oldest first.",
          }),
        }),
      ),
      data_refreshed_at: timestamp,
    })
    .meta({ id: "ApiKeyTrends" }),
});

export const apiKeyTrendRoutes = [getApiKeyTrends] as const;

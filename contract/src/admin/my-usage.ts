import { z } from "zod";
import { count, timestamp, usdText } from "../fields.ts";
import { apiKeyId, memberId, spendLimitId, tagId, workspaceId } from "../ids.ts";
import { route } from "../route.ts";
import { wireScope } from "../scope.ts";
import { simulatedCost } from "./report-fields.ts";
import { blocksNow, remaining } from "./spend-amounts.ts";
import { enforcements, inheritedFrom, periods } from "./spend-limits.ts";

// Usage and limits of one person: a signed-in member, or the owner of the calling personal key.

const sums = { cost_usd: usdText, simulated_cost_usd: simulatedCost, requests: count };

export const myUsage = z
  .object({
    type: z.literal("my_usage"),
    member_id: memberId,
    period: z.enum(periods),
    starting_at: timestamp,
    ending_at: timestamp.meta({ description: "End of the period, when limits start again." }),
    totals: z.object(sums),
    bucket: z.enum(["1h", "1d"]),
    buckets: z.array(z.object({ starting_at: timestamp, ...sums })).meta({
      description: "Hours of a day, or days of a week or month. Empty ones are omitted.",
    }),
    models: z.array(z.object({ model: z.string(), ...sums })),
    api_keys: z.array(
      z.object({
        api_key_id: apiKeyId,
        api_key_name: z.string().nullable(),
        is_playground: z.boolean(),
        ...sums,
      }),
    ),
    workspaces: z.array(
      z.object({ workspace_id: workspaceId, workspace_name: z.string().nullable(), ...sums }),
    ),
    tags: z
      .array(
        z.object({
          tag_id: tagId.nullable(),
          tag_name: z.string().nullable(),
          tag_value: z.string().nullable(),
          ...sums,
        }),
      )
      .meta({
        description:
          "Requests count once for each of their tags. `tag_id` null: requests without a tag. Empty without any tag.",
      }),
    data_refreshed_at: timestamp,
  })
  .meta({ id: "MyUsage" });

export const getMyUsage = route({
  operationId: "getMyUsage",
  method: "GET",
  path: "/v1/admin/my_usage",
  summary: "Get your own usage and cost",
  description:
    "Returns the requests of the caller's personal keys and playground sessions in the current day, week or month, UTC, also in workspaces that the caller has left. Lists have the highest cost first, and at most 100 entries. Needs a signed-in member or a personal key.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({ period: z.enum(periods).default("monthly") }),
  response: myUsage,
});

export const myLimit = z
  .object({
    type: z.literal("my_limit"),
    spend_limit_id: spendLimitId,
    scope: wireScope,
    scope_name: z.string(),
    inherited_from: inheritedFrom,
    period: z.enum(periods),
    limit_usd: z.number(),
    enforcement: z.enum(enforcements),
    spent_usd: usdText,
    held_usd: usdText,
    remaining_usd: remaining,
    blocks_now: blocksNow,
    period_ends_at: timestamp.meta({ description: "Time at which the spend starts again." }),
  })
  .meta({ id: "MyLimit" });

export const listMyLimits = route({
  operationId: "listMyLimits",
  method: "GET",
  path: "/v1/admin/my_usage/limits",
  summary: "List your own spend limits",
  description:
    "Lists limits of the caller, of their personal keys with their tags, and of their groups. Also limits of the keys' workspaces and of the organization, as far as the caller's role sees limits there. Needs a signed-in member or a personal key.",
  action: "usage:read",
  audited: null,
  response: z.object({ data: z.array(myLimit) }),
});

export const myUsageRoutes = [getMyUsage] as const;
export const myLimitRoutes = [listMyLimits] as const;

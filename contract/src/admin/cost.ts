import { z } from "zod";
import { count, queryList, timestamp, usdText } from "../fields.ts";
import { pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { costParts, labelNames } from "../usage-shape.ts";
import {
  exportFormat,
  groupFields,
  reportFilters,
  reportRange,
  reportShape,
  unpricedRequests,
} from "./report-fields.ts";
import { reportAnswer } from "./usage.ts";

export const costGroups = [...labelNames, "token_type"] as const;
export type CostGroup = (typeof costGroups)[number];

const costMeasures = {
  cost_usd: usdText,
  requests: count.nullable().meta({
    description: "Null by token type: one request is billed for several.",
  }),
  unpriced_requests: unpricedRequests,
};

export const costRow = z
  .object({
    starting_at: timestamp,
    ending_at: timestamp,
    ...groupFields,
    token_type: z.enum(costParts.map(({ part }) => part)).nullable(),
    units: count.nullable().meta({
      description: "By token type: how many tokens, or searches, that was. Else null.",
    }),
    ...costMeasures,
  })
  .meta({ id: "CostRow" });

const costTotals = z.object({ ...costMeasures, requests: count }).meta({ id: "CostTotals" });

const costGroupBy = queryList(z.enum(costGroups)).meta({
  description:
    "One row for each of them. `token_type` splits each row into what it was billed for; `web_search` is one of these types.",
});

export const getCost = route({
  operationId: "getCost",
  method: "GET",
  path: "/v1/admin/cost",
  summary: "Cost by any label",
  description:
    "Cost per bucket and group, exact to the nano-dollar: the same requests, ranges and rights as the usage report. Amounts " +
    "and the adjustments of `/v1/admin/spend_adjustments` together are the settled spend.",
  action: "usage:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    ...reportRange,
    ...reportShape,
    group_by: costGroupBy,
    ...reportFilters,
  }),
  response: z.object({ data: z.array(costRow), totals: costTotals, ...reportAnswer }),
});

export const exportCost = route({
  operationId: "exportCost",
  method: "GET",
  path: "/v1/admin/cost/export",
  summary: "Export cost",
  description:
    "All rows of the cost report as a file, oldest first. Amounts are plain decimals of US dollars, exact to the nano-dollar.",
  action: "usage:read",
  audited: null,
  query: z.strictObject({
    format: exportFormat,
    ...reportRange,
    bucket: reportShape.bucket,
    group_by: costGroupBy,
    ...reportFilters,
  }),
  response: costRow,
  streams: ["text/csv", "application/x-ndjson"],
});

export const costSummary = z
  .object({
    type: z.literal("cost_summary"),
    month: z.object({ starting_at: timestamp, ending_at: timestamp }),
    month_to_date_usd: usdText,
    today_usd: usdText,
    last_month_usd: usdText,
    last_month_to_date_usd: usdText.meta({
      description:
        "Of the month before, its days up to the same day of the month, today's excluded.",
    }),
    adjustments_usd: usdText.meta({
      description:
        "Charged to this month later, for requests whose cost was not known. Beside the other amounts, which are of requests.",
    }),
    unpriced_requests: unpricedRequests,
    forecast: z
      .object({
        month_usd: usdText,
        method: z.literal("same_weekday_average"),
        based_on_days: count,
      })
      .nullable()
      .meta({
        description:
          "What the month will have cost. What was spent so far, plus for each day to come the average of the same weekdays " +
          "among the last 28 whole days (of all those days where there is no such weekday yet); today counts as the larger of " +
          "its average and what it has cost already. Days before the first request do not count. Null without a whole day.",
      }),
    limit: z
      .object({
        monthly_limit_usd: usdText,
        enforcement: z.enum(["strict", "soft", "alert_only"]),
        remaining_usd: usdText.meta({
          description: "Of requests and adjustments; negative where more was spent.",
        }),
      })
      .nullable()
      .meta({
        description:
          "The monthly limit of what is asked about: the organization, or the one workspace or key of the filter. Null where " +
          "there is none, where other filters are set, or where the caller may not see it.",
      }),
    data_refreshed_at: timestamp,
  })
  .meta({ id: "CostSummary" });

export const getCostSummary = route({
  operationId: "getCostSummary",
  method: "GET",
  path: "/v1/admin/cost/summary",
  summary: "This month's cost, its forecast and its limit",
  description: "Months are those of UTC, by the database's clock.",
  action: "usage:read",
  audited: null,
  query: z.strictObject(reportFilters),
  response: costSummary,
});

export const costRoutes = [getCost, exportCost, getCostSummary] as const;

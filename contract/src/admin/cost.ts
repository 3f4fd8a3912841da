import { z } from "zod";
import { count, queryList, timestamp, usdText } from "../fields.ts";
import { pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { costParts, reportGroups } from "../usage-shape.ts";
import {
  attributionFields,
  attributionFilters,
  exportFormat,
  groupFields,
  partlyUnbilledRequests,
  reportFilters,
  reportRange,
  reportShape,
  simulatedCost,
  tagNameQuery,
  unpricedRequests,
} from "./report-fields.ts";
import { reportAnswer } from "./usage.ts";

export const costGroups = [...reportGroups, "token_type"] as const;
export type CostGroup = (typeof costGroups)[number];

const costMeasures = {
  cost_usd: usdText,
  simulated_cost_usd: simulatedCost,
  requests: count.nullable().meta({
    description: "Null: grouped by token type, since one request is billed for several.",
  }),
  unpriced_requests: unpricedRequests,
  partly_unbilled_requests: partlyUnbilledRequests,
};

export const costRow = z
  .object({
    starting_at: timestamp,
    ending_at: timestamp,
    ...groupFields,
    token_type: z.enum(costParts.map(({ part }) => part)).nullable(),
    units: count.nullable().meta({
      description: "Number of tokens or searches. Null: not grouped by token type.",
    }),
    ...costMeasures,
    ...attributionFields,
  })
  .meta({ id: "CostRow" });

const costTotals = z.object({ ...costMeasures, requests: count }).meta({ id: "CostTotals" });

const costGroupBy = queryList(z.enum(costGroups)).meta({
  description:
    "Labels that split the rows. `token_type` splits each row into its billed parts, and `web_search` is one of them.",
});

export const getCost = route({
  operationId: "getCost",
  method: "GET",
  path: "/v1/admin/cost",
  summary: "Get cost by any label",
  description:
    "Returns cost per bucket and group, exact to the nano-dollar. Requests, ranges and rights are those of the usage " +
    "report. Amounts and the adjustments of `/v1/admin/spend_adjustments` add up to the settled spend.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    ...pageCursorQuery,
    ...reportRange,
    ...reportShape,
    group_by: costGroupBy,
    tag_name: tagNameQuery,
    ...reportFilters,
    ...attributionFilters,
  }),
  response: z.object({ data: z.array(costRow), totals: costTotals, ...reportAnswer }),
});

export const exportCost = route({
  operationId: "exportCost",
  method: "GET",
  path: "/v1/admin/cost/export",
  summary: "Export cost",
  description:
    "Exports all rows of the cost report as a file, oldest first. Amounts are decimal US dollars, exact to the nano-dollar.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({
    format: exportFormat,
    ...reportRange,
    bucket: reportShape.bucket,
    group_by: costGroupBy,
    tag_name: tagNameQuery,
    ...reportFilters,
    ...attributionFilters,
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
      description: "Cost of the previous month before the same day of the month.",
    }),
    adjustments_usd: usdText.meta({
      description:
        "Later charges and credits of this month, for requests with an unknown or estimated cost. Not in the other amounts.",
    }),
    unpriced_requests: unpricedRequests,
    partly_unbilled_requests: partlyUnbilledRequests,
    forecast: z
      .object({
        month_usd: usdText,
        method: z.literal("same_weekday_average"),
        based_on_days: count,
      })
      .nullable()
      .meta({
        description:
          "Forecast of the month's cost: cost so far, plus for each later day the average of the same weekdays in the last " +
          "28 whole days. Without such a weekday, it is the average of all these days. Today counts as its average or its " +
          "cost so far, whichever is higher. Days before the first request are excluded. Null: no whole day yet.",
      }),
    simulated: z
      .object({
        month_to_date_usd: usdText,
        today_usd: usdText,
        last_month_usd: usdText,
        last_month_to_date_usd: usdText,
        month_forecast_usd: usdText,
      })
      .meta({
        description:
          "Parts of the other amounts that the simulator answered, which no provider bills. Limits count them.",
      }),
    limit: z
      .object({
        monthly_limit_usd: usdText,
        enforcement: z.enum(["strict", "soft", "alert_only"]),
        remaining_usd: usdText.meta({
          description: "Limit minus requests and adjustments. Negative: more was spent.",
        }),
      })
      .nullable()
      .meta({
        description:
          "Monthly limit of the organization, or of the one workspace, key, member, group or tag in the filter. Null: there " +
          "is no limit, other filters are set, or the caller cannot see it.",
      }),
    data_refreshed_at: timestamp,
  })
  .meta({ id: "CostSummary" });

export const getCostSummary = route({
  operationId: "getCostSummary",
  method: "GET",
  path: "/v1/admin/cost/summary",
  summary: "Get this month's cost, forecast and limit",
  description: "Months are in UTC, by the database's clock.",
  action: "usage:read",
  audited: null,
  isReport: true,
  query: z.strictObject({ ...reportFilters, ...attributionFilters }),
  response: costSummary,
});

export const costRoutes = [getCost, exportCost, getCostSummary] as const;

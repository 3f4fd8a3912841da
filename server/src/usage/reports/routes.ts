import type { apiKeyTrendRoutes } from "@bursar/contract/admin/api-key-trends.ts";
import type { costRoutes, costRow, costSummary } from "@bursar/contract/admin/cost.ts";
import type { usageRoutes, usageRow } from "@bursar/contract/admin/usage.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { ReportCall } from "#src/access/call.ts";
import { formatUsd } from "#src/domain/money.ts";
import { mediaTypeOf, toFile } from "#src/lib/csv.ts";
import { type CostSummary, getCostSummary } from "./cost-summary.ts";
import { costColumns, usageColumns } from "./csv-columns.ts";
import { getApiKeyTrends, type KeyTrends } from "./key-trends.ts";
import { simulatedOf } from "./report.sql.ts";
import type { BucketName } from "./report-range.rule.ts";
import { toCostRows, toMeasures, toUsageRow } from "./to-wire.ts";
import {
  type ExportQuery,
  getUsage,
  openUsageExport,
  type ShownRow,
  type UsageDeps,
  type UsageReport,
} from "./usage.ts";

type Context = Parameters<typeof toUsageRow>[1];

export function makeUsageHandlers(
  deps: UsageDeps,
): HandlersFor<
  (typeof usageRoutes)[number] | (typeof costRoutes)[number] | (typeof apiKeyTrendRoutes)[number],
  never,
  never,
  ReportCall
> {
  return {
    getUsage: async (call, { query }) => {
      const report = await getUsage(deps, call, query);
      const context = { ...report, bucket: query.bucket };
      return {
        data: report.rows.map((row) => toUsageRow(row, context)),
        totals: toMeasures(report.totals),
        ...toFrame(report, query.bucket),
      };
    },
    exportUsage: async (call, { query: { format, ...query } }) => {
      const toLine = (row: ShownRow, context: Context) => [toUsageRow(row, context)];
      const lines = await openLines<z.input<typeof usageRow>>(deps, call, query, toLine);
      const pieces = toFile(format, usageColumns, lines);
      return { mediaType: mediaTypeOf(format), fileName: fileName(deps, "usage", format), pieces };
    },
    getCost: async (call, { query }) => {
      const report = await getUsage(deps, call, query);
      const isSplit = query.group_by?.includes("token_type") ?? false;
      const context = { ...report, bucket: query.bucket };
      return {
        data: report.rows.flatMap((row) => toCostRows(row, context, isSplit)),
        totals: {
          cost_usd: formatUsd(report.totals.cost_nano_usd),
          simulated_cost_usd: formatUsd(simulatedOf(report.totals)),
          requests: Number(report.totals.requests),
          unpriced_requests: Number(report.totals.unpriced_requests),
          partly_unbilled_requests: Number(report.totals.partly_unbilled_requests),
        },
        ...toFrame(report, query.bucket),
      };
    },
    exportCost: async (call, { query: { format, ...query } }) => {
      const isSplit = query.group_by?.includes("token_type") ?? false;
      const toLines = (row: ShownRow, context: Context) => toCostRows(row, context, isSplit);
      const lines = await openLines<z.input<typeof costRow>>(deps, call, query, toLines);
      const pieces = toFile(format, costColumns, lines);
      return { mediaType: mediaTypeOf(format), fileName: fileName(deps, "cost", format), pieces };
    },
    getApiKeyTrends: async (call, { query }) =>
      toApiKeyTrends(await getApiKeyTrends(deps, call, query.api_key_ids ?? [])),
    getCostSummary: async (call, { query }) =>
      toCostSummary(await getCostSummary(deps, call, query)),
  };
}

function toApiKeyTrends({ startMs, keys, dataAsOfMs }: KeyTrends) {
  return {
    type: "api_key_trends" as const,
    starting_at: new Date(startMs).toISOString(),
    data: keys.map(({ apiKeyId, costsNanoUsd }) => ({
      api_key_id: apiKeyId,
      cost_usd: costsNanoUsd.map(formatUsd),
    })),
    data_refreshed_at: new Date(dataAsOfMs).toISOString(),
  };
}

function toFrame(report: UsageReport, bucket: BucketName) {
  return {
    next_page: report.nextPage,
    bucket,
    has_overlapping_rows: report.hasOverlappingRows,
    starting_at: new Date(report.range.startMs).toISOString(),
    ending_at: new Date(report.range.endMs).toISOString(),
    data_refreshed_at: new Date(report.dataAsOfMs).toISOString(),
  };
}

/** Starts an export, and reads its first page: a refusal needs a status, which no later line can have. */
async function openLines<Line>(
  deps: UsageDeps,
  call: ReportCall,
  query: ExportQuery,
  toLines: (row: ShownRow, context: Context) => Line[],
): Promise<AsyncGenerator<Line[]>> {
  const { groupBy, range, pages } = await openUsageExport(deps, call, query);
  const first = await pages.next();
  async function* lines() {
    for (let page = first; page.done !== true; page = await pages.next()) {
      const { rows, names } = page.value;
      const context = { bucket: query.bucket, range, groupBy, names };
      yield rows.flatMap((row) => toLines(row, context));
    }
  }
  return lines();
}

function fileName(deps: UsageDeps, report: string, format: string): string {
  return `${report}-${new Date(deps.nowMs()).toISOString().slice(0, 10)}.${format}`;
}

function toCostSummary(summary: CostSummary): z.input<typeof costSummary> {
  const { month, sums, simulated, limit } = summary;
  const { forecast } = sums;
  return {
    type: "cost_summary",
    month: {
      starting_at: new Date(month.startMs).toISOString(),
      ending_at: new Date(month.endMs).toISOString(),
    },
    ...toCostSums(sums),
    adjustments_usd: formatUsd(summary.adjustmentsNanoUsd),
    unpriced_requests: Number(summary.unpricedRequests),
    partly_unbilled_requests: Number(summary.partlyUnbilledRequests),
    forecast: forecast && {
      month_usd: formatUsd(forecast.monthNanoUsd),
      method: "same_weekday_average",
      based_on_days: forecast.basedOnDays,
    },
    simulated: {
      ...toCostSums(simulated),
      month_forecast_usd: formatUsd(simulated.forecast?.monthNanoUsd ?? 0n),
    },
    limit: limit && {
      monthly_limit_usd: formatUsd(limit.amountNanoUsd),
      enforcement: limit.enforcement,
      remaining_usd: formatUsd(
        limit.amountNanoUsd - sums.monthToDateNanoUsd - summary.adjustmentsNanoUsd,
      ),
    },
    data_refreshed_at: new Date(summary.dataAsOfMs).toISOString(),
  };
}

function toCostSums(of: CostSummary["sums"]) {
  return {
    month_to_date_usd: formatUsd(of.monthToDateNanoUsd),
    today_usd: formatUsd(of.todayNanoUsd),
    last_month_usd: formatUsd(of.lastMonthNanoUsd),
    last_month_to_date_usd: formatUsd(of.lastMonthToDateNanoUsd),
  };
}

import type { usageRoutes, usageRow, usageTotals } from "@bursar/contract/admin/usage.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { formatUsd } from "#src/domain/money.ts";
import { bucketMs } from "#src/domain/usage-range.ts";
import type { UsageCounts, UsageRow } from "./usage.sql.ts";
import { getUsage, type UsageDeps, type UsageReport } from "./usage.ts";

export function makeUsageHandlers(
  deps: UsageDeps,
): HandlersFor<(typeof usageRoutes)[number], Call> {
  return {
    getUsage: async (call, { query }) => {
      const report = await getUsage(deps, call, query);
      const lengthMs = bucketMs(query.bucket);
      return {
        data: report.rows.map((row) => toWire(row, report, lengthMs)),
        next_page: report.nextPage,
        bucket: query.bucket,
        starting_at: new Date(report.startMs).toISOString(),
        ending_at: new Date(report.endMs).toISOString(),
        totals: toMeasures(report.totals),
      };
    },
  };
}

function toWire(
  row: UsageRow,
  { groupBy }: UsageReport,
  lengthMs: number,
): z.input<typeof usageRow> {
  return {
    starting_at: row.bucket_at.toISOString(),
    ending_at: new Date(row.bucket_at.getTime() + lengthMs).toISOString(),
    workspace_id: groupBy.includes("workspace") ? row.workspace_id : null,
    api_key_id: groupBy.includes("api_key") ? row.api_key_id : null,
    model: groupBy.includes("model") ? row.model : null,
    ...toMeasures(row),
  };
}

function toMeasures(counts: UsageCounts): z.input<typeof usageTotals> {
  const totalTokens =
    counts.input_tokens +
    counts.cache_write_5m_tokens +
    counts.cache_write_1h_tokens +
    counts.cache_read_tokens +
    counts.output_tokens;
  return {
    requests: Number(counts.requests),
    errors: Number(counts.errors),
    estimated_requests: Number(counts.estimated_requests),
    unpriced_requests: Number(counts.unpriced_requests),
    input_tokens: Number(counts.input_tokens),
    cache_write_5m_tokens: Number(counts.cache_write_5m_tokens),
    cache_write_1h_tokens: Number(counts.cache_write_1h_tokens),
    cache_read_tokens: Number(counts.cache_read_tokens),
    output_tokens: Number(counts.output_tokens),
    total_tokens: Number(totalTokens),
    web_searches: Number(counts.web_searches),
    cost_usd: formatUsd(counts.cost_nano_usd),
    cost_breakdown_usd: {
      input: formatUsd(counts.input_cost_nano_usd),
      cache_write_5m: formatUsd(counts.cache_write_5m_cost_nano_usd),
      cache_write_1h: formatUsd(counts.cache_write_1h_cost_nano_usd),
      cache_read: formatUsd(counts.cache_read_cost_nano_usd),
      output: formatUsd(counts.output_cost_nano_usd),
      web_search: formatUsd(counts.web_search_cost_nano_usd),
    },
  };
}

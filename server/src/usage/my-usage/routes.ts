import type { myUsageRoutes } from "@bursar/contract/admin/my-usage.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { ReportCall } from "#src/access/call.ts";
import { formatUsd } from "#src/domain/money.ts";
import { simulatedOf, type UsageCounts } from "#src/usage/reports/report.sql.ts";
import type { UsageDeps } from "#src/usage/reports/usage.ts";
import { getMyUsage } from "./my-usage.ts";

export function makeMyUsageHandlers(
  deps: UsageDeps,
): HandlersFor<(typeof myUsageRoutes)[number], never, never, ReportCall> {
  return {
    getMyUsage: async (call, { query }) => {
      const usage = await getMyUsage(deps, call, query.period);
      const { names, period } = usage;
      return {
        type: "my_usage",
        member_id: usage.memberId,
        period: query.period,
        starting_at: toIso(period.startMs),
        ending_at: toIso(period.endMs),
        totals: toSums(usage.totals),
        bucket: usage.bucket,
        buckets: usage.buckets.map((row) => ({
          starting_at: toIso(row.bucket_at?.getTime() ?? period.startMs),
          ...toSums(row),
        })),
        models: usage.models.map((row) => ({ model: row.model ?? "", ...toSums(row) })),
        api_keys: usage.apiKeys.map((row) => ({
          api_key_id: row.api_key_id ?? "",
          api_key_name: names.apiKeys.get(row.api_key_id ?? "") ?? null,
          is_playground: names.playgroundKeys.has(row.api_key_id ?? ""),
          ...toSums(row),
        })),
        workspaces: usage.workspaces.map((row) => ({
          workspace_id: row.workspace_id ?? "",
          workspace_name: names.workspaces.get(row.workspace_id ?? "") ?? null,
          ...toSums(row),
        })),
        tags: usage.tags.map(({ tag_id: id = "", ...row }) => ({
          tag_id: id === "" ? null : id,
          tag_name: names.tags.get(id)?.name ?? null,
          tag_value: names.tags.get(id)?.value ?? null,
          ...toSums(row),
        })),
        data_refreshed_at: toIso(usage.dataAsOfMs),
      };
    },
  };
}

function toSums(row: UsageCounts) {
  return {
    cost_usd: formatUsd(row.cost_nano_usd),
    simulated_cost_usd: formatUsd(simulatedOf(row)),
    requests: Number(row.requests),
  };
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

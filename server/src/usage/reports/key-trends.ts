import { TREND_DAYS } from "@bursar/contract/admin/api-key-trends.ts";
import type { ReportCall } from "#src/access/call.ts";
import { findOpenHours } from "#src/recording/open-hours.sql.ts";
import { findVisibleUsage } from "#src/usage/visible-usage.ts";
import { type KeyDays, listKeyDays } from "./key-trends.sql.ts";
import { inReport } from "./report.sql.ts";
import type { UsageDeps } from "./usage.ts";

const DAY_MS = 86_400_000;

export interface KeyTrends {
  startMs: number;
  keys: { apiKeyId: string; costsNanoUsd: bigint[] }[];
  dataAsOfMs: number;
}

/** Daily cost of the keys whose usage the caller can see, in the order of the ids. */
export async function getApiKeyTrends(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  apiKeyIds: readonly string[],
): Promise<KeyTrends> {
  const { organizationId } = caller;
  const startMs = Math.floor(deps.nowMs() / DAY_MS) * DAY_MS - (TREND_DAYS - 1) * DAY_MS;
  const visible = await findVisibleUsage(deps.database, caller);
  const start = new Date(startMs);
  const query = { organizationId, visible, apiKeyIds, start, days: TREND_DAYS };
  return inReport(reader, async (tx) => {
    const found = await listKeyDays(tx, query, await findOpenHours(tx, organizationId));
    const byKey = new Map(found.map(({ apiKeyId, costs }) => [apiKeyId, costs]));
    const keys = [...new Set(apiKeyIds)].flatMap((apiKeyId) => {
      const costs = byKey.get(apiKeyId);
      return costs === undefined ? [] : [{ apiKeyId, costsNanoUsd: sumByDay(costs) }];
    });
    return { startMs, keys, dataAsOfMs: reader.dataAsOfMs() };
  });
}

function sumByDay(costs: KeyDays["costs"]): bigint[] {
  const sums = Array.from({ length: TREND_DAYS }, () => 0n);
  for (const { day, costNanoUsd } of costs) sums[day] = (sums[day] ?? 0n) + costNanoUsd;
  return sums;
}

import { forecastPassing } from "#src/domain/forecast.ts";
import type { HourlySpend } from "#src/domain/hourly-spend.ts";
import { formatUsd } from "#src/domain/money.ts";
import { isoFromMs, periodOf } from "#src/domain/spend-period.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { firingScopeOf, type RunningLimit, type WatchedUsageOf } from "./watched-usage.sql.ts";

/** Finds the firing of a forecast alert for one limit of the scope. Empty if the limit will not be reached. */
export function findForecastFirings(
  row: WatchedUsageOf<"forecast">,
  { limit, spend, nowMs }: { limit: RunningLimit; spend: HourlySpend; nowMs: number },
): NewFiring[] {
  const { percent } = row.condition;
  const { settledNanoUsd: spentNanoUsd, limitNanoUsd, enforcement } = limit;
  const period = periodOf(limit.period, nowMs);
  // Spend limit alerts report a threshold that is already reached.
  const amounts = { spentNanoUsd, limitNanoUsd, enforcement, percent };
  const forecast = forecastPassing({ nowMs, period, spend, ...amounts });
  if (forecast === null) return [];
  return [
    {
      ...firingScopeOf(row),
      kind: "forecast",
      episode: `${limit.period} ${period.start} ${formatUsd(limitNanoUsd)}`,
      threshold: `${percent}%`,
      facts: {
        spend_limit_id: limit.id,
        period: limit.period,
        period_starts_at: isoFromMs(period.startMs),
        period_ends_at: isoFromMs(period.endMs),
        limit_usd: formatUsd(limitNanoUsd),
        enforcement,
        spent_usd: formatUsd(spentNanoUsd),
        forecast_usd: formatUsd(forecast.periodNanoUsd),
        reached_at: forecast.reachedAtMs === null ? null : isoFromMs(forecast.reachedAtMs),
      },
    },
  ];
}

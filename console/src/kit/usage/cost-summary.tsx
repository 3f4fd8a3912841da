import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { Link } from "@tanstack/react-router";
import type { Answer } from "../../api-client.ts";
import { useApi } from "../../queries.ts";
import { Money } from "../../ui/amounts.tsx";
import { formatPlural, formatUtcDay, nanoToUsdText, toNanoUsd } from "../../ui/format.ts";
import { Stat, StatRow } from "../../ui/stat.tsx";
import { ErrorState } from "../../ui/states.tsx";
import { CostNotes } from "./cost-notes.tsx";
import { StaleBadge } from "./live.tsx";
import type { FilterQuery } from "./report-input.ts";
import type { ReportSearch } from "./search.ts";

export type CostSummary = Answer<"getCostSummary">;

const EVERY_MS = 30_000;

export const useCostSummary = (filters: FilterQuery | Record<string, never>, isEnabled: boolean) =>
  useApi(
    "getCostSummary",
    { query: filters },
    { isEnabled, everyMs: EVERY_MS, isPreviousShown: true },
  );

interface CostSummaryProps {
  summary: ReturnType<typeof useCostSummary>;
  /** Search for the requests of this month. */
  requestsSearch: ReportSearch;
}

/** Cost of this month, its forecast, the last month and the limit, after the filters. */
export function CostSummaryRow({ summary, requestsSearch }: CostSummaryProps) {
  const { data, error } = summary;
  if (error && !data) return <ErrorState error={error} onRetry={() => void summary.refetch()} />;
  return (
    <div className="grid gap-2">
      <StatRow>
        <MonthStats summary={data} requestsSearch={requestsSearch} />
        <LastMonthStats summary={data} />
      </StatRow>
      {data && <StaleBadge error={error} readAt={data.data_refreshed_at} />}
    </div>
  );
}

interface MonthStatsProps {
  summary: CostSummary | undefined;
  /** Search for the requests of this month. */
  requestsSearch: ReportSearch;
}

/** Cost and forecast of the month. All pages show the server's figures. */
export function MonthStats({ summary, requestsSearch }: MonthStatsProps) {
  return (
    <>
      <Stat
        label="This month"
        value={summary && <Money usd={toReal(summary, "month_to_date_usd")} />}
        hasNote
        note={summary && <MonthNote summary={summary} requestsSearch={requestsSearch} />}
      />
      <Stat
        label="Month forecast"
        value={summary && (summary.forecast ? <Money usd={toRealForecast(summary)} /> : "–")}
        hasNote
        note={
          summary?.forecast
            ? `Based on the same weekdays of ${formatPlural(summary.forecast.based_on_days, "day")}`
            : summary && "Available after one full day of usage"
        }
      />
    </>
  );
}

/** An amount without the part of the simulator, which no provider bills. */
export function toReal(
  summary: CostSummary,
  name: "month_to_date_usd" | "today_usd" | "last_month_usd" | "last_month_to_date_usd",
): string {
  return nanoToUsdText(toNanoUsd(summary[name]) - toNanoUsd(summary.simulated[name]));
}

/** Forecast of the month without the part of the simulator. */
export function toRealForecast({ forecast, simulated }: CostSummary): string {
  return nanoToUsdText(
    toNanoUsd(forecast?.month_usd ?? "0") - toNanoUsd(simulated.month_forecast_usd),
  );
}

/** Cost of the last month, and the limit of this one. */
export function LastMonthStats({ summary }: { summary: CostSummary | undefined }) {
  return (
    <>
      <Stat
        label="Last month"
        value={summary && <Money usd={toReal(summary, "last_month_usd")} />}
        hasNote
        note={
          summary && (
            <>
              <Money usd={toReal(summary, "last_month_to_date_usd")} /> until the same day
              <Besides usd={summary.simulated.last_month_usd} />
            </>
          )
        }
      />
      <Stat
        label="Monthly limit"
        value={
          summary && (summary.limit ? <Money usd={summary.limit.monthly_limit_usd} /> : "None")
        }
        hasNote
        note={summary && <LimitNote summary={summary} />}
      />
    </>
  );
}

function MonthNote({ summary, requestsSearch }: SummaryProps & { requestsSearch: ReportSearch }) {
  const { adjustments_usd } = summary;
  return (
    <>
      <Money usd={toReal(summary, "today_usd")} /> today
      {toNanoUsd(adjustments_usd) !== 0n && (
        <>
          ; <Money usd={adjustments_usd.replace("-", "")} />{" "}
          {adjustments_usd.startsWith("-") ? "credited later" : "charged later"}
        </>
      )}
      <Besides
        usd={summary.simulated.month_to_date_usd}
        search={{ ...requestsSearch, service_tier: [SIMULATED_TIER] }}
      />
      <CostNotes counts={summary} search={requestsSearch} />
    </>
  );
}

/** Line below a real cost: the simulated cost of the same time. */
function Besides({ usd, search }: { usd: string; search?: ReportSearch }) {
  if (toNanoUsd(usd) <= 0n) return null;
  return (
    <span className="block">
      Plus <Money usd={usd} />{" "}
      {search === undefined ? (
        "simulated"
      ) : (
        <Link to="/requests" search={search} className="link">
          simulated
        </Link>
      )}
      , not billed
    </span>
  );
}

interface SummaryProps {
  summary: CostSummary;
}

function LimitNote({ summary: { limit, forecast, month, simulated } }: SummaryProps) {
  if (!limit) return "Selected cost";
  const isOver = toNanoUsd(limit.remaining_usd) < 0n;
  const willBeOver =
    forecast !== null && toNanoUsd(forecast.month_usd) > toNanoUsd(limit.monthly_limit_usd);
  return (
    <>
      {isOver ? (
        <span className="text-bad">
          Exceeded by <Money usd={limit.remaining_usd.slice(1)} />
        </span>
      ) : (
        <>
          <Money usd={limit.remaining_usd} /> left until {formatUtcDay(month.ending_at)}
        </>
      )}
      {!isOver && willBeOver && (
        <span className="block text-warn">The forecast is above the limit</span>
      )}
      {toNanoUsd(simulated.month_to_date_usd) > 0n && (
        <span className="block">Limits count simulated cost</span>
      )}
    </>
  );
}

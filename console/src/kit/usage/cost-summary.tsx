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
import type { FilterQuery } from "./report-query.ts";
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
        value={summary && <Money usd={toRealUsd(summary)} />}
        hasNote
        note={summary && <MonthNote summary={summary} requestsSearch={requestsSearch} />}
      />
      <Stat
        label="Month forecast"
        value={summary && (summary.forecast ? <Money usd={summary.forecast.month_usd} /> : "–")}
        hasNote
        note={
          summary?.forecast
            ? `Based on the same weekdays of ${formatPlural(summary.forecast.based_on_days, "day")}${hasSimulated(summary) ? ", with simulated cost" : ""}`
            : summary && "Available after one full day of usage"
        }
      />
    </>
  );
}

/** Cost of the month without that of the simulator, which is never billed. */
function toRealUsd({ month_to_date_usd, simulated_usd }: CostSummary): string {
  return nanoToUsdText(toNanoUsd(month_to_date_usd) - toNanoUsd(simulated_usd));
}

function hasSimulated({ simulated_usd }: CostSummary): boolean {
  return toNanoUsd(simulated_usd) > 0n;
}

/** Cost of the last month, and the limit of this one. */
export function LastMonthStats({ summary }: { summary: CostSummary | undefined }) {
  return (
    <>
      <Stat
        label="Last month"
        value={summary && <Money usd={summary.last_month_usd} />}
        hasNote
        note={
          summary && (
            <>
              <Money usd={summary.last_month_to_date_usd} /> until the same day
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
  const { today_usd, adjustments_usd } = summary;
  return (
    <>
      <Money usd={today_usd} /> today
      {toNanoUsd(adjustments_usd) !== 0n && (
        <>
          ; <Money usd={adjustments_usd.replace("-", "")} />{" "}
          {adjustments_usd.startsWith("-") ? "credited later" : "charged later besides"}
        </>
      )}
      {hasSimulated(summary) && (
        <span className="block">
          <Money usd={summary.simulated_usd} />{" "}
          <Link
            to="/requests"
            search={{ ...requestsSearch, service_tier: [SIMULATED_TIER] }}
            className="link"
          >
            simulated
          </Link>{" "}
          besides, not billed
        </span>
      )}
      <CostNotes counts={summary} search={requestsSearch} />
    </>
  );
}

interface SummaryProps {
  summary: CostSummary;
}

function LimitNote({ summary: { limit, forecast, month } }: SummaryProps) {
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
    </>
  );
}

import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import {
  type CostSummary,
  LastMonthStats,
  MonthStats,
  toReal,
  toRealForecast,
  useCostSummary,
} from "../../kit/usage/cost-summary.tsx";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { formatPlural, nanoToUsdText } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { Stat, StatRow } from "../../ui/stat.tsx";
import { ErrorState, Skeleton } from "../../ui/states.tsx";
import { useNow } from "../../ui/use-now.ts";
import { MonthChart } from "./month-chart.tsx";
import { DAYS, formatChange, type MonthDays, toCostRange, toMonthDays } from "./month-days.ts";
import { useOrganizationCounts } from "./queries.ts";

// Figures of the month, its days and the size of the company. Each part has a fixed height.

const EVERY_MS = 60_000;
const DAY_MS = 86_400_000;
const MAX_ROWS = 1_000;

/** Cost of the last days, and its query. The days are undefined until the cost and the forecast have loaded. */
function useMonthDays(summary: ReturnType<typeof useCostSummary>) {
  const nowMs = useNow();
  const day = Math.floor(nowMs / DAY_MS);
  // The query stays the same all day, so that it runs once.
  const range = useMemo(() => toCostRange(day * DAY_MS), [day]);
  const query = { ...range, bucket: "1d" as const, group_by: ["service_tier" as const] };
  const cost = useApi("getCost", { query: { ...query, limit: MAX_ROWS } }, { everyMs: EVERY_MS });
  const isReady = cost.data !== undefined && !summary.isPending;
  const month = toMonth(summary.data);
  const days = isReady ? toMonthDays({ rows: cost.data.data, nowMs, month }) : undefined;
  return { cost, days };
}

function toMonth(summary: CostSummary | undefined) {
  if (!summary?.forecast) return null;
  return {
    forecastUsd: toRealForecast(summary),
    toDateUsd: toReal(summary, "month_to_date_usd"),
    endingAt: summary.month.ending_at,
  };
}

export function Month() {
  const summary = useCostSummary({}, true);
  const { cost, days } = useMonthDays(summary);
  const costLink = (
    <Link to="/cost" search={{ range: "month" }} className="link target text-sm">
      All costs
    </Link>
  );
  return (
    <Section title="Cost" actions={costLink}>
      {summary.error && !summary.data ? (
        <ErrorState error={summary.error} onRetry={() => void summary.refetch()} />
      ) : (
        <StatRow>
          <MonthStats summary={summary.data} requestsSearch={{ range: "month" }} />
          <LastMonthStats summary={summary.data} />
          <LastDays days={days} />
        </StatRow>
      )}
      {cost.error && !cost.data ? (
        <ErrorState error={cost.error} onRetry={() => void cost.refetch()} />
      ) : days ? (
        <MonthChart days={days} />
      ) : (
        <Skeleton className="h-[332px]" />
      )}
    </Section>
  );
}

/** Real cost of the last days against those before. Simulated cost is named beside it. */
function LastDays({ days }: { days: MonthDays | undefined }) {
  const change = days && formatChange(days.realNano, days.beforeNano);
  return (
    <Stat
      label={`Last ${DAYS} days`}
      value={days && <Money usd={nanoToUsdText(days.realNano)} />}
      hasNote
      note={
        days && (
          <>
            {change ? `${change} against the ${DAYS} days before` : "Nothing to compare with yet"}
            {days.simulatedNano > 0n && (
              <span className="block">
                Plus <Money usd={nanoToUsdText(days.simulatedNano)} /> simulated, not billed
              </span>
            )}
          </>
        )
      }
    />
  );
}

/** One line: workspaces, keys and people. */
export function CompanySize() {
  const { data } = useOrganizationCounts();
  const may = useMay();
  const parts: [key: string, part: ReactNode][] = [];
  if (data) {
    parts.push([
      "workspaces",
      <Link key="link" to="/workspaces" className="link">
        {formatPlural(data.workspaces, "workspace")}
      </Link>,
    ]);
    if (data.api_keys !== null) {
      parts.push([
        "keys",
        <Link key="link" to="/api-keys" className="link">
          {formatPlural(data.api_keys, "API key")}
        </Link>,
      ]);
    }
    if (data.members !== null) {
      parts.push([
        "members",
        <Link key="link" to="/members" className="link">
          {formatPlural(data.members, "member")}
        </Link>,
      ]);
    }
    if (may("invites:read") && (data.pending_invites ?? 0) > 0) {
      parts.push([
        "invites",
        <Link key="link" to="/invites" className="link">
          {formatPlural(data.pending_invites ?? 0, "pending invite")}
        </Link>,
      ]);
    }
  }
  return (
    <p className="flex min-h-6 flex-wrap gap-x-5 gap-y-1 text-sm">
      {parts.map(([key, part]) => (
        <span key={key}>{part}</span>
      ))}
    </p>
  );
}

import { useNavigate } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { formatTime, formatUsd } from "../../ui/format.ts";
import { EmptyState, Skeleton } from "../../ui/states.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { Bars } from "./bars.tsx";
import { BucketTable } from "./bucket-table.tsx";
import { type ChartLines, UsageChart } from "./chart.tsx";
import type { CostSummary } from "./cost-summary.tsx";
import { listCrumbs, toDetailTime } from "./drill.ts";
import { rangeWords } from "./filter-bar.tsx";
import { Legend } from "./legend.tsx";
import { StaleBadge } from "./live.tsx";
import type { Range } from "./range.ts";
import { ReportDownload } from "./report-download.tsx";
import type { ReportInput } from "./report-input.ts";
import type { Report } from "./report-query.ts";
import type { Metric, ReportSearch } from "./search.ts";
import { type Point, type Series, toSeries } from "./series.ts";
import { metricWords } from "./words.ts";

type View = NonNullable<ReportSearch["view"]>;

interface ReportChartProps {
  asked: ReportInput;
  report: Report | undefined;
  /** Error of the last refresh. */
  error: Error | null;
  search: ReportSearch;
  summary: CostSummary | undefined;
  onChange: (changed: ReportSearch) => void;
  /** Called for a press on a bar with smaller buckets. */
  onDrillDown: (at: string) => void;
  requestsSearch: ReportSearch;
}

const actions = {
  "1d": "Show hours",
  "1h": "Show minutes",
  "1m": "Show requests",
} as const;

/** The chart or its table, with the drill-down. */
export function ReportChart(props: ReportChartProps) {
  const { asked, report, error, search, summary, onChange, onDrillDown, requestsSearch } = props;
  const navigate = useNavigate();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const view = viewOf(asked, search);
  const { series, lines, shownRange } = useSeries({ asked, report, hidden, view, summary });
  const bucket = report?.range.bucket ?? "1d";
  const press = useCallback(
    (point: Point) => {
      const at = toDetailTime(point.at, bucket);
      if (bucket === "1m")
        void navigate({ to: "/requests", search: { ...requestsSearch, at } } as never);
      else onDrillDown(at);
    },
    [bucket, navigate, requestsSearch, onDrillDown],
  );
  const picture = { series, metric: asked.metric, bucket, action: actions[bucket], onPress: press };
  return (
    <figure className="grid gap-4">
      <div className="no-print flex flex-wrap items-center gap-3">
        <Crumbs search={search} onChange={onChange} />
        {asked.kind === "usage" && (
          <div className="max-w-full overflow-x-auto">
            <Segments<Metric>
              label="Shown in the chart"
              value={asked.metric}
              options={Object.entries(metricWords) as [Metric, string][]}
              onChange={(metric) => onChange({ metric })}
            />
          </div>
        )}
        <Segments<View>
          label="View"
          value={view}
          options={listViews(asked)}
          onChange={(chosen) => onChange({ view: chosen })}
        />
        <span className="ml-auto flex flex-wrap items-center gap-3">
          {report && <StaleBadge error={error} readAt={report.refreshedAt} />}
          {report && <ReportDownload asked={asked} range={report.range} />}
        </span>
      </div>
      {report && report.rows.length === 0 ? (
        <NoUsage search={search} onChange={onChange} />
      ) : view === "table" && report ? (
        <BucketTable {...picture} />
      ) : report ? (
        <Bars {...picture}>
          <UsageChart series={series} metric={asked.metric} bucket={bucket} lines={lines} />
        </Bars>
      ) : (
        <Skeleton className="h-[300px]" />
      )}
      {asked.groupBy !== null && <Legend series={series} hidden={hidden} onChange={setHidden} />}
      <figcaption className="text-sm text-quiet">
        <Caption report={report} range={shownRange} lines={lines} view={view} summary={summary} />
      </figcaption>
    </figure>
  );
}

/** Views of a report. The running total compares a month with its limit. */
function listViews({ kind }: ReportInput): [View, string][] {
  return kind === "cost"
    ? [
        ["bars", "Bars"],
        ["running", "Running total"],
        ["table", "Table"],
      ]
    : [
        ["bars", "Bars"],
        ["table", "Table"],
      ];
}

function viewOf(asked: ReportInput, { view }: ReportSearch): View {
  if (listViews(asked).some(([name]) => name === view) && view) return view;
  return asked.kind === "cost" && isOfMonth(asked) ? "running" : "bars";
}

function isOfMonth({ times: { range, at, live } }: ReportInput): boolean {
  return (range === "month" || range === "last_month") && at === undefined && !live;
}

interface SeriesInput {
  asked: ReportInput;
  report: Report | undefined;
  hidden: ReadonlySet<string>;
  view: View;
  summary: CostSummary | undefined;
}

function useSeries({ asked, report, hidden, view, summary }: SeriesInput) {
  return useMemo((): { series: Series; lines: ChartLines; shownRange: Range | undefined } => {
    if (!report) return { series: noSeries, lines: {}, shownRange: undefined };
    const { groupBy, metric, top } = asked;
    const isRunningTotal = view === "running";
    const isThisMonth = isRunningTotal && isOfMonth(asked) && asked.times.range === "month";
    // Includes the coming days, for the forecast.
    const range =
      isThisMonth && summary
        ? { ...report.range, endingAt: summary.month.ending_at }
        : report.range;
    const series = toSeries({
      rows: report.rows,
      range,
      groupBy,
      metric,
      top,
      hidden,
      readAt: report.refreshedAt,
      isRunningTotal,
    });
    const lines = isRunningTotal && isOfMonth(asked) ? linesOf(summary, isThisMonth) : {};
    return { series, lines, shownRange: range };
  }, [asked, report, hidden, view, summary]);
}

const noSeries: Series = { keys: [], names: {}, points: [] };

function linesOf(summary: CostSummary | undefined, isThisMonth: boolean): ChartLines {
  return {
    limitUsd: summary?.limit ? Number(summary.limit.monthly_limit_usd) : undefined,
    forecastUsd: isThisMonth && summary?.forecast ? Number(summary.forecast.month_usd) : undefined,
  };
}

function Crumbs({ search, onChange }: Pick<ReportChartProps, "search" | "onChange">) {
  const from = search.live ? "Live" : rangeWords[search.range ?? "7d"].replace("…", "");
  const crumbs = listCrumbs(search, from);
  if (crumbs.length === 0) return null;
  return (
    <nav aria-label="Selected time" className="w-full">
      <ol className="flex flex-wrap items-center gap-1 text-sm">
        {crumbs.map(({ label, at }, index) => (
          <li key={label} className="flex items-center gap-1">
            {index > 0 && <ChevronRight size={14} aria-hidden="true" className="text-faint" />}
            {index === crumbs.length - 1 ? (
              <span aria-current="step" className="font-medium">
                {label}
              </span>
            ) : (
              <Button kind="quiet" onClick={() => onChange({ at } as ReportSearch)}>
                {index === 0 ? `Back to ${label}` : label}
              </Button>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

function NoUsage({ search, onChange }: Pick<ReportChartProps, "search" | "onChange">) {
  const isWidest = search.range === "30d" && search.at === undefined && !search.live;
  return (
    <EmptyState
      title="No usage in this range"
      action={
        !isWidest && (
          <Button onClick={() => onChange({ range: "30d", at: undefined, live: undefined })}>
            Widen to 30 days
          </Button>
        )
      }
    >
      A request appears here within two seconds of its end.
    </EmptyState>
  );
}

interface CaptionProps {
  report: Report | undefined;
  range: Range | undefined;
  lines: ChartLines;
  view: View;
  summary: CostSummary | undefined;
}

function Caption({ report, range, lines, view, summary }: CaptionProps) {
  if (!report || !range) return "Times are UTC.";
  const isRunning = Date.parse(report.range.endingAt) > Date.parse(report.refreshedAt);
  return (
    <>
      Times are UTC.
      {isRunning && view !== "table" && " The hatched bar is not complete."}
      {lines.limitUsd !== undefined &&
        summary?.limit &&
        ` The limit is ${formatUsd(summary.limit.monthly_limit_usd)} a month.`}
      {lines.forecastUsd !== undefined &&
        summary?.forecast &&
        ` The forecast is ${formatUsd(summary.forecast.month_usd)}.`}
      {isRunning && ` Read at ${formatTime(report.refreshedAt)}.`}
    </>
  );
}

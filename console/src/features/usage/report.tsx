import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { LoadError } from "../../shell/error-pages.tsx";
import { Money, Tokens } from "../../ui/amounts.tsx";
import { Button } from "../../ui/button.tsx";
import { ColorDot } from "../../ui/color-dot.tsx";
import { Filter } from "../../ui/combobox.tsx";
import { downloadCsv } from "../../ui/download-csv.ts";
import { formatCount } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import { Stat, StatRow } from "../../ui/stat.tsx";
import { EmptyState, Skeleton } from "../../ui/states.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { useNow } from "../../ui/use-now.ts";
import { useWorkspaces } from "../workspaces/queries.ts";
import { GroupTable } from "./group-table.tsx";
import { Legend } from "./legend.tsx";
import { type Group, type Usage, useUsage } from "./queries.ts";
import { bucketsOf, type Range, type RangeName, resolveRange } from "./range.ts";
import type { ReportSearch } from "./search.ts";
import { groupKeyOf, type Metric, toSeries } from "./sum-usage.ts";

const UsageChart = lazy(() =>
  import("./chart.tsx").then((module) => ({ default: module.UsageChart })),
);

interface ReportProps {
  /** Only this workspace: on its own page. */
  workspaceId?: string;
  /** Only this key: on its own page. */
  apiKeyId?: string;
  /** What the chart shows first. */
  firstMetric?: Metric;
}

/** Chart, totals and table of the same numbers. Everything chosen stands in the address, so that it can be shared. */
export function UsageReport({ workspaceId, apiKeyId, firstMetric = "tokens" }: ReportProps) {
  const search: ReportSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (changed: ReportSearch) =>
    void navigate({
      to: ".",
      search: (before: object) => ({ ...before, ...changed }),
      replace: true,
    } as never);
  const now = useNow();
  const asked = useAsked(search, now, { workspaceId, apiKeyId });
  const usage = useUsage(asked.query);
  const nameOf = useNames();
  if (usage.error && !usage.data) {
    return <LoadError error={usage.error} onRetry={() => void usage.refetch()} />;
  }
  const metric = search.metric ?? firstMetric;
  return (
    <div className="grid gap-7">
      <ReportFilters search={search} onChange={change} within={{ workspaceId, apiKeyId }} />
      <Totals usage={usage.data} />
      <ReportChart
        usage={usage.data}
        range={asked.range}
        metric={metric}
        groupBy={asked.query.groupBy}
        nameOf={nameOf}
        onMetric={(chosen) => change({ metric: chosen })}
        onWiden={() => change({ range: "30d" })}
      />
      {usage.data && usage.data.rows.length > 0 && (
        <GroupTable usage={usage.data} groupBy={asked.query.groupBy} nameOf={nameOf} />
      )}
    </div>
  );
}

interface Within {
  workspaceId: string | undefined;
  apiKeyId: string | undefined;
}

function useAsked(search: ReportSearch, nowMs: number, { workspaceId, apiKeyId }: Within) {
  const name: RangeName = search.range ?? "7d";
  const { from, to } = search;
  const hour = Math.floor(nowMs / HOUR_MS);
  // The same range until the hour is over, so that it is asked for and drawn as one.
  const range = useMemo(
    () => resolveRange(name, hour * HOUR_MS + 1, { from, to }),
    [name, hour, from, to],
  );
  const fallback = firstGroup(workspaceId, apiKeyId);
  const groupBy = search.by === "none" ? null : (search.by ?? fallback);
  return {
    range,
    query: {
      ...range,
      groupBy,
      workspaceIds: workspaceId === undefined ? (search.workspace ?? []) : [workspaceId],
      apiKeyIds: apiKeyId === undefined ? (search.key ?? []) : [apiKeyId],
      models: search.model ?? [],
    },
  };
}

function firstGroup(workspaceId: string | undefined, apiKeyId: string | undefined): Group {
  if (apiKeyId !== undefined) return "model";
  return workspaceId === undefined ? "workspace" : "api_key";
}

/** Names of workspaces and keys by id; a model is its own name. */
function useNames(): (key: string) => string {
  const may = useMay();
  const workspaces = useWorkspaces({ withArchived: true });
  const keys = useList("listApiKeys", {}, { isEnabled: may("api_keys:read") });
  return useMemo(() => {
    const names = new Map<string, string>([["other", "All others"]]);
    for (const { id, name } of workspaces.data?.items ?? []) names.set(id, name);
    for (const { id, name } of keys.data?.items ?? []) names.set(id, name);
    return (key) => names.get(key) ?? key;
  }, [workspaces.data, keys.data]);
}

const HOUR_MS = 3_600_000;

const ranges: readonly (readonly [RangeName, string])[] = [
  ["24h", "24 h"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["month", "This month"],
  ["last_month", "Last month"],
  ["custom", "Days…"],
];

interface FiltersProps {
  search: ReportSearch;
  onChange: (changed: ReportSearch) => void;
  within: Within;
}

function ReportFilters({ search, onChange, within }: FiltersProps) {
  const may = useMay();
  const workspaces = useWorkspaces({ withArchived: true });
  const keys = useList("listApiKeys", {}, { isEnabled: may("api_keys:read") });
  const prices = useList("listModelPrices", {}, { isEnabled: may("model_prices:read") });
  const isOneWorkspace = within.workspaceId !== undefined;
  const isOneKey = within.apiKeyId !== undefined;
  return (
    <div className="no-print flex flex-wrap items-center gap-2.5">
      <div className="max-w-full overflow-x-auto">
        <Segments
          label="Range"
          value={search.range ?? "7d"}
          options={ranges}
          onChange={(range) => onChange({ range })}
        />
      </div>
      {search.range === "custom" && <CustomDays search={search} onChange={onChange} />}
      {!isOneWorkspace && (
        <Filter
          label="Workspace"
          values={search.workspace ?? []}
          onChange={(workspace) => onChange({ workspace })}
          options={(workspaces.data?.items ?? []).map(({ id, name, display_color }) => ({
            value: id,
            label: name,
            mark: <ColorDot color={display_color} />,
          }))}
        />
      )}
      {!isOneKey && may("api_keys:read") && (
        <Filter
          label="Key"
          values={search.key ?? []}
          onChange={(key) => onChange({ key })}
          options={(keys.data?.items ?? []).map(({ id, name, partial_key_hint }) => ({
            value: id,
            label: name,
            note: partial_key_hint.slice(-4),
          }))}
        />
      )}
      <Filter
        label="Model"
        values={search.model ?? []}
        onChange={(model) => onChange({ model })}
        options={(prices.data?.items ?? []).map(({ model }) => ({ value: model, label: model }))}
      />
      <Segments
        label="Group by"
        value={search.by ?? firstGroup(within.workspaceId, within.apiKeyId)}
        options={[
          ...(isOneWorkspace ? [] : [["workspace", "By workspace"] as const]),
          ...(isOneKey ? [] : [["api_key", "By key"] as const]),
          ["model", "By model"],
          ["none", "Total"],
        ]}
        onChange={(by) => onChange({ by })}
      />
    </div>
  );
}

function CustomDays({ search, onChange }: Pick<FiltersProps, "search" | "onChange">) {
  return (
    <span className="flex items-center gap-2 text-sm">
      <Input
        type="date"
        aria-label="First day, UTC"
        value={search.from ?? ""}
        max={search.to}
        onChange={(event) => onChange({ from: event.target.value })}
        className="w-40"
      />
      <span className="text-quiet">to</span>
      <Input
        type="date"
        aria-label="Last day, UTC"
        value={search.to ?? ""}
        min={search.from}
        onChange={(event) => onChange({ to: event.target.value })}
        className="w-40"
      />
    </span>
  );
}

function Totals({ usage }: { usage: Usage | undefined }) {
  const totals = usage?.totals;
  const cached = totals ? totals.cache_read_tokens : 0;
  const prompt = totals
    ? totals.input_tokens + cached + totals.cache_write_5m_tokens + totals.cache_write_1h_tokens
    : 0;
  return (
    <StatRow>
      <Stat
        label="Cost"
        value={totals && <Money usd={totals.cost_usd} />}
        note={
          totals && totals.unpriced_requests > 0 ? (
            <span className="text-warn">
              {formatCount(totals.unpriced_requests)} without a price, at the dearest rate
            </span>
          ) : undefined
        }
      />
      <Stat
        label="Requests"
        value={totals && formatCount(totals.requests)}
        note={totals && `${formatCount(totals.errors)} failed`}
      />
      <Stat
        label="Input tokens"
        value={totals && <Tokens count={prompt} />}
        note={prompt > 0 ? `${Math.round((cached / prompt) * 100)}% from the cache` : undefined}
      />
      <Stat label="Output tokens" value={totals && <Tokens count={totals.output_tokens} />} />
    </StatRow>
  );
}

interface ReportChartProps {
  usage: Usage | undefined;
  range: Range;
  metric: Metric;
  groupBy: Group | null;
  nameOf: (key: string) => string;
  onMetric: (metric: Metric) => void;
  onWiden: () => void;
}

function ReportChart(props: ReportChartProps) {
  const { usage, range, metric, groupBy, nameOf, onMetric, onWiden } = props;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const rows = usage?.rows;
  const series = useMemo(
    () => toSeries({ rows: rows ?? [], buckets: bucketsOf(range), groupBy, metric, hidden }),
    [rows, range, groupBy, metric, hidden],
  );
  if (usage && usage.rows.length === 0) {
    return (
      <EmptyState
        title="No usage in this range"
        action={<Button onClick={onWiden}>Widen to 30 days</Button>}
      >
        A request appears here within two seconds of its end.
      </EmptyState>
    );
  }
  return (
    <figure className="grid gap-4">
      <div className="no-print flex flex-wrap items-center justify-between gap-3">
        <Segments
          label="Shown in the chart"
          value={metric}
          options={[
            ["cost", "Cost"],
            ["tokens", "Tokens"],
            ["requests", "Requests"],
            ["errors", "Errors"],
          ]}
          onChange={onMetric}
        />
        <Button
          kind="quiet"
          disabled={!usage}
          onClick={() => usage && saveCsv(usage, groupBy, nameOf)}
        >
          <Download size={15} /> Save as CSV
        </Button>
      </div>
      <div className="h-[300px]">
        <Suspense fallback={<Skeleton className="h-full" />}>
          {usage ? (
            <UsageChart series={series} metric={metric} bucket={range.bucket} nameOf={nameOf} />
          ) : (
            <Skeleton className="h-full" />
          )}
        </Suspense>
      </div>
      {groupBy !== null && (
        <Legend keys={series.keys} nameOf={nameOf} hidden={hidden} onChange={setHidden} />
      )}
      <figcaption className="text-sm text-quiet">
        Times are UTC. The last bar is still running.
        {usage?.isCut && " There are more groups than can be drawn; the totals are whole."}
      </figcaption>
    </figure>
  );
}

function saveCsv(usage: Usage, groupBy: Group | null, nameOf: (key: string) => string): void {
  downloadCsv(
    `usage-${usage.startingAt.slice(0, 10)}-${usage.endingAt.slice(0, 10)}.csv`,
    [
      "starting_at",
      "ending_at",
      ...(groupBy ? [groupBy, "name"] : []),
      "requests",
      "errors",
      "input_tokens",
      "cache_write_5m_tokens",
      "cache_write_1h_tokens",
      "cache_read_tokens",
      "output_tokens",
      "cost_usd",
    ],
    usage.rows.map((row) => [
      row.starting_at,
      row.ending_at,
      ...(groupBy ? [groupKeyOf(row, groupBy), nameOf(groupKeyOf(row, groupBy))] : []),
      row.requests,
      row.errors,
      row.input_tokens,
      row.cache_write_5m_tokens,
      row.cache_write_1h_tokens,
      row.cache_read_tokens,
      row.output_tokens,
      row.cost_usd,
    ]),
  );
}

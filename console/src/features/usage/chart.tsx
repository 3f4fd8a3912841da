import {
  Bar,
  BarChart,
  CartesianGrid,
  ResponsiveContainer,
  Tooltip,
  type TooltipContentProps,
  XAxis,
  YAxis,
} from "recharts";
import { formatCount, formatCountShort, formatUsd, formatUsdShort } from "../../ui/format.ts";
import { type Metric, metrics, type Series } from "./sum-usage.ts";

// Loaded apart from the rest: it is the largest part of the console and only reports need it.

interface ChartProps {
  series: Series;
  metric: Metric;
  bucket: "1m" | "1h" | "1d";
  nameOf: (key: string) => string;
}

export function seriesColor(index: number, key: string): string {
  return key === "other" ? "var(--series-other)" : `var(--series-${(index % 8) + 1})`;
}

/** Stacked bars, one per bucket. The table under it has the same numbers for who cannot see it. */
export function UsageChart({ series, metric, bucket, nameOf }: ChartProps) {
  const format = metric === "cost" ? formatUsdShort : formatCountShort;
  return (
    <ResponsiveContainer width="100%" height={300}>
      <BarChart
        data={series.points}
        margin={{ top: 8, right: 4, bottom: 0, left: 0 }}
        barCategoryGap={series.points.length > 60 ? 1 : "18%"}
        accessibilityLayer
      >
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="at"
          tickFormatter={(at: string) => formatTick(at, bucket)}
          tick={{ fill: "var(--quiet)", fontSize: 12 }}
          tickLine={false}
          axisLine={{ stroke: "var(--edge)" }}
          minTickGap={28}
        />
        <YAxis
          tickFormatter={format}
          tick={{ fill: "var(--quiet)", fontSize: 12 }}
          tickLine={false}
          axisLine={false}
          width={56}
          allowDecimals={metric === "cost"}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ fill: "var(--sunk)" }}
          content={(props) => <Hint {...props} metric={metric} bucket={bucket} nameOf={nameOf} />}
        />
        {series.keys.map((key, index) => (
          <Bar
            key={key}
            dataKey={(point: Series["points"][number]) => point.values[key] ?? 0}
            name={key}
            stackId="all"
            fill={seriesColor(index, key)}
            isAnimationActive={false}
            maxBarSize={44}
          />
        ))}
      </BarChart>
    </ResponsiveContainer>
  );
}

type HintProps = TooltipContentProps & Pick<ChartProps, "metric" | "bucket" | "nameOf">;

function Hint({ active, payload, label, metric, bucket, nameOf }: HintProps) {
  if (!active || !payload) return null;
  const entries = payload
    .map((entry, index) => ({ key: String(entry.name), value: Number(entry.value), index }))
    .filter(({ value }) => value > 0)
    .reverse();
  const total = entries.reduce((sum, { value }) => sum + value, 0);
  const format = (value: number) =>
    metric === "cost" ? formatUsd(value.toFixed(9)) : formatCount(value);
  return (
    <div className="min-w-44 rounded-md border border-line bg-raised px-3 py-2 text-xs shadow-popup">
      <p className="mb-1.5 flex justify-between gap-6 font-medium">
        <span>{formatBucket(String(label), bucket)}</span>
        <span className="figures">{format(total)}</span>
      </p>
      <ul className="grid gap-0.5">
        {entries.map(({ key, value, index }) => (
          <li key={key} className="flex items-center gap-2">
            <svg aria-hidden="true" viewBox="0 0 8 8" className="size-2">
              <rect width="8" height="8" rx="2" fill={seriesColor(index, key)} />
            </svg>
            <span className="max-w-48 flex-1 truncate text-quiet">
              {nameOf(key) || metrics[metric]}
            </span>
            <span className="figures">{format(value)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function formatTick(at: string, bucket: ChartProps["bucket"]): string {
  return bucket === "1d"
    ? new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" })
    : at.slice(11, 16);
}

function formatBucket(at: string, bucket: ChartProps["bucket"]): string {
  const day = new Date(at).toLocaleDateString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
  return bucket === "1d" ? day : `${day}, ${at.slice(11, 16)} UTC`;
}

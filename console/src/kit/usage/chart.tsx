import {
  Bar,
  type BarShapeProps,
  CartesianGrid,
  ComposedChart,
  ReferenceLine,
  ResponsiveContainer,
  XAxis,
  YAxis,
} from "recharts";
import { tickWords } from "./drill.ts";
import { axisFigure, makeTicks, toHeight } from "./figures.ts";
import { seriesColor } from "./legend.tsx";
import type { Range } from "./range.ts";
import type { Metric } from "./search.ts";
import type { Point, Series } from "./series.ts";

// A separate chunk, because this is the largest part of the console and only reports need it.

export interface ChartLines {
  /** Limit across the chart, US dollars. */
  limitUsd?: number | undefined;
  /** Forecast for the end of the last bucket, US dollars. */
  forecastUsd?: number | undefined;
}

interface ChartProps {
  series: Series;
  metric: Metric;
  bucket: Range["bucket"];
  lines?: ChartLines | undefined;
}

/** Margins around the bars, pixels. The buttons in bars.tsx use the same margins. */
const plot = { top: 8, right: 4, bottom: 30, left: 56 } as const;
/** A limit higher than this multiple of the bars would flatten them, so the chart shows it as text. */
const LIMIT_MAX_TIMES = 3;

/** Stacked bars, one per bucket. The running bucket is hatched. */
export function UsageChart({ series, metric, bucket, lines = {} }: ChartProps) {
  const { keys, points } = series;
  const now = points.find(({ isRunning }) => isRunning);
  const last = points.at(-1);
  const { forecastUsd } = lines;
  const highest = Math.max(forecastUsd ?? 0, ...points.map(({ total }) => toHeight(total, metric)));
  const isNear = lines.limitUsd !== undefined && lines.limitUsd <= LIMIT_MAX_TIMES * highest;
  const limitUsd = isNear ? lines.limitUsd : undefined;
  const ticks = makeTicks(Math.max(highest, limitUsd ?? 0), metric);
  return (
    <ResponsiveContainer width="100%" height={300}>
      <ComposedChart
        data={points}
        margin={{ top: plot.top, right: plot.right, bottom: 0, left: 0 }}
        barCategoryGap={points.length > 60 ? 1 : "18%"}
        accessibilityLayer={false}
      >
        <defs>
          {keys.map((key, index) => (
            <Hatch key={key} id={`hatch-${index}`} color={seriesColor(index, key)} />
          ))}
        </defs>
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="at"
          height={plot.bottom}
          tickFormatter={(at: string) => tickWords(at, bucket)}
          tick={{ fill: "var(--quiet)", fontSize: 12 }}
          tickLine={false}
          axisLine={{ stroke: "var(--edge)" }}
          minTickGap={28}
        />
        <YAxis
          tickFormatter={(height: number) => axisFigure(height, metric)}
          tick={{ fill: "var(--quiet)", fontSize: 12 }}
          tickLine={false}
          axisLine={false}
          width={plot.left}
          ticks={ticks}
          domain={[0, ticks.at(-1) ?? 1]}
        />
        {keys.map((key, index) => (
          <Bar
            key={key}
            dataKey={(point: Point) => toHeight(point.values[key] ?? 0n, metric)}
            stackId="all"
            fill={seriesColor(index, key)}
            shape={(props: BarShapeProps) => <Piece {...props} hatchId={`hatch-${index}`} />}
            isAnimationActive={false}
            maxBarSize={44}
          />
        ))}
        {limitUsd !== undefined && (
          <ReferenceLine
            y={limitUsd}
            stroke="var(--bad)"
            strokeDasharray="6 3"
            label={{ value: "Limit", position: "insideTopLeft", fill: "var(--bad)", fontSize: 12 }}
          />
        )}
        {forecastUsd !== undefined && now && last && now !== last && (
          <ReferenceLine
            segment={[
              { x: now.at, y: toHeight(now.total, metric) },
              { x: last.at, y: forecastUsd },
            ]}
            stroke="var(--quiet)"
            strokeWidth={1.5}
            strokeDasharray="2 3"
            label={{
              value: "Forecast",
              position: "insideBottomRight",
              fill: "var(--quiet)",
              fontSize: 12,
            }}
          />
        )}
      </ComposedChart>
    </ResponsiveContainer>
  );
}

function Hatch({ id, color }: { id: string; color: string }) {
  return (
    <pattern
      id={id}
      width="6"
      height="6"
      patternUnits="userSpaceOnUse"
      patternTransform="rotate(45)"
    >
      <rect width="6" height="6" fill={color} opacity="0.3" />
      <rect width="3" height="6" fill={color} />
    </pattern>
  );
}

function Piece({
  x,
  y,
  width,
  height,
  fill,
  payload,
  hatchId,
}: BarShapeProps & { hatchId: string }) {
  if (!(Number(height) > 0)) return null;
  const { isRunning } = payload as Point;
  return (
    <rect
      x={x}
      y={y}
      width={width}
      height={height}
      fill={isRunning ? `url(#${hatchId})` : fill}
      data-running={isRunning || undefined}
    />
  );
}

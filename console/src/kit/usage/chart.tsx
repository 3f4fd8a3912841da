import { classNames } from "../../ui/class-names.ts";
import { tickWords } from "./drill.ts";
import { axisFigure, makeTicks, toHeight } from "./figures.ts";
import { seriesColor } from "./legend.tsx";
import type { Range } from "./range.ts";
import type { Metric } from "./search.ts";
import type { Point, Series } from "./series.ts";

// Positions are parts of the plot, so the chart follows its width without a measurement, on paper too. A chart library
// would be 100 kB of the report pages.

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

/** Place of the bars. The buttons in bars.tsx have the same. */
export const plotPlace = "absolute top-2 right-1 bottom-[30px] left-14";
/** A limit higher than this multiple of the bars would flatten them, so the chart shows it as text. */
const LIMIT_MAX_TIMES = 3;
/** Labels of the time axis on wide screens. Narrow ones have half of them. */
const MAX_LABELS = 12;
/** A label beyond this part of the axis would leave the chart. */
const LAST_LABEL_AT = 0.97;

/** Stacked bars, one per bucket. The running bucket is hatched. The buttons over the bars have the facts. */
export function UsageChart({ series, metric, bucket, lines = {} }: ChartProps) {
  const { keys, points } = series;
  const { forecastUsd } = lines;
  const highest = Math.max(forecastUsd ?? 0, ...points.map(({ total }) => toHeight(total, metric)));
  const isNear = lines.limitUsd !== undefined && lines.limitUsd <= LIMIT_MAX_TIMES * highest;
  const limitUsd = isNear ? lines.limitUsd : undefined;
  const ticks = makeTicks(Math.max(highest, limitUsd ?? 0), metric);
  const scale: Scale = { metric, top: ticks.at(-1) ?? 1 };
  return (
    <div aria-hidden="true" className="absolute inset-0 text-xs text-quiet">
      <div className={plotPlace}>
        <Grid ticks={ticks} scale={scale} />
        <svg aria-hidden="true" className="absolute size-0">
          {keys.map((key, index) => (
            <Hatch key={key} index={index} color={seriesColor(index, key)} />
          ))}
        </svg>
        <div
          className="absolute inset-0 grid"
          style={{ gridTemplateColumns: `repeat(${points.length}, minmax(0, 1fr))` }}
        >
          {points.map((point) => (
            <Bar key={point.at} point={point} keys={keys} scale={scale} />
          ))}
        </div>
        <Lines points={points} limitUsd={limitUsd} forecastUsd={forecastUsd} scale={scale} />
      </div>
      <TimeAxis points={points} bucket={bucket} />
    </div>
  );
}

interface Scale {
  metric: Metric;
  /** Value at the upper edge of the plot. */
  top: number;
}

/** Distance from the upper edge, percent of the plot. */
const fromTop = (height: number, { top }: Scale) => 100 * (1 - height / top);

function Grid({ ticks, scale }: { ticks: readonly number[]; scale: Scale }) {
  return ticks.map((tick, index) => (
    <span
      key={tick}
      className={classNames(
        "absolute inset-x-0 border-t",
        index === 0 ? "border-edge" : "border-line",
      )}
      style={{ top: `${fromTop(tick, scale)}%` }}
    >
      <span className="figures absolute right-full w-14 -translate-y-1/2 pr-2 text-right">
        {axisFigure(tick, scale.metric)}
      </span>
    </span>
  ));
}

interface BarProps {
  point: Point;
  keys: readonly string[];
  scale: Scale;
}

/** One bar: the values of a bucket, the first group at the bottom. */
function Bar({ point, keys, scale }: BarProps) {
  let below = 0;
  return (
    <svg aria-hidden="true" className="mx-auto h-full w-[82%] max-w-11">
      {keys.map((key, index) => {
        const height = toHeight(point.values[key] ?? 0n, scale.metric);
        if (height <= 0) return null;
        below += height;
        return (
          <rect
            key={key}
            y={`${fromTop(below, scale)}%`}
            width="100%"
            height={`${(100 * height) / scale.top}%`}
            fill={point.isRunning ? `url(#${hatchId(index)})` : seriesColor(index, key)}
          />
        );
      })}
    </svg>
  );
}

const hatchId = (index: number) => `hatch-${index}`;

function Hatch({ index, color }: { index: number; color: string }) {
  return (
    <pattern
      id={hatchId(index)}
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

interface LinesProps extends ChartLines {
  points: readonly Point[];
  scale: Scale;
}

/** The limit across the chart, and the way from the running bar to the forecast. */
function Lines({ points, limitUsd, forecastUsd, scale }: LinesProps) {
  const now = points.findIndex(({ isRunning }) => isRunning);
  const last = points.length - 1;
  const total = points[now]?.total ?? 0n;
  const middleOf = (index: number) => `${(100 * (index + 0.5)) / points.length}%`;
  const heightOf = (value: number) => `${fromTop(value, scale)}%`;
  return (
    <svg aria-hidden="true" className="absolute inset-0 size-full overflow-visible">
      {limitUsd !== undefined && (
        <>
          <line
            x2="100%"
            y1={heightOf(limitUsd)}
            y2={heightOf(limitUsd)}
            stroke="var(--bad)"
            strokeDasharray="6 3"
          />
          <text x="6" y={heightOf(limitUsd)} dy="14" className="fill-bad">
            Limit
          </text>
        </>
      )}
      {forecastUsd !== undefined && now !== -1 && now !== last && (
        <>
          <line
            x1={middleOf(now)}
            y1={heightOf(toHeight(total, scale.metric))}
            x2={middleOf(last)}
            y2={heightOf(forecastUsd)}
            stroke="var(--quiet)"
            strokeWidth="1.5"
            strokeDasharray="2 3"
          />
          <text
            x={middleOf(last)}
            y={heightOf(forecastUsd)}
            dy="18"
            textAnchor="end"
            className="fill-quiet"
          >
            Forecast
          </text>
        </>
      )}
    </svg>
  );
}

/** Every n-th bucket has a label. */
function TimeAxis({ points, bucket }: { points: readonly Point[]; bucket: Range["bucket"] }) {
  const stride = Math.ceil(points.length / MAX_LABELS);
  return (
    <div className="absolute right-1 bottom-0 left-14 h-[30px]">
      {points.map(({ at }, index) => {
        const place = (index + 0.5) / points.length;
        if (index % stride !== 0 || (index > 0 && place > LAST_LABEL_AT)) return null;
        return (
          <span
            key={at}
            className={classNames(
              "absolute top-2 -translate-x-1/2 whitespace-nowrap",
              index % (2 * stride) !== 0 && "max-sm:hidden",
            )}
            style={{ left: `${100 * place}%` }}
          >
            {tickWords(at, bucket)}
          </span>
        );
      })}
    </div>
  );
}

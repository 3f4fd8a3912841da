import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import { classNames } from "../../ui/class-names.ts";
import { plotPlace } from "./chart.tsx";
import { bucketWords } from "./drill.ts";
import { figure } from "./figures.ts";
import { seriesColor } from "./legend.tsx";
import type { Range } from "./range.ts";
import type { Metric } from "./search.ts";
import type { Point, Series } from "./series.ts";

interface BarsProps {
  series: Series;
  metric: Metric;
  bucket: Range["bucket"];
  /** Effect of a press on a bar: "Show its hours". */
  action: string;
  onPress: (point: Point) => void;
  /** Chart below the buttons. */
  children: ReactNode;
}

const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };

/** A button over each bar. Hover and focus show its values, a press opens its details, arrow keys move the focus. */
export function Bars({ series, metric, bucket, action, onPress, children }: BarsProps) {
  const { points } = series;
  const [active, setActive] = useState<number | null>(null);
  // The Tab key stops at one bar: the last active one, else the newest.
  const newest = points.findLastIndex(({ isFuture }) => !isFuture);
  const stop = active !== null && active < points.length ? active : newest;
  const group = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent) => {
    const target =
      event.key === "Home" ? 0 : event.key === "End" ? newest : stop + (steps[event.key] ?? 0);
    if (target === stop || target < 0 || target > newest) return;
    event.preventDefault();
    group.current?.querySelectorAll("button")[target]?.focus();
  };
  const shown = active === null ? undefined : points[active];
  return (
    <div className="relative h-[300px]">
      {children}
      <div
        ref={group}
        role="toolbar"
        aria-label="Bars of the chart"
        onKeyDown={onKey}
        onMouseLeave={() => setActive(null)}
        className={classNames(plotPlace, "grid")}
        style={{ gridTemplateColumns: `repeat(${points.length}, minmax(0, 1fr))` }}
      >
        {points.map((point, index) => (
          <button
            key={point.at}
            type="button"
            tabIndex={index === stop ? 0 : -1}
            disabled={point.isFuture}
            aria-label={`${bucketWords(point.at, bucket)}: ${figure(point.total, metric)}${point.isRunning ? ", not complete" : ""}. ${action}`}
            onClick={() => onPress(point)}
            onMouseEnter={() => setActive(index)}
            onFocus={() => setActive(index)}
            onBlur={() => setActive(null)}
            className={classNames(
              "min-w-0 rounded-sm focus-visible:outline-offset-0",
              active === index && "bg-ink/6",
            )}
          />
        ))}
      </div>
      {shown && !shown.isFuture && active !== null && (
        <Hint
          series={series}
          point={shown}
          place={(active + 0.5) / points.length}
          metric={metric}
          bucket={bucket}
          action={action}
        />
      )}
    </div>
  );
}

interface HintProps extends Pick<BarsProps, "series" | "metric" | "bucket" | "action"> {
  point: Point;
  /** Horizontal position: 0 at the left edge of the bars, 1 at the right. */
  place: number;
}

/** Hint of a bar. The button's name and the table have the same facts. */
function Hint({ series: { keys, names }, point, place, metric, bucket, action }: HintProps) {
  const entries = keys
    .map((key, index) => ({ key, index, value: point.values[key] ?? 0n }))
    .filter(({ value }) => value > 0n);
  return (
    <div
      aria-hidden="true"
      className={classNames(
        "pointer-events-none absolute top-0 z-10 min-w-48 rounded-md border border-line bg-raised px-3 py-2 text-xs shadow-popup",
        place > 0.5 ? "-translate-x-full" : "",
      )}
      style={{
        left: `calc(3.5rem + (100% - 3.75rem) * ${place} + ${place > 0.5 ? "-0.75rem" : "0.75rem"})`,
      }}
    >
      <p className="mb-1.5 flex justify-between gap-6 font-medium">
        <span>{bucketWords(point.at, bucket)}</span>
        <span className="figures">{figure(point.total, metric)}</span>
      </p>
      <ul className="grid gap-0.5">
        {entries.map(({ key, index, value }) => (
          <li key={key} className="flex items-center gap-2">
            <svg aria-hidden="true" viewBox="0 0 8 8" className="size-2">
              <rect width="8" height="8" rx="2" fill={seriesColor(index, key)} />
            </svg>
            <span className="max-w-48 flex-1 truncate text-quiet">{names[key]}</span>
            <span className="figures">{figure(value, metric)}</span>
          </li>
        ))}
      </ul>
      <p className="mt-1.5 text-quiet">
        {point.isRunning ? "Not complete. " : ""}
        {action}
      </p>
    </div>
  );
}

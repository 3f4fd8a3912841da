import { useNavigate } from "@tanstack/react-router";
import { Bars } from "../../kit/usage/bars.tsx";
import { plotPlace } from "../../kit/usage/chart.tsx";
import { tickWords } from "../../kit/usage/drill.ts";
import { axisFigure, makeTicks, toHeight } from "../../kit/usage/figures.ts";
import { seriesColor } from "../../kit/usage/legend.tsx";
import type { Point } from "../../kit/usage/series.ts";
import { classNames } from "../../ui/class-names.ts";
import { BEFORE, type MonthDays, REAL, SIMULATED } from "./month-days.ts";

// Bars of 30 days with a mark for the day 30 days earlier, and dotted bars of the forecast. The chart of the reports has
// neither. Positions are parts of the plot, so the chart follows its width without a measurement.

/** Days between two labels of the axis. */
const LABEL_EVERY = 5;

const colors = {
  [REAL]: seriesColor(0, REAL),
  [SIMULATED]: seriesColor(1, SIMULATED),
  [BEFORE]: seriesColor(2, BEFORE),
} as const;

export function MonthChart({ days }: { days: MonthDays }) {
  const navigate = useNavigate();
  const { series, perDayNano } = days;
  const open = ({ at }: Point) =>
    void navigate({ to: "/cost", search: { at: at.slice(0, 10) } } as never);
  const heightOf = (nano: bigint) => toHeight(nano, "cost");
  const highest = series.points.map(({ total, values }) =>
    Math.max(heightOf(total), heightOf(values[BEFORE] ?? 0n)),
  );
  const ticks = makeTicks(Math.max(heightOf(perDayNano ?? 0n), ...highest), "cost");
  const top = ticks.at(-1) ?? 1;
  const partOf = (nano: bigint) => `${(100 * heightOf(nano)) / top}%`;
  return (
    <figure className="grid gap-3">
      <Bars
        series={series}
        metric="cost"
        bucket="1d"
        action="Show the cost of this day"
        onPress={open}
      >
        <div aria-hidden="true" className={classNames(plotPlace, "text-xs text-quiet")}>
          {ticks.map((tick, index) => (
            <span
              key={tick}
              className={classNames(
                "absolute inset-x-0 border-t",
                index === 0 ? "border-edge" : "border-line",
              )}
              style={{ bottom: `${(100 * tick) / top}%` }}
            >
              <span className="figures absolute right-full w-14 -translate-y-1/2 pr-2 text-right">
                {axisFigure(tick, "cost")}
              </span>
            </span>
          ))}
          <div
            className="absolute inset-0 grid"
            style={{ gridTemplateColumns: `repeat(${series.points.length}, minmax(0, 1fr))` }}
          >
            {series.points.map((point, index) => (
              <Day
                key={point.at}
                point={point}
                partOf={partOf}
                perDayNano={perDayNano}
                hasBefore={days.beforeNano !== null}
                label={index % LABEL_EVERY === 0 ? tickWords(point.at, "1d") : null}
                isWideOnly={index % (2 * LABEL_EVERY) !== 0}
              />
            ))}
          </div>
        </div>
      </Bars>
      <Key days={days} />
    </figure>
  );
}

interface DayProps {
  point: Point;
  partOf: (nano: bigint) => string;
  perDayNano: bigint | null;
  hasBefore: boolean;
  /** Label below the bar. Null: none. */
  label: string | null;
  /** The label has no room on narrow screens. */
  isWideOnly: boolean;
}

function Day({ point, partOf, perDayNano, hasBefore, label, isWideOnly }: DayProps) {
  const { values, isFuture, isRunning } = point;
  const before = values[BEFORE] ?? 0n;
  return (
    <div className="relative">
      <div className="absolute inset-y-0 inset-x-[12%] flex flex-col-reverse">
        {isFuture ? (
          <span
            className="border border-b-0 border-dashed border-edge"
            style={{ height: partOf(perDayNano ?? 0n) }}
          />
        ) : (
          [REAL, SIMULATED].map((key) => (
            <span
              key={key}
              className={classNames(isRunning && "opacity-60")}
              style={{
                height: partOf(values[key] ?? 0n),
                background: key === SIMULATED ? stripes : colors[REAL],
              }}
            />
          ))
        )}
      </div>
      {hasBefore && before > 0n && (
        <span
          className="absolute inset-x-0 h-0.5 rounded-full"
          style={{ bottom: partOf(before), background: colors[BEFORE] }}
        />
      )}
      {label !== null && (
        <span
          className={classNames(
            "figures absolute top-full left-1/2 -translate-x-1/2 pt-2 whitespace-nowrap",
            isWideOnly && "max-sm:hidden",
          )}
        >
          {label}
        </span>
      )}
    </div>
  );
}

/** Stripes, so that simulated cost differs from real cost without its colour. */
const stripes = `repeating-linear-gradient(45deg, ${colors[SIMULATED]} 0 3px, transparent 3px 6px)`;

/** Words of the marks. Forecast and simulated cost are named only where they are drawn. */
function Key({ days: { series, simulatedNano, beforeNano, perDayNano } }: { days: MonthDays }) {
  const marks = [
    { name: series.names[REAL], style: { background: colors[REAL] }, isShown: true },
    { name: series.names[SIMULATED], style: { background: stripes }, isShown: simulatedNano > 0n },
    {
      name: series.names[BEFORE],
      style: { background: colors[BEFORE], height: 2 },
      isShown: beforeNano !== null,
    },
    {
      name: "Forecast, on average",
      style: { border: "1px dashed var(--edge)" },
      isShown: perDayNano !== null,
    },
  ];
  return (
    <figcaption>
      <ul
        aria-label="Marks of the chart"
        className="flex flex-wrap gap-x-5 gap-y-1 pl-14 text-sm text-quiet"
      >
        {marks
          .filter(({ isShown }) => isShown)
          .map(({ name, style }) => (
            <li key={name} className="flex items-center gap-2">
              <span aria-hidden="true" className="size-2.5 rounded-xs" style={style} />
              {name}
            </li>
          ))}
      </ul>
    </figcaption>
  );
}

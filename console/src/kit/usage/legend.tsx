import { classNames } from "../../ui/class-names.ts";
import { OTHER, type Series } from "./series.ts";

interface LegendProps {
  series: Series;
  hidden: ReadonlySet<string>;
  onChange: (hidden: ReadonlySet<string>) => void;
}

export function seriesColor(index: number, key: string): string {
  return key === OTHER ? "var(--series-other)" : `var(--series-${(index % 8) + 1})`;
}

/** Names of the colours. A press hides or shows a colour in the chart. */
export function Legend({ series: { keys, names }, hidden, onChange }: LegendProps) {
  const toggle = (key: string) => {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    onChange(next);
  };
  return (
    <ul aria-label="Shown in the chart" className="flex flex-wrap gap-x-4 gap-y-1">
      {keys.map((key, index) => (
        <li key={key}>
          <label
            className={classNames(
              "flex min-h-7 cursor-pointer items-center gap-2 text-sm has-focus-visible:outline-2 has-focus-visible:outline-accent",
              hidden.has(key) && "text-faint line-through",
            )}
          >
            <input
              type="checkbox"
              checked={!hidden.has(key)}
              onChange={() => toggle(key)}
              className="sr-only"
            />
            <svg aria-hidden="true" viewBox="0 0 10 10" className="size-2.5">
              <rect
                width="10"
                height="10"
                rx="2.5"
                fill={seriesColor(index, key)}
                opacity={hidden.has(key) ? 0.3 : 1}
              />
            </svg>
            <span className="max-w-52 truncate">{names[key]}</span>
          </label>
        </li>
      ))}
    </ul>
  );
}

import { MarkedMoney } from "../../kit/usage/simulated.tsx";
import { formatPlural, formatShortDay, formatUsd, toNanoUsd } from "../../ui/format.ts";
import type { MyUsage } from "./queries.ts";

const HOUR_MS = 3_600_000;
const WIDTH = 100;
const HEIGHT = 30;
/** Share of a bucket's width that its bar takes. */
const BAR = 0.72;

/** Cost per hour or day of the period as bars, and as a table for those who need numbers. */
export function BucketChart({ usage }: { usage: MyUsage }) {
  const stepMs = usage.bucket === "1h" ? HOUR_MS : 24 * HOUR_MS;
  const startMs = Date.parse(usage.starting_at);
  const count = Math.round((Date.parse(usage.ending_at) - startMs) / stepMs);
  const largest = findLargest(usage.buckets.map(({ cost_usd }) => toNanoUsd(cost_usd)));
  const step = WIDTH / count;
  return (
    <figure className="grid gap-3">
      <svg
        role="img"
        aria-label={`Cost by ${usage.bucket === "1h" ? "hour" : "day"}. The table below has the numbers.`}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="h-36 w-full border-b border-line"
      >
        {usage.buckets.map(({ starting_at, cost_usd, requests }) => {
          const place = Math.round((Date.parse(starting_at) - startMs) / stepMs);
          const height = (Number((toNanoUsd(cost_usd) * 1000n) / largest) / 1000) * (HEIGHT - 1);
          return (
            <rect
              key={starting_at}
              x={place * step + (step * (1 - BAR)) / 2}
              y={HEIGHT - Math.max(height, 0.4)}
              width={step * BAR}
              height={Math.max(height, 0.4)}
              className="fill-accent"
            >
              <title>
                {bucketName(starting_at, usage.bucket)}: {formatUsd(cost_usd)},{" "}
                {formatPlural(requests, "request")}
              </title>
            </rect>
          );
        })}
      </svg>
      <figcaption className="flex justify-between text-xs text-quiet">
        <span>{bucketName(usage.starting_at, usage.bucket)}</span>
        <span>
          {bucketName(new Date(startMs + (count - 1) * stepMs).toISOString(), usage.bucket)}
        </span>
      </figcaption>
      <details>
        <summary className="target w-fit rounded-sm text-sm font-medium text-accent">
          Show the numbers
        </summary>
        <table className="mt-3 w-full max-w-md text-sm">
          <thead>
            <tr className="border-b border-line text-left text-quiet">
              <th className="py-1.5 font-normal">{usage.bucket === "1h" ? "Hour" : "Day"}</th>
              <th className="py-1.5 text-right font-normal">Requests</th>
              <th className="py-1.5 text-right font-normal">Cost</th>
            </tr>
          </thead>
          <tbody className="figures">
            {usage.buckets.map(({ starting_at, cost_usd, simulated_cost_usd, requests }) => (
              <tr key={starting_at} className="border-b border-line">
                <td className="py-1.5">{bucketName(starting_at, usage.bucket)}</td>
                <td className="py-1.5 text-right">{requests.toLocaleString("en")}</td>
                <td className="py-1.5 text-right">
                  <MarkedMoney usd={cost_usd} partNano={toNanoUsd(simulated_cost_usd)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

/** The highest cost, at least one nano-dollar. */
function findLargest(costs: readonly bigint[]): bigint {
  let largest = 1n;
  for (const cost of costs) if (cost > largest) largest = cost;
  return largest;
}

function bucketName(at: string, bucket: MyUsage["bucket"]): string {
  if (bucket === "1h") return `${at.slice(11, 13)}:00`;
  return formatShortDay(at);
}

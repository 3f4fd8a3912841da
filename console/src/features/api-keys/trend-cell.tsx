import { useQuery } from "@tanstack/react-query";
import { call } from "../../api-client.ts";
import { formatUsd, nanoToUsdText, toNanoUsd } from "../../ui/format.ts";
import { makeBatchLoader } from "./batch-loader.ts";

const FRESH_MS = 5 * 60_000;
/** Maximum number of keys of one request. */
const MAX_KEYS = 100;

/** Rows that are drawn together have one request. */
const loadTrend = makeBatchLoader<string[]>({
  maxKeys: MAX_KEYS,
  waitMs: 50,
  load: async (ids) => {
    const { data } = await call("getApiKeyTrends", { query: { api_key_ids: [...ids] } });
    return new Map(data.map(({ api_key_id, cost_usd }) => [api_key_id, cost_usd]));
  },
});

/** Cost of a key on the last 14 days, as small bars. */
export function TrendCell({ apiKeyId }: { apiKeyId: string }) {
  const trend = useQuery({
    queryKey: ["getApiKeyTrends", apiKeyId],
    queryFn: () => loadTrend(apiKeyId),
    staleTime: FRESH_MS,
    networkMode: "always",
  });
  return <Sparkline costs={trend.data ?? null} />;
}

const WIDTH = 84;
const HEIGHT = 20;
const GAP = 2;

function Sparkline({ costs }: { costs: readonly string[] | null }) {
  const amounts = (costs ?? []).map(toNanoUsd);
  const total = amounts.reduce((sum, each) => sum + each, 0n);
  const highest = amounts.toSorted((a, b) => (a < b ? -1 : 1)).at(-1) ?? 0n;
  const words = describe(costs, total, highest);
  const step = WIDTH / Math.max(1, amounts.length);
  return (
    <svg
      role="img"
      aria-label={words}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      className="ml-auto text-accent"
    >
      <title>{words}</title>
      <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} className="stroke-line" />
      {amounts.map((amount, day) => {
        if (amount === 0n) return null;
        const height = Math.max(1.5, (Number(amount) / Number(highest)) * (HEIGHT - 1));
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a day is its position.
            key={day}
            x={day * step}
            y={HEIGHT - height}
            width={step - GAP}
            height={height}
            fill="currentColor"
          />
        );
      })}
    </svg>
  );
}

function describe(costs: readonly string[] | null, total: bigint, highest: bigint): string {
  if (costs === null) return "Cost of 14 days, loading";
  if (total === 0n) return "No cost in 14 days";
  return `${formatUsd(nanoToUsdText(total))} in 14 days, at most ${formatUsd(nanoToUsdText(highest))} a day`;
}

import type { ReactNode } from "react";
import { MarkedMoney } from "../../kit/usage/simulated.tsx";
import { formatPlural, toNanoUsd } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";

interface Row {
  id: string;
  name: ReactNode;
  cost_usd: string;
  simulated_cost_usd: string;
  requests: number;
}

const SHOWN = 10;

/** Cost of each group, highest first, as bars. */
export function TopList(props: { title: string; lead?: string; rows: readonly Row[] }) {
  const { rows, ...words } = props;
  const largest = toNanoUsd(rows[0]?.cost_usd ?? "0");
  return (
    <Section {...words}>
      <ol className="divide-y divide-line border-y border-line text-sm">
        {rows.slice(0, SHOWN).map(({ id, name, cost_usd, simulated_cost_usd, requests }) => (
          <li
            key={id}
            className="grid grid-cols-[minmax(0,1fr)_2.5rem_7.25rem] sm:grid-cols-[minmax(0,1fr)_4rem_7.5rem] items-center gap-3 py-2.5 sm:gap-4"
          >
            <span className="min-w-0">
              <span className="block font-medium break-words sm:truncate">{name}</span>
              <span className="block text-xs text-quiet">{formatPlural(requests, "request")}</span>
            </span>
            <svg
              aria-hidden="true"
              viewBox="0 0 100 4"
              preserveAspectRatio="none"
              className="h-1.5 w-full"
            >
              <rect
                width={largest > 0n ? Number((toNanoUsd(cost_usd) * 100n) / largest) : 0}
                height="4"
                className="fill-accent"
              />
            </svg>
            <span className="text-right">
              <MarkedMoney usd={cost_usd} partNano={toNanoUsd(simulated_cost_usd)} />
            </span>
          </li>
        ))}
      </ol>
    </Section>
  );
}

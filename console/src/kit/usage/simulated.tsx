import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { Link } from "@tanstack/react-router";
import { FlaskConical } from "lucide-react";
import { Money } from "../../ui/amounts.tsx";
import { nanoToUsdText, toNanoUsd } from "../../ui/format.ts";
import type { ReportSearch } from "./search.ts";

/** True for a request that the simulator answered. The provider bills none of its cost. */
export function isSimulated({ service_tier }: { service_tier: string }): boolean {
  return service_tier === SIMULATED_TIER;
}

/** Mark beside a cost that no provider bills. An icon, because a list can have it in every row. */
export function SimulatedMark() {
  return (
    <span
      role="img"
      aria-label="Simulated"
      title="Simulated: no provider bills this cost."
      className="relative z-10 inline-block align-[-0.125em] text-quiet"
    >
      <FlaskConical size={14} aria-hidden="true" />
    </span>
  );
}

/** Mark beside a sum: all of it, or a part of it, is simulated. Nothing for a sum without such a part. */
export function SimulatedPart({ partNano, sumNano }: { partNano: bigint; sumNano: bigint }) {
  if (partNano <= 0n) return null;
  if (partNano >= sumNano) return <SimulatedMark />;
  return (
    <span
      title="The simulator answered these requests. No provider bills them."
      className="text-xs font-normal whitespace-nowrap text-quiet"
    >
      <Money usd={nanoToUsdText(partNano)} /> simulated
    </span>
  );
}

/** An amount in a column of numbers: with a mark before it if all is simulated, or with the simulated part below it. */
export function MarkedMoney({ usd, partNano }: { usd: string; partNano: bigint }) {
  if (partNano > 0n && partNano >= toNanoUsd(usd)) {
    return (
      <span className="whitespace-nowrap">
        <SimulatedMark /> <Money usd={usd} />
      </span>
    );
  }
  return (
    <span data-amount="" className="inline-grid justify-items-end">
      <Money usd={usd} /> <SimulatedPart partNano={partNano} sumNano={toNanoUsd(usd)} />
    </span>
  );
}

/** Line below a total that contains simulated cost, with a link to these requests. */
export function SimulatedNote({ usd, search }: { usd: string; search: ReportSearch }) {
  return (
    <span className="block text-warn">
      <Money usd={usd} /> of it is{" "}
      <Link to="/requests" search={{ ...search, service_tier: [SIMULATED_TIER] }} className="link">
        simulated
      </Link>
      , and no provider bills it
    </span>
  );
}

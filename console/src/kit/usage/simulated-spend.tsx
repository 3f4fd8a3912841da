import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { toNanoUsd } from "../../ui/format.ts";
import type { Scope } from "../scopes/scope.ts";
import { toUsageFilter } from "../scopes/usage-filter.ts";

interface SimulatedSpendProps {
  scope: Scope;
  /** Times of the period. Null: the spend is of no period. */
  startingAt: string | null | undefined;
  endingAt: string | null | undefined;
}

/** Line below the spend of a period: its simulated part, which limits count. Nothing for a period without one. */
export function SimulatedSpend({ scope, startingAt, endingAt }: SimulatedSpendProps) {
  const may = useMay();
  const filter = toUsageFilter(scope);
  const isCounted = filter !== null && Boolean(startingAt && endingAt);
  const { data } = useApi(
    "getCost",
    {
      query: {
        starting_at: startingAt ?? undefined,
        ending_at: endingAt ?? undefined,
        ...filter,
        bucket: "none",
        limit: 1,
      },
    },
    { isEnabled: isCounted && may("usage:read") },
  );
  const usd = data?.totals.simulated_cost_usd ?? "0";
  if (toNanoUsd(usd) <= 0n) return null;
  return (
    <p className="text-sm text-quiet">
      <Money usd={usd} /> of this period is simulated, and no provider bills it. Limits count it.
    </p>
  );
}

import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { toNanoUsd } from "../../ui/format.ts";
import type { CountedScope, Scope } from "../scopes/scope.ts";

interface SimulatedSpendProps {
  scope: Scope;
  /** Times of the period. Null: the spend is of no period. */
  startingAt: string | null | undefined;
  endingAt: string | null | undefined;
}

/** Line below the spend of a period: its simulated part, which limits count. Nothing for a period without one. */
export function SimulatedSpend({ scope, startingAt, endingAt }: SimulatedSpendProps) {
  const may = useMay();
  const isCounted = scope.type !== "group_member" && Boolean(startingAt && endingAt);
  const { data } = useApi(
    "getCost",
    {
      query: {
        starting_at: startingAt ?? undefined,
        ending_at: endingAt ?? undefined,
        ...(scope.type === "group_member" ? {} : toFilter(scope)),
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

function toFilter(scope: CountedScope) {
  switch (scope.type) {
    case "organization":
      return {};
    case "workspace":
      return { workspace_id: [scope.workspace_id] };
    case "api_key":
      return { api_key_id: [scope.api_key_id] };
    case "member":
      return { member_id: [scope.member_id] };
    case "group":
      return { group_id: [scope.group_id] };
    case "tag":
      return { tag_id: [scope.tag_id] };
  }
}

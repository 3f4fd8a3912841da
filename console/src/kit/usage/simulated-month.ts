import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { useMemo } from "react";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { toNanoUsd } from "../../ui/format.ts";
import { useNow } from "../../ui/use-now.ts";
import { resolveRange } from "./range.ts";

const MAX_GROUPS = 1_000;

/** Simulated cost of this month in nano-dollars, by the id of the workspace or key. `within` selects one owner or key. */
export function useSimulatedMonth(
  groupBy: "workspace" | "api_key",
  within: { member_id?: [string]; api_key_id?: [string] } = {},
): ReadonlyMap<string, bigint> {
  const may = useMay();
  const { startingAt, endingAt } = resolveRange("month", useNow());
  const { data } = useApi(
    "getCost",
    {
      query: {
        starting_at: startingAt,
        ending_at: endingAt,
        bucket: "none",
        group_by: [groupBy],
        service_tier: [SIMULATED_TIER],
        ...within,
        limit: MAX_GROUPS,
      },
    },
    { isEnabled: may("usage:read") },
  );
  return useMemo(() => {
    const parts = new Map<string, bigint>();
    for (const row of data?.data ?? []) {
      const id = groupBy === "workspace" ? row.workspace_id : row.api_key_id;
      if (id) parts.set(id, toNanoUsd(row.cost_usd));
    }
    return parts;
  }, [data, groupBy]);
}

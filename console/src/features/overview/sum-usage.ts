import type { Group, UsageRow } from "../../kit/usage/queries.ts";
import { toNanoUsd } from "../../ui/format.ts";

/** Usage of one group in the whole range. Cost is in nano-dollars, so that sums are exact. */
export interface GroupSum {
  /** Id of the workspace or key, or name of the model. Empty: not grouped. */
  key: string;
  totalTokens: number;
  costNano: bigint;
}

export function toGroupKey(row: UsageRow, groupBy: Group | null): string {
  switch (groupBy) {
    case "workspace":
      return row.workspace_id ?? "";
    case "api_key":
      return row.api_key_id ?? "";
    case "model":
      return row.model ?? "";
    case null:
      return "";
  }
}

/** Sums per group, highest cost first, then most tokens. */
export function sumByGroup(rows: readonly UsageRow[], groupBy: Group | null): GroupSum[] {
  const sums = new Map<string, GroupSum>();
  for (const row of rows) {
    const key = toGroupKey(row, groupBy);
    const sum = sums.get(key) ?? { key, totalTokens: 0, costNano: 0n };
    sum.totalTokens += row.total_tokens;
    sum.costNano += toNanoUsd(row.cost_usd);
    sums.set(key, sum);
  }
  return [...sums.values()].sort(byCost);
}

function byCost(a: GroupSum, b: GroupSum): number {
  if (a.costNano !== b.costNano) return a.costNano > b.costNano ? -1 : 1;
  return b.totalTokens - a.totalTokens;
}

import { toNanoUsd } from "../../ui/format.ts";
import type { CostRow, Tag, TagCost } from "./queries.ts";

export interface TagValue {
  id: string;
  value: string;
  workspaceCount: number;
  keyCount: number;
  costNano: bigint;
}

/** One name of tags with its values. A request has at most one value of a name. */
export interface TagName {
  name: string;
  values: TagValue[];
  workspaceCount: number;
  keyCount: number;
  costNano: bigint;
  /** Cost of requests without a tag of this name. */
  untaggedNano: bigint;
}

/** Groups tags by name, the name with the highest cost first. Without a cost report, all costs are 0. */
export function listTagNames(tags: readonly Tag[], cost: TagCost | undefined): TagName[] {
  const costs = new Map((cost?.rows ?? []).map((row) => [row.tag_id ?? "", row]));
  const values = new Map<string, TagValue[]>();
  const add = (name: string, value: TagValue) =>
    values.set(name, [...(values.get(name) ?? []), value]);
  for (const tag of tags) {
    add(tag.name, {
      id: tag.id,
      value: tag.value,
      workspaceCount: tag.workspace_count,
      keyCount: tag.api_key_count,
      costNano: readCost(costs.get(tag.id)),
    });
    costs.delete(tag.id);
  }
  // Tags of past requests that the list leaves out for this member.
  for (const [id, row] of costs) {
    if (id === "" || row.tag_name === null) continue;
    const value = row.tag_value ?? "";
    add(row.tag_name, { id, value, workspaceCount: 0, keyCount: 0, costNano: readCost(row) });
  }
  const totalNano = toNanoUsd(cost?.totalUsd ?? "0");
  const names = [...values].map(([name, each]) => sumUp(name, each, totalNano));
  return names.sort(byCost);
}

function readCost(row: CostRow | undefined): bigint {
  return row === undefined ? 0n : toNanoUsd(row.cost_usd);
}

function sumUp(name: string, values: TagValue[], totalNano: bigint): TagName {
  const costNano = values.reduce((sum, each) => sum + each.costNano, 0n);
  return {
    name,
    values,
    workspaceCount: values.reduce((sum, each) => sum + each.workspaceCount, 0),
    keyCount: values.reduce((sum, each) => sum + each.keyCount, 0),
    costNano,
    untaggedNano: totalNano - costNano,
  };
}

function byCost(a: TagName, b: TagName): number {
  if (a.costNano !== b.costNano) return a.costNano > b.costNano ? -1 : 1;
  return a.name.localeCompare(b.name);
}

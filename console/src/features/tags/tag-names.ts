import { toNanoUsd } from "../../ui/format.ts";
import type { Tag, TagCost } from "./queries.ts";

export interface TagValue {
  id: string;
  value: string;
  workspaceCount: number;
  keyCount: number;
  cost: TagSum;
}

/** Cost, nano-dollars. */
export interface TagSum {
  nano: bigint;
  /** Part that the simulator answered. */
  simulatedNano: bigint;
}

/** One name of tags with its values. A request has at most one value of a name. */
export interface TagName {
  name: string;
  values: TagValue[];
  workspaceCount: number;
  keyCount: number;
  cost: TagSum;
  /** Cost of requests without a tag of this name. */
  untagged: TagSum;
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
      cost: readCost(costs.get(tag.id)),
    });
    costs.delete(tag.id);
  }
  // Tags of past requests that the list leaves out for this member.
  for (const [id, row] of costs) {
    if (id === "" || row.tag_name === null) continue;
    const value = row.tag_value ?? "";
    add(row.tag_name, { id, value, workspaceCount: 0, keyCount: 0, cost: readCost(row) });
  }
  const total = readCost(cost?.totals);
  const names = [...values].map(([name, each]) => sumUp(name, each, total));
  return names.sort(byCost);
}

function readCost(row: TagCost["totals"] | undefined): TagSum {
  return {
    nano: toNanoUsd(row?.cost_usd ?? "0"),
    simulatedNano: toNanoUsd(row?.simulated_cost_usd ?? "0"),
  };
}

export function addSums(a: TagSum, b: TagSum): TagSum {
  return { nano: a.nano + b.nano, simulatedNano: a.simulatedNano + b.simulatedNano };
}

function sumUp(name: string, values: TagValue[], total: TagSum): TagName {
  const cost = values.map((each) => each.cost).reduce(addSums, { nano: 0n, simulatedNano: 0n });
  return {
    name,
    values,
    workspaceCount: values.reduce((sum, each) => sum + each.workspaceCount, 0),
    keyCount: values.reduce((sum, each) => sum + each.keyCount, 0),
    cost,
    untagged: {
      nano: total.nano - cost.nano,
      simulatedNano: total.simulatedNano - cost.simulatedNano,
    },
  };
}

function byCost(a: TagName, b: TagName): number {
  if (a.cost.nano !== b.cost.nano) return a.cost.nano > b.cost.nano ? -1 : 1;
  return a.name.localeCompare(b.name);
}

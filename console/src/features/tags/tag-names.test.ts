import { expect, test } from "vitest";
import type { CostRow, Tag } from "./queries.ts";
import { listTagNames } from "./tag-names.ts";

const tag = (name: string, value: string, workspace_count = 0, api_key_count = 0) =>
  ({ id: `${name}=${value}`, name, value, workspace_count, api_key_count }) as Tag;
const row = (tag_id: string | null, cost_usd: string, simulated_cost_usd = "0.00") => {
  const [tag_name = null, tag_value = null] = tag_id?.split("=") ?? [];
  return { tag_id, tag_name, tag_value, cost_usd, simulated_cost_usd } as CostRow;
};

test("cost without a tag is shown for each name, because a request has several tags", () => {
  const tags = [
    tag("stage", "test", 0, 1),
    tag("cost_center", "1", 2),
    tag("cost_center", "2", 0, 3),
  ];
  const rows = [
    row("cost_center=1", "5"),
    row("cost_center=2", "3", "3"),
    row("stage=test", "4"),
    row(null, "1", "0.5"),
  ];
  const totals = { cost_usd: "10", simulated_cost_usd: "3.5" };
  const names = listTagNames(tags, { rows, totals });
  const nano = (usd: number) => BigInt(usd * 10) * 100_000_000n;
  const sum = (usd: number, simulated = 0) => ({
    nano: nano(usd),
    simulatedNano: nano(simulated),
  });
  expect(names).toMatchObject([
    {
      name: "cost_center",
      workspaceCount: 2,
      keyCount: 3,
      cost: sum(8, 3),
      untagged: sum(2, 0.5),
    },
    { name: "stage", workspaceCount: 0, keyCount: 1, cost: sum(4), untagged: sum(6, 3.5) },
  ]);
  expect(names[0]?.values.map(({ value, cost }) => [value, cost])).toEqual([
    ["1", sum(5)],
    ["2", sum(3, 3)],
  ]);
});

test("a tag with cost is listed, although no workspace or key has it any more", () => {
  const totals = { cost_usd: "2", simulated_cost_usd: "0.00" };
  const [name] = listTagNames([], { rows: [row("team=ads", "2")], totals });
  expect(name).toMatchObject({
    name: "team",
    untagged: { nano: 0n, simulatedNano: 0n },
    values: [{ value: "ads" }],
  });
});

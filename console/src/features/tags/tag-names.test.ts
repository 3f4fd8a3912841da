import { expect, test } from "vitest";
import type { CostRow, Tag } from "./queries.ts";
import { listTagNames } from "./tag-names.ts";

const tag = (name: string, value: string, workspace_count = 0, api_key_count = 0) =>
  ({ id: `${name}=${value}`, name, value, workspace_count, api_key_count }) as Tag;
const row = (tag_id: string | null, cost_usd: string) => {
  const [tag_name = null, tag_value = null] = tag_id?.split("=") ?? [];
  return { tag_id, tag_name, tag_value, cost_usd } as CostRow;
};

test("cost without a tag is shown for each name, because a request has several tags", () => {
  const tags = [
    tag("stage", "test", 0, 1),
    tag("cost_center", "1", 2),
    tag("cost_center", "2", 0, 3),
  ];
  const rows = [
    row("cost_center=1", "5"),
    row("cost_center=2", "3"),
    row("stage=test", "4"),
    row(null, "1"),
  ];
  const names = listTagNames(tags, { rows, totalUsd: "10" });
  const nano = (usd: number) => BigInt(usd) * 1_000_000_000n;
  expect(names).toMatchObject([
    {
      name: "cost_center",
      workspaceCount: 2,
      keyCount: 3,
      costNano: nano(8),
      untaggedNano: nano(2),
    },
    { name: "stage", workspaceCount: 0, keyCount: 1, costNano: nano(4), untaggedNano: nano(6) },
  ]);
  expect(names[0]?.values.map(({ value, costNano }) => [value, costNano])).toEqual([
    ["1", nano(5)],
    ["2", nano(3)],
  ]);
});

test("a tag with cost is listed, although no workspace or key has it any more", () => {
  const [name] = listTagNames([], { rows: [row("team=ads", "2")], totalUsd: "2" });
  expect(name).toMatchObject({ name: "team", untaggedNano: 0n, values: [{ value: "ads" }] });
});

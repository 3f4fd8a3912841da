import { describe, expect, test } from "vitest";
import { findModelGroup, modelGroupOf, modelGroups } from "./model-groups.ts";
import { priceList } from "./price-list.ts";

describe("groups of models", () => {
  test("every listed model is in exactly one group, by each of its names", () => {
    for (const { id, aliases } of priceList) {
      const holders = modelGroups.filter(({ models }) => models?.includes(id));
      expect([id, holders.length]).toEqual([id, 1]);
      for (const name of [id, ...aliases]) expect(modelGroupOf(name)).toBe(holders[0]?.id);
    }
  });

  test("the table contains only models of the price list", () => {
    const known = new Set(priceList.flatMap(({ id, aliases }) => [id, ...aliases]));
    const named = modelGroups.flatMap(({ models }) => models ?? []);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
  });

  test.each([
    ["claude-opus-4-8", "opus_4"],
    ["claude-opus-4-5", "opus_4"],
    ["claude-opus-5", "opus_5"],
    ["claude-sonnet-4-6", "sonnet_4"],
    ["claude-sonnet-4-5-20250929", "sonnet_4"],
    ["claude-sonnet-5-20270101", "sonnet_5"],
    ["claude-fable-5-1", "fable_5"],
    ["claude-opus-6", "other"],
    ["", "other"],
  ])("%s belongs to %s", (model, group) => {
    expect(modelGroupOf(model)).toBe(group);
    expect(findModelGroup(group)?.id).toBe(group);
  });
});

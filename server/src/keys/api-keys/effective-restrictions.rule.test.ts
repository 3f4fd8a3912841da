import { includesRank, ranks } from "@bursar/contract/permissions.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { includesRanges, intersectRanges } from "#src/key-lookup/address-ranges.ts";
import {
  adoptUnranked,
  computeInForce,
  listHigherRanks,
  listWiderFields,
  mergeRanks,
  type RankedRestrictions,
  type Restrictions,
  setRestrictions,
} from "./effective-restrictions.rule.ts";

const lists = { intersect: intersectRanges, includes: includesRanges };
const at = (ms: number) => new Date(ms);
const free: Restrictions = {
  is_disabled: false,
  allowed_models: null,
  allowed_addresses: null,
  expires_at: null,
};
const by = { set_by_type: "member", set_by_id: "user_1", set_at: at(0) };

const restrictions = fc.record<Restrictions>({
  is_disabled: fc.boolean(),
  allowed_models: fc.option(
    fc.subarray(["claude-*", "claude-haiku-*", "claude-haiku-4-5", "claude-opus-4-5", "other"]),
  ),
  allowed_addresses: fc.option(
    fc.subarray(["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"]),
  ),
  expires_at: fc.option(fc.integer({ min: 1, max: 9 }).map(at)),
});
const ranked = fc
  .tuple(restrictions, fc.constantFrom(...ranks))
  .map(([values, rank]): RankedRestrictions => ({ ...values, ...by, rank }));
const rows = fc.array(ranked, { maxLength: 5 }).map((all) => mergeRanks(all, lists));

describe("restrictions in force", () => {
  test("are the strictest of all ranks", () => {
    const admin = { ...free, allowed_models: ["claude-haiku-*"], expires_at: at(9) };
    const holder = { ...free, allowed_models: ["claude-haiku-4-5"], allowed_addresses: [] };
    expect(computeInForce([admin, { ...holder, is_disabled: true }], lists)).toEqual({
      is_disabled: true,
      allowed_models: ["claude-haiku-4-5"],
      allowed_addresses: [],
      expires_at: at(9),
    });
    expect(computeInForce([], lists)).toEqual(free);
  });

  test("allow nothing if no model is in both lists", () => {
    const both = ["claude-haiku-*", "claude-opus-*"].map((entry) => ({
      ...free,
      allowed_models: [entry],
    }));
    expect(computeInForce(both, lists).allowed_models).toEqual([]);
  });

  test("are never wider than those of one rank", () => {
    fc.assert(
      fc.property(rows, (all) => {
        const inForce = computeInForce(all, lists);
        for (const row of all) expect(listWiderFields(inForce, row, lists)).toEqual([]);
      }),
    );
  });
});

test("a change at one rank leaves the values of all other ranks", () => {
  fc.assert(
    fc.property(rows, ranked, (all, { rank, ...values }) => {
      const others = (of: readonly RankedRestrictions[]) => of.filter((row) => row.rank !== rank);
      expect(others(setRestrictions(all, rank, values, by))).toEqual(others(all));
      const cleared = setRestrictions(all, rank, free, by);
      expect(cleared).toEqual(others(all));
      const higher = listHigherRanks(all, rank);
      expect(
        listWiderFields(computeInForce(cleared, lists), computeInForce(higher, lists), lists),
      ).toEqual([]);
      for (const row of higher) expect(includesRank(rank, row.rank)).toBe(false);
    }),
  );
});

test("a row without restrictions is omitted, also if its rank sets nothing", () => {
  const row = { ...free, ...by, rank: "holder" as const };
  expect(setRestrictions([row], "holder", {}, by)).toEqual([]);
});

test("a value that an earlier version wrote belongs to a Workspace Admin, and nothing is widened", () => {
  fc.assert(
    fc.property(rows, restrictions, (all, inForce) => {
      const key = { inForce, otherwise: free, since: at(0) };
      const adopted = adoptUnranked(all, key, lists);
      const computed = computeInForce(adopted, lists);
      expect(listWiderFields(computed, inForce, lists)).toEqual([]);
      expect(listWiderFields(computed, computeInForce(all, lists), lists)).toEqual([]);
      const other = (of: readonly RankedRestrictions[]) =>
        of.filter(({ rank }) => rank !== "workspace");
      expect(other(adopted)).toEqual(other(all));
      expect(adoptUnranked(adopted, key, lists)).toEqual(adopted);
    }),
  );
});

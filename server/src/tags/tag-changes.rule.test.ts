import type { Rank } from "@bursar/contract/permissions.ts";
import { expect, test } from "vitest";
import {
  changeTags,
  inheritTags,
  listLeftTags,
  noTags,
  type RankedTags,
} from "./tag-changes.rule.ts";

const tagged = (tags: Record<string, string>, rank: Rank): RankedTags => ({
  tags,
  ranks: Object.fromEntries(Object.keys(tags).map((name) => [name, rank])),
});
const change = (
  before: RankedTags,
  wanted: Record<string, string | null> | null,
  context: { rank: Rank; inherited?: RankedTags; limitRanks?: ReadonlyMap<string, Rank> },
) => changeTags(before, wanted, { inherited: noTags, limitRanks: new Map(), ...context });

test("a rank changes and removes tags of its own rank and of lower ranks only", () => {
  const before = tagged({ team: "search" }, "admin");
  expect(change(before, { team: "ads", stage: "test" }, { rank: "owner" })).toEqual({
    kind: "changed",
    after: { tags: { team: "ads", stage: "test" }, ranks: { team: "owner", stage: "owner" } },
  });
  expect(change(before, { team: null }, { rank: "admin" })).toEqual({
    kind: "changed",
    after: noTags,
  });
  const refused = { kind: "set_above", name: "team", rank: "admin", isLimit: false };
  expect(change(before, { team: "ads" }, { rank: "workspace" })).toEqual(refused);
  expect(change(before, null, { rank: "workspace" })).toEqual(refused);
});

test("the same value is no change, whatever the rank", () => {
  const before = tagged({ team: "search" }, "machine");
  expect(change(before, { team: "search" }, { rank: "holder" })).toEqual({
    kind: "changed",
    after: before,
  });
});

test("a key replaces no tag of its workspace that a higher rank set, and can drop its own", () => {
  const inherited = tagged({ cost_center: "4711" }, "admin");
  const own = tagged({ cost_center: "4712" }, "workspace");
  const refused = { kind: "set_above", name: "cost_center", rank: "admin", isLimit: false };
  const context = { rank: "workspace", inherited } as const;
  expect(change(noTags, { cost_center: "4712" }, context)).toEqual(refused);
  expect(change(own, { cost_center: "4713" }, context)).toEqual(refused);
  expect(change(own, { cost_center: null }, context)).toEqual({ kind: "changed", after: noTags });
});

test("a tag with a limit of a higher rank is neither removed nor replaced, also by a tag of the key", () => {
  const limitRanks = new Map<string, Rank>([["team=search", "admin"]]);
  const refused = { kind: "set_above", name: "team", rank: "admin", isLimit: true };
  const own = tagged({ team: "search" }, "workspace");
  const context = { rank: "workspace", limitRanks } as const;
  expect(change(own, { team: null }, context)).toEqual(refused);
  expect(change(noTags, { team: "ads" }, { ...context, inherited: own })).toEqual(refused);
  expect(change(own, { team: "ads" }, { ...context, rank: "admin" }).kind).toBe("changed");
  expect(listLeftTags(noTags, { team: "ads" }, own)).toEqual([{ name: "team", value: "search" }]);
});

test("a changed name differs from all others in more than its case", () => {
  const before = tagged({ Team: "search" }, "workspace");
  const refused = { kind: "similar_names", name: "team", other: "Team" };
  expect(change(before, { team: "ads" }, { rank: "workspace" })).toEqual(refused);
  expect(change(before, { Team: null, team: "ads" }, { rank: "workspace" }).kind).toBe("changed");
  const stored = tagged({ Team: "search", team: "ads" }, "workspace");
  expect(change(stored, { stage: "test" }, { rank: "workspace" }).kind).toBe("changed");
});

test("a new key inherits tags that ranks above the caller's set, of the highest rank first", () => {
  const sources = [
    tagged({ team: "search", stage: "test" }, "workspace"),
    tagged({ team: "ads" }, "admin"),
    tagged({ team: "maps" }, "admin"),
  ];
  expect(inheritTags(sources, "holder")).toEqual({
    tags: { team: "ads", stage: "test" },
    ranks: { team: "admin", stage: "workspace" },
  });
  expect(inheritTags(sources, "workspace").tags).toEqual({ team: "ads" });
  expect(inheritTags(sources, "admin")).toEqual(noTags);
});

test("names of Object.prototype are plain names", () => {
  const wanted = { constructor: "a", toString: "b" };
  const changed = change(noTags, wanted, { rank: "holder" });
  expect(changed).toMatchObject({ kind: "changed", after: { tags: wanted } });
  expect(inheritTags([tagged(wanted, "admin")], "holder").tags).toEqual(wanted);
});

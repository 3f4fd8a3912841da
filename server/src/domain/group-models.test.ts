import { type Rank, ranks } from "@bursar/contract/permissions.ts";
import { describe, expect, test } from "vitest";
import {
  combineGroupModels,
  findEasedList,
  type GroupModels,
  listModelLists,
  type ModelList,
  setModelList,
  toGroupModels,
} from "./group-models.ts";

const list = (...allowed_models: string[]): ModelList => ({
  ...{ allowed_models, set_by_type: "member", set_by_id: "user_1", set_at: "2026-11-01T00:00:00Z" },
});

/** A group with these lists. */
const groupOf = (lists: Partial<Record<Rank, string[]>>): GroupModels =>
  toGroupModels(ranks.flatMap((rank) => (lists[rank] ? [{ rank, ...list(...lists[rank]) }] : [])));

const none: GroupModels = { allowed_models: null, model_lists: null };

describe("a changed list", () => {
  const limited = groupOf({ owner: ["a", "b"] });

  test("of a lower rank is within the lists above", () => {
    const change = setModelList(limited, "admin", list("a"));
    expect(change).toMatchObject({ kind: "changed", models: { allowed_models: ["a"] } });
    for (const wider of [list("a", "c"), null]) {
      const refused = setModelList(limited, "admin", wider);
      expect(refused).toMatchObject({ kind: "refused", above: { rank: "owner" } });
    }
  });

  test("of a lower rank can be removed again", () => {
    const narrowed = groupOf({ owner: ["a", "b"], admin: ["a"] });
    expect(setModelList(narrowed, "admin", null)).toEqual({ kind: "changed", models: limited });
  });

  test("replaces those of lower ranks", () => {
    const narrowed = groupOf({ owner: ["a", "b"], admin: ["a"] });
    const change = setModelList(narrowed, "owner", list("a", "c"));
    expect(change).toEqual({ kind: "changed", models: groupOf({ owner: ["a", "c"] }) });
    expect(setModelList(narrowed, "owner", null)).toEqual({ kind: "changed", models: none });
  });

  test("without a rank belongs to an Admin", () => {
    const earlier = { allowed_models: ["a"], model_lists: null };
    expect(listModelLists(earlier).map(({ rank }) => rank)).toEqual(["admin"]);
    expect(setModelList(earlier, "admin", null)).toEqual({ kind: "changed", models: none });
  });
});

describe("the models of a member", () => {
  test.each<[string, GroupModels[], string[] | null]>([
    ["without a list are all", [none, none], null],
    [
      "of several groups add up",
      [groupOf({ admin: ["a"] }), groupOf({ admin: ["b"] }), none],
      ["a", "b"],
    ],
    [
      "stay within the list of a higher rank",
      [groupOf({ owner: ["a"] }), groupOf({ admin: ["a", "b"] })],
      ["a"],
    ],
    [
      "of several groups add up in each rank",
      [groupOf({ owner: ["a"] }), groupOf({ owner: ["b"] })],
      ["a", "b"],
    ],
    [
      "are those of the lowest rank of a group",
      [groupOf({ owner: ["a", "b"], admin: ["a"] })],
      ["a"],
    ],
    [
      "have the bounds of each rank",
      [groupOf({ machine: ["a"] }), groupOf({ owner: ["a", "b"] }), groupOf({ admin: ["c"] })],
      ["a"],
    ],
  ])("%s", (_, groups, models) => {
    expect(combineGroupModels(groups)).toEqual(models);
  });
});

describe("a change of groups", () => {
  const bound = groupOf({ owner: ["a"] });
  const wider = groupOf({ owner: ["a", "b"] });

  test.each<[string, GroupModels[], GroupModels[], Rank, Rank | null]>([
    ["leaves a list of a higher rank", [bound], [], "admin", "owner"],
    ["leaves a list of the own rank", [bound], [], "owner", null],
    ["joins a list of a higher rank", [], [bound], "admin", null],
    ["joins a wider list of a higher rank", [bound], [bound, wider], "admin", "owner"],
    ["joins a list of the own rank", [bound], [bound, groupOf({ admin: ["b"] })], "admin", null],
    ["leaves one of two lists", [bound, wider], [wider], "admin", null],
  ])("that %s", (_, before, after, rank, eased) => {
    expect(findEasedList(before, after, rank)?.rank ?? null).toBe(eased);
  });
});

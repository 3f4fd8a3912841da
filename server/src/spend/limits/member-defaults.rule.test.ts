import { describe, expect, test } from "vitest";
import { listApplying } from "#src/limits/limit-values.rule.ts";
import type { WantedLimit } from "./combine-values.rule.ts";
import {
  findDecidingGroup,
  findEasedAbove,
  type MemberDefault,
  pickDefaults,
} from "./member-defaults.rule.ts";

function makeDefault(
  groupId: string,
  amountNanoUsd: bigint,
  fields: Partial<MemberDefault & WantedLimit> = {},
): MemberDefault {
  const {
    enforcement = "strict",
    rank = "admin",
    memberId = "user_1",
    period = "monthly",
  } = fields;
  const wanted = { amountNanoUsd, enforcement, openEndedHoldNanoUsd: null } as const;
  const rules = { unknownFeatures: "hold", hold: "whole" } as const;
  return { memberId, period, rank, groupId, wanted: { ...wanted, ...rules } };
}

describe("a person in several groups", () => {
  const defaults = [makeDefault("group_1", 10n), makeDefault("group_2", 30n)];

  test("gets the highest or the lowest default, by the mode", () => {
    expect(pickDefaults(defaults, "highest")).toEqual([defaults[1]]);
    expect(pickDefaults(defaults, "lowest")).toEqual([defaults[0]]);
  });

  test("gets one default for each rank, whatever other ranks have set", () => {
    const byOwner = makeDefault("group_1", 20n, { rank: "owner" });
    const picked = pickDefaults([...defaults, byOwner], "highest");
    expect(new Set(picked)).toEqual(new Set([defaults[1], byOwner]));
  });

  test("is not freed by a default that only alerts", () => {
    const alert = makeDefault("group_3", 1n, { enforcement: "alert_only" });
    expect(pickDefaults([...defaults, alert], "lowest")).toEqual([defaults[0]]);
    expect(pickDefaults([alert], "lowest")).toEqual([alert]);
  });

  test("gets the same default in any order of the groups", () => {
    const same = [makeDefault("group_2", 5n), makeDefault("group_1", 5n)];
    expect(pickDefaults(same, "highest")).toEqual(pickDefaults(same.toReversed(), "highest"));
  });
});

test("own values replace defaults of their rank and of lower ranks", () => {
  const defaults = (["owner", "admin"] as const).map((rank) =>
    makeDefault("group_1", 5n, { rank }),
  );
  expect(listApplying(defaults, [])).toEqual(defaults);
  expect(listApplying(defaults, ["admin"])).toEqual([defaults[0]]);
  expect(listApplying(defaults, ["owner"])).toEqual([]);
});

test("a change may not remove or raise a default of a higher rank", () => {
  const before = [makeDefault("group_1", 5n, { rank: "owner" })];
  const raised = [makeDefault("group_2", 6n, { rank: "owner" })];
  const lowered = [makeDefault("group_2", 4n, { rank: "owner" })];
  expect(findEasedAbove(before, [], "admin")).toBe(before[0]);
  expect(findEasedAbove(before, raised, "admin")).toBe(before[0]);
  expect(findEasedAbove(before, lowered, "admin")).toBe(null);
  expect(findEasedAbove(before, [], "owner")).toBe(null);
});

describe("the amount of a member's limit comes from", () => {
  const own = (amountNanoUsd: bigint, rank: "owner" | "admin" = "admin") => ({
    rank,
    wanted: makeDefault("", amountNanoUsd).wanted,
  });
  const byOwner = makeDefault("group_1", 5n, { rank: "owner" });

  test("the own value, if it replaces all defaults", () => {
    expect(findDecidingGroup([own(9n)], [makeDefault("group_1", 5n)])).toBe(null);
    expect(findDecidingGroup([own(9n, "owner")], [byOwner])).toBe(null);
  });

  test("a lower default of a higher rank", () => {
    expect(findDecidingGroup([own(9n)], [byOwner])).toBe("group_1");
    expect(findDecidingGroup([own(5n)], [byOwner])).toBe(null);
    expect(findDecidingGroup([], [makeDefault("group_2", 5n), byOwner])).toBe("group_2");
  });

  test("a value that refuses requests, before those that only alert", () => {
    const alert = makeDefault("group_2", 1n, { enforcement: "alert_only", rank: "owner" });
    expect(findDecidingGroup([own(9n)], [alert])).toBe(null);
    expect(findDecidingGroup([], [alert])).toBe("group_2");
  });
});

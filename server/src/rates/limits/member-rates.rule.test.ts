import { expect, test } from "vitest";
import {
  combineMemberRates,
  findEasedRate,
  listChangedPlaces,
  type MemberRate,
  pickRates,
} from "./member-rates.rule.ts";

const rate = (
  groupId: string,
  perMinute: number,
  fields: Partial<MemberRate> = {},
): MemberRate => ({
  ...{ memberId: "user_1", modelGroup: "all", kind: "requests", rank: "admin" },
  ...{ groupId, perMinute, ...fields },
});

test("of several groups the highest or the lowest number of each kind applies, by the mode", () => {
  const rates = [
    rate("group_1", 10),
    rate("group_2", 30),
    rate("group_1", 500, { kind: "output_tokens" }),
  ];
  expect(pickRates(rates, "highest")).toEqual([rates[1], rates[2]]);
  expect(pickRates(rates, "lowest")).toEqual([rates[0], rates[2]]);
});

test("among equal defaults the group with the lowest id applies, in any order", () => {
  const rates = [rate("group_2", 10), rate("group_1", 10)];
  expect(pickRates(rates, "highest")).toEqual([rates[1]]);
  expect(pickRates(rates.toReversed(), "highest")).toEqual([rates[1]]);
});

test("each rank decides apart, so no other group raises the default of a higher rank", () => {
  const owner = rate("group_1", 10, { rank: "owner" });
  const picked = pickRates([owner, rate("group_2", 30)], "highest");
  expect(combineMemberRates(picked, [])?.perMinute.requests).toBe(10);
  expect(findEasedRate([owner], [], "admin")).toEqual(owner);
  expect(findEasedRate([owner], [{ ...owner, perMinute: 11 }], "admin")).toEqual(owner);
  expect(findEasedRate([owner], [{ ...owner, perMinute: 9 }], "admin")).toBe(null);
  expect(findEasedRate([owner], [], "owner")).toBe(null);
});

test("an own value replaces the defaults of its rank and of lower ranks", () => {
  const own = (rank: "admin" | "owner") => ({
    rank,
    wanted: { perMinute: { requests: 50, input_tokens: null, output_tokens: null } },
    setBy: null,
    setAtMs: 0,
  });
  const defaults = [rate("group_1", 10, { rank: "owner" })];
  expect(combineMemberRates(defaults, [own("admin")])?.perMinute.requests).toBe(10);
  expect(combineMemberRates(defaults, [own("owner")])?.perMinute.requests).toBe(50);
  expect(combineMemberRates([], [])).toBe(null);
});

test("changed places are the members and models whose defaults differ, each once", () => {
  const kept = rate("group_1", 10);
  const changed = [rate("group_1", 5, { memberId: "user_2" })];
  const raised = [rate("group_1", 6, { memberId: "user_2" })];
  expect(listChangedPlaces([kept, ...changed], [kept, ...raised])).toEqual([
    { memberId: "user_2", modelGroup: "all" },
  ]);
  expect(listChangedPlaces([kept], [kept])).toEqual([]);
});

import { expect, test } from "vitest";
import { compareNearness, findShare, limitStates } from "./nearness.ts";

const limit: Parameters<typeof findShare>[0] = {
  spent_usd: "10.00",
  limit_usd: 100,
  blocks_now: false,
  enforcement: "strict",
  member_count: null,
};
const blocked = { ...limit, spent_usd: "60.00", blocks_now: true };
const near = { ...limit, spent_usd: "95.00" };
const over = { ...limit, spent_usd: "150.00", enforcement: "alert_only" as const };
const ofMembers = { ...limit, spent_usd: "0.00", member_count: 12 };

const statesOf = (of: typeof limit) =>
  limitStates.filter(({ includes }) => includes(of)).map(({ id }) => id);

test("sorts what blocks first, then the nearest, and default caps last", () => {
  const all = [ofMembers, limit, near, over, blocked];
  expect(all.sort(compareNearness)).toEqual([blocked, over, near, limit, ofMembers]);
});

test("a share exceeds 1 above the limit, and a default cap has none", () => {
  expect([findShare(over), findShare(ofMembers)]).toEqual([1.5, null]);
});

test("a limit that blocks is not near too, and one that only alerts can be", () => {
  expect(statesOf(blocked)).toEqual(["blocks"]);
  expect(statesOf(near)).toEqual(["near"]);
  expect(statesOf(over)).toEqual(["near", "alert_only"]);
  expect(statesOf(limit)).toEqual([]);
});

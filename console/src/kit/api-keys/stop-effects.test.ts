import { expect, test } from "vitest";
import { describeStoppedKeys, type UsedKey } from "./stop-effects.ts";

const nowMs = Date.parse("2026-11-24T12:00:00Z");
const unused: UsedKey = { last_used: null, secrets: [] };
const used = (at: string): UsedKey => ({
  last_used: { at, address: "203.0.113.7", model: null },
  secrets: [],
});
const unknown = { requests: undefined, laptops: undefined, nowMs };

test("a key that was never used says so", () => {
  expect(describeStoppedKeys({ apiKeys: [unused], ...unknown })).toEqual([
    "This key has never been used.",
  ]);
});

test("a used key names its last use, the requests of the last hour and its laptops", () => {
  const apiKeys = [used("2026-11-24T10:00:00Z")];
  expect(describeStoppedKeys({ apiKeys, requests: 41, laptops: 2, nowMs })).toEqual([
    "This key was last used 2 hours ago from 203.0.113.7.",
    "41 requests in the last hour. Further ones are refused.",
    "2 laptops of Claude Code stop working.",
  ]);
});

test("an unused key with requests since it was listed does not say that it was never used", () => {
  expect(describeStoppedKeys({ apiKeys: [unused], requests: 1, laptops: 0, nowMs })).toEqual([
    "1 request in the last hour. Further ones are refused.",
  ]);
});

test("several keys count those that were used in the last 24 hours", () => {
  const old = used("2026-11-23T11:59:59Z");
  const recent = used("2026-11-23T12:00:00Z");
  const describe = (apiKeys: readonly UsedKey[]) => describeStoppedKeys({ apiKeys, ...unknown })[0];
  expect(describe([old, unused])).toBe("None of them was used in the last 24 hours.");
  expect(describe([old, recent])).toBe("1 of 2 keys was used in the last 24 hours.");
  expect(describe([recent, recent, old])).toBe("2 of 3 keys were used in the last 24 hours.");
});

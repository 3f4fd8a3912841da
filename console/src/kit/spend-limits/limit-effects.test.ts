import { expect, test } from "vitest";
import {
  combineTerms,
  describeCapChange,
  describeLimitChange,
  type LimitTerms,
  readTerms,
} from "./limit-effects.ts";

const rules = { hold: "steps", unknownFeatures: "hold" } as const;
const terms = (usd: string, enforcement: LimitTerms["enforcement"] = "strict"): LimitTerms => {
  const read = readTerms({ amount: usd, enforcement, ...rules });
  if (read === null) throw new Error(`not an amount: ${usd}`);
  return read;
};

const spend = { spent_usd: "7.000000001", working_keys: 3, period_ends_at: "2026-12-01T00:00:00Z" };
const facts = { period: "monthly", spend, requests: undefined, laptops: undefined } as const;
const describe = (before: LimitTerms | null, after: LimitTerms | null) =>
  describeLimitChange({ ...facts, before, after });

test.each([
  ["strict, below the spend", terms("7"), "Blocks 3 keys now."],
  ["soft, equal to the spend", terms("7.000000001", "soft"), "Blocks 3 keys now."],
  [
    "strict, a nano-dollar above the spend",
    terms("7.000000002"),
    "<$0.01 can still be spent. Then requests are refused until 1 Dec 2026 (UTC).",
  ],
  ["strict, far above the spend", terms("1000"), undefined],
  ["alert-only, below the spend", terms("1", "alert_only"), undefined],
])("a new limit, %s, states its first effect", (_, after, sentence) => {
  expect(describe(null, after)[0]).toBe(sentence);
});

test.each(["7.", "", "seven"])("the unfinished amount %j has no effect", (amount) => {
  expect(readTerms({ amount, enforcement: "strict", ...rules })).toBeNull();
});

test("a limit of zero blocks a scope that has spent nothing and has no working key", () => {
  const nothing = { ...spend, spent_usd: "0.00", working_keys: 0 };
  const change = { ...facts, spend: nothing, before: null, after: terms("0") };
  expect(describeLimitChange(change)[0]).toBe("Blocks requests now.");
});

test("a limit below the spend counts keys, requests and laptops, and says when requests resume", () => {
  const counts = { requests: 41, laptops: 1 };
  const change = { ...facts, ...counts, before: terms("10"), after: terms("5") };
  expect(describeLimitChange(change)).toEqual([
    "Blocks 3 keys now.",
    "$7.00 is already spent this month. Requests resume on 1 Dec 2026 (UTC), or when the limit is raised.",
    "41 requests in the last hour. Further ones are refused.",
    "1 laptop is refused too.",
    "Running streams are cut at their next step. Other running requests finish.",
  ]);
});

test("a soft limit below the spend cuts nothing", () => {
  expect(describe(null, terms("5", "soft")).at(-1)).toBe("Running requests finish.");
});

test("a limit that blocks before and after states that requests stay refused", () => {
  expect(describe(terms("5"), terms("6"))).toEqual([
    "Blocks 3 keys now.",
    "$7.00 is already spent this month. Requests stay refused until 1 Dec 2026 (UTC).",
    "$1.00 more can be spent this month.",
  ]);
});

test("a limit lowered above the spend states what remains", () => {
  expect(describe(terms("100"), terms("50"))).toEqual([
    "$43.00 can still be spent. Then requests are refused until 1 Dec 2026 (UTC).",
  ]);
});

test("a raise of a limit that blocks states the amount, and that requests are accepted again", () => {
  expect(describe(terms("5"), terms("20"))).toEqual([
    "$15.00 more can be spent this month.",
    "Requests that the limit refuses now are accepted within a second.",
  ]);
});

test.each([
  ["removed", null],
  ["set to alert only", terms("100", "alert_only")],
])("a limit %s refuses nothing any more", (_, after) => {
  expect(describe(terms("100"), after)).toEqual([
    "This limit refuses no further requests. Other limits still apply.",
  ]);
});

test("another rule for running requests is stated, and an unchanged limit has no effect", () => {
  const whole: LimitTerms = { ...terms("100"), hold: "whole" };
  expect(describe(terms("100"), terms("100", "soft"))).toEqual([
    "Requests that run when the limit is reached can exceed it.",
  ]);
  expect(describe(terms("100"), whole)).toEqual([
    "New streams start only if their maximum output fits. Running streams keep their steps.",
  ]);
  expect(describe(whole, terms("100"))).toEqual([
    "New streams can be cut when the limit has nothing left.",
  ]);
  expect(describe(terms("100", "soft"), { ...terms("100"), unknownFeatures: "refuse" })).toEqual([
    "New requests start only if their hold fits in the remaining budget.",
    "Requests with unknown features are refused.",
  ]);
  expect(describe(whole, whole)).toEqual([]);
});

test("the limit in force has the lowest amount and the strictest rules of values that refuse", () => {
  const soft: LimitTerms = { ...terms("30", "soft"), hold: "whole" };
  expect(combineTerms([terms("50"), soft, terms("1", "alert_only")])).toEqual({
    nanoUsd: 30_000_000_000n,
    enforcement: "strict",
    ...rules,
  });
  expect(combineTerms([terms("1", "alert_only")])).toEqual(terms("1", "alert_only"));
  expect(combineTerms([])).toBeNull();
});

test("a default cap counts the members who have spent it, and those who are released", () => {
  const cap = { period: "monthly", members: 12, spends: ["5.00", "20.00", "80.00"] } as const;
  expect(describeCapChange({ ...cap, before: null, after: terms("20") })).toEqual([
    "Changes the cap of 12 members.",
    "2 members have already spent this amount this month. Their requests are refused.",
    "Values of a member and caps of other groups can decide instead.",
  ]);
  expect(describeCapChange({ ...cap, before: terms("20"), after: terms("50") })).toContain(
    "1 member is no longer refused by this cap.",
  );
  expect(describeCapChange({ ...cap, before: terms("20"), after: terms("20") })).toEqual([]);
});

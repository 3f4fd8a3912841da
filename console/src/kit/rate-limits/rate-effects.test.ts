import { expect, test } from "vitest";
import { combineRates, describeRateChange, type MinuteUse, type Rates } from "./rate-effects.ts";

const unlimited: Rates = { requests: null, input_tokens: null, output_tokens: null };
const minute = (requests: number, input_tokens = 0): MinuteUse => ({
  requests,
  input_tokens,
  output_tokens: 0,
});
const describe = (before: Rates, after: Rates, minutes?: readonly MinuteUse[]) =>
  describeRateChange({ before, after, minutes, members: undefined });

test("a lowered limit counts the minutes of the last hour above it, by any lowered meter", () => {
  const after = { ...unlimited, requests: 60, input_tokens: 1_000 };
  expect(describe(unlimited, after, [minute(60), minute(61), minute(1, 1_001)])).toEqual([
    "2 minutes of the last hour were above this limit. Such requests get a 429 with the time to wait.",
  ]);
  expect(describe(unlimited, after, [minute(60, 1_000)])).toEqual([
    "No minute of the last hour was above this limit.",
  ]);
  expect(describe(unlimited, after)).toEqual([]);
});

test("a raised meter states the new number, and a removed one that other limits still apply", () => {
  const before = { ...unlimited, requests: 60, input_tokens: 1_000 };
  expect(describe(before, { ...before, requests: 1_200 }, [])).toEqual([
    "1,200 requests per minute are accepted instead of 60.",
  ]);
  expect(describe(before, { ...before, input_tokens: null }, [])).toEqual([
    "Input tokens are no longer limited here. Other limits still apply.",
  ]);
});

test("an unchanged limit has no effect", () => {
  expect(describe({ ...unlimited, requests: 60 }, { ...unlimited, requests: 60 }, [])).toEqual([]);
});

test("a default rate states the number of members", () => {
  const after = { ...unlimited, requests: 60 };
  const change = { before: unlimited, after, minutes: undefined, members: 12 };
  expect(describeRateChange(change)).toEqual([
    "Changes the rate of 12 members. Their own values and other groups can decide instead.",
  ]);
});

test("values of several ranks combine to the lowest number of each meter", () => {
  const one = { ...unlimited, requests: 60 };
  const other = { ...unlimited, requests: 90, output_tokens: 5 };
  expect(combineRates([one, other])).toEqual({ ...unlimited, requests: 60, output_tokens: 5 });
  expect(combineRates([])).toEqual(unlimited);
});

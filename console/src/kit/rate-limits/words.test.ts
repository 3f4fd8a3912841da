import { expect, test } from "vitest";
import { readPerMinute } from "./words.ts";

test.each([
  ["", null],
  ["  ", null],
  ["60", 60],
  ["400,000", 400_000],
  ["1 000 000", 1_000_000],
  ["1.5M", 1_500_000],
  ["80k", 80_000],
  ["2.3m", 2_300_000],
  ["1000M", 1_000_000_000],
])("%j per minute is %j", (text, expected) => {
  expect(readPerMinute(text)).toBe(expected);
});

test.each(["0", "-1", "1.5", "0.0001k", "many", "1e6", "1001M", "60 requests"])(
  "%j per minute is refused",
  (text) => {
    expect(readPerMinute(text)).toBeUndefined();
  },
);

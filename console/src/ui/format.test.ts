import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatRelative,
  formatUsd,
  nanoToUsdText,
  shareOf,
  toNanoUsd,
  toUsdText,
} from "./format.ts";

describe("money", () => {
  test.each([
    ["0", "$0.00"],
    ["0.000000001", "<$0.01"],
    ["0.009999999", "<$0.01"],
    ["0.01", "$0.01"],
    ["0.014999999", "$0.01"],
    ["0.015", "$0.02"],
    ["1234.5678", "$1,234.57"],
    ["999.995", "$1,000.00"],
    ["9007199254740993.01", "$9,007,199,254,740,993.01"],
    ["-12.5", "-$12.50"],
  ])("%s is shown as %s", (text, shown) => expect(formatUsd(text)).toBe(shown));

  test("converting to text and back is exact", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), (nano) => {
        expect(toNanoUsd(nanoToUsdText(nano))).toBe(nano);
      }),
    );
  });

  test("a number of the API becomes text with the same amount", () => {
    expect(toUsdText(100.5)).toBe("100.5");
    expect(toNanoUsd(toUsdText(1e-7))).toBe(100n);
    expect(toNanoUsd(toUsdText(123456789012.345))).toBe(123456789012345000000n);
  });

  test("rejects text that is no amount", () => {
    for (const text of ["", "1e3", "1.2.3", "NaN", "0x10"]) expect(() => toNanoUsd(text)).toThrow();
  });

  test("a share of zero is 0 or 1, and a share can exceed 1", () => {
    expect([shareOf("0", "0"), shareOf("1", "0"), shareOf("1", "4"), shareOf("5", "4")]).toEqual([
      0, 1, 0.25, 1.25,
    ]);
  });
});

test.each([
  [0, "just now"],
  [-30, "a moment ago"],
  [14, "just now"],
  [30, "in a moment"],
  [-90, "1 minute ago"],
  [7_200, "in 2 hours"],
  [-86_400, "yesterday"],
  [-3_000_000, "last month"],
])("%i seconds from now is %s", (seconds, words) => {
  const nowMs = Date.UTC(2026, 10, 24, 12);
  expect(formatRelative(new Date(nowMs + seconds * 1000).toISOString(), nowMs)).toBe(words);
});

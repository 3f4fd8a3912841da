import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  divideHalfEven,
  formatUsd,
  MAX_NANO_USD,
  MoneyError,
  parseUsd,
  splitByLargestRemainder,
} from "./money.ts";

describe("an amount of dollars is parsed exactly", () => {
  test.each([
    ["100.00", 100_000_000_000n],
    [100.0, 100_000_000_000n],
    [0.1, 100_000_000n],
    ["0.000000001", 1n],
    [1e-9, 1n],
    ["1e-2", 10_000_000n],
    ["1.5E+3", 1_500_000_000_000n],
    ["000.10", 100_000_000n],
    ["+1", 1_000_000_000n],
    ["1.0000000000000000000000", 1_000_000_000n],
    ["0e999", 0n],
    [-0, 0n],
    ["-0.00", 0n],
    [999999.99, 999_999_990_000_000n],
    ["9223372036.854775807", MAX_NANO_USD],
  ])("%s", (amount, nano) => {
    expect(parseUsd(amount)).toBe(nano);
  });

  test.each([
    ["1e-10", "at most 9 decimals"],
    ["0.0000000001", "at most 9 decimals"],
    [0.1 + 0.2, "send it as text"],
    [1234567890.1234567, "send it as text"],
    ["9223372036.854775808", "at most 9223372036.854775807"],
    [1e21, "at most 9223372036.854775807"],
    ["1e999", "at most 9223372036.854775807"],
    ["-1", "may not be negative"],
    [-0.5, "may not be negative"],
    [Number.NaN, "finite"],
    [Number.POSITIVE_INFINITY, "finite"],
    ["", "decimal number"],
    [" 1", "decimal number"],
    ["1.", "decimal number"],
    [".5", "decimal number"],
    ["1,000", "decimal number"],
    ["0x10", "decimal number"],
    ["$5", "decimal number"],
    ["NaN", "decimal number"],
    ["1e9999", "decimal number"],
    ["1\n", "decimal number"],
    ["٣", "decimal number"],
    ["1".repeat(100_000), "decimal number"],
  ])("rejects %s with a reason", (amount, reason) => {
    expect(() => parseUsd(amount)).toThrow(MoneyError);
    expect(() => parseUsd(amount)).toThrow(reason);
  });

  test("parses a negative amount if it is allowed", () => {
    expect(parseUsd("-1.25", { canBeNegative: true })).toBe(-1_250_000_000n);
  });

  test("a formatted amount parses to the same amount", () => {
    const nano = fc.bigInt({ min: -MAX_NANO_USD, max: MAX_NANO_USD });
    fc.assert(
      fc.property(nano, (amount) => {
        expect(parseUsd(formatUsd(amount), { canBeNegative: true })).toBe(amount);
      }),
    );
  });

  test("an accepted JSON number equals its written decimal", () => {
    const cents = fc.integer({ min: 0, max: 900_000_000_000 });
    fc.assert(
      fc.property(cents, (amount) => {
        const written = `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, "0")}`;
        expect(parseUsd(Number(written))).toBe(BigInt(amount) * 10_000_000n);
      }),
    );
  });
});

test.each([
  [0n, "0.00"],
  [10_500_000n, "0.0105"],
  [100_000_000_000n, "100.00"],
  [1n, "0.000000001"],
  [-1_500_000_000n, "-1.50"],
  [120_000_000n, "0.12"],
  [MAX_NANO_USD, "9223372036.854775807"],
])("formats %s nano-dollars as %s", (nano, text) => {
  expect(formatUsd(nano)).toBe(text);
});

describe("rounding half to even", () => {
  test.each([
    [1n, 2n, 0n],
    [3n, 2n, 2n],
    [5n, 2n, 2n],
    [-1n, 2n, 0n],
    [-3n, 2n, -2n],
    [-5n, 2n, -2n],
    [7n, 3n, 2n],
    [8n, 3n, 3n],
    [-7n, 3n, -2n],
    [-8n, 3n, -3n],
    [6n, 3n, 2n],
  ])("%s / %s is %s", (numerator, denominator, quotient) => {
    expect(divideHalfEven(numerator, denominator)).toBe(quotient);
  });

  test("is never further than a half from the exact quotient, and even at a half", () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt({ min: 1n, max: 1000n }), (numerator, denominator) => {
        const quotient = divideHalfEven(numerator, denominator);
        const twice = 2n * (numerator - quotient * denominator);
        expect(twice >= -denominator && twice <= denominator).toBe(true);
        if (twice === denominator || twice === -denominator) expect(quotient % 2n).toBe(0n);
      }),
    );
  });
});

describe("splitting by largest remainder", () => {
  test.each([
    [2n, [15n, 9n], 10n, [1n, 1n]],
    [3n, [15n, 16n], 10n, [1n, 2n]],
    [3n, [15n, 15n], 10n, [2n, 1n]],
    [2n, [5n, 5n, 5n, 5n], 10n, [1n, 1n, 0n, 0n]],
    [0n, [0n, 0n], 10n, [0n, 0n]],
    [7n, [70n, 4n], 10n, [7n, 0n]],
  ])("%s over %s / %s is %s", (total, numerators, denominator, parts) => {
    expect(splitByLargestRemainder(total, numerators, denominator)).toEqual(parts);
  });

  test("the parts sum to the total and each is less than 1 off its exact value", () => {
    const numerators = fc.array(fc.bigInt({ min: 0n, max: 10n ** 20n }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(numerators, fc.bigInt({ min: 1n, max: 10n ** 8n }), (exact, denominator) => {
        const total = divideHalfEven(
          exact.reduce((sum, each) => sum + each, 0n),
          denominator,
        );
        const parts = splitByLargestRemainder(total, exact, denominator);
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(total);
        for (const [index, part] of parts.entries()) {
          const off = part * denominator - (exact[index] ?? 0n);
          expect(off > -denominator && off < denominator).toBe(true);
        }
      }),
    );
  });

  test("a total that is not the rounded sum is a bug", () => {
    expect(() => splitByLargestRemainder(3n, [10n, 10n], 10n)).toThrow("assertion failed");
    expect(() => splitByLargestRemainder(1n, [10n, 10n], 10n)).toThrow("assertion failed");
  });
});

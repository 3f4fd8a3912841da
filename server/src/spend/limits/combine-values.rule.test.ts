import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { combineSpendValues, isRaise, type WantedLimit } from "./combine-values.rule.ts";

const value = (
  amountNanoUsd: bigint,
  enforcement: WantedLimit["enforcement"] = "strict",
  openEndedHoldNanoUsd: bigint | null = null,
): WantedLimit => ({
  ...{ amountNanoUsd, enforcement, openEndedHoldNanoUsd },
  unknownFeatures: "hold",
  hold: "steps",
});

const refusing = (enforcement: WantedLimit["enforcement"]): WantedLimit => ({
  ...value(9n, enforcement),
  unknownFeatures: "refuse",
});

const holdingWhole = (enforcement: WantedLimit["enforcement"]): WantedLimit => ({
  ...value(9n, enforcement),
  hold: "whole",
});

describe("the limit in force", () => {
  test.for<[string, [WantedLimit, ...WantedLimit[]], WantedLimit]>([
    ["one value is itself", [value(5n, "alert_only", 2n)], value(5n, "alert_only", 2n)],
    ["the lowest amount", [value(9n), value(5n), value(7n)], value(5n)],
    ["the strictest enforcement", [value(5n, "soft"), value(9n)], value(5n)],
    ["an alert beside a refusal does not count", [value(1n, "alert_only"), value(9n)], value(9n)],
    [
      "the lowest of alerts",
      [value(3n, "alert_only"), value(1n, "alert_only")],
      value(1n, "alert_only"),
    ],
    [
      "the larger hold",
      [value(9n, "strict", 2n), value(9n, "strict", 3n)],
      value(9n, "strict", 3n),
    ],
    ["no hold bound is the largest", [value(9n, "strict", 2n), value(9n)], value(9n)],
    [
      "a soft value bounds no hold",
      [value(9n, "soft"), value(9n, "strict", 2n)],
      value(9n, "strict", 2n),
    ],
    ["a refusal of unknown parts", [value(9n), refusing("strict")], refusing("strict")],
    ["a soft value refuses no unknown parts", [refusing("soft"), value(9n)], value(9n)],
    ["whole holds", [value(9n), holdingWhole("strict")], holdingWhole("strict")],
    ["a soft value holds nothing", [holdingWhole("soft"), value(9n)], value(9n)],
  ])("%s", ([, values, expected]) => {
    expect(combineSpendValues(values)).toEqual(expected);
  });

  const anyValue = fc.record({
    amountNanoUsd: fc.bigInt(0n, 20n),
    enforcement: fc.constantFrom("strict", "soft", "alert_only"),
    openEndedHoldNanoUsd: fc.option(fc.bigInt(1n, 5n)),
    unknownFeatures: fc.constantFrom("hold", "refuse"),
    hold: fc.constantFrom("steps", "whole"),
  });

  test("one more value never weakens it, in any order", () => {
    fc.assert(
      fc.property(
        anyValue,
        fc.array(anyValue, { maxLength: 4 }),
        anyValue,
        (first, rest, added) => {
          const before = combineSpendValues([first, ...rest]);
          const after = combineSpendValues([first, ...rest, added]);
          expect(isRaise(before, after)).toBe(false);
          expect(combineSpendValues([added, ...rest.toReversed(), first])).toEqual(after);
        },
      ),
    );
  });
});

test.for<[string, WantedLimit | null, WantedLimit | null, boolean]>([
  ["a new limit", null, value(5n), false],
  ["a removal", value(5n), null, true],
  ["a removed alert", value(5n, "alert_only"), null, false],
  ["a higher amount", value(5n), value(6n), true],
  ["a lower amount", value(5n), value(4n), false],
  ["a weaker enforcement", value(5n), value(4n, "soft"), true],
  ["a stricter enforcement", value(5n, "soft"), value(5n, "strict", 1n), false],
  ["a smaller hold", value(5n), value(5n, "strict", 1n), true],
  ["a larger hold", value(5n, "strict", 1n), value(5n, "strict", 2n), false],
  ["a hold of unknown parts", refusing("strict"), value(9n), true],
  ["a refusal of unknown parts", value(9n), refusing("strict"), false],
  ["a strict hold in place of a soft refusal", refusing("soft"), value(9n), false],
  ["steps in place of whole holds", holdingWhole("strict"), value(9n), true],
  ["whole holds in place of steps", value(9n), holdingWhole("strict"), false],
  ["steps in place of a soft limit", holdingWhole("soft"), value(9n), false],
])("%s", ([, before, after, expected]) => {
  expect(isRaise(before, after)).toBe(expected);
});

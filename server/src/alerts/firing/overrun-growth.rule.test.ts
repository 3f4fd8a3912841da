import { describe, expect, test } from "vitest";
import {
  findOverrunCause,
  findOverrunThreshold,
  type OverrunRequest,
  type ToldOverrun,
} from "./overrun-growth.rule.ts";

const CENT = 10_000_000n;
const DOLLAR = 100n * CENT;

function find(overrun: Partial<ToldOverrun>): string | null {
  return findOverrunThreshold({
    overrunNanoUsd: 2n * DOLLAR,
    limitNanoUsd: 10n * DOLLAR,
    firings: 1,
    toldNanoUsd: DOLLAR,
    isToldLongAgo: false,
    ...overrun,
  });
}

describe("an overrun", () => {
  test("fires when it begins, however small it is", () => {
    expect(find({ firings: 0, toldNanoUsd: null, overrunNanoUsd: 1n })).toBe("over limit");
  });

  test("fires again when it has doubled", () => {
    expect(find({})).toBe("over limit (2)");
    expect(find({ overrunNanoUsd: 2n * DOLLAR - 1n })).toBeNull();
    expect(find({ firings: 2 })).toBe("over limit (3)");
  });

  test("does not fire again for less than 1 % of the limit", () => {
    const doubled = { toldNanoUsd: 9n * CENT, overrunNanoUsd: 18n * CENT };
    expect(find(doubled)).toBeNull();
    expect(find({ ...doubled, overrunNanoUsd: 19n * CENT })).toBe("over limit (2)");
    expect(find({ ...doubled, isToldLongAgo: true })).toBeNull();
  });

  test("fires again after a day, if it has grown", () => {
    const grown = { isToldLongAgo: true, overrunNanoUsd: DOLLAR + 10n * CENT };
    expect(find(grown)).toBe("over limit (2)");
    expect(find({ ...grown, isToldLongAgo: false })).toBeNull();
    expect(find({ ...grown, overrunNanoUsd: DOLLAR })).toBeNull();
    expect(find({ ...grown, limitNanoUsd: 0n, overrunNanoUsd: DOLLAR })).toBeNull();
  });
});

test.for([
  ["settled_late", { holdNanoUsd: null }],
  ["settled_late", { costNanoUsd: 5n }],
  ["above_hold", {}],
  ["billed_after_cut", { cut: { paused_ms: null } }],
  ["beyond_bound", { isBeyondBound: true }],
  ["settled_late", { isBeyondBound: true, costNanoUsd: 5n }],
  ["node_paused", { cut: { paused_ms: 40_000 } }],
] as const satisfies readonly (readonly [string, Partial<OverrunRequest>])[])(
  "a request is %s for %o",
  ([cause, of]) => {
    const request = { costNanoUsd: 6n, holdNanoUsd: 5n, cut: null, isBeyondBound: false, ...of };
    expect(findOverrunCause(request)).toBe(cause);
  },
);

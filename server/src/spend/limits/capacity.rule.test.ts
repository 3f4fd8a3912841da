import { describe, expect, test } from "vitest";
import { makePriceBook } from "#src/domain/price-book.ts";
import { computeCapacity, type LimitRoom, type UsualRequests } from "./capacity.rule.ts";

const AT_MS = Date.UTC(2026, 10, 20, 12);
const CENT = 10_000_000n;
const book = makePriceBook([]);

const usual: UsualRequests = {
  model: "claude-opus-4-8",
  requests: 40,
  costNanoUsd: 9n * CENT,
  streamHoldNanoUsd: 8n * CENT,
  promptTokens: 10_000n,
  wholeHoldNanoUsd: 310n * CENT,
  hasCacheWrite5m: false,
  hasCacheWrite1h: false,
};

function capacity(room: Partial<LimitRoom> = {}, requests: Partial<UsualRequests> = {}) {
  const limit = { enforcement: "strict", hold: "steps" } as const;
  const amounts = { remainingNanoUsd: 1_000n * CENT, restNanoUsd: 1_000n * CENT };
  const all = { limit, ...amounts, isBlocking: false, ...room };
  const facts = { book, atMs: AT_MS, wholeModels: ["claude-opus-4-5"] };
  return computeCapacity(all, { ...usual, ...requests }, facts);
}

describe("a limit that holds in steps", () => {
  test("starts streams by their first hold, and other requests by their whole hold", () => {
    const { inSteps, whole } = capacity();
    // 11,024 tokens with the margin of their count, and six seconds of 100 tokens, at US prices.
    const firstHold = 11_024n * 5_500n + 600n * 27_500n;
    expect(inSteps?.firstHoldNanoUsd).toBe(firstHold);
    expect(inSteps).toMatchObject({ startNanoUsd: 8n * CENT, couldStart: 125 });
    expect(whole).toEqual({ holdNanoUsd: 310n * CENT, couldStart: 3 });
  });

  test("needs the first hold of a stream whose usual hold is smaller", () => {
    const { inSteps } = capacity({}, { streamHoldNanoUsd: 7n * CENT });
    expect(inSteps?.startNanoUsd).toBe(11_024n * 5_500n + 600n * 27_500n);
    expect(inSteps?.couldStart).toBe(129);
  });

  test("uses its rest up with first holds when the usual hold exceeds it", () => {
    const rest = { remainingNanoUsd: 90n * CENT, restNanoUsd: 90n * CENT };
    const { inSteps } = capacity(rest, { streamHoldNanoUsd: 100n * CENT });
    expect(inSteps).toMatchObject({ startNanoUsd: inSteps?.firstHoldNanoUsd, couldStart: 11 });
    const held = { remainingNanoUsd: 90n * CENT, restNanoUsd: 100n * CENT };
    const { inSteps: later } = capacity(held, { streamHoldNanoUsd: 100n * CENT });
    expect(later).toMatchObject({ startNanoUsd: 100n * CENT, couldStart: 0 });
  });

  test.for([
    ["without a known speed", "claude-next"],
    ["that was faster than its speed", "claude-opus-4-5-20251101"],
  ] as const)("starts no stream in steps of a model %s", ([, model]) => {
    expect(capacity({}, { model }).inSteps).toBeNull();
  });

  test("takes the maximum output of the model for a request that none was like", () => {
    const { whole } = capacity({}, { wholeHoldNanoUsd: null });
    expect(whole.holdNanoUsd).toBe(11_024n * 5_500n + 128_000n * 27_500n);
  });

  test("counts caches that the prompts write at their price", () => {
    const { inSteps } = capacity({}, { hasCacheWrite1h: true });
    expect(inSteps?.firstHoldNanoUsd).toBe(11_024n * 11_000n + 600n * 27_500n);
  });
});

test("a limit that holds whole starts no stream in steps", () => {
  const { inSteps, whole } = capacity({ limit: { enforcement: "strict", hold: "whole" } });
  expect(inSteps).toBeNull();
  expect(whole.couldStart).toBe(3);
});

test.for(["soft", "alert_only"] as const)("a %s limit holds nothing", (enforcement) => {
  const { inSteps, whole } = capacity({ limit: { enforcement, hold: "steps" } });
  expect(inSteps).toBeNull();
  expect(whole.couldStart).toBeNull();
});

test("a reached limit starts nothing, also without holds", () => {
  const reached = { remainingNanoUsd: 0n, isBlocking: true };
  expect(capacity(reached)).toMatchObject({ inSteps: { couldStart: 0 }, whole: { couldStart: 0 } });
  const soft = { limit: { enforcement: "soft", hold: "whole" } as const, ...reached };
  expect(capacity(soft).whole.couldStart).toBe(0);
});

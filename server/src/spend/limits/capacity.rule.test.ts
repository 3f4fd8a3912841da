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
  streamCostNanoUsd: 8n * CENT,
  promptTokens: 10_000n,
  wholeHoldNanoUsd: 310n * CENT,
  hasCacheWrite5m: false,
  hasCacheWrite1h: false,
};

function capacity(room: Partial<LimitRoom> = {}, requests: Partial<UsualRequests> = {}) {
  const limit = { enforcement: "strict", hold: "steps" } as const;
  const all = { limit, remainingNanoUsd: 1_000n * CENT, isBlocking: false, ...room };
  return computeCapacity(all, { ...usual, ...requests }, { book, atMs: AT_MS });
}

describe("a limit that holds in steps", () => {
  test("starts streams by their first hold, and other requests by their whole hold", () => {
    const { inSteps, whole } = capacity();
    // 11,024 tokens with the margin of their count, and 4,096 tokens of output, at US prices.
    const firstHold = 11_024n * 5_500n + 4_096n * 27_500n;
    expect(inSteps?.firstHoldNanoUsd).toBe(firstHold);
    expect(inSteps?.startNanoUsd).toBe(firstHold);
    expect(inSteps?.couldStart).toBe(Number((1_000n * CENT) / firstHold));
    expect(whole).toEqual({ holdNanoUsd: 310n * CENT, couldStart: 3 });
  });

  test("leaves the usual cost to a stream whose first hold is smaller", () => {
    const { inSteps } = capacity({}, { streamCostNanoUsd: 100n * CENT });
    expect(inSteps).toMatchObject({ startNanoUsd: 100n * CENT, couldStart: 10 });
  });

  test("takes the maximum output of the model for a request that none was like", () => {
    const { whole } = capacity({}, { wholeHoldNanoUsd: null });
    expect(whole.holdNanoUsd).toBe(11_024n * 5_500n + 128_000n * 27_500n);
  });

  test("counts caches that the prompts write at their price", () => {
    const { inSteps } = capacity({}, { hasCacheWrite1h: true });
    expect(inSteps?.firstHoldNanoUsd).toBe(11_024n * 11_000n + 4_096n * 27_500n);
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

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { worst } from "#test/harness/hold-requests.ts";
import {
  costOfPrompts,
  costOfTokens,
  findCachedResults,
  type NextPrompts,
  priceNextPrompts,
  type StreamRates,
} from "./later-calls.ts";

// Opus 5: $5 per million plain tokens, $6.25 of a write for five minutes, and $0.50 of a read.
const request = { model: "claude-opus-5", inferenceGeo: "global" } as const;
const marked = worst({ ...request, markers: { hasCacheControl1h: true } }).drivers;
const unmarked = worst(request).drivers;

const unknown = (cachedTokens: number) => ({ cachedTokens, cachesResults: false });

function sumPrompts(prompts: readonly number[]): NextPrompts {
  const tokens = prompts.reduce((sum, prompt) => sum + prompt, 0);
  return { calls: prompts.length, tokens, lastTokens: prompts.at(-1) ?? 0 };
}

describe("the tokens of later calls by price", () => {
  test("are plain beyond the cached part of the first prompt, if the API caches no result", () => {
    const next = sumPrompts([13_000, 18_000, 23_000, 28_000]);
    const priced = priceNextPrompts(marked, next, unknown(8_000));
    expect(priced).toEqual({ highest: 0, plain: 50_000, read: 32_000, written: 0 });
    expect(costOfPrompts(marked, priced)).toBe(50_000n * 5_000n + 32_000n * 500n);
  });

  test("are written once and then read, if that costs more", () => {
    const priced = priceNextPrompts(marked, sumPrompts([13_000]), unknown(8_000));
    expect(priced).toEqual({ highest: 0, plain: 0, read: 8_000, written: 5_000 });
    expect(costOfPrompts(marked, priced)).toBe(5_000n * 6_250n + 8_000n * 500n);
  });

  test("are never written without a cache mark", () => {
    const priced = priceNextPrompts(unmarked, sumPrompts([13_000]), unknown(0));
    expect(costOfPrompts(unmarked, priced)).toBe(13_000n * 5_000n);
  });

  test("include short prompts that the API does not cache", () => {
    const priced = priceNextPrompts(marked, sumPrompts([3_000, 13_000]), unknown(0));
    expect(priced).toEqual({ highest: 0, plain: 3_000, read: 0, written: 13_000 });
  });

  test("are written once, if the API is known to cache results", () => {
    const known = { cachedTokens: 8_000, cachesResults: true };
    const priced = priceNextPrompts(marked, sumPrompts([13_000, 18_000, 23_000, 28_000]), known);
    expect(priced).toEqual({ highest: 0, plain: 0, read: 62_000, written: 20_000 });
  });

  const course = fc.record({
    first: fc.integer({ min: 1, max: 60_000 }),
    cachedShare: fc.constantFrom(0, 0.4, 1),
    /** Real tokens that each call adds, and tokens of their bound above them. */
    added: fc.array(fc.record({ real: fc.nat(20_000), more: fc.nat(9_000) }), {
      minLength: 1,
      maxLength: 9,
    }),
    cachesResults: fc.boolean(),
    isKnown: fc.boolean(),
    leastCached: fc.constantFrom(512, 1_024, 4_096),
    rates: fc.constantFrom(marked, unmarked),
  });

  test("cost no less than the calls, whether the API caches results or not", () => {
    fc.assert(
      fc.property(
        course,
        ({ first, cachedShare, added, cachesResults, isKnown, leastCached, rates }) => {
          // A cached part has at least the length that the API caches.
          const share = Math.floor(first * cachedShare);
          const cachedTokens = rates === marked && share >= leastCached ? share : 0;
          const canCache = rates === marked && cachesResults;
          let [prompt, bound, cached, cost] = [first, first, cachedTokens, 0n];
          const bounds: number[] = [];
          for (const { real, more } of added) {
            prompt += real;
            bound += real + more;
            bounds.push(bound);
            cost += costOfCall(rates, {
              prompt,
              cached,
              writes: canCache && prompt >= leastCached,
            });
            if (canCache && prompt >= leastCached) cached = prompt;
          }
          const priced = priceNextPrompts(rates, sumPrompts(bounds), {
            cachedTokens,
            cachesResults: canCache && isKnown,
          });
          expect(costOfPrompts(rates, priced)).toBeGreaterThanOrEqual(cost);
        },
      ),
      { numRuns: 500 },
    );
  });
});

test("a stream shows the cache of its results by few plain tokens beside a write", () => {
  const next = sumPrompts([13_000, 18_000]);
  const find = (plain: number) => findCachedResults(next, 8_000, { plain, written: 10_000 });
  expect(find(4)).toBe(true);
  expect(find(128)).toBe(true);
  expect(find(129)).toBe(false);
});

test("a stream does not show the cache without a later call, without a cached prompt, or after failed searches alone", () => {
  const next = sumPrompts([8_050, 8_100]);
  expect(findCachedResults(next, 0, { plain: 4, written: 10_000 })).toBeNull();
  expect(findCachedResults(sumPrompts([]), 8_000, { plain: 0, written: 0 })).toBeNull();
  expect(findCachedResults(next, 8_000, { plain: 100, written: 0 })).toBeNull();
});

function costOfCall(
  rates: StreamRates,
  { prompt, cached, writes }: { prompt: number; cached: number; writes: boolean },
): bigint {
  const rest = costOfTokens(prompt - cached, writes ? rates.writeRate : rates.plainRate);
  return costOfTokens(cached, rates.readRate) + rest;
}

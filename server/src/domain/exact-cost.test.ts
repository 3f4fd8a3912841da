import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type BilledCall,
  computeCost,
  computeHighestCost,
  computeRoundedCost,
  computeRoundedHighestCost,
  computeWholeCost,
  computeWholeHighestCost,
} from "./exact-cost.ts";
import { MAX_PRICE_NANO_USD } from "./price-book.ts";
import { priceList, type TokenPrices } from "./price-list.ts";
import { noTokens } from "./usage.ts";
import { MAX_ITERATIONS, MAX_TOKENS } from "./usage-fields.ts";

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const listed = priceList.flatMap(({ periods }) => periods.map(({ standard }) => standard));
const price = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX_PRICE_NANO_USD }),
  fc.bigInt({ min: 0n, max: MAX_PRICE_NANO_USD / 1_000_000n }).map((whole) => whole * 1_000_000n),
);
const prices: fc.Arbitrary<TokenPrices> = fc.oneof(
  fc.constantFrom(...listed),
  fc.record({
    input: price,
    cacheWrite5m: price,
    cacheWrite1h: price,
    cacheRead: price,
    output: price,
  }),
);
const count = fc.oneof(
  fc.nat({ max: 300_000 }),
  fc.nat({ max: MAX_TOKENS }),
  fc.constantFrom(0, 0.5, 1, MAX_TOKENS, MAX_TOKENS + 1, Number.POSITIVE_INFINITY, Number.NaN, -1),
);
const usage = fc.record({
  inputTokens: count,
  cacheWrite5mTokens: count,
  cacheWrite1hTokens: count,
  cacheReadTokens: count,
  outputTokens: count,
  webSearches: count,
});
const call: fc.Arbitrary<BilledCall> = fc.record({
  usage,
  prices,
  twentieths: fc.constantFrom(10, 11, 20, 22),
});
const calls = fc.array(call, { maxLength: 4 });

test("the cost by numbers is the exact cost, over all prices, counts and multipliers", () => {
  let whole = 0;
  fc.assert(
    fc.property(calls, count, (each, webSearches) => {
      const exact = computeRoundedCost(each, webSearches);
      const byNumbers = computeWholeCost(each, webSearches);
      if (byNumbers !== null) whole += 1;
      expect(byNumbers ?? exact).toEqual(exact);
      expect(computeCost(each, webSearches)).toEqual(exact);
    }),
    { numRuns: 5_000 },
  );
  expect(whole).toBeGreaterThan(500);
});

test("the cost by numbers is exact around 2^53, and none is computed above it", () => {
  const near = fc.record({
    // Output tokens whose cost is near 2^53 twentieths.
    price: fc.bigInt({ min: 1_000_000n, max: MAX_PRICE_NANO_USD / 1_000_000n }),
    twentieths: fc.constantFrom(10, 11, 20, 22),
    off: fc.integer({ min: -40, max: 40 }),
    inputTokens: fc.nat({ max: 40 }),
  });
  const found = { below: 0, above: 0 };
  fc.assert(
    fc.property(near, ({ price: each, twentieths, off, inputTokens }) => {
      const unit = each * BigInt(twentieths);
      const outputTokens = Number(2n ** 53n / unit) + off;
      const own = { ...noTokens, inputTokens, outputTokens };
      const single = { input: 1_000_000n, cacheWrite5m: 0n, cacheWrite1h: 0n, cacheRead: 0n };
      const one: BilledCall = {
        usage: own,
        prices: { ...single, output: each * 1_000_000n },
        twentieths,
      };
      const exact = BigInt(outputTokens) * unit + BigInt(inputTokens * twentieths);
      const byNumbers = computeWholeCost([one], 0);
      if (exact > MAX_SAFE) {
        found.above += 1;
        expect(byNumbers).toBeNull();
      } else if (byNumbers !== null) found.below += 1;
      const rounded = computeRoundedCost([one], 0);
      expect(byNumbers ?? rounded).toEqual(rounded);
    }),
    { numRuns: 5_000 },
  );
  expect(found.below).toBeGreaterThan(500);
  expect(found.above).toBeGreaterThan(500);
});

test("the largest cost is exact", () => {
  const highest = MAX_PRICE_NANO_USD;
  const all = { input: highest, cacheWrite5m: highest, cacheWrite1h: highest, cacheRead: highest };
  const most: BilledCall = {
    usage: { ...noTokens, outputTokens: MAX_TOKENS },
    prices: { ...all, output: highest },
    twentieths: 22,
  };
  const many = Array.from({ length: MAX_ITERATIONS }, () => most);
  expect(computeWholeCost(many, 0)).toBeNull();
  const total = (BigInt(MAX_ITERATIONS) * BigInt(MAX_TOKENS) * (highest / 1_000_000n) * 22n) / 20n;
  expect(computeCost(many, 0).total).toBe(total);
});

test("the highest cost by numbers is the exact cost rounded up, also around 2^53", () => {
  const tokens = fc.oneof(fc.nat({ max: 2_000_000 }), fc.nat({ max: MAX_TOKENS }));
  const rate = fc.record({
    nanoUsdPerMillion: price,
    twentieths: fc.constantFrom(10n, 11n, 20n, 22n),
  });
  const rates = fc.record({ inputRate: rate, outputRate: rate });
  const count = fc.record({ inputTokens: tokens, outputTokens: tokens });
  const found = { numbers: 0, others: 0 };
  const isSame = (counted: { inputTokens: number; outputTokens: number }, of: Rates) => {
    const exact = computeRoundedHighestCost(counted, of);
    const byNumbers = computeWholeHighestCost(counted, of);
    found[byNumbers === null ? "others" : "numbers"] += 1;
    expect(byNumbers ?? exact).toBe(exact);
    expect(computeHighestCost(counted, of)).toBe(exact);
  };
  fc.assert(fc.property(count, rates, isSame), { numRuns: 5_000 });
  const each = fc.bigInt({ min: 1_000_000n, max: 10_000_000n });
  fc.assert(
    fc.property(each, fc.integer({ min: -40, max: 40 }), tokens, (perToken, off, inputTokens) => {
      const one = { nanoUsdPerMillion: 1_000_000n, twentieths: 1n };
      const near = { nanoUsdPerMillion: perToken * 1_000_000n, twentieths: 22n };
      const outputTokens = Number((2n ** 53n - BigInt(inputTokens)) / (perToken * 22n)) + off;
      isSame({ inputTokens, outputTokens }, { inputRate: one, outputRate: near });
    }),
    { numRuns: 5_000 },
  );
  expect(found.numbers).toBeGreaterThan(2_000);
  expect(found.others).toBeGreaterThan(2_000);
});

type Rates = Parameters<typeof computeHighestCost>[1];

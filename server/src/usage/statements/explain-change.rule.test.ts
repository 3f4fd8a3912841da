import { billedMeasures, type MeasureColumn } from "@bursar/contract/usage-shape.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { divide, explainChange, type ProductUsage, type UnitCost } from "./explain-change.rule.ts";

const columns = billedMeasures.map(({ column }) => column);
const product = (amounts: ProductUsage["amounts"]): ProductUsage => ({ amounts });
const of = (units: bigint, nanoUsd: bigint): UnitCost => ({ units, nanoUsd });
const month = (products: Record<string, ProductUsage["amounts"]>) =>
  new Map(Object.entries(products).map(([key, amounts]) => [key, product(amounts)]));
const partsOf = ({ volume, mix, cache, price }: ReturnType<typeof explainChange>) => ({
  volume,
  mix,
  cache,
  price,
});
const none = { volume: 0n, mix: 0n, cache: 0n, price: 0n };

describe("one cause", () => {
  const before = month({
    opus: { input_tokens: of(100n, 500n), output_tokens: of(10n, 250n) },
    sonnet: { input_tokens: of(100n, 300n), output_tokens: of(10n, 150n) },
  });

  test("twice the usage of everything is volume alone", () => {
    const after = month({
      opus: { input_tokens: of(200n, 1_000n), output_tokens: of(20n, 500n) },
      sonnet: { input_tokens: of(200n, 600n), output_tokens: of(20n, 300n) },
    });
    expect(partsOf(explainChange(before, after))).toEqual({ ...none, volume: 1_200n });
  });

  test("the same tokens with a cheaper model are mix alone", () => {
    const after = month({ sonnet: { input_tokens: of(200n, 600n), output_tokens: of(20n, 300n) } });
    expect(partsOf(explainChange(before, after))).toEqual({ ...none, mix: -300n });
  });

  test("a higher price of the same tokens is price alone", () => {
    const after = month({
      opus: { input_tokens: of(100n, 700n), output_tokens: of(10n, 250n) },
      sonnet: { input_tokens: of(100n, 300n), output_tokens: of(10n, 150n) },
    });
    expect(partsOf(explainChange(before, after))).toEqual({ ...none, price: 200n });
  });

  test("tokens that are read from the cache instead are cache alone", () => {
    const warm = month({ opus: { input_tokens: of(50n, 250n), cache_read_tokens: of(50n, 25n) } });
    const warmer = month({ opus: { input_tokens: of(10n, 50n), cache_read_tokens: of(90n, 45n) } });
    expect(partsOf(explainChange(warm, warmer))).toEqual({ ...none, cache: -180n });
  });

  test("the first cache reads of a model are cache at their own price", () => {
    const cold = month({ opus: { input_tokens: of(100n, 500n) } });
    const warm = month({ opus: { input_tokens: of(10n, 50n), cache_read_tokens: of(90n, 45n) } });
    expect(partsOf(explainChange(cold, warm))).toEqual({ ...none, cache: -405n });
  });

  test("a new model beside the others is volume of the old mix, and mix", () => {
    const after = month({
      opus: { input_tokens: of(100n, 500n), output_tokens: of(10n, 250n) },
      sonnet: { input_tokens: of(100n, 300n), output_tokens: of(10n, 150n) },
      haiku: { input_tokens: of(220n, 220n) },
    });
    expect(partsOf(explainChange(before, after))).toEqual({
      ...none,
      volume: 1_200n,
      mix: -980n,
    });
  });

  test("usage after a month without any is volume, and so is its end", () => {
    expect(partsOf(explainChange(month({}), before))).toEqual({ ...none, volume: 1_200n });
    expect(partsOf(explainChange(before, month({})))).toEqual({ ...none, volume: -1_200n });
    expect(explainChange(month({}), month({}))).toMatchObject({ ...none, products: [] });
  });

  test("searches are no tokens, so more of them with the same tokens are mix", () => {
    const some = month({ opus: { input_tokens: of(100n, 500n), web_searches: of(1n, 10n) } });
    const more = month({ opus: { input_tokens: of(100n, 500n), web_searches: of(5n, 50n) } });
    expect(partsOf(explainChange(some, more))).toEqual({ ...none, mix: 40n });
  });
});

describe("any two months", () => {
  const amount = fc.record({
    units: fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 10n ** 13n })),
    nanoUsd: fc.bigInt({ min: 0n, max: 10n ** 15n }),
  });
  const amounts = fc
    .array(fc.tuple(fc.constantFrom<MeasureColumn>(...columns), amount), { maxLength: 6 })
    .map((pairs): ProductUsage => product(Object.fromEntries(pairs)));
  const anyMonth = fc
    .array(fc.tuple(fc.constantFrom("opus", "sonnet", "haiku", "opus fast"), amounts), {
      maxLength: 4,
    })
    .map((pairs) => new Map(pairs));
  const costOf = (of: ReadonlyMap<string, ProductUsage>) =>
    [...of.values()]
      .flatMap(({ amounts }) => Object.values(amounts))
      .reduce((total, { nanoUsd }) => total + nanoUsd, 0n);

  test("the parts of each product and of the whole add up to their differences exactly", () => {
    fc.assert(
      fc.property(anyMonth, anyMonth, (before, after) => {
        const change = explainChange(before, after);
        expect(change.beforeNanoUsd).toBe(costOf(before));
        expect(change.afterNanoUsd).toBe(costOf(after));
        for (const each of [change, ...change.products]) {
          const { volume, mix, cache, price, beforeNanoUsd, afterNanoUsd } = each;
          expect(volume + mix + cache + price).toBe(afterNanoUsd - beforeNanoUsd);
        }
        for (const part of ["volume", "mix", "cache", "price"] as const) {
          expect(change.products.reduce((total, one) => total + one[part], 0n)).toBe(change[part]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("a month has no difference from itself", () => {
    fc.assert(
      fc.property(anyMonth, (of) => {
        expect(partsOf(explainChange(of, of))).toEqual(none);
      }),
    );
  });

  test("a factor on every price is price alone", () => {
    fc.assert(
      fc.property(anyMonth, fc.bigInt({ min: 2n, max: 5n }), (any, factor) => {
        const before = withPrices(any);
        const after = mapCosts(before, (one) => of(one.units, one.nanoUsd * factor));
        const price = costOf(after) - costOf(before);
        expect(partsOf(explainChange(before, after))).toEqual({ ...none, price });
      }),
    );
  });

  function mapCosts(products: ReadonlyMap<string, ProductUsage>, map: (one: UnitCost) => UnitCost) {
    const mapped = [...products].map(([key, { amounts }]) => {
      const entries = Object.entries(amounts).map(([column, one]) => [column, map(one)] as const);
      return [key, product(Object.fromEntries(entries))] as const;
    });
    return new Map(mapped);
  }

  /** A cost without units has no price, and a month without tokens has no volume. */
  function withPrices(products: ReadonlyMap<string, ProductUsage>) {
    const counted = mapCosts(products, ({ units, nanoUsd }) => of(units + 1n, nanoUsd));
    return counted.set("always", product({ input_tokens: of(7n, 3n) }));
  }
});

test("rounds half away from zero, as PostgreSQL does", () => {
  const rounded = [5n, -5n, 4n, -4n, 6n, 0n].map((dividend) => divide(dividend, 10n));
  expect(rounded).toEqual([1n, -1n, 0n, 0n, 1n, 0n]);
});

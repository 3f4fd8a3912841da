import { readFileSync } from "node:fs";
import { billedMeasures, toRecord } from "@bursar/contract/usage-shape.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { priceSummed, priceUsage } from "./cost.ts";
import { makeModelLabels } from "./model-labels.ts";
import { MAX_NANO_USD } from "./money.ts";
import { makePriceBook } from "./price-book.ts";
import { priceList } from "./price-list.ts";
import { msFromIsoDate } from "./spend-period.ts";
import { type BilledUsage, type Cost, noTokens, type TokenUsage } from "./usage.ts";
import { MAX_ITERATIONS, MAX_TOKENS, readMessageUsage } from "./usage-fields.ts";

interface GoldenRow {
  name: string;
  at: string;
  model: string;
  usage: object;
  expected: Record<string, string | boolean>;
}

const golden: GoldenRow[] = JSON.parse(
  readFileSync(new URL("./cost.golden.json", import.meta.url), "utf8"),
);
const book = makePriceBook([]);
const atMs = msFromIsoDate("2026-11-24");

describe("cost equals the published price list, to the nano-dollar", () => {
  test.each(golden)("$name", ({ at, model, usage, expected }) => {
    const billed = readMessageUsage({ type: "message", model, usage });
    expect(billed).not.toBeNull();
    if (!billed) return;
    const { cost, isUnpriced, contextWindow } = priceUsage({
      book,
      usage: billed,
      atMs: msFromIsoDate(at),
    });
    expect({
      is_unpriced: isUnpriced,
      context_window: contextWindow,
      input: cost.input.toString(),
      cache_write_5m: cost.cacheWrite5m.toString(),
      cache_write_1h: cost.cacheWrite1h.toString(),
      cache_read: cost.cacheRead.toString(),
      output: cost.output.toString(),
      web_search: cost.webSearch.toString(),
      total: cost.total.toString(),
    }).toEqual(expected);
    expect(billed.isDoubtful ?? false).toBe(false);
  });

  test("the table covers every model of the list, without duplicate rows", () => {
    const models = new Set(golden.map((row) => row.model));
    expect(priceList.map((model) => model.id).filter((id) => !models.has(id))).toEqual([]);
    expect(new Set(golden.map((row) => row.name)).size).toBe(golden.length);
    expect(golden.length).toBeGreaterThanOrEqual(60);
  });
});

const names = [...priceList.flatMap((model) => [model.id, ...model.aliases]), "claude-unheard-of"];
const count = fc.oneof(
  fc.integer({ min: 0, max: 30 }),
  fc.integer({ min: 0, max: 300_000 }),
  fc.constantFrom(99_999, 100_000, 100_001, 199_999, 200_000, 200_001, MAX_TOKENS),
);
const tokens = fc.record<TokenUsage>({
  inputTokens: count,
  cacheWrite5mTokens: count,
  cacheWrite1hTokens: count,
  cacheReadTokens: count,
  outputTokens: count,
  webSearches: fc.integer({ min: 0, max: 50 }),
});
const iteration = fc.record({
  model: fc.option(fc.constantFrom(...names)),
  usage: tokens.map((usage) => ({ ...usage, webSearches: 0 })),
});
const billedUsage = fc.record<BilledUsage>({
  model: fc.constantFrom(...names),
  total: tokens,
  iterations: fc.option(fc.array(iteration, { minLength: 1, maxLength: 4 })),
  serviceTier: fc.constantFrom(null, "standard", "priority", "batch"),
  inferenceGeo: fc.constantFrom(null, "global", "us"),
  speed: fc.constantFrom(null, "standard", "fast"),
});

function partsOf({ total: _, ...parts }: Cost): bigint[] {
  return Object.values(parts);
}

const kinds = [
  "inputTokens",
  "cacheWrite5mTokens",
  "cacheWrite1hTokens",
  "cacheReadTokens",
  "outputTokens",
  "webSearches",
] as const;

describe("properties of the cost", () => {
  test("the parts sum to the total, none is negative, and the total fits an int8", () => {
    fc.assert(
      fc.property(billedUsage, (usage) => {
        const { cost } = priceUsage({ book, usage, atMs });
        expect(partsOf(cost).reduce((sum, part) => sum + part, 0n)).toBe(cost.total);
        expect(partsOf(cost).every((part) => part >= 0n)).toBe(true);
        expect(cost.total <= MAX_NANO_USD).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test("a larger count never costs less", () => {
    fc.assert(
      fc.property(billedUsage, fc.constantFrom(...kinds), count, (usage, kind, more) => {
        const before = { ...usage, iterations: null };
        const total = { ...before.total, [kind]: before.total[kind] + more };
        const cheaper = priceUsage({ book, usage: before, atMs }).cost.total;
        expect(priceUsage({ book, usage: { ...before, total }, atMs }).cost.total >= cheaper).toBe(
          true,
        );
      }),
      { numRuns: 1000 },
    );
  });

  test("a batch costs half as much for the same tokens, within rounding", () => {
    fc.assert(
      fc.property(billedUsage, (usage) => {
        const plain = { ...usage, speed: null, total: { ...usage.total, webSearches: 0 } };
        const full = priceUsage({ book, usage: { ...plain, serviceTier: "standard" }, atMs }).cost
          .total;
        const half = priceUsage({ book, usage: { ...plain, serviceTier: "batch" }, atMs }).cost
          .total;
        const difference = full - 2n * half;
        expect(difference >= -1n && difference <= 1n).toBe(true);
      }),
    );
  });

  test("a model without a price costs at least as much as any listed model", () => {
    fc.assert(
      fc.property(billedUsage, (usage) => {
        const unpriced = { ...usage, model: "claude-unheard-of", iterations: null };
        const listed = { ...usage, iterations: null };
        const bound = priceUsage({ book, usage: unpriced, atMs });
        expect(bound.isUnpriced).toBe(true);
        expect(bound.cost.total >= priceUsage({ book, usage: listed, atMs }).cost.total).toBe(true);
      }),
    );
  });

  test("iterations of one model below its bands cost as much as their sum", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 8 }),
        (counts) => {
          const calls = counts.map((n) => ({
            model: "claude-opus-5",
            usage: { ...noTokens, inputTokens: n, outputTokens: n },
          }));
          const sum = counts.reduce((all, n) => all + n, 0);
          const total = { ...noTokens, inputTokens: sum, outputTokens: sum };
          const usage = {
            model: "claude-opus-5",
            total,
            serviceTier: null,
            inferenceGeo: "us",
            speed: null,
          };
          const split = priceUsage({ book, usage: { ...usage, iterations: calls }, atMs });
          expect(split.cost).toEqual(
            priceUsage({ book, usage: { ...usage, iterations: null }, atMs }).cost,
          );
        },
      ),
    );
  });
});

const plain: BilledUsage = {
  model: "claude-opus-4-5-20251101",
  total: { ...noTokens, inputTokens: 1000, outputTokens: 10 },
  iterations: null,
  serviceTier: "batch",
  inferenceGeo: "us",
  speed: null,
};

describe("the prices stored with an event", () => {
  test("names the row, the band, the multiplier and the rates", () => {
    const { prices } = priceUsage({ book, usage: plain, atMs });
    expect(JSON.parse(prices)).toEqual({
      list: "2026-10-24",
      rows: [
        {
          model: "claude-opus-4-5-20251101",
          row: "claude-opus-4-5",
          source: "list",
          band: "standard",
          multiplier: "0.5",
          usd_per_million_tokens: {
            input: "5.00",
            cache_write_5m: "6.25",
            cache_write_1h: "10.00",
            cache_read: "0.50",
            output: "25.00",
          },
        },
      ],
    });
  });

  test("every multiplier is an exact decimal", () => {
    const multiplierOf = (usage: BilledUsage) =>
      JSON.parse(priceUsage({ book, usage, atMs }).prices).rows[0].multiplier;
    const current = { ...plain, model: "claude-opus-5" };
    expect(multiplierOf(current)).toBe("0.55");
    expect(multiplierOf({ ...current, serviceTier: null })).toBe("1.1");
    expect(multiplierOf({ ...current, inferenceGeo: null })).toBe("0.5");
    expect(multiplierOf({ ...current, inferenceGeo: null, serviceTier: "priority" })).toBe("1");
  });

  test("belongs to its own request, whatever came before", () => {
    const override = {
      model: plain.model,
      effectiveFromMs: 0,
      prices: { input: 1n, cacheWrite5m: 2n, cacheWrite1h: 3n, cacheRead: 4n, output: 5n },
    };
    const raised = { ...override, prices: { ...override.prices, input: 1_000_000_000n } };
    const books = [book, makePriceBook([override]), makePriceBook([raised])];
    const usages = [
      plain,
      { ...plain, serviceTier: null },
      { ...plain, total: { ...plain.total, webSearches: 1 } },
      { ...plain, model: "made-up-1" },
      { ...plain, model: "made-up-2" },
    ];
    const explain = () =>
      books.flatMap((each) =>
        usages.map((usage) => priceUsage({ book: each, usage, atMs }).prices),
      );
    const first = explain();
    expect(explain()).toEqual(first);
    // An override of one model does not affect two models without a price.
    expect(new Set(first).size).toBe(books.length * 3 + 2);
    expect(JSON.parse(first[0] ?? "").rows[0].source).toBe("list");
    expect(JSON.parse(first[5] ?? "").rows[0].usd_per_million_tokens.input).toBe("0.000000001");
    expect(JSON.parse(first[10] ?? "").rows[0].usd_per_million_tokens.input).toBe("1.00");
  });

  test("does not grow with model names in responses", () => {
    for (let i = 0; i < 2_000; i++) {
      const { prices } = priceUsage({ book, usage: { ...plain, model: `made-up-${i}` }, atMs });
      expect(JSON.parse(prices).rows[0].model).toBe(`made-up-${i}`);
    }
  });

  test("stays short for any number of calls", () => {
    const call = { model: null, usage: plain.total };
    const many = { ...plain, iterations: Array.from({ length: MAX_ITERATIONS }, () => call) };
    expect(JSON.parse(priceUsage({ book, usage: many, atMs }).prices).rows).toHaveLength(1);
  });
});

test("a request without usage adds no model label", () => {
  const labels = makeModelLabels(1);
  const labelOf = (usage: BilledUsage) => priceUsage({ book, usage, atMs, labels }).model;
  expect(labelOf({ ...plain, model: "made-up", total: noTokens })).toBe("other");
  expect(labelOf({ ...plain, model: "claude-next-7" })).toBe("claude-next-7");
  expect(labelOf({ ...plain, model: "claude-next-8" })).toBe("other");
});

describe("pricing always returns an amount", () => {
  test("the highest billable cost fits an int8", () => {
    const override = {
      model: "claude-absurd",
      effectiveFromMs: 0,
      prices: {
        input: MAX_NANO_USD,
        cacheWrite5m: MAX_NANO_USD,
        cacheWrite1h: MAX_NANO_USD,
        cacheRead: MAX_NANO_USD,
        output: MAX_NANO_USD,
      },
    };
    const all = Object.fromEntries(kinds.map((kind) => [kind, Number.MAX_VALUE]));
    const call = { model: null, usage: { ...noTokens, ...all } };
    const usage = {
      ...plain,
      model: "claude-absurd",
      serviceTier: null,
      total: call.usage,
      iterations: Array.from({ length: MAX_ITERATIONS + 1 }, () => call),
    };
    const { cost } = priceUsage({ book: makePriceBook([override]), usage, atMs });
    expect(cost.total <= MAX_NANO_USD).toBe(true);
    expect(partsOf(cost).reduce((sum, part) => sum + part, 0n)).toBe(cost.total);
  });

  test("an invalid count costs nothing, a fraction costs a whole token", () => {
    const usage = {
      ...plain,
      model: "claude-opus-5",
      serviceTier: null,
      inferenceGeo: null,
      total: { ...noTokens, inputTokens: Number.NaN, cacheReadTokens: -5, outputTokens: 0.2 },
    };
    expect(priceUsage({ book, usage, atMs }).cost).toEqual({
      input: 0n,
      cacheWrite5m: 0n,
      cacheWrite1h: 0n,
      cacheRead: 0n,
      output: 25_000n,
      webSearch: 0n,
      total: 25_000n,
    });
  });
});

test.each([
  ["0-200k", "standard", "global", 150_000],
  ["200k-1M", "batch", "us", 250_000],
])(
  "summed usage in %s costs what its requests cost",
  (contextWindow, serviceTier, inferenceGeo, inputTokens) => {
    const model = "claude-sonnet-4-5";
    const total = { ...noTokens, inputTokens, outputTokens: 400, webSearches: 2 };
    const usage = { model, total, iterations: null, serviceTier, inferenceGeo, speed: "standard" };
    const { cost } = priceUsage({ book, usage, atMs });
    const summed = toRecord(billedMeasures, "name", ({ name }) => BigInt(total[name]) * 9_000n);
    expect(priceSummed(book, { ...usage, contextWindow, total: summed }, atMs)).toBe(
      cost.total * 9_000n,
    );
  },
);

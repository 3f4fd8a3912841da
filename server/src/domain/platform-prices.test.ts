import { expect, test } from "vitest";
import { priceUsage } from "./cost.ts";
import { parseUsd } from "./money.ts";
import { findPlatformBook, type PlatformTerms } from "./platform-prices.ts";
import { makePriceBook } from "./price-book.ts";
import { readMessageUsage } from "./usage-fields.ts";

const atMs = Date.parse("2026-11-30T00:00:00Z");
const globalTerms: PlatformTerms = {
  provider: "bedrock",
  isRegional: () => false,
  hasRegional: false,
};
const regionalTerms: PlatformTerms = {
  provider: "bedrock",
  isRegional: () => true,
  hasRegional: true,
};
const book = makePriceBook([]);

function cost(terms: PlatformTerms | null, model: string, from = book): bigint {
  const usage = readMessageUsage(
    {
      type: "message",
      model,
      usage: {
        input_tokens: 1_000_000,
        output_tokens: 100_000,
        cache_read_input_tokens: 10_000,
        cache_creation_input_tokens: 20_000,
        cache_creation: { ephemeral_5m_input_tokens: 20_000, ephemeral_1h_input_tokens: 0 },
      },
    },
    model,
  );
  if (usage === null) throw new Error("no usage");
  return priceUsage({ book: findPlatformBook(from, terms), usage, atMs }).cost.total;
}

test("the book of the Claude API is the same object without a platform", () => {
  expect(findPlatformBook(book, null)).toBe(book);
});

test("a book of a platform is made once", () => {
  expect(findPlatformBook(book, globalTerms)).toBe(findPlatformBook(book, globalTerms));
});

// 1M input at $4, 100k output at $20, 10k cache reads at $0.20, and 20k cache writes at $5, per million.
const opus55 = parseUsd("4") + parseUsd("2") + parseUsd("0.002") + parseUsd("0.1");

test("a global endpoint costs the list price", () => {
  expect(cost(null, "claude-opus-5-5")).toBe(opus55);
  expect(cost(globalTerms, "claude-opus-5-5")).toBe(opus55);
});

test("a regional endpoint costs 10 % more, for every kind of token", () => {
  expect(cost(regionalTerms, "claude-opus-5-5")).toBe((opus55 * 11n) / 10n);
});

test("the answer's name can be the platform's", () => {
  expect(cost(regionalTerms, "eu.anthropic.claude-opus-5-5")).toBe((opus55 * 11n) / 10n);
});

test.each([
  ["claude-sonnet-4-5-20250929", true],
  ["claude-haiku-4-5", true],
  ["claude-opus-4-5", true],
  ["claude-sonnet-4-6", true],
  ["claude-sonnet-4", false],
  ["claude-opus-4-1", false],
  ["claude-3-5-haiku-20241022", false],
])("the regional endpoint of %s costs more: %s", (model, isMore) => {
  const list = cost(null, model);
  expect(cost(regionalTerms, model)).toBe(isMore ? (list * 11n) / 10n : list);
});

test("a negotiated price with the platform's name applies to the platform alone, without a surcharge", () => {
  const prices = {
    input: parseUsd("1"),
    cacheWrite5m: 0n,
    cacheWrite1h: 0n,
    cacheRead: 0n,
    output: 0n,
  };
  const own = makePriceBook([{ model: "bedrock/claude-opus-5-5", effectiveFromMs: 0, prices }]);
  expect(cost(regionalTerms, "claude-opus-5-5", own)).toBe(parseUsd("1"));
  expect(cost({ ...regionalTerms, provider: "vertex" }, "claude-opus-5-5", own)).toBe(
    (opus55 * 11n) / 10n,
  );
  expect(cost(null, "claude-opus-5-5", own)).toBe(opus55);
});

test("every price that an answer can have is among the reachable ones", () => {
  const prices = findPlatformBook(book, regionalTerms);
  const names = ["claude-sonnet-4-5", "claude-sonnet-4-5-20250929"];
  const reachable = prices.findReachable("claude-sonnet-4-5", atMs);
  for (const name of names) {
    const row = prices.find(name, atMs);
    expect(reachable.map(({ standard }) => standard)).toContain(row?.standard);
  }
});

test("an unknown model costs at least as much as each regional one", () => {
  const prices = findPlatformBook(book, regionalTerms);
  const highest = prices.findHighest(atMs).standard;
  for (const { prices: row } of prices.listPrices(atMs)) {
    if (row !== null) expect(highest.output).toBeGreaterThanOrEqual(row.standard.output);
  }
});

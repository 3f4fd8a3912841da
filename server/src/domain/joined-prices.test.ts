import fc from "fast-check";
import { expect, test } from "vitest";
import { closedRequest, requestOf } from "#test/harness/hold-requests.ts";
import { priceUsage } from "./cost.ts";
import { joinBooks } from "./joined-prices.ts";
import { parseUsd } from "./money.ts";
import { findPlatformBook, type PlatformTerms } from "./platform-prices.ts";
import { makePriceBook } from "./price-book.ts";
import { priceList } from "./price-list.ts";
import { readMessageUsage } from "./usage-fields.ts";
import { computeWorstCost, tightenWorstCase } from "./worst-case.ts";

const atMs = Date.parse("2026-11-30T00:00:00Z");
const regional: PlatformTerms = {
  provider: "bedrock",
  isRegional: () => true,
  hasRegional: true,
};
const MODEL = "claude-sonnet-5";
/** Input costs less than at the Claude API, and output more. */
const negotiated = makePriceBook([
  {
    model: `bedrock/${MODEL}`,
    effectiveFromMs: 0,
    prices: {
      input: parseUsd("1"),
      cacheWrite5m: parseUsd("1"),
      cacheWrite1h: parseUsd("1"),
      cacheRead: parseUsd("0.1"),
      output: parseUsd("40"),
    },
  },
]);
const common = makePriceBook([]);

/** The Claude API and a platform: with list prices, and with negotiated ones. */
const pairs = [common, negotiated].map((book) => [book, findPlatformBook(book, regional)] as const);

test("a joined book is made once, and one book stays itself", () => {
  for (const [a, b] of pairs) {
    expect(joinBooks(a, b)).toBe(joinBooks(a, b));
    expect(joinBooks(a, a)).toBe(a);
  }
});

test("a hold with joined prices covers each upstream, also after a token count", () => {
  const { request, countedTokens } = {
    request: closedRequest,
    countedTokens: fc.integer({ min: 0, max: 300_000 }),
  };
  fc.assert(
    fc.property(request, countedTokens, fc.constantFrom(...pairs), (made, counted, pair) => {
      const joined = joinBooks(...pair);
      for (const book of pair) {
        const whole = computeWorstCost(made, joined, atMs).nanoUsd;
        expect(whole >= computeWorstCost(made, book, atMs).nanoUsd).toBe(true);
        const of = { request: made, atMs, countedTokens: counted };
        const tight = tightenWorstCase({ ...of, book: joined }).nanoUsd;
        expect(tight >= tightenWorstCase({ ...of, book }).nanoUsd).toBe(true);
      }
    }),
  );
});

test("the cost of a prompt with joined prices is at least that of each upstream", () => {
  const tokens = fc.integer({ min: 0, max: 400_000 });
  fc.assert(
    fc.property(tokens, tokens, fc.constantFrom(...pairs), (input, output, pair) => {
      const counts = { input_tokens: input, output_tokens: output };
      const usage = readMessageUsage({ type: "message", model: MODEL, usage: counts }, MODEL);
      if (usage === null) throw new Error("no usage");
      const cost = (book: (typeof pair)[number]) => priceUsage({ book, usage, atMs }).cost.total;
      const joined = cost(joinBooks(...pair));
      for (const book of pair) expect(joined >= cost(book)).toBe(true);
    }),
  );
});

test.each(priceList.map(({ id }) => id))(
  "with list prices, a hold of %s is that of the region",
  (model) => {
    const request = requestOf({ model, inferenceGeo: "global" });
    const costOf = (book: typeof common) => computeWorstCost(request, book, atMs).nanoUsd;
    const region = findPlatformBook(common, regional);
    expect(costOf(joinBooks(common, region))).toBe(costOf(region));
  },
);

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseMessage } from "#src/gateway/parse-message.ts";
import { priceUsage } from "./cost.ts";
import { findDoubt, findUsageLimits, limitUsage } from "./doubtful-usage.ts";
import { chargeHold, tokensOfHold } from "./hold-cost.ts";
import { makePriceBook } from "./price-book.ts";
import { msFromIsoDate } from "./spend-period.ts";
import { type BilledUsage, noTokens } from "./usage.ts";
import { MAX_TOKENS, readMessageUsage } from "./usage-fields.ts";
import { boundCall, computeWorstCost, tightenWorstCase } from "./worst-case.ts";

const book = makePriceBook([]);
const atMs = msFromIsoDate("2026-11-24");
const MODEL = "claude-sonnet-4-5";

function requestOf(fields: object = {}) {
  const messages = [{ role: "user", content: "x".repeat(1_000) }];
  return parseMessage(
    Buffer.from(JSON.stringify({ model: MODEL, max_tokens: 1_000, messages, ...fields })),
  );
}

const search = { type: "web_search_20250305", name: "web_search", max_uses: 2 };
const plain = requestOf();
const open = requestOf({ tools: [search] });

function worstOf(request: ReturnType<typeof requestOf>) {
  return computeWorstCost(request, book, atMs);
}

interface Reported {
  request?: ReturnType<typeof requestOf>;
  model?: string;
  isFinal?: boolean;
  isRefusal?: boolean;
  isHeld?: boolean;
}

function limitsOf(request: ReturnType<typeof requestOf>, isHeld = true) {
  return findUsageLimits(worstOf(request), { model: request.model, isHeld });
}

function doubtOf(usage: object, reported: Reported = {}) {
  const { request = plain, model = MODEL, isFinal = true, isRefusal = false } = reported;
  const limits = limitsOf(request, reported.isHeld);
  const billed = readMessageUsage({ model, usage });
  if (billed === null) throw new Error("the usage was not read");
  const priced = priceUsage({ book, usage: billed, atMs });
  return findDoubt({ usage: billed, limits, priced, isFinal, isRefusal });
}

function limit(usage: object | null, request = plain): BilledUsage {
  const billed = usage === null ? null : readMessageUsage({ model: MODEL, usage });
  return limitUsage({
    usage: billed,
    limits: limitsOf(request),
    call: boundCall(request),
    requestedModel: MODEL,
  });
}

const real = { input_tokens: 250, output_tokens: 1_000 };
const bytes = boundCall(plain).inputTokens;

describe("final usage that cannot be true", () => {
  test.each([
    ["a negative count", { ...real, output_tokens: -1 }],
    ["a text", { ...real, input_tokens: "250" }],
    ["more than 10^9 output tokens", { ...real, output_tokens: MAX_TOKENS + 1 }],
    ["no output count", { input_tokens: 250 }],
    ["no input count", { output_tokens: 10 }],
    ["an empty prompt", { input_tokens: 0, output_tokens: 10 }],
    ["more output than max_tokens", { ...real, output_tokens: 1_001 }],
    ["a prompt beyond twice its bytes", { ...real, cache_read_input_tokens: 2 * bytes }],
    ["an invalid cache count", { ...real, cache_read_input_tokens: -5 }],
    ["invalid searches", { ...real, server_tool_use: { web_search_requests: -5 } }],
    ["searches of a request without a search", { ...real, ...searched(50) }],
  ])("%s is impossible", (_, usage) => {
    expect(doubtOf(usage)).toBe("impossible_usage");
  });

  test("of an expensive model that the request cannot reach is impossible", () => {
    const usage = { input_tokens: 2_000, output_tokens: 1_000 };
    expect(doubtOf(usage, { model: "claude-opus-4-1" })).toBe("impossible_usage");
    expect(doubtOf(usage)).toBeNull();
  });

  test("beyond the context window is impossible for a prompt of unknown size", () => {
    const source = { type: "url", url: "https://example.com/a.pdf" };
    const content = [{ type: "document", source }];
    const request = requestOf({ messages: [{ role: "user", content }] });
    expect(doubtOf({ ...real, input_tokens: 1_000_000 }, { request })).toBeNull();
    const usage = { ...real, input_tokens: 2_000_001 };
    expect(doubtOf(usage, { request })).toBe("impossible_usage");
  });

  test("of 10^8 tokens is impossible for an open-ended request", () => {
    expect(doubtOf({ ...real, output_tokens: 10 ** 8 }, { request: open })).toBe(
      "impossible_usage",
    );
  });
});

describe("without a hold", () => {
  test("usage beyond the request is billed as reported, and usage beyond any request is impossible", () => {
    const large = { input_tokens: 900_000, output_tokens: 60_000, ...searched(3) };
    expect(doubtOf(large)).toBe("impossible_usage");
    expect(doubtOf(large, { isHeld: false })).toBeNull();
    for (const impossible of [
      { ...real, output_tokens: 600_000 },
      { ...real, input_tokens: 9_000_000 },
      { ...real, ...searched(1_000) },
      { ...real, output_tokens: -1 },
    ]) {
      expect(doubtOf(impossible, { isHeld: false })).toBe("impossible_usage");
    }
  });
});

describe("real usage is not doubtful", () => {
  test.each([
    ["all of max_tokens", real, plain],
    ["a prompt from the cache", { ...real, input_tokens: 3, cache_read_input_tokens: 900 }, plain],
    ["null fields", { ...real, cache_creation: null, server_tool_use: null }, plain],
    ["a warmed cache", { ...real, cache_creation_input_tokens: 900, output_tokens: 0 }, plain],
    ["a loop of searches", { input_tokens: 900_000, output_tokens: 40_000, ...searched(9) }, open],
    ["a prompt a bit above the byte bound", { ...real, input_tokens: bytes + 500 }, plain],
  ])("%s", (_, usage, request) => {
    expect(doubtOf(usage, { request })).toBeNull();
  });

  test("an empty usage of a refusal", () => {
    const usage = { input_tokens: 0, output_tokens: 0 };
    expect(doubtOf(usage, { isRefusal: true })).toBeNull();
  });

  test("a fraction is rounded up and stays an estimate", () => {
    expect(doubtOf({ ...real, input_tokens: 250.5 })).toBeNull();
  });
});

describe("usage of a response that broke off", () => {
  test("is incomplete after its prompt, and missing before", () => {
    expect(doubtOf({ input_tokens: 250 }, { isFinal: false })).toBe("incomplete_usage");
    expect(doubtOf({ output_tokens: 1 }, { isFinal: false })).toBe("missing_usage");
    expect(doubtOf({ input_tokens: 0, output_tokens: 1 }, { isFinal: false })).toBe(
      "missing_usage",
    );
  });
});

describe("limited usage", () => {
  test("has the valid counts, and the bound of one call for each other count", () => {
    expect(limit({ ...real, output_tokens: -1 }).total).toEqual({
      ...noTokens,
      inputTokens: 250,
      outputTokens: 1_000,
    });
    expect(limit({ input_tokens: 10 ** 9, output_tokens: 7 }).total).toEqual({
      ...noTokens,
      inputTokens: bytes,
      outputTokens: 7,
    });
    expect(limit({ ...real, ...searched(500) }).total.webSearches).toBe(0);
    expect(limit({ ...real, ...searched(5) }).total.webSearches).toBe(5);
  });

  test("without any usage is the prompt by its bytes", () => {
    expect(limit(null).total).toEqual({ ...noTokens, inputTokens: bytes });
    expect(limit(null, open).total.inputTokens).toBeLessThan(bytes + 10_000);
  });

  test("never costs nothing, and never more than one call and the worst case, for any lie", () => {
    const count = fc.oneof(
      fc.constantFrom(-1, 0, 1, 1.5, 10 ** 9, 10 ** 9 + 1, 10 ** 18, Number.NaN, "7", null, {}),
      fc.nat(5_000),
    );
    const usage = fc.record({
      input_tokens: count,
      output_tokens: count,
      cache_read_input_tokens: count,
      cache_creation_input_tokens: count,
      server_tool_use: fc.record({ web_search_requests: count }),
    });
    fc.assert(
      fc.property(usage, fc.constantFrom(plain, open), (told, request) => {
        const limited = limit(told, request);
        const cost = priceUsage({ book, usage: limited, atMs }).cost.total;
        const { inputTokens } = boundCall(request);
        const { cost: one } = priceUsage({
          book,
          usage: { ...limited, total: { ...noTokens, inputTokens, outputTokens: 1_000 } },
          atMs,
        });
        expect(cost > 0n).toBe(true);
        const searches = 240n * 10_000_000n;
        expect(cost <= one.total + 8n * worstOf(request).nanoUsd + searches).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a hold as a cost", () => {
  test("of the whole worst case has all of its tokens", () => {
    const worstCase = worstOf(plain);
    const { usage, cost, prices } = chargeHold(worstCase, worstCase.nanoUsd);
    expect(usage).toEqual({ ...noTokens, inputTokens: bytes, outputTokens: 1_000 });
    expect(cost.total).toBe(worstCase.nanoUsd);
    expect(cost.output).toBe(15_000_000n);
    expect(JSON.parse(prices)).toMatchObject({ basis: "hold", rates: [{ row: MODEL }, {}] });
  });

  test("after a token count has the counted tokens", () => {
    const tighter = tightenWorstCase({ request: plain, book, atMs, countedTokens: 400 });
    const { inputTokens } = tokensOfHold(worstOf(plain), tighter.nanoUsd);
    expect(inputTokens).toBe(tighter.drivers.inputTokens);
  });

  test("of any amount has parts that sum to it, and tokens that cost at most the hold", () => {
    const body = fc.constantFrom(plain, open, requestOf({ tools: [{ ...search, max_uses: 9 }] }));
    fc.assert(
      fc.property(body, fc.double({ min: 0, max: 1, noNaN: true }), (request, share) => {
        const worstCase = worstOf(request);
        const hold = (worstCase.nanoUsd * BigInt(Math.floor(share * 1e9))) / 1_000_000_000n;
        const { cost, usage } = chargeHold(worstCase, hold);
        const { total, ...parts } = cost;
        expect(total).toBe(hold);
        expect(Object.values(parts).reduce((sum, part) => sum + part, 0n)).toBe(hold);
        expect(Object.values(parts).every((part) => part >= 0n)).toBe(true);
        expect(Object.values(usage).every((tokens) => tokens >= 0)).toBe(true);
        const priced = priceUsage({
          book,
          usage: { ...limit(null, request), total: usage },
          atMs,
        });
        expect(priced.cost.total <= hold + 1n).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

function searched(web_search_requests: number) {
  return { server_tool_use: { web_search_requests } };
}

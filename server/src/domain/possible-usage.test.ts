import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { atMs, book, closedRequest, modelName, worst } from "#test/harness/hold-requests.ts";
import { priceUsage } from "./cost.ts";
import { findDoubt, findUsageLimits } from "./doubtful-usage.ts";
import type { HoldRequest } from "./hold-request.ts";
import { limitsOf } from "./model-limits.ts";
import { makePriceBook, type PriceOverride } from "./price-book.ts";
import { priceList } from "./price-list.ts";
import type { BilledUsage } from "./usage.ts";
import { promptTokens, readMessageUsage } from "./usage-fields.ts";
import { computeWorstCost } from "./worst-case.ts";

// Usage that the API could bill according to its pages, independent of the constants of the bound.

const share = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
);
const price = fc.bigInt({ min: 0n, max: 200_000_000_000n });
const priceOverride = fc.record<PriceOverride>({
  model: fc.oneof(
    modelName,
    modelName.map((base) => `${base}-20260101`),
  ),
  effectiveFromMs: fc.constantFrom(0, atMs, atMs + 1),
  prices: fc.record({
    input: price,
    cacheWrite5m: price,
    cacheWrite1h: price,
    cacheRead: price,
    output: price,
  }),
});
const priceBook = fc.oneof(
  { weight: 1, arbitrary: fc.constant(book) },
  { weight: 1, arbitrary: fc.array(priceOverride, { maxLength: 6 }).map(makePriceBook) },
);

/** Course of a request: the possible events that happened, and the form of the response. */
const course = fc.record({
  attempts: share,
  prompts: fc.array(share, { minLength: 13, maxLength: 13 }),
  outputs: fc.array(share, { minLength: 13, maxLength: 13 }),
  kinds: fc.array(fc.constantFrom("input", "read", "5m", "1h", "mixed"), {
    minLength: 13,
    maxLength: 13,
  }),
  naming: fc.nat(20),
  isFast: fc.boolean(),
  geo: fc.constantFrom("us", "us", "global", null),
  tier: fc.constantFrom(null, "standard", "priority", "batch"),
  told: fc.constantFrom("sum", "last", "iterations of all", "no iterations"),
  hasSplit: fc.boolean(),
});
type Course = typeof course extends fc.Arbitrary<infer T> ? T : never;

const largeImages = /fable|mythos|opus-4-[78]|opus-5|sonnet-5|haiku-5/;

/** Highest number of prompt tokens of one attempt, by the published numbers of its parts. */
function possiblePrompt(request: HoldRequest, model: string): number {
  const { contextTokens } = limitsOf(model);
  if (request.markers.hasOpaqueSource) return contextTokens;
  const imageTokens = largeImages.test(model) || model.endsWith("unheard-of") ? 4_784 : 1_600;
  const tools =
    request.toolCount === 0
      ? 0
      : 804 +
        request.toolCount * 20 +
        request.builtInToolCount * (735 + 499) +
        request.toolsetCount * 25 * 700 +
        request.repeatedToolCount * possibleTool(request);
  const { bodyBytes, imageDataBytes, outsidePromptBytes, citedBytes } = request;
  const text = bodyBytes - imageDataBytes - outsidePromptBytes + citedBytes;
  return Math.min(contextTokens, text + request.imageCount * imageTokens + tools + 600);
}

function possibleTool(request: HoldRequest): number {
  const { largestToolBytes, builtInToolCount, toolsetCount } = request;
  const own = toolsetCount > 0 ? 25 * 700 : builtInToolCount > 0 ? 735 + 499 : 0;
  return Math.max(largestToolBytes + 20, own);
}

interface Attempt {
  model: string;
  usage: Record<string, unknown>;
}

/** Names that the API may use in the response for the requested `model`. */
function spokenNames(model: string): string[] {
  const listed = priceList.find(({ id, aliases }) => id === model || aliases.includes(model));
  return listed ? [model, listed.id, ...listed.aliases, `${listed.id}-20260101`] : [model];
}

function attemptsOf(request: HoldRequest, how: Course): Attempt[] {
  const asked = [request.model, ...request.fallbacks.models];
  const count = 1 + Math.round((asked.length - 1) * how.attempts);
  let written = 0;
  return asked.slice(0, count).map((model, index) => {
    const { contextTokens, maxOutputTokens } = limitsOf(model);
    const possible = Math.min(contextTokens, possiblePrompt(request, model) + written);
    const prompt = Math.floor(possible * (how.prompts[index] ?? 1));
    const own = index === 0 ? null : request.fallbacks.maxTokens;
    const maxTokens = own ?? request.maxTokens ?? maxOutputTokens;
    const output = Math.floor(Math.min(maxTokens, maxOutputTokens) * (how.outputs[index] ?? 1));
    written += output;
    const spoken = spokenNames(model);
    return {
      model: spoken[how.naming % spoken.length] ?? model,
      usage: {
        ...splitPrompt(request, how, prompt, how.kinds[index] ?? "input"),
        output_tokens: output,
      },
    };
  });
}

function splitPrompt(
  { markers }: HoldRequest,
  { hasSplit }: Course,
  prompt: number,
  kind: string,
): Record<string, unknown> {
  const mayWrite5m = markers.hasCacheControl5m;
  const mayWrite1h = markers.hasCacheControl1h;
  const third = Math.floor(prompt / 3);
  const read = kind === "read" ? prompt : kind === "mixed" ? third : 0;
  const write1h = !mayWrite1h ? 0 : kind === "1h" ? prompt : kind === "mixed" ? third : 0;
  const write5m = !mayWrite5m ? 0 : kind === "5m" ? prompt : kind === "mixed" ? third : 0;
  const split = { ephemeral_5m_input_tokens: write5m, ephemeral_1h_input_tokens: write1h };
  return {
    input_tokens: prompt - read - write1h - write5m,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: write5m + write1h,
    ...(hasSplit ? { cache_creation: split } : {}),
  };
}

function sumOf(attempts: Attempt[]): Record<string, unknown> {
  const add = (field: string) =>
    attempts.reduce((sum, { usage }) => sum + Number(usage[field] ?? 0), 0);
  return Object.fromEntries(
    ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"].map(
      (field) => [field, add(field)],
    ),
  );
}

/** Usage that the API could send for the request, read like the gateway reads it. */
function possibleUsage(request: HoldRequest, how: Course): BilledUsage {
  const attempts = attemptsOf(request, how);
  const last = attempts.at(-1);
  const total = how.told === "last" && last ? last.usage : sumOf(attempts);
  const asksFast = request.speed === "fast" || request.fallbacks.hasFastSpeed;
  const asked = [request.model, ...request.fallbacks.models];
  const isNeverFast = asked.every((model) => /opus-4-[67]/.test(model));
  const usage = {
    ...(attempts.length === 1 && last ? last.usage : total),
    iterations:
      how.told === "no iterations"
        ? null
        : attempts.map(({ model, usage: own }, index) => ({
            type: index === 0 ? "message" : "fallback_message",
            model,
            ...own,
          })),
    service_tier: how.tier,
    inference_geo: request.inferenceGeo === "global" ? "global" : how.geo,
    speed: asksFast && how.isFast && !isNeverFast ? "fast" : "standard",
  };
  const billed = readMessageUsage({ model: last?.model ?? request.model, usage });
  if (!billed) throw new Error("the usage was not read");
  return billed;
}

describe("for any usage that the API could bill for a closed request", () => {
  test("the cost is at most the worst case, and the usage is not doubtful", () => {
    let closest = 0;
    fc.assert(
      fc.property(closedRequest, priceBook, course, (request, prices, how) => {
        const worstCase = computeWorstCost(request, prices, atMs);
        const usage = possibleUsage(request, how);
        const priced = priceUsage({ book: prices, usage, atMs });
        const cost = priced.cost.total;
        expect(worstCase.kind).toBe("closed");
        expect(cost <= worstCase.nanoUsd).toBe(true);
        const isRefusal = promptTokens(usage.total) === 0;
        for (const isHeld of [true, false]) {
          const limits = findUsageLimits(worstCase, { model: request.model, isHeld });
          expect(findDoubt({ usage, limits, priced, isFinal: true, isRefusal })).toBeNull();
        }
        if (worstCase.nanoUsd > 0n) {
          closest = Math.max(closest, Number(cost) / Number(worstCase.nanoUsd));
        }
      }),
      { numRuns: 10_000 },
    );
    // The bound is tight: some course of events comes close to it.
    expect(closest).toBeGreaterThan(0.99);
  });

  test("the bound includes a stream cut right after message_start, for any max_tokens", () => {
    for (const maxTokens of [0, 1, 8]) {
      const { nanoUsd } = worst({ maxTokens, bodyBytes: 100 });
      const usage = readMessageUsage({
        model: "claude-sonnet-5",
        usage: { input_tokens: 100 + 600, output_tokens: 8, inference_geo: "us" },
      });
      expect(usage && priceUsage({ book, usage, atMs }).cost.total <= nanoUsd).toBe(true);
    }
  });
});

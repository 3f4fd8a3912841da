import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { explainWorstCase } from "#src/gateway/explain-worst-case.rule.ts";
import { priceUsage } from "./cost.ts";
import { findDoubt, findUsageLimits } from "./doubtful-usage.ts";
import type { HoldRequest } from "./hold-request.ts";
import { limitsOf } from "./model-limits.ts";
import { MAX_NANO_USD } from "./money.ts";
import { makePriceBook, type PriceOverride } from "./price-book.ts";
import { priceList } from "./price-list.ts";
import { msFromIsoDate } from "./spend-period.ts";
import type { BilledUsage } from "./usage.ts";
import { promptTokens, readMessageUsage } from "./usage-fields.ts";
import {
  computeWorstCost,
  holdUnderLimit,
  tightenWorstCase,
  type WorstCase,
  type WorstCaseOptions,
} from "./worst-case.ts";

const book = makePriceBook([]);
const atMs = msFromIsoDate("2026-11-24");

type Changes = Partial<Omit<HoldRequest, "markers" | "fallbacks">> & {
  markers?: Partial<HoldRequest["markers"]>;
  fallbacks?: Partial<HoldRequest["fallbacks"]>;
};

function requestOf({ markers, fallbacks, ...changes }: Changes): HoldRequest {
  return {
    model: "claude-sonnet-5",
    maxTokens: 1024,
    speed: null,
    inferenceGeo: null,
    bodyBytes: 1000,
    toolCount: 0,
    builtInToolCount: 0,
    toolsetCount: 0,
    largestToolBytes: 0,
    repeatedToolCount: 0,
    outsidePromptBytes: 0,
    imageCount: 0,
    imageDataBytes: 0,
    citedBytes: 0,
    serverTools: [],
    ...changes,
    fallbacks: {
      models: [],
      maxTokens: null,
      hasFastSpeed: false,
      hasUnknownModel: false,
      ...fallbacks,
    },
    markers: {
      hasCacheControl5m: false,
      hasCacheControl1h: false,
      hasUnknownTools: false,
      hasMcpServers: false,
      hasContainer: false,
      hasSkills: false,
      hasThread: false,
      hasCompaction: false,
      hasOpaqueSource: false,
      hasUrlSource: false,
      hasFileIds: false,
      unknownFields: [],
      ...markers,
    },
  };
}

function worst(changes: Changes, options?: WorstCaseOptions): WorstCase {
  return computeWorstCost(requestOf(changes), book, atMs, options);
}

interface GoldenRow {
  name: string;
  request: Changes;
  options?: WorstCaseOptions;
  expected: { kind: string; nanoUsd: string };
}

// Computed by separate code from the published prices, with exact fractions.
const golden: GoldenRow[] = JSON.parse(
  readFileSync(new URL("./worst-case.golden.json", import.meta.url), "utf8"),
);

describe("the worst case, to the nano-dollar", () => {
  test.each(golden)("$name", ({ request, options, expected }) => {
    const { kind, nanoUsd } = worst(request, options);
    expect({ kind, nanoUsd: nanoUsd.toString() }).toEqual(expected);
  });

  test("claude-sonnet-5 with max_tokens 32,000 and a prompt of 20 KB", () => {
    const asked = { model: "claude-sonnet-5", maxTokens: 32_000, bodyBytes: 20_480 } as const;
    // 32,000 × $10/M = $0.32, and 20,480 bytes and 2,048 tokens of frame × $2/M = $0.045056. The US price is 1.1 times that.
    expect(worst({ ...asked, inferenceGeo: "global" })).toMatchObject({
      kind: "closed",
      nanoUsd: 365_056_000n,
    });
    expect(worst(asked).nanoUsd).toBe(401_561_600n);
  });

  test("an amount beyond an int8 becomes the largest one, so that no limit can hold it", () => {
    const prices = { input: 10n ** 13n, cacheWrite5m: 0n, cacheWrite1h: 0n, cacheRead: 0n };
    const override = { model: "m", effectiveFromMs: 0, prices: { ...prices, output: 10n ** 13n } };
    const request = requestOf({ model: "m", fallbacks: { models: Array(2_000_000).fill("m") } });
    expect(computeWorstCost(request, makePriceBook([override]), atMs).nanoUsd).toBe(MAX_NANO_USD);
  });
});

// Usage that the API could bill according to its pages, independent of the constants of the bound.
const names = [...priceList.flatMap((model) => [model.id, ...model.aliases]), "claude-unheard-of"];
const name = fc.constantFrom(...names);
const share = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
);
const bytes = fc.oneof(
  fc.integer({ min: 0, max: 20_000 }),
  fc.integer({ min: 0, max: 300_000 }),
  fc.constantFrom(97_000, 100_000, 197_000, 200_000, 1_000_000, 32_000_000),
);

const closedRequest = fc
  .record({
    model: name,
    maxTokens: fc.option(
      fc.oneof(fc.integer({ min: 0, max: 64 }), fc.integer({ min: 0, max: 300_000 })),
    ),
    speed: fc.constantFrom(null, null, "standard", "fast"),
    inferenceGeo: fc.constantFrom(null, null, "global", "us"),
    textBytes: bytes,
    imageCount: fc.constantFrom(0, 0, 1, 20, 600),
    imageDataBytes: fc.integer({ min: 0, max: 1_000_000 }),
    toolCount: fc.constantFrom(0, 1, 40),
    builtInToolCount: fc.constantFrom(0, 1, 3),
    toolsetCount: fc.constantFrom(0, 1),
    largestToolBytes: fc.constantFrom(0, 200, 20_000),
    repeatedToolCount: fc.constantFrom(0, 0, 1, 30),
    outsidePromptBytes: fc.constantFrom(0, 0, 100_000),
    isCited: fc.boolean(),
    fallbacks: fc.record({
      models: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(name, { maxLength: 3 }) },
        { weight: 1, arbitrary: fc.array(name, { maxLength: 12 }) },
      ),
      maxTokens: fc.option(fc.integer({ min: 0, max: 128_000 })),
      hasFastSpeed: fc.boolean(),
    }),
    markers: fc.record({
      hasCacheControl5m: fc.boolean(),
      hasCacheControl1h: fc.boolean(),
      hasOpaqueSource: fc.constantFrom(false, false, false, true),
    }),
  })
  .map(({ textBytes, isCited, ...changes }) => {
    const fallbacks = changes.fallbacks.models.length === 0 ? {} : changes.fallbacks;
    return requestOf({
      ...changes,
      fallbacks,
      bodyBytes: textBytes + changes.imageDataBytes + changes.outsidePromptBytes,
      citedBytes: isCited ? textBytes : 0,
    });
  });

const price = fc.bigInt({ min: 0n, max: 200_000_000_000n });
const priceOverride = fc.record<PriceOverride>({
  model: fc.oneof(
    name,
    name.map((base) => `${base}-20260101`),
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

describe("properties of the worst case", () => {
  test("a larger count never costs less", () => {
    const more = fc.record({
      bodyBytes: fc.nat(2_000_000),
      imageCount: fc.nat(50),
      citedBytes: fc.nat(50_000),
      toolCount: fc.nat(5),
      builtInToolCount: fc.nat(5),
      toolsetCount: fc.nat(2),
      maxTokens: fc.nat(100_000),
      fallback: fc.option(name),
      markers: fc.record({
        hasCacheControl5m: fc.boolean(),
        hasCacheControl1h: fc.boolean(),
        hasOpaqueSource: fc.boolean(),
        hasMcpServers: fc.boolean(),
        hasCompaction: fc.boolean(),
        hasUnknownTools: fc.boolean(),
      }),
    });
    fc.assert(
      fc.property(closedRequest, more, (request, added) => {
        const larger: HoldRequest = {
          ...request,
          bodyBytes: request.bodyBytes + added.bodyBytes,
          imageCount: request.imageCount + added.imageCount,
          citedBytes: request.citedBytes + added.citedBytes,
          toolCount: request.toolCount + added.toolCount,
          builtInToolCount: request.builtInToolCount + added.builtInToolCount,
          toolsetCount: request.toolsetCount + added.toolsetCount,
          maxTokens: request.maxTokens === null ? null : request.maxTokens + added.maxTokens,
          fallbacks: {
            ...request.fallbacks,
            models: [...request.fallbacks.models, ...(added.fallback ? [added.fallback] : [])],
          },
          markers: {
            ...request.markers,
            ...Object.fromEntries(Object.entries(added.markers).filter(([, isSet]) => isSet)),
          },
        };
        const before = computeWorstCost(request, book, atMs).nanoUsd;
        expect(computeWorstCost(larger, book, atMs).nanoUsd >= before).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("a model without a price has at least the hold of any listed model", () => {
    fc.assert(
      fc.property(closedRequest, (request) => {
        const unheard = { ...request, model: "claude-unheard-of" };
        const bound = computeWorstCost(unheard, book, atMs).nanoUsd;
        expect(bound >= computeWorstCost(request, book, atMs).nanoUsd).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("a listed cache read never costs more than plain input", () => {
    for (const model of priceList) {
      for (const { standard, longPrompt, fast } of model.periods) {
        for (const prices of [standard, longPrompt?.prices, fast]) {
          if (prices) expect(prices.cacheRead <= prices.input).toBe(true);
        }
      }
    }
  });

  test("includes an override with expensive cache reads", () => {
    const prices = { input: 1n, cacheWrite5m: 1n, cacheWrite1h: 1n, cacheRead: 9_000_000n };
    const dear = {
      model: "claude-sonnet-5",
      effectiveFromMs: 0,
      prices: { ...prices, output: 1n },
    };
    const { drivers } = computeWorstCost(requestOf({}), makePriceBook([dear]), atMs);
    expect(drivers.inputRate).toMatchObject({ kind: "cacheRead", nanoUsdPerMillion: 9_000_000n });
  });

  test("includes an override of a name that the response may have, but not one that starts later", () => {
    const prices = { input: 7_000_000_000_000n, cacheWrite5m: 0n, cacheWrite1h: 0n, cacheRead: 0n };
    const override = (model: string, effectiveFromMs = 0) =>
      makePriceBook([{ model, effectiveFromMs, prices: { ...prices, output: 1n } }]);
    const inputOf = (book: ReturnType<typeof override>, model: string) =>
      computeWorstCost(requestOf({ model }), book, atMs).drivers.inputRate.nanoUsdPerMillion;
    expect(inputOf(override("claude-opus-4-5-20251101"), "claude-opus-4-5")).toBe(prices.input);
    expect(inputOf(override("claude-sonnet-5-20260630"), "claude-sonnet-5")).toBe(prices.input);
    expect(inputOf(override("my-model-20260630"), "my-model")).toBe(prices.input);
    expect(inputOf(override("claude-sonnet-5", atMs + 1), "claude-sonnet-5")).toBe(2_000_000_000n);
  });

  test("assumes the US price unless the request or the upstream's workspace is global", () => {
    const geoOf = (inferenceGeo: string | null, options?: WorstCaseOptions) =>
      worst({ inferenceGeo }, options).drivers.geo;
    expect(geoOf("us")).toBe("asked");
    expect(geoOf("eu")).toBe("asked");
    expect(geoOf("us", { defaultInferenceGeo: "global" })).toBe("asked");
    expect(geoOf("global")).toBe("none");
    expect(geoOf(null, { defaultInferenceGeo: "global" })).toBe("none");
    expect(geoOf(null, { defaultInferenceGeo: "us" })).toBe("workspace_default");
    expect(geoOf(null)).toBe("workspace_default");
  });

  test("uses limits that the upstream reports", () => {
    const limits = new Map([
      ["claude-unheard-of", { contextTokens: 10_000, maxOutputTokens: 500 }],
    ]);
    const request = { model: "claude-unheard-of", maxTokens: null, bodyBytes: 50_000 };
    expect(worst(request, { limits }).drivers).toMatchObject({
      inputTokens: 10_000,
      inputBasis: "window",
      outputTokens: 500,
      outputBasis: "model",
    });
  });
});

describe("open-ended requests", () => {
  test.each<[string, Changes]>([
    ["a field that is not known", { markers: { unknownFields: ["effort"] } }],
    ["a tool that is not known", { markers: { hasUnknownTools: true } }],
    ["MCP servers", { markers: { hasMcpServers: true } }],
    ["compaction", { markers: { hasCompaction: true } }],
    ["a thread", { markers: { hasThread: true } }],
    ["fallbacks without names", { fallbacks: { hasUnknownModel: true } }],
    ["web search", { serverTools: [{ type: "web_search_20250305", maxUses: 1, model: null }] }],
  ])("%s", (_, changes) => {
    const worstCase = worst(changes);
    expect(worstCase.kind).toBe("open_ended");
    expect(worstCase.nanoUsd > worst({}).nanoUsd).toBe(true);
  });

  test("distinguishes hourly billing, with the possible cost of tokens", () => {
    const serverTools = [{ type: "code_execution_20250825", maxUses: null, model: null }];
    expect(worst({ serverTools })).toMatchObject({ kind: "refused", reason: "code_execution" });
    expect(worst({ markers: { hasContainer: true } })).toMatchObject({
      kind: "refused",
      reason: "container",
    });
  });

  test("a limit holds the bound of a closed request, its own amount for an open one, nothing for hourly billing", () => {
    const closed = worst({});
    const open = worst({ markers: { hasMcpServers: true } });
    expect(holdUnderLimit(closed, 1n)).toBe(closed.nanoUsd);
    expect(holdUnderLimit(open, null)).toBe(open.nanoUsd);
    expect(holdUnderLimit(open, 1n)).toBe(1n);
    expect(holdUnderLimit(open, open.nanoUsd + 1n)).toBe(open.nanoUsd);
    expect(holdUnderLimit(worst({ markers: { hasSkills: true } }), 1n)).toBeNull();
  });
});

describe("count_tokens", () => {
  const large = requestOf({ bodyBytes: 400_000, inferenceGeo: "global" });
  const tighten = (request: HoldRequest, countedTokens: number) =>
    tightenWorstCase({ request, book, atMs, countedTokens });

  test("lowers the bound to the count and its margin", () => {
    // 100,000 and a twentieth × $2/M, and 1,024 × $10/M.
    expect(tighten(large, 100_000)).toMatchObject({ kind: "closed", nanoUsd: 220_240_000n });
    // 10 and 1,024.
    expect(tighten(large, 10)).toMatchObject({ kind: "closed", nanoUsd: 12_308_000n });
  });

  test("can reach a lower band", () => {
    const haiku = { ...large, model: "claude-haiku-5-5" };
    expect(computeWorstCost(haiku, book, atMs).drivers.inputRate.band).toBe("long_prompt");
    expect(tighten(haiku, 90_000).drivers.inputRate.band).toBe("standard");
    expect(tighten(haiku, 99_000).drivers.inputRate.band).toBe("long_prompt");
  });

  test("never raises it", () => {
    fc.assert(
      fc.property(closedRequest, fc.nat(2_000_000), (request, counted) => {
        const before = computeWorstCost(request, book, atMs).nanoUsd;
        expect(tighten(request, counted).nanoUsd <= before).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test.each<[string, Changes]>([
    ["a source by URL", { markers: { hasOpaqueSource: true, hasUrlSource: true } }],
    ["fallbacks", { fallbacks: { models: ["claude-opus-5"] } }],
    ["server tools", { serverTools: [{ type: "web_fetch_20250910", maxUses: 1, model: null }] }],
  ])("does not lower %s", (_, changes) => {
    const request = requestOf({ ...changes, bodyBytes: 400_000 });
    expect(tighten(request, 10)).toEqual(computeWorstCost(request, book, atMs));
  });

  test("a PDF and a file are counted", () => {
    const request = requestOf({ markers: { hasOpaqueSource: true, hasFileIds: true } });
    expect(tighten(request, 5_000).drivers.inputBasis).toBe("counted");
  });

  test.each([Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY])("ignores a count of %s", (counted) => {
    expect(tighten(large, counted)).toEqual(computeWorstCost(large, book, atMs));
  });
});

describe("the explanation", () => {
  test.each<[Changes, string]>([
    [
      { maxTokens: 32_000, bodyBytes: 20_480, inferenceGeo: "global" },
      "The request can cost up to $0.3651: max_tokens 32,000 × $10/M = $0.32; an input of at most 22,528 tokens by its bytes and images × $2/M = $0.0451.",
    ],
    [
      { maxTokens: 32_000, bodyBytes: 20_480 },
      'The request can cost up to $0.4016: max_tokens 32,000 × $10/M × 1.1 = $0.352; an input of at most 22,528 tokens by its bytes and images × $2/M × 1.1 = $0.0496. inference_geo is not set, so the price of inference in the US is assumed; "global" avoids it.',
    ],
    [
      { markers: { hasOpaqueSource: true, hasUrlSource: true }, inferenceGeo: "global" },
      "The request can cost up to $2.0103: a source by URL, which counts as the whole context window, 1,000,000 tokens × $2/M = $2.00; max_tokens 1,024 × $10/M = $0.0103.",
    ],
    [
      {
        serverTools: [{ type: "web_search_20250305", maxUses: 3, model: null }],
        inferenceGeo: "global",
      },
      "The request can cost up to $13.15: the whole context window, 4,000,000 tokens, in 4 calls × $2/M = $8.00; 4 calls × the model's maximum output of 128,000 tokens × $10/M = $5.12; web searches = $0.03. web_search_20250305 may bill the prompt again with each use; max_uses is 3.",
    ],
    [
      { model: "claude-new", markers: { hasCacheControl1h: true }, inferenceGeo: "global" },
      "The request can cost up to $0.1683: an input of at most 3,048 tokens by its bytes and images × $30/M (1h cache write, the highest rate of all models) = $0.0915; max_tokens 1,024 × $75/M (the highest rate of all models) = $0.0768.",
    ],
  ])("%j", (changes, text) => {
    expect(explainWorstCase(worst(changes))).toBe(text);
  });

  test("lists unknown fields, unless they are not plain words", () => {
    const text = explainWorstCase(worst({ markers: { unknownFields: ["effort", "a b<c>"] } }));
    expect(text).toContain("(effort, (field))");
    expect(text).not.toContain("<c>");
  });

  test.each<[string, string]>([
    ["web_search_20250305", " with each use; max_uses would bound that."],
    ["web_fetch_20250910", " with each use; max_uses would bound that."],
    ["advisor_20260301", " with each use; max_uses would bound that."],
    ["tool_search_tool_regex_20251119", " with each use."],
    ["code_execution_20250825", " with each use. Code execution is billed"],
  ])("recommends max_uses only for a tool that supports it: %s", (type, words) => {
    const text = explainWorstCase(worst({ serverTools: [{ type, maxUses: null, model: null }] }));
    expect(text).toContain(`${type} may bill the prompt again${words}`);
    expect(text.includes("max_uses")).toBe(words.includes("max_uses"));
  });

  test("mentions hourly billing", () => {
    expect(explainWorstCase(worst({ markers: { hasContainer: true } }))).toContain(
      "A container is billed by the hour, which nothing in the request bounds.",
    );
  });
});

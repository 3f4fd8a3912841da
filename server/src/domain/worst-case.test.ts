import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  atMs,
  book,
  closedRequest,
  type HoldRequestChanges,
  modelName,
  requestOf,
  unknownPart,
  worst,
} from "#test/harness/hold-requests.ts";
import type { HoldRequest } from "./hold-request.ts";
import { MAX_NANO_USD } from "./money.ts";
import { makePriceBook } from "./price-book.ts";
import { priceList } from "./price-list.ts";
import {
  computeWorstCost,
  holdUnderLimit,
  tightenWorstCase,
  type WorstCaseOptions,
} from "./worst-case.ts";

interface GoldenRow {
  name: string;
  request: HoldRequestChanges;
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
      fallback: fc.option(modelName),
      markers: fc.record({
        hasCacheControl5m: fc.boolean(),
        hasCacheControl1h: fc.boolean(),
        hasOpaqueSource: fc.boolean(),
        hasMcpServers: fc.boolean(),
        hasCompaction: fc.boolean(),
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
  test.each<[string, HoldRequestChanges]>([
    ["a part that is not known", { unknownParts: [unknownPart] }],
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

  test.each<[string, HoldRequestChanges]>([
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

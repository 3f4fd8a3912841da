import fc from "fast-check";
import { EMPTY_REQUEST, type HoldRequest, type UnknownPart } from "#src/domain/hold-request.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { priceList } from "#src/domain/price-list.ts";
import { msFromIsoDate } from "#src/domain/spend-period.ts";
import { computeWorstCost, type WorstCase, type WorstCaseOptions } from "#src/domain/worst-case.ts";

// Requests and their worst cases at the listed prices.

export const book = makePriceBook([]);
export const atMs = msFromIsoDate("2026-11-24");

/** Facts of a request that differ from those of a small one. */
export type HoldRequestChanges = Partial<Omit<HoldRequest, "markers" | "fallbacks">> & {
  markers?: Partial<HoldRequest["markers"]>;
  fallbacks?: Partial<HoldRequest["fallbacks"]>;
};

export const unknownPart: UnknownPart = { kind: "field", name: "x", count: 1, bytes: 0 };

export function requestOf({ markers, fallbacks, ...changes }: HoldRequestChanges): HoldRequest {
  return {
    ...EMPTY_REQUEST,
    model: "claude-sonnet-5",
    maxTokens: 1024,
    bodyBytes: 1000,
    ...changes,
    fallbacks: { ...EMPTY_REQUEST.fallbacks, ...fallbacks },
    markers: { ...EMPTY_REQUEST.markers, ...markers },
  };
}

export function worst(changes: HoldRequestChanges, options?: WorstCaseOptions): WorstCase {
  return computeWorstCost(requestOf(changes), book, atMs, options);
}

const names = [...priceList.flatMap((model) => [model.id, ...model.aliases]), "claude-unheard-of"];
/** Name of a model: listed, an alias, or unknown. */
export const modelName = fc.constantFrom(...names);
const bytes = fc.oneof(
  fc.integer({ min: 0, max: 20_000 }),
  fc.integer({ min: 0, max: 300_000 }),
  fc.constantFrom(97_000, 100_000, 197_000, 200_000, 1_000_000, 32_000_000),
);

/** A request whose cost has a bound. */
export const closedRequest = fc
  .record({
    model: modelName,
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
        { weight: 1, arbitrary: fc.array(modelName, { maxLength: 3 }) },
        { weight: 1, arbitrary: fc.array(modelName, { maxLength: 12 }) },
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

import { findListedModel } from "./price-book.ts";

// Maximum input and output of models, as of 2026-11-24. The numbers bound the worst case of a request. Each is exact,
// or at least as large as the true one where a comment says so. Sources are official pages, in copies of October and
// November 2026. Model overview pages: context window and maximum output. The page on vision: tokens of an image. Pages
// on context windows and extended output: beta headers. The page on fast mode: `fastMode`. Retired models: their pages
// at retirement. Geo pricing is in the price list, `isGeoPriced`. A batch header that raises the output to 300k is not
// included.

/**
 * Effect of `speed: "fast"`.
 * - priced: the response may be fast, at the listed fast price.
 * - standard: accepted without effect.
 * - refused: an error without cost.
 * - unknown: the response may be fast, at an unpublished price.
 */
type FastMode = "priced" | "standard" | "refused" | "unknown";

export interface ModelLimits {
  contextTokens: number;
  /** Maximum of one response, including thinking. */
  maxOutputTokens: number;
  /** Maximum of one image, because the API scales larger ones down. */
  imageTokens: number;
  fastMode: FastMode;
}

interface ListedLimits extends ModelLimits {
  /** Values with a beta header. The header is not read, so a smaller number from /v1/models is ignored. */
  betaContextTokens?: number;
  betaOutputTokens?: number;
}

/** `max_input_tokens` and `max_tokens` of a model in the upstream's `/v1/models`. Null: not reported. */
export interface ReportedLimits {
  contextTokens: number | null;
  maxOutputTokens: number | null;
}

/** Limits of an unlisted, new model. Its images count twice the tokens of the largest known tier. */
export const UNKNOWN_MODEL_LIMITS: ModelLimits = {
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
  imageTokens: 10_000,
  fastMode: "unknown",
};

/** Long edge 1,568 px and about 1.15 megapixels: "about 1,600 tokens". */
const STANDARD_IMAGE = 1_600;
/** Long edge 2,576 px: 4,784 tokens. Opus from 4.7 on, and models of the fifth generation. */
const LARGE_IMAGE = 4_784;

/** From the overview pages: 1M context, 128k output, images of the large tier. */
const current: ListedLimits = {
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
  imageTokens: LARGE_IMAGE,
  fastMode: "unknown",
};

function makeOlderLimits(contextTokens: number, maxOutputTokens: number): ListedLimits {
  return { contextTokens, maxOutputTokens, imageTokens: STANDARD_IMAGE, fastMode: "unknown" };
}

const limitsById: ReadonlyMap<string, ListedLimits> = new Map([
  ["claude-fable-5-2", current],
  ["claude-mythos-5-2", current],
  // Not on the public pages. The numbers of its successors are a bound.
  ["claude-mythos-preview", current],
  ["claude-fable-5-1", current],
  ["claude-mythos-5-1", current],
  ["claude-fable-5", current],
  ["claude-mythos-5", current],
  ["claude-opus-5-5", current],
  ["claude-opus-5", { ...current, fastMode: "priced" }],
  ["claude-opus-4-8", { ...current, fastMode: "priced" }],
  ["claude-opus-4-7", { ...current, fastMode: "refused" }],
  ["claude-opus-4-6", { ...makeOlderLimits(1_000_000, 128_000), fastMode: "standard" }],
  ["claude-opus-4-5", makeOlderLimits(200_000, 64_000)],
  ["claude-opus-4-1", makeOlderLimits(200_000, 32_000)],
  ["claude-sonnet-5-5", current],
  // The page does not state the image tier. The large one is a bound. The same applies to Haiku 5.5.
  ["claude-sonnet-5", current],
  // Pages of different dates state 64k and 128k output. The larger one is a bound.
  ["claude-sonnet-4-6", makeOlderLimits(1_000_000, 128_000)],
  // 200k, and 1M with the header context-1m-2025-08-07.
  ["claude-sonnet-4-5", { ...makeOlderLimits(1_000_000, 64_000), betaContextTokens: 1_000_000 }],
  ["claude-sonnet-4", { ...makeOlderLimits(1_000_000, 64_000), betaContextTokens: 1_000_000 }],
  ["claude-haiku-5-5", current],
  ["claude-haiku-4-5", makeOlderLimits(200_000, 64_000)],
  ["claude-opus-4", makeOlderLimits(200_000, 32_000)],
  // 64k, and 128k with the header output-128k-2025-02-19.
  ["claude-3-7-sonnet", { ...makeOlderLimits(200_000, 128_000), betaOutputTokens: 128_000 }],
  ["claude-3-5-sonnet", makeOlderLimits(200_000, 8_192)],
  ["claude-3-opus", makeOlderLimits(200_000, 4_096)],
  ["claude-3-haiku", makeOlderLimits(200_000, 4_096)],
  ["claude-haiku-3-5", makeOlderLimits(200_000, 8_192)],
]);

/**
 * Returns the limits of a model, by any of its names. `reported` is the latest content of the upstream's `/v1/models`,
 * by id. Its context window and maximum output have priority over the table, higher or lower, but never below the limit
 * that a beta header allows. If it has a model under several names, the largest numbers apply.
 */
export function limitsOf(
  model: string,
  reported?: ReadonlyMap<string, ReportedLimits>,
): ModelLimits {
  const listed = findListedModel(model);
  const shipped: ListedLimits = (listed && limitsById.get(listed.id)) ?? UNKNOWN_MODEL_LIMITS;
  if (reported === undefined || reported.size === 0) return shipped;
  const names = listed ? [model, listed.id, ...listed.aliases] : [model];
  const said = names.map((name) => reported.get(name)).filter((limits) => limits !== undefined);
  const context = findLargest(said.map((limits) => limits.contextTokens));
  const output = findLargest(said.map((limits) => limits.maxOutputTokens));
  return {
    ...shipped,
    contextTokens: Math.max(context ?? shipped.contextTokens, shipped.betaContextTokens ?? 0),
    maxOutputTokens: Math.max(output ?? shipped.maxOutputTokens, shipped.betaOutputTokens ?? 0),
  };
}

/** Ignores counts that are no positive integers. */
function findLargest(counts: readonly (number | null)[]): number | null {
  const valid = counts.filter(
    (count) => count !== null && Number.isSafeInteger(count) && count > 0,
  );
  return valid.length === 0 ? null : Math.max(...valid.map((count) => count ?? 0));
}

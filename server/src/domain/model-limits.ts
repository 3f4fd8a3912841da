import { listedModel } from "./price-book.ts";

// What a model can take and give at most, as data of 2026-11-24. It bounds the worst case of a request, so each number
// is either known or, where a comment says so, a bound: at least as large as the true one. Sources, in copies of October
// and November 2026: the official model overview pages (context window, maximum output), the pages on vision (tokens of an
// image), on context windows and extended output (what a beta header raises) and on fast mode; for retired models their
// pages at retirement. Geo pricing stands in the price list, `isGeoPriced`. Batches can raise the output to 300k with a
// header of their own: no part of this table.

/**
 * What `speed: "fast"` does. priced: the answer may be fast, at the list's fast price. standard: it is taken and does
 * nothing. refused: an error, which costs nothing. unknown: it may be fast at a price that is not published.
 */
type FastMode = "priced" | "standard" | "refused" | "unknown";

export interface ModelLimits {
  contextTokens: number;
  /** Of one answer, thinking included. */
  maxOutputTokens: number;
  /** Of one image: the API scales a larger one down. */
  imageTokens: number;
  fastMode: FastMode;
}

interface ListedLimits extends ModelLimits {
  /** What a beta header raises the two to. The header is not read, so a smaller number reported by /v1/models is void. */
  betaContextTokens?: number;
  betaOutputTokens?: number;
}

/** `max_input_tokens` and `max_tokens` of one model of the upstream's `/v1/models`; null where it names none. */
export interface ReportedLimits {
  contextTokens: number | null;
  maxOutputTokens: number | null;
}

/** A model that came out this morning. Its images get twice the tokens of the largest tier that is known. */
export const UNKNOWN_MODEL_LIMITS: ModelLimits = {
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
  imageTokens: 10_000,
  fastMode: "unknown",
};

/** Long edge 1,568 px and about 1.15 megapixels: "about 1,600 tokens". */
const STANDARD_IMAGE = 1_600;
/** Long edge 2,576 px: 4,784 tokens. Opus from 4.7 on, and the models of the fifth generation. */
const LARGE_IMAGE = 4_784;

/** Overview pages: 1M context, 128k output, images of the large tier. */
const current: ListedLimits = {
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
  imageTokens: LARGE_IMAGE,
  fastMode: "unknown",
};

function older(contextTokens: number, maxOutputTokens: number): ListedLimits {
  return { contextTokens, maxOutputTokens, imageTokens: STANDARD_IMAGE, fastMode: "unknown" };
}

const limitsById: ReadonlyMap<string, ListedLimits> = new Map([
  ["claude-fable-5-2", current],
  ["claude-mythos-5-2", current],
  // Not on the public pages: the numbers of its successors, as a bound.
  ["claude-mythos-preview", current],
  ["claude-fable-5-1", current],
  ["claude-mythos-5-1", current],
  ["claude-fable-5", current],
  ["claude-mythos-5", current],
  ["claude-opus-5-5", current],
  ["claude-opus-5", { ...current, fastMode: "priced" }],
  ["claude-opus-4-8", { ...current, fastMode: "priced" }],
  ["claude-opus-4-7", { ...current, fastMode: "refused" }],
  ["claude-opus-4-6", { ...older(1_000_000, 128_000), fastMode: "standard" }],
  ["claude-opus-4-5", older(200_000, 64_000)],
  ["claude-opus-4-1", older(200_000, 32_000)],
  ["claude-sonnet-5-5", current],
  // The image tier is not on its page: the large one, as a bound. So for Haiku 5.5.
  ["claude-sonnet-5", current],
  // Pages of different age say 64k and 128k output: the larger one, as a bound.
  ["claude-sonnet-4-6", older(1_000_000, 128_000)],
  // 200k, and 1M with the header context-1m-2025-08-07.
  ["claude-sonnet-4-5", { ...older(1_000_000, 64_000), betaContextTokens: 1_000_000 }],
  ["claude-sonnet-4", { ...older(1_000_000, 64_000), betaContextTokens: 1_000_000 }],
  ["claude-haiku-5-5", current],
  ["claude-haiku-4-5", older(200_000, 64_000)],
  ["claude-opus-4", older(200_000, 32_000)],
  // 64k, and 128k with the header output-128k-2025-02-19.
  ["claude-3-7-sonnet", { ...older(200_000, 128_000), betaOutputTokens: 128_000 }],
  ["claude-3-5-sonnet", older(200_000, 8_192)],
  ["claude-3-opus", older(200_000, 4_096)],
  ["claude-3-haiku", older(200_000, 4_096)],
  ["claude-haiku-3-5", older(200_000, 8_192)],
]);

/**
 * Limits of a model, by any of its names. `reported` is what the upstream's `/v1/models` says, by id, as it was last
 * read: it wins over the table in both directions, for the context window and the maximum output, except below what a
 * beta header can raise a model to. Where it knows a model under several names, the largest numbers count.
 */
export function limitsOf(
  model: string,
  reported?: ReadonlyMap<string, ReportedLimits>,
): ModelLimits {
  const listed = listedModel(model);
  const shipped: ListedLimits = (listed && limitsById.get(listed.id)) ?? UNKNOWN_MODEL_LIMITS;
  if (reported === undefined || reported.size === 0) return shipped;
  const names = listed ? [model, listed.id, ...listed.aliases] : [model];
  const said = names.map((name) => reported.get(name)).filter((limits) => limits !== undefined);
  const context = largest(said.map((limits) => limits.contextTokens));
  const output = largest(said.map((limits) => limits.maxOutputTokens));
  return {
    ...shipped,
    contextTokens: Math.max(context ?? shipped.contextTokens, shipped.betaContextTokens ?? 0),
    maxOutputTokens: Math.max(output ?? shipped.maxOutputTokens, shipped.betaOutputTokens ?? 0),
  };
}

/** A count that is no positive integer was not meant as a limit. */
function largest(counts: readonly (number | null)[]): number | null {
  const valid = counts.filter(
    (count) => count !== null && Number.isSafeInteger(count) && count > 0,
  );
  return valid.length === 0 ? null : Math.max(...valid.map((count) => count ?? 0));
}

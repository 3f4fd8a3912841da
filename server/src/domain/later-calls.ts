import { computeHighestCost } from "./exact-cost.ts";
import type { StreamTerms } from "./stream-terms.ts";
import type { Rate } from "./worst-case.ts";

// Highest price of the calls that read results of server tools. Each of them bills its whole prompt. Two courses are possible,
// and the dearer one is the bound:
// - The API caches results, if the request has a cache mark. Each call writes what is new since the call before, and reads the
//   rest. Source: the page on web search, "Prompt caching", a copy of November 2026. The page names no time to live, and five
//   minutes are the default of a mark.
// - The API caches nothing more. Each call reads what `message_start` reported as cached, and the rest has the plain price.
// The first one alone is the bound for a model whose last stream with results took it.

/** Longest prompt that the API does not cache, tokens. Highest of all models. */
const LONGEST_UNCACHED_TOKENS = 4_096;

/** Prompts of the calls after the first one. */
export interface NextPrompts {
  calls: number;
  /** Sum of all prompts. */
  tokens: number;
  /** Prompt of the last call. 0 without a call. */
  lastTokens: number;
}

/** Prompt tokens by their price. */
export interface PricedTokens {
  /** At the highest price of the request, because nothing is known of them. */
  highest: number;
  plain: number;
  read: number;
  written: number;
}

export type StreamRates = Pick<
  StreamTerms,
  "inputRate" | "plainRate" | "readRate" | "writeRate" | "outputRate"
>;

/** Facts about the cache. */
export interface CacheFacts {
  /** Part of the first prompt that its call wrote or read. */
  cachedTokens: number;
  /** The API caches results. False: unknown. */
  cachesResults: boolean;
}

/** Bounds the tokens of the prompts by price. */
export function priceNextPrompts(
  rates: StreamRates,
  next: NextPrompts,
  { cachedTokens, cachesResults }: CacheFacts,
): PricedTokens {
  const cached = priceCached(next, cachedTokens);
  if (cachesResults && cachedTokens > 0) return cached;
  const uncached = priceUncached(next, cachedTokens);
  return costOfPrompts(rates, cached) > costOfPrompts(rates, uncached) ? cached : uncached;
}

/** Most tokens of a call that are neither read nor written, although the API caches results. One recorded stream has two. */
const PLAIN_TOKENS_PER_CALL = 64;

/** Tokens of all calls after the first. */
export interface LaterTokens {
  plain: number;
  written: number;
}

/**
 * True if the later calls of a complete stream wrote their results to the cache. Null: the stream does not show it. Failed
 * searches have so few tokens that only a write shows the cache.
 */
export function findCachedResults(
  { calls }: NextPrompts,
  cachedTokens: number,
  { plain, written }: LaterTokens,
): boolean | null {
  if (calls === 0 || cachedTokens === 0) return null;
  if (plain > calls * PLAIN_TOKENS_PER_CALL) return false;
  return written > 0 ? true : null;
}

function priceUncached({ calls, tokens }: NextPrompts, cachedTokens: number): PricedTokens {
  const read = Math.min(tokens, calls * cachedTokens);
  return { highest: 0, plain: tokens - read, read, written: 0 };
}

function priceCached(
  { calls, tokens, lastTokens }: NextPrompts,
  cachedTokens: number,
): PricedTokens {
  // All that is new in any call is written once, so the last prompt contains all of it.
  const written = Math.max(0, lastTokens - cachedTokens);
  const read = tokens - written;
  // A first prompt without a cached part can be too short, and so can the next ones.
  const plain = cachedTokens > 0 ? 0 : Math.min(read, calls * LONGEST_UNCACHED_TOKENS);
  return { highest: 0, plain, read: read - plain, written };
}

/** Cost of prompt tokens, nano-USD, rounded up. */
export function costOfPrompts(
  { inputRate, plainRate, readRate, writeRate }: StreamRates,
  { highest, plain, read, written }: PricedTokens,
): bigint {
  return (
    costOfTokens(highest, inputRate) +
    costOfTokens(plain, plainRate) +
    costOfTokens(read, readRate) +
    costOfTokens(written, writeRate)
  );
}

export function costOfTokens(tokens: number, rate: Rate): bigint {
  if (tokens === 0) return 0n;
  return computeHighestCost(
    { inputTokens: tokens, outputTokens: 0 },
    { inputRate: rate, outputRate: rate },
  );
}

import type { CostName } from "@bursar/contract/usage-shape.ts";
import { type PricedUsage, STANDARD_WINDOW_TOKENS } from "./cost.ts";
import { DENOMINATOR, TWENTIETHS } from "./exact-cost.ts";
import { formatUsd } from "./money.ts";
import { HIGHEST_RATE } from "./price-book.ts";
import { PRICE_LIST_AS_OF, type TokenPrices, WEB_SEARCH_NANO_USD } from "./price-list.ts";
import { noCost, noTokens, type TokenUsage } from "./usage.ts";
import type { Rate, WorstCase } from "./worst-case.ts";

// The hold of a request as its cost, with the tokens that the hold assumes. For requests with impossible usage.

export interface HoldCost extends Omit<PricedUsage, "model"> {
  usage: TokenUsage;
}

/**
 * Splits a hold over the tokens of its worst case. The parts sum to the hold. A part can be up to one token's price above
 * the exact cost of its tokens. A hold below the worst case has fewer input tokens, and then fewer output tokens.
 */
export function chargeHold(worstCase: WorstCase, holdNanoUsd: bigint): HoldCost {
  const { inputRate, outputRate } = worstCase.drivers;
  const { inputTokens, outputTokens, webSearches } = tokensOfHold(worstCase, holdNanoUsd);
  const webSearch = BigInt(webSearches) * WEB_SEARCH_NANO_USD;
  const output = costOf(outputTokens, outputRate);
  const parts: Partial<Record<CostName, bigint>> =
    inputTokens > 0
      ? { [inputRate.kind]: holdNanoUsd - webSearch - output, output, webSearch }
      : { output: holdNanoUsd - webSearch, webSearch };
  return {
    usage: { ...noTokens, [tokenNames[inputRate.kind]]: inputTokens, outputTokens, webSearches },
    cost: { ...noCost, ...parts, total: holdNanoUsd },
    isUnpriced: outputRate.row === HIGHEST_RATE,
    contextWindow: inputTokens > STANDARD_WINDOW_TOKENS ? "200k-1M" : "0-200k",
    prices: explainHold(worstCase),
  };
}

type HeldTokens = Pick<TokenUsage, "inputTokens" | "outputTokens" | "webSearches">;

/** Returns the tokens of the worst case that fit in the hold. After `count_tokens`, these are the counted ones. */
export function tokensOfHold({ drivers, nanoUsd }: WorstCase, holdNanoUsd: bigint): HeldTokens {
  const { inputRate, outputRate, inputTokens, outputTokens, feesNanoUsd } = drivers;
  const webSearches = Number(smaller(feesNanoUsd, holdNanoUsd) / WEB_SEARCH_NANO_USD);
  if (holdNanoUsd >= nanoUsd) return { inputTokens, outputTokens, webSearches };
  const rest = holdNanoUsd - BigInt(webSearches) * WEB_SEARCH_NANO_USD;
  const heldOutput = Math.min(outputTokens, countAffordable(rest, outputRate));
  const forInput = rest - costOf(heldOutput, outputRate);
  return {
    inputTokens: Math.min(inputTokens, countAffordable(forInput, inputRate)),
    outputTokens: heldOutput,
    webSearches,
  };
}

/** Field of the usage for each kind of price. */
export const tokenNames: Record<keyof TokenPrices, keyof TokenUsage> = {
  input: "inputTokens",
  cacheWrite5m: "cacheWrite5mTokens",
  cacheWrite1h: "cacheWrite1hTokens",
  cacheRead: "cacheReadTokens",
  output: "outputTokens",
};

/** Cost in nano-USD, rounded down. */
function costOf(tokens: number, { nanoUsdPerMillion, twentieths }: Rate): bigint {
  return (BigInt(tokens) * nanoUsdPerMillion * twentieths) / DENOMINATOR;
}

/** Highest number of tokens that cost at most `nanoUsd`. */
function countAffordable(nanoUsd: bigint, { nanoUsdPerMillion, twentieths }: Rate): number {
  const price = nanoUsdPerMillion * twentieths;
  return price === 0n ? Number.MAX_SAFE_INTEGER : Number((nanoUsd * DENOMINATOR) / price);
}

function explainHold({ drivers: { inputRate, outputRate } }: WorstCase): string {
  const rates = [inputRate, outputRate].map(
    ({ kind, row, band, twentieths, nanoUsdPerMillion }) => {
      const multiplier = String(Number(twentieths) / Number(TWENTIETHS));
      return { kind, row, band, multiplier, usd_per_million_tokens: formatUsd(nanoUsdPerMillion) };
    },
  );
  return JSON.stringify({ list: PRICE_LIST_AS_OF, basis: "hold", rates });
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

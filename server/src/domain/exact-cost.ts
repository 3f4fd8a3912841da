import { billedMeasures, type CostName, type MeasureName } from "@bursar/contract/usage-shape.ts";
import { divideHalfEven, splitByLargestRemainder } from "./money.ts";
import {
  BATCH_MULTIPLIER,
  GEO_US_MULTIPLIER,
  type TokenPrices,
  WEB_SEARCH_NANO_USD,
} from "./price-list.ts";
import type { Cost, TokenUsage } from "./usage.ts";
import { MAX_TOKENS } from "./usage-fields.ts";

// Cost of calls as exact fractions. Most costs are whole nano-USD in each part and below 2^53, so that numbers compute them
// without an error. All others are computed with `bigint`, which takes 2 us more.

/** Prices are per million tokens, and every combination of multipliers is a whole number of twentieths. */
export const TWENTIETHS = BATCH_MULTIPLIER.denominator * GEO_US_MULTIPLIER.denominator;
export const DENOMINATOR = 1_000_000n * TWENTIETHS;

/** Usage of one call, with the prices that apply to it. */
export interface BilledCall {
  usage: TokenUsage;
  prices: TokenPrices;
  /** Multiplier of all token prices, in twentieths. */
  twentieths: number;
}

const ONE = Number(TWENTIETHS);
const MILLION = 1_000_000n;
const WEB_SEARCH_TWENTIETHS = Number(WEB_SEARCH_NANO_USD) * ONE;

/** Rounds the total once, half to even. The parts are its largest-remainder split. `webSearches` of all calls. */
export function computeCost(calls: readonly BilledCall[], webSearches: number): Cost {
  return computeWholeCost(calls, webSearches) ?? computeRoundedCost(calls, webSearches);
}

/**
 * Computes the cost with numbers. Null: a part is not whole nano-USD, or the total may need more than 53 bits.
 * Proof: no term is negative, and rounding never moves a value of 2^53 or more below 2^53. So a computed total below 2^53
 * has only exact terms and sums.
 */
export function computeWholeCost(calls: readonly BilledCall[], webSearches: number): Cost | null {
  let input = 0;
  let cacheWrite5m = 0;
  let cacheWrite1h = 0;
  let cacheRead = 0;
  let output = 0;
  for (const { usage, prices, twentieths } of calls) {
    const each = findWholePrices(prices);
    if (each === null) return null;
    input += toWholeCount(usage.inputTokens) * each.input * twentieths;
    cacheWrite5m += toWholeCount(usage.cacheWrite5mTokens) * each.cacheWrite5m * twentieths;
    cacheWrite1h += toWholeCount(usage.cacheWrite1hTokens) * each.cacheWrite1h * twentieths;
    cacheRead += toWholeCount(usage.cacheReadTokens) * each.cacheRead * twentieths;
    output += toWholeCount(usage.outputTokens) * each.output * twentieths;
  }
  const webSearch = toWholeCount(webSearches) * WEB_SEARCH_TWENTIETHS;
  const total = input + cacheWrite5m + cacheWrite1h + cacheRead + output + webSearch;
  if (total > Number.MAX_SAFE_INTEGER) return null;
  const rest = (input % ONE) + (cacheWrite5m % ONE) + (cacheWrite1h % ONE) + (cacheRead % ONE);
  if (rest + (output % ONE) > 0) return null;
  return {
    input: toNanoUsd(input),
    cacheWrite5m: toNanoUsd(cacheWrite5m),
    cacheWrite1h: toNanoUsd(cacheWrite1h),
    cacheRead: toNanoUsd(cacheRead),
    output: toNanoUsd(output),
    webSearch: toNanoUsd(webSearch),
    total: toNanoUsd(total),
  };
}

function toNanoUsd(twentieths: number): bigint {
  return twentieths === 0 ? 0n : BigInt(twentieths / ONE);
}

type WholePrices = Readonly<Record<keyof TokenPrices, number>>;

/** Prices are shared objects, and to convert them takes 0.5 us. */
const wholePrices = new WeakMap<TokenPrices, WholePrices | null>();

/** Prices in nano-USD per token. Null: one is not whole. */
function findWholePrices(prices: TokenPrices): WholePrices | null {
  const known = wholePrices.get(prices);
  if (known !== undefined) return known;
  const { input, cacheWrite5m, cacheWrite1h, cacheRead, output } = prices;
  const isWhole = [input, cacheWrite5m, cacheWrite1h, cacheRead, output].every(
    (price) => price >= 0n && price % MILLION === 0n,
  );
  const whole: WholePrices = {
    input: Number(input / MILLION),
    cacheWrite5m: Number(cacheWrite5m / MILLION),
    cacheWrite1h: Number(cacheWrite1h / MILLION),
    cacheRead: Number(cacheRead / MILLION),
    output: Number(output / MILLION),
  };
  wholePrices.set(prices, isWhole ? whole : null);
  return isWhole ? whole : null;
}

/** Computes any cost. */
export function computeRoundedCost(calls: readonly BilledCall[], webSearches: number): Cost {
  const sumOf = (name: keyof TokenPrices, tokens: keyof TokenUsage) =>
    calls.reduce(
      (sum, call) =>
        sum + toCount(call.usage[tokens]) * call.prices[name] * BigInt(call.twentieths),
      0n,
    );
  return toCost({
    input: sumOf("input", "inputTokens"),
    cacheWrite5m: sumOf("cacheWrite5m", "cacheWrite5mTokens"),
    cacheWrite1h: sumOf("cacheWrite1h", "cacheWrite1hTokens"),
    cacheRead: sumOf("cacheRead", "cacheReadTokens"),
    output: sumOf("output", "outputTokens"),
    webSearch: toCount(webSearches) * WEB_SEARCH_NANO_USD * DENOMINATOR,
  });
}

/** Cost of summed usage, which can exceed the bound of one request. Nano-USD, rounded once, half to even. */
export function computeSummedCost({
  usage,
  prices,
  twentieths,
}: Omit<BilledCall, "usage"> & { usage: Readonly<Record<MeasureName, bigint>> }): bigint {
  const tokens =
    usage.inputTokens * prices.input +
    usage.cacheWrite5mTokens * prices.cacheWrite5m +
    usage.cacheWrite1hTokens * prices.cacheWrite1h +
    usage.cacheReadTokens * prices.cacheRead +
    usage.outputTokens * prices.output;
  const searches = usage.webSearches * WEB_SEARCH_NANO_USD * DENOMINATOR;
  return divideHalfEven(tokens * BigInt(twentieths) + searches, DENOMINATOR);
}

const costNames: readonly CostName[] = billedMeasures.map(({ cost }) => cost);

/** Returns a literal with each measure, so that a new measure fails to compile until it is added. */
function toCost(numerators: Readonly<Record<CostName, bigint>>): Cost {
  const listed = costNames.map((name) => numerators[name]);
  const exact = listed.reduce((sum, numerator) => sum + numerator, 0n);
  const total = divideHalfEven(exact, DENOMINATOR);
  const parts = splitByLargestRemainder(total, listed, DENOMINATOR);
  const partOf = (name: CostName) => parts[costNames.indexOf(name)] ?? 0n;
  return {
    input: partOf("input"),
    cacheWrite5m: partOf("cacheWrite5m"),
    cacheWrite1h: partOf("cacheWrite1h"),
    cacheRead: partOf("cacheRead"),
    output: partOf("output"),
    webSearch: partOf("webSearch"),
    total,
  };
}

/**
 * Converts a count to a valid integer. Estimates can be fractions, which are rounded up. The bound keeps the cost of
 * MAX_ITERATIONS calls at MAX_PRICE_NANO_USD within an int8.
 */
function toWholeCount(tokens: number): number {
  return tokens > 0 ? Math.ceil(Math.min(tokens, MAX_TOKENS)) : 0;
}

function toCount(tokens: number): bigint {
  return BigInt(toWholeCount(tokens));
}

/** Price of one token, nano-USD per million, times a multiplier in twentieths. */
interface TokenRate {
  nanoUsdPerMillion: bigint;
  twentieths: bigint;
}

interface RatedTokens {
  inputTokens: number;
  outputTokens: number;
}

interface TokenRates {
  inputRate: TokenRate;
  outputRate: TokenRate;
}

/** Cost of whole tokens at one price for input and one for output, nano-USD, rounded up. */
export function computeHighestCost(tokens: RatedTokens, rates: TokenRates): bigint {
  return computeWholeHighestCost(tokens, rates) ?? computeRoundedHighestCost(tokens, rates);
}

/** Null: a price is not whole nano-USD per token, or the cost may need more than 53 bits. See `computeWholeCost`. */
export function computeWholeHighestCost(
  { inputTokens, outputTokens }: RatedTokens,
  { inputRate, outputRate }: TokenRates,
): bigint | null {
  const input = findWholeRate(inputRate);
  const output = findWholeRate(outputRate);
  if (input === null || output === null) return null;
  const total = inputTokens * input + outputTokens * output;
  // False also for NaN.
  if (!(total <= Number.MAX_SAFE_INTEGER)) return null;
  const rest = total % ONE;
  return BigInt((total - rest) / ONE + (rest > 0 ? 1 : 0));
}

/** Rates are shared objects too. */
const wholeRates = new WeakMap<TokenRate, number | null>();

/** Twentieths of a nano-USD per token. Null: not whole. */
function findWholeRate(rate: TokenRate): number | null {
  const known = wholeRates.get(rate);
  if (known !== undefined) return known;
  const { nanoUsdPerMillion, twentieths } = rate;
  const isWhole = nanoUsdPerMillion >= 0n && nanoUsdPerMillion % MILLION === 0n;
  const whole = isWhole ? Number((nanoUsdPerMillion / MILLION) * twentieths) : null;
  wholeRates.set(rate, whole);
  return whole;
}

/** Computes any cost. */
export function computeRoundedHighestCost(
  { inputTokens, outputTokens }: RatedTokens,
  { inputRate, outputRate }: TokenRates,
): bigint {
  const exact =
    BigInt(inputTokens) * inputRate.nanoUsdPerMillion * inputRate.twentieths +
    BigInt(outputTokens) * outputRate.nanoUsdPerMillion * outputRate.twentieths;
  return (exact + DENOMINATOR - 1n) / DENOMINATOR;
}

import {
  billedMeasures,
  type CostName,
  tokenPrices,
  toRecord,
} from "@bursar/contract/usage-shape.ts";
import { boundModelName, type ModelLabels } from "./model-labels.ts";
import { divideHalfEven, formatUsd, splitByLargestRemainder } from "./money.ts";
import { HIGHEST_RATE, type ModelPrices, type PriceBook } from "./price-book.ts";
import {
  BATCH_MULTIPLIER,
  GEO_US_MULTIPLIER,
  PRICE_LIST_AS_OF,
  type TokenPrices,
  WEB_SEARCH_NANO_USD,
} from "./price-list.ts";
import type { ContextWindow } from "./request-record.ts";
import type { BilledUsage, Cost, TokenUsage } from "./usage.ts";
import { MAX_TOKENS, promptTokens } from "./usage-fields.ts";

export interface PricedUsage {
  cost: Cost;
  /** True if a model, or its fast mode, has no price, so the highest price was used. */
  isUnpriced: boolean;
  contextWindow: ContextWindow;
  /** Model name for reports. */
  model: string;
  /** JSON of the rows and multipliers that were used, to explain the cost later. */
  prices: string;
}

export interface PriceRequest {
  book: PriceBook;
  usage: BilledUsage;
  /** Start of the request, milliseconds since the epoch. The prices of this time apply. */
  atMs: number;
  /** Limits the number of unlisted model names. Without it every model is reported by its own name. */
  labels?: ModelLabels;
}

/**
 * Returns the cost of one request in nano-USD. Never throws. The computation uses exact fractions and stacked
 * multipliers, then rounds the total once, half to even. The parts are its largest-remainder split.
 * Rules: https://platform.claude.com/docs/en/about-claude/pricing
 *
 * - Iterations, if present, are priced instead of the totals, each by its own model and prompt length.
 * - Batch halves token prices, but not web searches. The API never combines it with fast mode. If a response has both,
 *   the higher price applies: fast without the discount.
 * - Priority Tier is paid by commitment without a price per token, and the flex tiers have no published price. Both
 *   count at the standard price, because a price of 0 would disable spend limits.
 * - A model without a price, or a fast response of a model without a fast price, has the highest price and is marked.
 */
export function priceUsage({ book, usage, atMs, labels }: PriceRequest): PricedUsage {
  const calls = usage.iterations ?? [{ model: null, usage: usage.total }];
  const priced = calls.map((call) =>
    priceCall(book, usage, call.model ?? usage.model, call.usage, atMs),
  );
  const numerators: Record<CostName, bigint> = {
    input: sumOf(priced, "input"),
    cacheWrite5m: sumOf(priced, "cacheWrite5m"),
    cacheWrite1h: sumOf(priced, "cacheWrite1h"),
    cacheRead: sumOf(priced, "cacheRead"),
    output: sumOf(priced, "output"),
    webSearch: toCount(usage.total.webSearches) * WEB_SEARCH_NANO_USD * DENOMINATOR,
  };
  const largestPrompt = Math.max(...calls.map((call) => promptTokens(call.usage)));
  return {
    cost: toCost(numerators),
    isUnpriced: priced.some((call) => call.band === HIGHEST_RATE),
    contextWindow: largestPrompt > STANDARD_WINDOW_TOKENS ? "200k-1M" : "0-200k",
    model: labels?.labelOf(usage.model, book, isUsed(usage.total)) ?? boundModelName(usage.model),
    prices: explain(priced, usage.total.webSearches > 0),
  };
}

function sumOf(priced: readonly PricedCall[], kind: keyof TokenPrices): bigint {
  let sum = 0n;
  for (const call of priced) sum += call.numerators[kind];
  return sum;
}

function isUsed(total: TokenUsage): boolean {
  return billedMeasures.some(({ name }) => total[name] > 0);
}

/** Boundary of the reports' two context windows. The boundary belongs to the lower one. */
export const STANDARD_WINDOW_TOKENS = 200_000;

/** Prices are per million tokens, and every combination of multipliers is a whole number of twentieths. */
export const TWENTIETHS = BATCH_MULTIPLIER.denominator * GEO_US_MULTIPLIER.denominator;
export const DENOMINATOR = 1_000_000n * TWENTIETHS;

type Band = "standard" | "long_prompt" | "fast" | typeof HIGHEST_RATE;

interface PricedCall {
  model: string;
  row: ModelPrices;
  band: Band;
  prices: TokenPrices;
  /** Multiplier of all token prices, in twentieths. */
  twentieths: bigint;
  /** Exact cost per kind, in nano-USD divided by DENOMINATOR. */
  numerators: TokenPrices;
}

function priceCall(
  book: PriceBook,
  billed: BilledUsage,
  model: string,
  usage: TokenUsage,
  atMs: number,
): PricedCall {
  const isFast = billed.speed === "fast";
  const { row, band, prices } = choosePrices(book, model, isFast, promptTokens(usage), atMs);
  const isBatch = billed.serviceTier === "batch" && !isFast;
  const isUs = billed.inferenceGeo === "us" && row.isGeoPriced;
  const batch = isBatch ? BATCH_MULTIPLIER.numerator : BATCH_MULTIPLIER.denominator;
  const geo = isUs ? GEO_US_MULTIPLIER.numerator : GEO_US_MULTIPLIER.denominator;
  const twentieths = batch * geo;
  const numerators = {
    input: toCount(usage.inputTokens) * prices.input * twentieths,
    cacheWrite5m: toCount(usage.cacheWrite5mTokens) * prices.cacheWrite5m * twentieths,
    cacheWrite1h: toCount(usage.cacheWrite1hTokens) * prices.cacheWrite1h * twentieths,
    cacheRead: toCount(usage.cacheReadTokens) * prices.cacheRead * twentieths,
    output: toCount(usage.outputTokens) * prices.output * twentieths,
  };
  return { model, row, band, prices, twentieths, numerators };
}

interface ChosenPrices {
  row: ModelPrices;
  band: Band;
  prices: TokenPrices;
}

function choosePrices(
  book: PriceBook,
  model: string,
  isFast: boolean,
  prompt: number,
  atMs: number,
): ChosenPrices {
  const row = book.find(model, atMs);
  if (!row || (isFast && !row.fast)) {
    const highest = book.findHighest(atMs);
    return { row: highest, band: HIGHEST_RATE, prices: highest.standard };
  }
  if (isFast && row.fast) return { row, band: "fast", prices: row.fast };
  if (row.longPrompt && prompt > row.longPrompt.overPromptTokens) {
    return { row, band: "long_prompt", prices: row.longPrompt.prices };
  }
  return { row, band: "standard", prices: row.standard };
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

/** Cache of explanations by prices. Most requests share a few, and one takes 3 µs to create. */
const explanations = new WeakMap<TokenPrices, Map<string, string>>();
/** Maximum per price object. Model names come from responses, so their number is unlimited. */
const MAX_EXPLANATIONS = 256;

function explain(calls: readonly PricedCall[], hasWebSearches: boolean): string {
  const [only] = calls;
  if (only === undefined || calls.length > 1) return writeExplanation(calls, hasWebSearches);
  const { model, row, band, prices, twentieths } = only;
  let known = explanations.get(prices);
  if (known === undefined || known.size >= MAX_EXPLANATIONS) {
    known = new Map();
    explanations.set(prices, known);
  }
  const key = `${row.source}\n${row.row}\n${band}\n${twentieths}\n${hasWebSearches}\n${model}`;
  const text = known.get(key) ?? writeExplanation(calls, hasWebSearches);
  known.set(key, text);
  return text;
}

function writeExplanation(calls: readonly PricedCall[], hasWebSearches: boolean): string {
  const rows = new Map(calls.map((call) => [`${call.model} ${call.band}`, explainCall(call)]));
  const webSearch = hasWebSearches ? { web_search_usd: formatUsd(WEB_SEARCH_NANO_USD) } : {};
  return JSON.stringify({ list: PRICE_LIST_AS_OF, rows: [...rows.values()], ...webSearch });
}

function explainCall({ model, row, band, prices, twentieths }: PricedCall) {
  return {
    model: boundModelName(model),
    row: row.row,
    source: row.source,
    band,
    multiplier: String(Number(twentieths) / Number(TWENTIETHS)),
    usd_per_million_tokens: toRecord(tokenPrices, "part", ({ cost }) => formatUsd(prices[cost])),
  };
}

/**
 * Converts a count to a valid integer. Estimates can be fractions, which are rounded up. The bound keeps the cost of
 * MAX_ITERATIONS calls at MAX_PRICE_NANO_USD within an int8.
 */
function toCount(tokens: number): bigint {
  return tokens > 0 ? BigInt(Math.ceil(Math.min(tokens, MAX_TOKENS))) : 0n;
}

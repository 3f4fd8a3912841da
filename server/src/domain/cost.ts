import {
  billedMeasures,
  type MeasureName,
  tokenPrices,
  toRecord,
} from "@bursar/contract/usage-shape.ts";
import { type BilledCall, computeCost, computeSummedCost, TWENTIETHS } from "./exact-cost.ts";
import { boundModelName, type ModelLabels } from "./model-labels.ts";
import { formatUsd } from "./money.ts";
import { HIGHEST_RATE, type ModelPrices, type PriceBook } from "./price-book.ts";
import {
  BATCH_MULTIPLIER,
  GEO_US_MULTIPLIER,
  PRICE_LIST_AS_OF,
  type TokenPrices,
  WEB_SEARCH_NANO_USD,
} from "./price-list.ts";
import type { ContextWindow } from "./request-record.ts";
import { type BilledUsage, type Cost, noTokens, type TokenUsage } from "./usage.ts";
import { promptTokens } from "./usage-fields.ts";

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
  let largestPrompt = 0;
  let isUnpriced = false;
  for (const call of priced) {
    largestPrompt = Math.max(largestPrompt, promptTokens(call.usage));
    if (call.band === HIGHEST_RATE) isUnpriced = true;
  }
  return {
    cost: computeCost(priced, usage.total.webSearches),
    isUnpriced,
    contextWindow: largestPrompt > STANDARD_WINDOW_TOKENS ? "200k-1M" : "0-200k",
    model: labels?.labelOf(usage.model, book, isUsed(usage.total)) ?? boundModelName(usage.model),
    prices: explain(priced, usage.total.webSearches > 0),
  };
}

function isUsed(total: TokenUsage): boolean {
  return billedMeasures.some(({ name }) => total[name] > 0);
}

/** Boundary of the reports' two context windows. The boundary belongs to the lower one. */
export const STANDARD_WINDOW_TOKENS = 200_000;

/** Usage of many requests with one model and one price class. */
export interface SummedUsage extends Pick<BilledUsage, "serviceTier" | "inferenceGeo" | "speed"> {
  model: string;
  contextWindow: string;
  total: Readonly<Record<MeasureName, bigint>>;
}

/**
 * Returns the cost of summed usage by the prices of one time, in nano-USD. Each prompt has the length of its context window:
 * a boundary of a price inside a window is not seen.
 */
export function priceSummed(book: PriceBook, summed: SummedUsage, atMs: number): bigint {
  const inputTokens = summed.contextWindow === "0-200k" ? 0 : STANDARD_WINDOW_TOKENS + 1;
  const prompt = { ...noTokens, inputTokens };
  const { prices, twentieths } = priceCall(book, summed, summed.model, prompt, atMs);
  return computeSummedCost({ usage: summed.total, prices, twentieths });
}

type Band = "standard" | "long_prompt" | "fast" | typeof HIGHEST_RATE;

interface PricedCall extends BilledCall {
  model: string;
  row: ModelPrices;
  band: Band;
}

function priceCall(
  book: PriceBook,
  billed: Pick<BilledUsage, "serviceTier" | "inferenceGeo" | "speed">,
  model: string,
  usage: TokenUsage,
  atMs: number,
): PricedCall {
  const isFast = billed.speed === "fast";
  const { row, band, prices } = choosePrices(book, model, isFast, promptTokens(usage), atMs);
  const isBatch = billed.serviceTier === "batch" && !isFast;
  const isUs = billed.inferenceGeo === "us" && row.isGeoPriced;
  const twentieths = multipliers[isBatch ? "batch" : "standard"][isUs ? "us" : "global"];
  return { model, usage, row, band, prices, twentieths };
}

/** Products of the multipliers, in twentieths. */
const multipliers = {
  standard: toMultipliers(BATCH_MULTIPLIER.denominator),
  batch: toMultipliers(BATCH_MULTIPLIER.numerator),
};

function toMultipliers(halves: bigint): { us: number; global: number } {
  const { numerator, denominator } = GEO_US_MULTIPLIER;
  return { us: Number(halves * numerator), global: Number(halves * denominator) };
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

interface Explanations {
  byKey: Map<string, string>;
  /** Newest result. Most requests repeat it, and to build the key of `byKey` takes 0.3 µs. */
  newest: { call: PricedCall; hasWebSearches: boolean; text: string } | null;
}

/** Cache of explanations by prices. Most requests share a few, and one takes 3 µs to create. */
const explanations = new WeakMap<TokenPrices, Explanations>();
/** Maximum per price object. Model names come from responses, so their number is unlimited. */
const MAX_EXPLANATIONS = 256;

function explain(calls: readonly PricedCall[], hasWebSearches: boolean): string {
  const [only] = calls;
  if (only === undefined || calls.length > 1) return writeExplanation(calls, hasWebSearches);
  const { model, row, band, prices, twentieths } = only;
  let known = explanations.get(prices);
  if (known === undefined || known.byKey.size >= MAX_EXPLANATIONS) {
    known = { byKey: new Map(), newest: null };
    explanations.set(prices, known);
  }
  const { newest, byKey } = known;
  if (newest?.hasWebSearches === hasWebSearches && isExplainedAlike(newest.call, only)) {
    return newest.text;
  }
  const key = `${row.source}\n${row.row}\n${band}\n${twentieths}\n${hasWebSearches}\n${model}`;
  const text = byKey.get(key) ?? writeExplanation(calls, hasWebSearches);
  byKey.set(key, text);
  known.newest = { call: only, hasWebSearches, text };
  return text;
}

/** Compares two calls with the same prices. */
function isExplainedAlike(a: PricedCall, b: PricedCall): boolean {
  return (
    a.model === b.model &&
    a.row.row === b.row.row &&
    a.row.source === b.row.source &&
    a.band === b.band &&
    a.twentieths === b.twentieths
  );
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
    multiplier: String(twentieths / Number(TWENTIETHS)),
    usd_per_million_tokens: toRecord(tokenPrices, "part", ({ cost }) => formatUsd(prices[cost])),
  };
}

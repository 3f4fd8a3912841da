import type { PricedCost } from "@bursar/contract/usage-shape.ts";
import { parseUsd } from "./money.ts";
import { msFromIsoDate } from "./spend-period.ts";

// The published price list. Source for 4.x, 5 and Fable/Mythos up to 5.1: the official pricing page (copy of September
// 2026). Source for the 5.5 models: the official model overview pages (October 2026). Retired models have their prices
// at retirement. To change a price, add a period with its date: earlier requests keep their price.

/** Date on which the list was last checked against its sources. */
export const PRICE_LIST_AS_OF = "2026-10-24";

/** Nano-USD per million tokens, for each kind of token. */
export type TokenPrices = Record<PricedCost, bigint>;

/** Prices of a request whose whole prompt (input, cache writes and cache reads) exceeds the threshold. */
export interface LongPromptPrices {
  overPromptTokens: number;
  prices: TokenPrices;
}

export interface PricePeriod {
  /** First millisecond of the period. Null for the first one. A period ends at the start of the next one. */
  fromMs: number | null;
  standard: TokenPrices;
  longPrompt: LongPromptPrices | null;
  /** Prices for `speed: "fast"`. Null: not published. */
  fast: TokenPrices | null;
}

export interface ListedModel {
  id: string;
  aliases: readonly string[];
  /** The API refuses a retired model, but its price is still needed for earlier requests. */
  lifecycle: "active" | "retired";
  /** Announced date on which the API stops serving it. */
  retiresOn: string | null;
  /** True from the 4.6 models on: `inference_geo: "us"` has a multiplier. Earlier models refuse the parameter. */
  isGeoPriced: boolean;
  /** Oldest first. Empty if no price is published: the model is unpriced. */
  periods: readonly PricePeriod[];
}

/** Nano-USD per web search: $10 per 1,000. Web fetch is free. The API does not count failed searches. */
export const WEB_SEARCH_NANO_USD = parseUsd("0.01");

/** Multiplier of `service_tier: "batch"` for all token prices, but not for web searches. */
export const BATCH_MULTIPLIER = { numerator: 1n, denominator: 2n } as const;
/** Multiplier of `inference_geo: "us"` for all token prices. */
export const GEO_US_MULTIPLIER = { numerator: 11n, denominator: 10n } as const;

export interface Multiple {
  numerator: bigint;
  denominator: bigint;
}

/** Published multiples of the input price. Null: the price is stated for each model. */
export const INPUT_MULTIPLES: Readonly<Record<PricedCost, Multiple | null>> = {
  input: null,
  cacheWrite5m: { numerator: 5n, denominator: 4n },
  cacheWrite1h: { numerator: 2n, denominator: 1n },
  cacheRead: { numerator: 1n, denominator: 10n },
  output: null,
};

const fable51 = usd({ input: "10", write5m: "12.5", write1h: "20", read: "0.25", output: "50" });
const fable5 = usd({ input: "10", write5m: "12.5", write1h: "20", read: "1", output: "50" });
const opus55 = usd({ input: "4", write5m: "5", write1h: "8", read: "0.2", output: "20" });
const opus = usd({ input: "5", write5m: "6.25", write1h: "10", read: "0.5", output: "25" });
// The page lists only input and output of fast mode. The cache prices are the usual multiples of its input price.
const opusFast = usd({ input: "10", write5m: "12.5", write1h: "20", read: "1", output: "50" });
const oldOpus = usd({ input: "15", write5m: "18.75", write1h: "30", read: "1.5", output: "75" });
const sonnet5 = usd({ input: "2", write5m: "2.5", write1h: "4", read: "0.2", output: "10" });
const sonnet55 = { ...sonnet5, cacheRead: parseUsd("0.1") };
const sonnet = usd({ input: "3", write5m: "3.75", write1h: "6", read: "0.3", output: "15" });
const haiku55 = usd({
  input: "0.1",
  write5m: "0.125",
  write1h: "0.2",
  read: "0.01",
  output: "0.5",
});
const haiku55LongPrompt: LongPromptPrices = {
  overPromptTokens: 100_000,
  prices: usd({ input: "0.5", write5m: "0.625", write1h: "1", read: "0.05", output: "2.5" }),
};
const haiku45 = usd({ input: "1", write5m: "1.25", write1h: "2", read: "0.1", output: "5" });
const haiku35 = usd({ input: "0.8", write5m: "1", write1h: "1.6", read: "0.08", output: "4" });
// 0.3 instead of 1.25 times 0.25: the list has priority over the rule.
const haiku3 = usd({ input: "0.25", write5m: "0.3", write1h: "0.5", read: "0.03", output: "1.25" });

// Only the 1M context beta lets a prompt above 200k reach Sonnet 4 and 4.5. The beta had twice the input prices and 1.5
// times the output price. Newer pages neither repeat nor revoke that, so the last published price applies. That price
// can be too high, but not too low. From the 4.6 models on there is no surcharge.
const sonnetLongPrompt: LongPromptPrices = {
  overPromptTokens: 200_000,
  prices: usd({ input: "6", write5m: "7.5", write1h: "12", read: "0.6", output: "22.5" }),
};

export const priceList: readonly ListedModel[] = [
  active("claude-fable-5-2", []),
  active("claude-mythos-5-2", []),
  active("claude-mythos-preview", []),
  active("claude-fable-5-1", always(fable51)),
  active("claude-mythos-5-1", always(fable51)),
  active("claude-fable-5", always(fable5)),
  active("claude-mythos-5", always(fable5)),
  // The fast mode of the 5.5 models has no published price, so a fast response of theirs is unpriced.
  active("claude-opus-5-5", always(opus55)),
  active("claude-opus-5", always(opus, { fast: opusFast })),
  active("claude-opus-4-8", always(opus, { fast: opusFast })),
  active("claude-opus-4-7", always(opus)),
  active("claude-opus-4-6", always(opus)),
  {
    ...active("claude-opus-4-5", always(opus)),
    aliases: ["claude-opus-4-5-20251101"],
    retiresOn: "2027-01-22",
    isGeoPriced: false,
  },
  retired("claude-opus-4-1", ["claude-opus-4-1-20250805"], always(oldOpus)),
  active("claude-sonnet-5-5", [
    ...always(sonnet5),
    { ...period(sonnet55), fromMs: msFromIsoDate("2026-10-07") },
  ]),
  active("claude-sonnet-5", always(sonnet5)),
  active("claude-sonnet-4-6", always(sonnet)),
  {
    ...active("claude-sonnet-4-5", always(sonnet, { longPrompt: sonnetLongPrompt })),
    aliases: ["claude-sonnet-4-5-20250929"],
    retiresOn: "2026-11-30",
    isGeoPriced: false,
  },
  retired(
    "claude-sonnet-4",
    ["claude-sonnet-4-20250514", "claude-sonnet-4-0"],
    always(sonnet, { longPrompt: sonnetLongPrompt }),
  ),
  active("claude-haiku-5-5", always(haiku55, { longPrompt: haiku55LongPrompt })),
  {
    ...active("claude-haiku-4-5", always(haiku45)),
    aliases: ["claude-haiku-4-5-20251001"],
    isGeoPriced: false,
  },
  retired("claude-opus-4", ["claude-opus-4-20250514", "claude-opus-4-0"], always(oldOpus)),
  retired(
    "claude-3-7-sonnet",
    ["claude-3-7-sonnet-20250219", "claude-3-7-sonnet-latest"],
    always(sonnet),
  ),
  retired(
    "claude-3-5-sonnet",
    ["claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20240620", "claude-3-5-sonnet-latest"],
    always(sonnet),
  ),
  retired("claude-3-opus", ["claude-3-opus-20240229", "claude-3-opus-latest"], always(oldOpus)),
  retired("claude-3-haiku", ["claude-3-haiku-20240307"], always(haiku3)),
  retired(
    "claude-haiku-3-5",
    ["claude-3-5-haiku", "claude-3-5-haiku-20241022", "claude-3-5-haiku-latest"],
    always(haiku35),
  ),
];

/** US dollars per million tokens, as on the pages. */
interface UsdPerMillion {
  input: string;
  write5m: string;
  write1h: string;
  read: string;
  output: string;
}

function usd(row: UsdPerMillion): TokenPrices {
  return {
    input: parseUsd(row.input),
    cacheWrite5m: parseUsd(row.write5m),
    cacheWrite1h: parseUsd(row.write1h),
    cacheRead: parseUsd(row.read),
    output: parseUsd(row.output),
  };
}

interface Bands {
  longPrompt?: LongPromptPrices;
  fast?: TokenPrices;
}

function period(standard: TokenPrices, bands: Bands = {}): PricePeriod {
  const { longPrompt = null, fast = null } = bands;
  return { fromMs: null, standard, longPrompt, fast };
}

function always(standard: TokenPrices, bands: Bands = {}): PricePeriod[] {
  return [period(standard, bands)];
}

function active(id: string, periods: readonly PricePeriod[]): ListedModel {
  return { id, aliases: [], lifecycle: "active", retiresOn: null, isGeoPriced: true, periods };
}

function retired(
  id: string,
  aliases: readonly string[],
  periods: readonly PricePeriod[],
): ListedModel {
  return { id, aliases, lifecycle: "retired", retiresOn: null, isGeoPriced: false, periods };
}

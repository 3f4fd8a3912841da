import { tokenPrices, toRecord } from "@bursar/contract/usage-shape.ts";
import { type FeatureBook, shippedFeatures } from "./feature-book.ts";
import {
  type ListedModel,
  type LongPromptPrices,
  type PricePeriod,
  priceList,
  type TokenPrices,
} from "./price-list.ts";

/** An organization's price for exactly this model or alias, instead of the list price. */
export interface PriceOverride {
  model: string;
  /** Applies to requests from this millisecond on, until the next override of the same name. */
  effectiveFromMs: number;
  prices: TokenPrices;
}

/** Maximum price of an override: $10,000 per million tokens. MAX_TOKENS gives the reason. */
export const MAX_PRICE_NANO_USD = 10_000_000_000_000n;

/** Row and band of unpriced models. Stored in usage events, so the value stays. */
export const HIGHEST_RATE = "dearest";

/** Prices in force for one model at one time. */
export interface ModelPrices {
  /** Name of the row: the list's id, or the override's name. */
  row: string;
  /** `HIGHEST_RATE` is the computed row of the highest prices: see `findHighest`. */
  source: "list" | "override" | typeof HIGHEST_RATE;
  fromMs: number | null;
  standard: TokenPrices;
  longPrompt: LongPromptPrices | null;
  fast: TokenPrices | null;
  isGeoPriced: boolean;
}

/** A displayed line of the price list. `prices` is null for an unpriced model. */
export interface PriceListing extends Pick<ListedModel, "aliases" | "lifecycle" | "retiresOn"> {
  model: string;
  prices: ModelPrices | null;
}

export interface PriceBook {
  /** Neutral features, which are shipped and extended like prices. */
  features: FeatureBook;
  /**
   * Returns the prices of the model for a request started at `atMs`. Null: unpriced. Exact names have priority:
   * overrides, then ids and aliases of the list. Other names can match as a snapshot (`<name>-YYYYMMDD`) or the newest
   * (`<name>-latest`) of a known name.
   */
  find(model: string, atMs: number): ModelPrices | null;
  /**
   * Returns the price of unpriced models: for each kind of token the highest price in force, including bands, fast
   * mode, retired models and overrides. No listed model costs more, so a later price is a credit. Geo pricing applies,
   * because an unlisted model is new.
   */
  findHighest(atMs: number): ModelPrices;
  /**
   * Returns every row that a request for `model` can be billed at, at least one. The response names the model by its
   * id, an alias or a snapshot, and an override may apply to only one of them. Unpriced names have the highest row.
   */
  findReachable(model: string, atMs: number): readonly ModelPrices[];
  /** True if the list or an override has exactly this name. These names are bounded, so they are safe as labels. */
  isListed(model: string): boolean;
  /** All models with their prices at this time, in list order, other overrides last. */
  listPrices(atMs: number): PriceListing[];
}

const listedByName: ReadonlyMap<string, ListedModel> = new Map(
  priceList.flatMap((model) => [model.id, ...model.aliases].map((name) => [name, model] as const)),
);

/** The list with the organization's overrides. Immutable: create a new one when a row changes. */
export function makePriceBook(
  overrides: readonly PriceOverride[],
  features: FeatureBook = shippedFeatures,
): PriceBook {
  const overridesByName = groupByName(overrides);
  const isListed = (name: string) => listedByName.has(name) || overridesByName.has(name);

  const pricesOf = (name: string, atMs: number): ModelPrices | null => {
    const model = listedByName.get(name);
    const listed = model ? findLastInForce(model.periods, (period) => period.fromMs, atMs) : null;
    for (const each of model ? [name, model.id] : [name]) {
      const override = findLastInForce(
        overridesByName.get(each) ?? [],
        (o) => o.effectiveFromMs,
        atMs,
      );
      if (override) return applyOverride(override, listed, model?.isGeoPriced ?? true);
    }
    if (!model || !listed) return null;
    return { row: model.id, source: "list", ...listed, isGeoPriced: model.isGeoPriced };
  };

  // Prices change only at known times, so results are cached for each interval between two of them.
  const beginnings = listPriceStarts(overrides);
  const stretchOf = (atMs: number) => beginnings.findLastIndex((fromMs) => fromMs <= atMs);

  const find = cacheByName(stretchOf, (name, atMs): ModelPrices | null => {
    const exact = pricesOf(name, atMs);
    if (exact) return exact;
    const base = findBaseName(name);
    return base === null ? null : pricesOf(base, atMs);
  });

  const listPrices = (atMs: number): PriceListing[] => {
    const listed = priceList.map((model) => toListing(model, find(model.id, atMs)));
    const ids = new Set(priceList.map((model) => model.id));
    const others = [...overridesByName.keys()].filter((name) => !ids.has(name));
    const overridden = others.map((name) => toListing({ ...unlisted, id: name }, find(name, atMs)));
    return [...listed, ...overridden];
  };

  // The worst case of each request needs the highest row, and scanning the whole table takes 50 µs.
  const highestRows = new Map<number, ModelPrices>();
  const findHighest = (atMs: number): ModelPrices => {
    const stretch = stretchOf(atMs);
    const known = highestRows.get(stretch);
    if (known) return known;
    const rows = listPrices(atMs).flatMap(({ prices }) => (prices ? rowsOf(prices) : []));
    const row: ModelPrices = { ...highestRow, standard: rows.reduce(pickHigher) };
    highestRows.set(stretch, row);
    return row;
  };

  const overriddenNames = Map.groupBy(overridesByName.keys(), familyOf);
  const findReachable = cacheByName(stretchOf, (model, atMs): readonly ModelPrices[] => {
    const listed = findListedModel(model);
    const names = new Set([model, ...(listed ? [listed.id, ...listed.aliases] : [])]);
    for (const name of overriddenNames.get(familyOf(model)) ?? []) names.add(name);
    const rows = Array.from(names, (name) => find(name, atMs) ?? findHighest(atMs));
    // Without an override all names share the same row.
    return rows.filter((row, index) => rows.findIndex((other) => isSameRow(row, other)) === index);
  });

  return { features, find, findHighest, findReachable, isListed, listPrices };
}

/** Maximum number of cached names, because clients can send any number. */
const MAX_REMEMBERED = 1_000;

/** Caches a lookup by name and interval. */
function cacheByName<Found>(
  stretchOf: (atMs: number) => number,
  lookUp: (name: string, atMs: number) => Found,
): (name: string, atMs: number) => Found {
  let known = new Map<string, Found>();
  let knownStretch: number | null = null;
  return (name, atMs) => {
    const stretch = stretchOf(atMs);
    if (stretch !== knownStretch || known.size >= MAX_REMEMBERED) known = new Map();
    knownStretch = stretch;
    const remembered = known.get(name);
    if (remembered !== undefined) return remembered;
    const found = lookUp(name, atMs);
    known.set(name, found);
    return found;
  };
}

/** Listed model with this name, or whose snapshot or newest version it is. */
export function findListedModel(name: string): ListedModel | null {
  const exact = listedByName.get(name);
  if (exact) return exact;
  const base = findBaseName(name);
  return (base === null ? null : listedByName.get(base)) ?? null;
}

/** One key for all names of a model. */
function familyOf(name: string): string {
  return findListedModel(name)?.id ?? findBaseName(name) ?? name;
}

function isSameRow(a: ModelPrices, b: ModelPrices): boolean {
  return a.standard === b.standard && a.longPrompt === b.longPrompt && a.fast === b.fast;
}

/** Times at which a price changes, in order. */
function listPriceStarts(overrides: readonly PriceOverride[]): number[] {
  const listed = priceList.flatMap(({ periods }) => periods.map(({ fromMs }) => fromMs));
  const moments = [...listed, ...overrides.map(({ effectiveFromMs }) => effectiveFromMs)];
  return [...new Set(moments.filter((fromMs) => fromMs !== null))].sort((a, b) => a - b);
}

const highestRow = {
  row: HIGHEST_RATE,
  source: HIGHEST_RATE,
  fromMs: null,
  longPrompt: null,
  fast: null,
  isGeoPriced: true,
} as const;

function groupByName(overrides: readonly PriceOverride[]): Map<string, PriceOverride[]> {
  // Bounded once, so that equal prices are the same object for every request. `cost.ts` uses the identity as a cache
  // key.
  const allowed = overrides.map((override) => ({
    ...override,
    prices: boundPrices(override.prices),
  }));
  const byName = Map.groupBy(allowed, (override) => override.model);
  for (const group of byName.values()) group.sort((a, b) => a.effectiveFromMs - b.effectiveFromMs);
  return byName;
}

/** Last row in force. Rows are ordered, oldest first. A row from null applies from the beginning. */
function findLastInForce<T>(
  rows: readonly T[],
  fromMs: (row: T) => number | null,
  atMs: number,
): T | null {
  return rows.findLast((row) => (fromMs(row) ?? Number.NEGATIVE_INFINITY) <= atMs) ?? null;
}

/**
 * Applies an override to the standard row. The list's long-prompt and fast rows stay in force, raised to the override
 * if that is higher. A negotiated base price must not lower the expensive bands.
 */
function applyOverride(
  override: PriceOverride,
  listed: PricePeriod | null,
  isGeoPriced: boolean,
): ModelPrices {
  const standard = override.prices;
  const longPrompt = listed?.longPrompt ?? null;
  const fast = listed?.fast ?? null;
  return {
    row: override.model,
    source: "override",
    fromMs: override.effectiveFromMs,
    standard,
    longPrompt: longPrompt && { ...longPrompt, prices: pickHigher(longPrompt.prices, standard) },
    fast: fast && pickHigher(fast, standard),
    isGeoPriced,
  };
}

/** Name without its snapshot date or "latest". Null: the name has neither. */
function findBaseName(name: string): string | null {
  return /^(.+)-(?:20[0-9]{6}|latest)$/.exec(name)?.[1] ?? null;
}

type ListingModel = Pick<ListedModel, "id" | "aliases" | "lifecycle" | "retiresOn">;

const unlisted = { aliases: [], lifecycle: "active", retiresOn: null } as const;

function toListing(model: ListingModel, prices: ModelPrices | null): PriceListing {
  const { id, aliases, lifecycle, retiresOn } = model;
  return { model: id, aliases, lifecycle, retiresOn, prices };
}

function rowsOf(prices: ModelPrices): TokenPrices[] {
  const { standard, longPrompt, fast } = prices;
  return [standard, longPrompt?.prices, fast].filter((row) => row !== null && row !== undefined);
}

/** Returns the higher price of each kind of token. */
export function pickHigher(a: TokenPrices, b: TokenPrices): TokenPrices {
  return toRecord(tokenPrices, "cost", ({ cost }) => {
    const isFirst = a[cost] > b[cost];
    return isFirst ? a[cost] : b[cost];
  });
}

function boundPrices(prices: TokenPrices): TokenPrices {
  return toRecord(tokenPrices, "cost", ({ cost }) => {
    if (prices[cost] < 0n) return 0n;
    return prices[cost] > MAX_PRICE_NANO_USD ? MAX_PRICE_NANO_USD : prices[cost];
  });
}

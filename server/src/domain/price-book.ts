import { tokenPrices, toRecord } from "@bursar/contract/usage-shape.ts";
import {
  type ListedModel,
  type LongPromptPrices,
  type PricePeriod,
  priceList,
  type TokenPrices,
} from "./price-list.ts";

/** A price that an organization set over the shipped list, for exactly this model or alias. */
export interface PriceOverride {
  model: string;
  /** Holds for requests that start at or after this millisecond, until the next override of the same name. */
  effectiveFromMs: number;
  prices: TokenPrices;
}

/** Highest price an override can have in effect, $10,000 per million tokens; see MAX_TOKENS for why there is one. */
export const MAX_PRICE_NANO_USD = 10_000_000_000_000n;

/** The prices in force for one model at one moment. */
export interface ModelPrices {
  /** Name in the table whose row this is: the id of the list, or the name of the override. */
  row: string;
  /** "dearest" is no row of any model: see `dearest`. */
  source: "list" | "override" | "dearest";
  fromMs: number | null;
  standard: TokenPrices;
  longPrompt: LongPromptPrices | null;
  fast: TokenPrices | null;
  isGeoPriced: boolean;
}

/** A line of the price list as it is shown; `prices` is null where the model is unpriced. */
export interface PriceListing extends Pick<ListedModel, "aliases" | "lifecycle" | "retiresOn"> {
  model: string;
  prices: ModelPrices | null;
}

export interface PriceBook {
  /**
   * Prices of the model for a request that started at `atMs`, or null where the model is unpriced. Exact names come
   * first: overrides, then ids and aliases of the list. Only a name the table does not hold is taken for a snapshot
   * (`<name>-YYYYMMDD`) or the newest (`<name>-latest`) of a name it does hold.
   */
  find(model: string, atMs: number): ModelPrices | null;
  /**
   * The price of what has none: per kind of token the highest price in force in the whole table, bands, fast mode,
   * retired models and overrides included. So no model of the table could have been dearer, and a price that comes
   * later is a credit. Geo pricing applies, because a model that is not listed yet is a new one.
   */
  dearest(atMs: number): ModelPrices;
  /**
   * Every row that a request for `model` can be billed at, never none: the answer names the model by its id, an alias or
   * a snapshot of it, and an override may hold for just one of those. What is unpriced among them is the dearest row.
   */
  findReachable(model: string, atMs: number): readonly ModelPrices[];
  /** True where the list or an override names the model exactly: a bounded set, safe as a label. */
  isListed(model: string): boolean;
  /** All models of the table with their prices at that moment, in the order of the list, other overrides last. */
  listPrices(atMs: number): PriceListing[];
}

const listedByName: ReadonlyMap<string, ListedModel> = new Map(
  priceList.flatMap((model) => [model.id, ...model.aliases].map((name) => [name, model] as const)),
);

/** The shipped list with the organization's overrides over it. Immutable: make a new one when an override changes. */
export function makePriceBook(overrides: readonly PriceOverride[]): PriceBook {
  const overridesByName = groupByName(overrides);
  const isListed = (name: string) => listedByName.has(name) || overridesByName.has(name);

  const pricesOf = (name: string, atMs: number): ModelPrices | null => {
    const model = listedByName.get(name);
    const listed = model ? lastInForce(model.periods, (period) => period.fromMs, atMs) : null;
    for (const each of model ? [name, model.id] : [name]) {
      const override = lastInForce(overridesByName.get(each) ?? [], (o) => o.effectiveFromMs, atMs);
      if (override) return withOverride(override, listed, model?.isGeoPriced ?? true);
    }
    if (!model || !listed) return null;
    return { row: model.id, source: "list", ...listed, isGeoPriced: model.isGeoPriced };
  };

  // Prices change only where one begins: what was found is kept for each stretch of time between two such moments.
  const beginnings = priceBeginnings(overrides);
  const stretchOf = (atMs: number) => beginnings.findLastIndex((fromMs) => fromMs <= atMs);

  const find = rememberByName(stretchOf, (name, atMs): ModelPrices | null => {
    const exact = pricesOf(name, atMs);
    if (exact) return exact;
    const base = baseName(name);
    return base === null ? null : pricesOf(base, atMs);
  });

  const listPrices = (atMs: number): PriceListing[] => {
    const listed = priceList.map((model) => toListing(model, find(model.id, atMs)));
    const ids = new Set(priceList.map((model) => model.id));
    const others = [...overridesByName.keys()].filter((name) => !ids.has(name));
    const overridden = others.map((name) => toListing({ ...unlisted, id: name }, find(name, atMs)));
    return [...listed, ...overridden];
  };

  // The worst case of each request asks for the dearest row, and walking the whole table takes 50 µs.
  const dearestRows = new Map<number, ModelPrices>();
  const dearest = (atMs: number): ModelPrices => {
    const stretch = stretchOf(atMs);
    const known = dearestRows.get(stretch);
    if (known) return known;
    const rows = listPrices(atMs).flatMap(({ prices }) => (prices ? rowsOf(prices) : []));
    const row: ModelPrices = { ...dearestRow, standard: rows.reduce(dearer) };
    dearestRows.set(stretch, row);
    return row;
  };

  const overriddenNames = Map.groupBy(overridesByName.keys(), familyOf);
  const findReachable = rememberByName(stretchOf, (model, atMs): readonly ModelPrices[] => {
    const listed = listedModel(model);
    const names = new Set([model, ...(listed ? [listed.id, ...listed.aliases] : [])]);
    for (const name of overriddenNames.get(familyOf(model)) ?? []) names.add(name);
    const rows = Array.from(names, (name) => find(name, atMs) ?? dearest(atMs));
    // Without an override all the names have one and the same row.
    return rows.filter((row, index) => rows.findIndex((other) => isSameRow(row, other)) === index);
  });

  return { find, dearest, findReachable, isListed, listPrices };
}

/** Names come from clients: there may be any number of them. */
const MAX_REMEMBERED = 1_000;

/** The same lookup, which is made once for a name and a stretch of time. */
function rememberByName<Found>(
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

/** The model of the shipped list that has this name, or that it is a snapshot or the newest of. */
export function listedModel(name: string): ListedModel | null {
  const exact = listedByName.get(name);
  if (exact) return exact;
  const base = baseName(name);
  return (base === null ? null : listedByName.get(base)) ?? null;
}

/** One key for all the names of a model. */
function familyOf(name: string): string {
  return listedModel(name)?.id ?? baseName(name) ?? name;
}

function isSameRow(a: ModelPrices, b: ModelPrices): boolean {
  return a.standard === b.standard && a.longPrompt === b.longPrompt && a.fast === b.fast;
}

/** The moments at which some price changes, in order. */
function priceBeginnings(overrides: readonly PriceOverride[]): number[] {
  const listed = priceList.flatMap(({ periods }) => periods.map(({ fromMs }) => fromMs));
  const moments = [...listed, ...overrides.map(({ effectiveFromMs }) => effectiveFromMs)];
  return [...new Set(moments.filter((fromMs) => fromMs !== null))].sort((a, b) => a - b);
}

const dearestRow = {
  row: "dearest",
  source: "dearest",
  fromMs: null,
  longPrompt: null,
  fast: null,
  isGeoPriced: true,
} as const;

function groupByName(overrides: readonly PriceOverride[]): Map<string, PriceOverride[]> {
  // Bounded once: equal prices are then the same object for every request, by which `cost.ts` knows them again.
  const allowed = overrides.map((override) => ({ ...override, prices: bounded(override.prices) }));
  const byName = Map.groupBy(allowed, (override) => override.model);
  for (const group of byName.values()) group.sort((a, b) => a.effectiveFromMs - b.effectiveFromMs);
  return byName;
}

/** Last of the rows, oldest first, that is in force; a row from null is in force from the beginning. */
function lastInForce<T>(
  rows: readonly T[],
  fromMs: (row: T) => number | null,
  atMs: number,
): T | null {
  return rows.findLast((row) => (fromMs(row) ?? Number.NEGATIVE_INFINITY) <= atMs) ?? null;
}

/**
 * An override states one row, the standard one. The list's long-prompt and fast rows stay in force beside it, raised
 * to the override where that is dearer: a negotiated base price must not make the dear bands cheap.
 */
function withOverride(
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
    longPrompt: longPrompt && { ...longPrompt, prices: dearer(longPrompt.prices, standard) },
    fast: fast && dearer(fast, standard),
    isGeoPriced,
  };
}

/** The name that `name` is a dated snapshot or the newest of, or null where it does not look like one. */
function baseName(name: string): string | null {
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

function dearer(a: TokenPrices, b: TokenPrices): TokenPrices {
  return toRecord(tokenPrices, "cost", ({ cost }) => {
    const isFirst = a[cost] > b[cost];
    return isFirst ? a[cost] : b[cost];
  });
}

function bounded(prices: TokenPrices): TokenPrices {
  return toRecord(tokenPrices, "cost", ({ cost }) => {
    if (prices[cost] < 0n) return 0n;
    return prices[cost] > MAX_PRICE_NANO_USD ? MAX_PRICE_NANO_USD : prices[cost];
  });
}

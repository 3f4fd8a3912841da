import type { Provider } from "@bursar/contract/admin/provider-settings.ts";
import { type PricedCost, tokenPrices, toRecord } from "@bursar/contract/usage-shape.ts";
import { toOfficialName } from "./platform-models.ts";
import { findListedModel, type ModelPrices, type PriceBook, pickHigher } from "./price-book.ts";
import type { TokenPrices } from "./price-list.ts";

// Prices of cloud platforms. The platforms have the list's prices, and 10 % more for regional and geographic endpoints of
// newer models: https://platform.claude.com/docs/en/about-claude/pricing (October 2026). An organization states a
// negotiated price with the name of the platform before the model: `bedrock/claude-opus-5-5`.

/** Facts of an upstream that decide its prices. */
export interface PlatformTerms {
  provider: Provider;
  /** True if requests for the model are served in a region or a geography. */
  isRegional(model: string): boolean;
  /** True if a model can be regional. */
  hasRegional: boolean;
}

/** Multiplier of regional and geographic endpoints, for all token prices. */
const REGIONAL = { numerator: 11n, denominator: 10n } as const;

/** Models without `inference_geo` whose regional endpoints cost more. All newer models cost more too. */
const firstRegional: ReadonlySet<string> = new Set([
  "claude-opus-4-5",
  "claude-sonnet-4-5",
  "claude-haiku-4-5",
]);

const books = new WeakMap<PriceBook, WeakMap<PlatformTerms, PriceBook>>();

/** Returns the prices of a platform. Null terms: the Claude API, whose book is returned. */
export function findPlatformBook(book: PriceBook, terms: PlatformTerms | null): PriceBook {
  if (terms === null) return book;
  const known = books.get(book) ?? new WeakMap<PlatformTerms, PriceBook>();
  books.set(book, known);
  const found = known.get(terms) ?? makePlatformBook(book, terms);
  known.set(terms, found);
  return found;
}

function makePlatformBook(book: PriceBook, terms: PlatformTerms): PriceBook {
  const { provider } = terms;
  const rows = new WeakMap<ModelPrices, { global: ModelPrices; regional: ModelPrices }>();
  // The same prices are the same object for every request, because `cost.ts` uses the identity as a cache key.
  const toRow = (row: ModelPrices, isRegional: boolean): ModelPrices => {
    const made = rows.get(row) ?? makeRows(row, provider);
    rows.set(row, made);
    return isRegional ? made.regional : made.global;
  };
  const toOwn = (own: ModelPrices, listed: ModelPrices | null): ModelPrices => {
    const made = rows.get(own) ?? makeOwnRows(own, listed);
    rows.set(own, made);
    return made.global;
  };
  const findOwn = (model: string, atMs: number) => book.find(`${provider}/${model}`, atMs);
  const isRegional = (model: string) => isRegionPriced(model) && terms.isRegional(model);
  const find = (name: string, atMs: number): ModelPrices | null => {
    const model = toOfficialName(name);
    const listed = book.find(model, atMs);
    const base = listed && toRow(listed, isRegional(model));
    const own = findOwn(model, atMs);
    return own === null ? base : toOwn(own, base);
  };
  return {
    features: book.features,
    find,
    findHighest: (atMs) => toRow(book.findHighest(atMs), terms.hasRegional),
    findReachable(name, atMs) {
      const model = toOfficialName(name);
      const reachable = book
        .findReachable(model, atMs)
        .map((row) => toRow(row, terms.hasRegional && isRegionPriced(model)));
      const own = book
        .findReachable(`${provider}/${model}`, atMs)
        .filter(({ source }) => source === "override")
        .map((row) => toOwn(row, find(name, atMs)));
      return [...reachable, ...own];
    },
    isListed: (name) => book.isListed(toOfficialName(name)),
    listPrices: (atMs) =>
      book.listPrices(atMs).map((listing) => ({ ...listing, prices: find(listing.model, atMs) })),
  };
}

/** True if the regional endpoints of the model cost more. Unlisted models are new. */
function isRegionPriced(model: string): boolean {
  const listed = findListedModel(model);
  return listed === null || listed.isGeoPriced || firstRegional.has(listed.id);
}

function makeRows(row: ModelPrices, provider: Provider) {
  // The platforms have no `inference_geo`.
  const global: ModelPrices = { ...row, row: `${provider}/${row.row}`, isGeoPriced: false };
  const regional: ModelPrices = {
    ...global,
    standard: raise(row.standard),
    longPrompt: row.longPrompt && { ...row.longPrompt, prices: raise(row.longPrompt.prices) },
    fast: row.fast && raise(row.fast),
  };
  return { global, regional };
}

/** A negotiated base price does not lower the more expensive bands. */
function makeOwnRows(own: ModelPrices, listed: ModelPrices | null) {
  const longPrompt = listed?.longPrompt ?? null;
  const row: ModelPrices = {
    ...own,
    longPrompt: longPrompt && {
      ...longPrompt,
      prices: pickHigher(longPrompt.prices, own.standard),
    },
    isGeoPriced: false,
  };
  return { global: row, regional: row };
}

/** Raised prices by those of the list. Equal prices of two names stay one object, as in the list. */
const raised = new WeakMap<TokenPrices, TokenPrices>();

/** Rounds up, so that a hold is never too low. */
function raise(prices: TokenPrices): TokenPrices {
  const { numerator, denominator } = REGIONAL;
  const found =
    raised.get(prices) ??
    map(({ cost }) => (prices[cost] * numerator + denominator - 1n) / denominator);
  raised.set(prices, found);
  return found;
}

function map(toPrice: (kind: { cost: PricedCost }) => bigint): TokenPrices {
  return toRecord(tokenPrices, "cost", toPrice);
}

import { type ModelPrices, type PriceBook, pickHigher } from "./price-book.ts";

// Prices of a request that several upstreams can answer. Platforms have prices of their own, and a negotiated one can be
// higher for output and lower for input. So each kind of token has the highest price of all books.

const joined = new WeakMap<PriceBook, WeakMap<PriceBook, PriceBook>>();

/** Returns a book with the highest prices of both. The same books have the same result. */
export function joinBooks(a: PriceBook, b: PriceBook): PriceBook {
  if (a === b) return a;
  const known = joined.get(a) ?? new WeakMap<PriceBook, PriceBook>();
  joined.set(a, known);
  const found = known.get(b) ?? makeJoinedBook(a, b);
  known.set(b, found);
  return found;
}

function makeJoinedBook(a: PriceBook, b: PriceBook): PriceBook {
  // The same prices are the same object for every request, because `cost.ts` uses the identity as a cache key.
  const rows = new WeakMap<ModelPrices, WeakMap<ModelPrices, ModelPrices>>();
  const toRow = (first: ModelPrices, second: ModelPrices): ModelPrices => {
    const known = rows.get(first) ?? new WeakMap<ModelPrices, ModelPrices>();
    rows.set(first, known);
    const found = known.get(second) ?? joinRows(first, second);
    known.set(second, found);
    return found;
  };
  /** Null, an unpriced model, has the highest prices of all. */
  const find = (model: string, atMs: number): ModelPrices | null => {
    const [first, second] = [a.find(model, atMs), b.find(model, atMs)];
    return first === null || second === null ? null : toRow(first, second);
  };
  return {
    features: a.features,
    find,
    findHighest: (atMs) => toRow(a.findHighest(atMs), b.findHighest(atMs)),
    findReachable: (model, atMs) => [
      ...a.findReachable(model, atMs),
      ...b.findReachable(model, atMs),
    ],
    isListed: (model) => a.isListed(model) || b.isListed(model),
    listPrices: (atMs) =>
      a.listPrices(atMs).map((listing) => ({ ...listing, prices: find(listing.model, atMs) })),
  };
}

/** Without a band in one row, its requests have the standard prices of that row. Without fast prices, the highest ones. */
function joinRows(a: ModelPrices, b: ModelPrices): ModelPrices {
  const hasLong = a.longPrompt !== null || b.longPrompt !== null;
  const tokens = [a, b].map(({ longPrompt }) => longPrompt?.overPromptTokens ?? Infinity);
  return {
    ...a,
    standard: pickHigher(a.standard, b.standard),
    longPrompt: hasLong
      ? {
          overPromptTokens: Math.min(...tokens),
          prices: pickHigher(
            a.longPrompt?.prices ?? a.standard,
            b.longPrompt?.prices ?? b.standard,
          ),
        }
      : null,
    fast: a.fast !== null && b.fast !== null ? pickHigher(a.fast, b.fast) : null,
    isGeoPriced: a.isGeoPriced || b.isGeoPriced,
  };
}

import { joinBooks } from "#src/domain/joined-prices.ts";
import { findPlatformBook } from "#src/domain/platform-prices.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import { computeWorstCost, type WorstCase } from "#src/domain/worst-case.ts";
import type { UpstreamOrder } from "#src/upstreams/upstream.ts";
import type { ParsedMessage } from "./parse-message.ts";

interface CostDeps {
  prices: { get(organizationId: string): PriceBook };
}

interface CostQuestion {
  organizationId: string;
  message: ParsedMessage;
  /** Upstreams that can get the request. */
  order: UpstreamOrder;
  /** Milliseconds since the epoch. */
  atMs: number;
}

/** Highest cost of a request, with the prices that it has. */
interface HighestCost {
  worstCase: WorstCase;
  /** Highest prices of all upstreams. */
  book: PriceBook;
}

/** Returns the highest cost of a request over the upstreams that can serve it. A hold covers each of them. */
export function findHighestCost(deps: CostDeps, question: CostQuestion): HighestCost {
  const { organizationId, message, order, atMs } = question;
  const common = deps.prices.get(organizationId);
  let book = findPlatformBook(common, order[0].priceTerms);
  for (let i = 1; i < order.length; i++) {
    const terms = order[i]?.priceTerms ?? null;
    // Most orders have one kind of prices.
    if (terms !== order[i - 1]?.priceTerms) book = joinBooks(book, findPlatformBook(common, terms));
  }
  return { book, worstCase: computeWorstCost(message, book, atMs) };
}

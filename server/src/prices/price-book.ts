import type { Database } from "#src/db/pool.ts";
import { makePriceBook, type PriceBook } from "#src/domain/price-book.ts";
import { listPriceOverrides } from "./price-overrides.sql.ts";

/** The price book of each organization, in memory: a request is priced without a round trip. */
export interface PriceBooks {
  /** The shipped list with the organization's own prices over it, as of the last `reload`. */
  get(organizationId: string): PriceBook;
  /** Reads the overrides again. On failure it throws the database's error and the books stay as they were. */
  reload(): Promise<void>;
}

/** Nothing is loaded before the first `reload`. */
export function makePriceBooks(deps: { database: Database }): PriceBooks {
  const shipped = makePriceBook([]);
  let books = new Map<string, PriceBook>();
  let reads = 0;
  let applied = 0;
  return {
    get: (organizationId) => books.get(organizationId) ?? shipped,
    async reload() {
      reads += 1;
      const read = reads;
      const overrides = await listPriceOverrides(deps.database);
      // Two reloads may overlap; the answer of the one that was asked first must not win over the later one.
      if (read < applied) return;
      applied = read;
      const byOrganization = Map.groupBy(overrides, ({ organizationId }) => organizationId);
      books = new Map(
        [...byOrganization].map(([organizationId, own]) => [organizationId, makePriceBook(own)]),
      );
    },
  };
}

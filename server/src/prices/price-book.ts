import type { Database } from "#src/db/pool.ts";
import { makeFeatureBook } from "#src/domain/feature-book.ts";
import { makePriceBook, type PriceBook } from "#src/domain/price-book.ts";
import { makeLatestRead } from "#src/lib/latest-read.ts";
import { listAllNeutralFeatures } from "./neutral-features.sql.ts";
import { listPriceOverrides } from "./price-overrides.sql.ts";

/** Price books of all organizations in memory, so that a request needs no query for its price. */
export interface PriceBooks {
  /** Returns the shipped price list and features with the organization's rows, as of the last `reload`. */
  get(organizationId: string): PriceBook;
  /** Reads the rows again. Throws the error of a failed query, and keeps the present books. */
  reload(): Promise<void>;
}

/** Returns shipped prices only, until the first `reload`. */
export function makePriceBooks(deps: { database: Database }): PriceBooks {
  const shipped = makePriceBook([]);
  let books = new Map<string, PriceBook>();
  const read = async () => ({
    overrides: await listPriceOverrides(deps.database),
    features: await listAllNeutralFeatures(deps.database),
  });
  return {
    get: (organizationId) => books.get(organizationId) ?? shipped,
    reload: makeLatestRead(read, ({ overrides, features }) => {
      const overridesOf = Map.groupBy(overrides, ({ organizationId }) => organizationId);
      const featuresOf = Map.groupBy(features, ({ organizationId }) => organizationId);
      const organizations = new Set([...overridesOf.keys(), ...featuresOf.keys()]);
      books = new Map(
        [...organizations].map((id) => [
          id,
          makePriceBook(overridesOf.get(id) ?? [], makeFeatureBook(featuresOf.get(id) ?? [])),
        ]),
      );
    }),
  };
}

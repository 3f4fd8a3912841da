import { makeSearchReader, oneOf, type SearchOf, text } from "../../search-fields.ts";

const MAX_SEARCH_LENGTH = 100;
export const laptopStates = ["active", "ended"] as const;

const fields = { find: text(MAX_SEARCH_LENGTH), status: oneOf(laptopStates) };

export const readLaptopsSearch = makeSearchReader(fields);
export type LaptopsSearch = SearchOf<typeof fields>;

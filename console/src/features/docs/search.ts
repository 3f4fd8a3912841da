import { makeSearchReader, text } from "../../search-fields.ts";

const MAX_LENGTH = 100;

/** Reads the address of the reference page. `find`: text of the filter. */
export const readReferenceSearch = makeSearchReader({ find: text(MAX_LENGTH) });
export type ReferenceSearch = ReturnType<typeof readReferenceSearch>;

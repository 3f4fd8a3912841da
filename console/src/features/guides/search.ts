import { makeSearchReader, text } from "../../search-fields.ts";

const MAX_LENGTH = 100;

/** Reads the address of the guides. `find`: text of the search. */
export const readGuidesSearch = makeSearchReader({ find: text(MAX_LENGTH) });
export type GuidesSearch = ReturnType<typeof readGuidesSearch>;

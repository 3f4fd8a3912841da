import { makeSearchReader, text } from "../../search-fields.ts";

const MAX_ID_LENGTH = 100;

/** Reads the id of the key that the page shows first. */
export const readConnectSearch = makeSearchReader({ key: text(MAX_ID_LENGTH) });
export type ConnectSearch = ReturnType<typeof readConnectSearch>;

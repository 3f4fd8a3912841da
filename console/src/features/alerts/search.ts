import { makeSearchReader, oneOf, text } from "../../search-fields.ts";

export const firingViews = ["open", "ended", "acknowledged", "all"] as const;
export type FiringView = (typeof firingViews)[number];

const MAX_LENGTH = 100;

/** Reads the address of the firing list. `kind` can be any text. Without `order`, the newest group comes first. */
export const readFiringsSearch = makeSearchReader({
  show: oneOf(firingViews),
  kind: text(MAX_LENGTH),
  order: oneOf(["severity"] as const),
});
export type FiringsSearch = ReturnType<typeof readFiringsSearch>;

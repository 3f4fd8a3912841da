import { z } from "zod";
import { optionalQuery } from "./fields.ts";

const DEFAULT_PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 1000;
const MAX_CURSOR_LENGTH = 1000;

const expectedLimit = `expected a whole number from 1 to ${MAX_PAGE_SIZE}`;
const pageLimit = z
  .preprocess(
    (value) => (value === "" ? undefined : value),
    z.coerce
      .number({ error: expectedLimit })
      .int(expectedLimit)
      .min(1, expectedLimit)
      .max(MAX_PAGE_SIZE, expectedLimit)
      .default(DEFAULT_PAGE_SIZE)
      .meta({ override: { type: "integer" } }),
  )
  .default(DEFAULT_PAGE_SIZE)
  .meta({ description: "How many entries at most." });
/** Our cursors are ids and base64url text. Others are looked up in vain, but must be text that PostgreSQL takes. */
const printable = /^[ -~]*$/;
const cursor = (description: string) =>
  optionalQuery(
    z.string().max(MAX_CURSOR_LENGTH).regex(printable, "this is not a cursor of this list"),
  ).meta({ description });

/** The official `Page` class: ids as cursors, in both directions. */
export const pageQuery = {
  limit: pageLimit,
  after_id: cursor("Id of an entry: the page after it, as a rule the last page's `last_id`."),
  before_id: cursor("Id of an entry: the page before it. Not together with `after_id`."),
};

export function page<T extends z.ZodType>(item: T) {
  return z.object({
    data: z.array(item),
    has_more: z.boolean(),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
  });
}

/** The official `PageCursor` class: an opaque forward cursor, bound to the filters it was made with. */
export const pageCursorQuery = {
  limit: pageLimit,
  page: cursor("`next_page` of the page before; the other parameters stay as they were."),
};

export function pageCursor<T extends z.ZodType>(item: T) {
  return z.object({ data: z.array(item), next_page: z.string().nullable() });
}

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
  .meta({ description: "Maximum number of entries." });
/** Cursors are ids or base64url text. Any other text is searched too, so PostgreSQL must accept it. */
const printable = /^[ -~]*$/;
const cursor = (description: string) =>
  optionalQuery(
    z.string().max(MAX_CURSOR_LENGTH).regex(printable, "this is not a cursor of this list"),
  ).meta({ description });

/** The official `Page` class: ids as cursors, in both directions. */
export const pageQuery = {
  limit: pageLimit,
  after_id: cursor("Returns the page after this entry, usually `last_id` of the previous page."),
  before_id: cursor("Returns the page before this entry. Not together with `after_id`."),
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
  page: cursor("`next_page` of the previous page. The other parameters must stay the same."),
};

export function pageCursor<T extends z.ZodType>(item: T) {
  return z.object({ data: z.array(item), next_page: z.string().nullable() });
}

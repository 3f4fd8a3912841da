import { z } from "zod";

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 1000;

const pageLimit = z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE);
const cursor = z.string().min(1).max(200);

/** The official `Page` class: ids as cursors, in both directions. */
export const pageQuery = {
  limit: pageLimit,
  after_id: cursor.optional(),
  before_id: cursor.optional(),
};

export function page<T extends z.ZodType>(item: T) {
  return z.object({
    data: z.array(item),
    has_more: z.boolean(),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
  });
}

/** The official `PageCursor` class: an opaque forward cursor. */
export const pageCursorQuery = {
  limit: pageLimit,
  page: cursor.optional(),
};

export function pageCursor<T extends z.ZodType>(item: T) {
  return z.object({ data: z.array(item), next_page: z.string().nullable() });
}

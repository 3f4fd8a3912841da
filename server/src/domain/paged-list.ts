import type { RouteInput, RouteOutput, RouteSpec } from "@bursar/contract/route.ts";
import { fromCursor, nextCursor, type PageOfRows, type PageRequest } from "./page-position.ts";

type EntryOf<R extends RouteSpec> =
  RouteOutput<R> extends { data: readonly (infer Entry)[] } ? Entry : never;

interface PageQuery {
  limit: number;
  page?: string | undefined;
}

/**
 * Handler of a list route. `list` reads the rows that the cursor asks for. A list with ids as cursors ignores `page` and
 * calls `fromIds`. The answer has the fields of both official page classes: the response schema drops the others.
 * A cursor is bound to its route, path and filters. Throws a 400 for a cursor of another list.
 */
export function pagedList<R extends RouteSpec, Call, Row>(
  route: R,
  list: (call: Call, input: RouteInput<R>, page: PageRequest) => Promise<PageOfRows<Row>>,
  toWire: (row: Row, call: Call, input: RouteInput<R>) => EntryOf<R>,
) {
  return async (call: Call, input: RouteInput<R> & { query: PageQuery }) => {
    const { limit, page: cursor, ...query } = input.query;
    const filters = { list: route.operationId, params: input.params, query };
    const page = await list(call, input, fromCursor(cursor, limit, filters));
    return {
      data: page.rows.map((row) => toWire(row, call, input)),
      next_page: nextCursor(page, filters),
      has_more: page.hasMore,
      first_id: page.first?.id ?? null,
      last_id: page.last?.id ?? null,
    };
  };
}

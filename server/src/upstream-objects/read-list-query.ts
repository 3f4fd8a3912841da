import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import { OBJECT_ID } from "#src/domain/object-name.ts";
import {
  fromCursor,
  fromIds,
  nextCursor,
  type PageOfRows,
  type PageRequest,
  positionOfCreated,
  readListQuery,
} from "#src/domain/page-position.ts";
import type { ObjectCall } from "#src/gateway/object-call.ts";
import type { OwnedObjects } from "./owned-objects.ts";

// Queries and answers of lists, in both official forms: `page` with `next_page`, and ids with `has_more`.

/** A cursor belongs to one list of one workspace. */
export function cursorFilters({ key }: ObjectCall, list: string): unknown {
  return { list, organizationId: key.organizationId, workspaceId: key.workspaceId };
}

/** Reads the page of a list of owned objects. Throws a 400 for a cursor or an id of another list. */
export function readPage(
  objects: OwnedObjects,
  call: ObjectCall,
  kind: StoredObjectKind,
  list: string = kind,
): Promise<PageRequest> | PageRequest {
  const { query } = call;
  const ids = readListQuery(query);
  const cursor = query.get("page");
  if (cursor !== null && cursor !== "") {
    return fromCursor(cursor, ids.limit, cursorFilters(call, list));
  }
  return fromIds(ids, async (id) => {
    // The database refuses some texts, such as NUL.
    if (!OBJECT_ID.test(id)) return null;
    const row = await objects.find(call.key, { kind, id });
    return row === null ? null : positionOfCreated(row);
  });
}

/** Formats a page with the fields of both forms. */
export function toListAnswer(
  page: PageOfRows<unknown>,
  data: readonly unknown[],
  filters: unknown,
): Record<string, unknown> {
  return {
    data,
    next_page: nextCursor(page, filters),
    has_more: page.hasMore,
    first_id: page.first?.id ?? null,
    last_id: page.last?.id ?? null,
  };
}

import type { ObjectKind } from "#src/db/object-tables.ts";
import { OBJECT_ID } from "#src/domain/object-name.ts";
import {
  fromCursor,
  fromIds,
  nextCursor,
  type PageOfRows,
  type PageRequest,
  positionOfCreated,
} from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import type { ObjectCall } from "#src/gateway/object-call.ts";
import type { OwnedObjects } from "./owned-objects.ts";

// Queries and answers of lists, in both official forms: `page` with `next_page`, and ids with `has_more`.

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000;

/** A cursor belongs to one list of one workspace. */
export function cursorFilters({ key }: ObjectCall, list: string): unknown {
  return { list, organizationId: key.organizationId, workspaceId: key.workspaceId };
}

export function readLimit(query: URLSearchParams): number {
  const text = query.get("limit");
  if (text === null || text === "") return DEFAULT_LIMIT;
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw refuseField("limit", `expected a whole number from 1 to ${MAX_LIMIT}.`);
}

/** Reads the page of a list of owned objects. Throws a 400 for a cursor or an id of another list. */
export function readPage(
  objects: OwnedObjects,
  call: ObjectCall,
  kind: ObjectKind,
  list: string = kind,
): Promise<PageRequest> | PageRequest {
  const { query } = call;
  const limit = readLimit(query);
  const cursor = query.get("page");
  if (cursor !== null && cursor !== "") return fromCursor(cursor, limit, cursorFilters(call, list));
  const ids = {
    after_id: query.get("after_id") ?? undefined,
    before_id: query.get("before_id") ?? undefined,
  };
  return fromIds({ limit, ...ids }, async (id) => {
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

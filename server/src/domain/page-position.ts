import { type CursorPart, decodeCursor, encodeCursor } from "#src/lib/page-cursor.ts";
import type { ApiError } from "./api-error.ts";
import { refuseField, refuseFields } from "./refuse-field.ts";

// Lists run newest first. A page is asked for by the position it continues from, never by a number
// of rows to skip, so that rows made meanwhile neither repeat nor hide others.

/** The end of the year 9999. PostgreSQL and RFC 3339 do not know every time that a double can hold. */
const LAST_MS = 253_402_300_799_999;

/** Place of a row in its list: rows are told apart by id where they were made in the same millisecond. */
export interface Position {
  createdAtMs: number;
  id: string;
}

/** Which rows to read: `limit` of them beyond `from`, older ones for "older", newer ones for "newer". */
export interface PageRequest {
  limit: number;
  direction: "older" | "newer";
  from: Position | null;
}

export interface PageOfRows<Row> {
  /** Newest first, whatever the direction was. */
  rows: Row[];
  /** Positions of the first and the last row. Null: the page is empty. */
  first: Position | null;
  last: Position | null;
  /** More rows follow in the direction that was asked for. */
  hasMore: boolean;
}

interface Time {
  getTime(): number;
}

type CreatedRow = { id: string; created_at: Time } | { id: string; createdAt: Time };

/**
 * Cuts `rows`, read with a limit of `request.limit + 1` in the direction's own order, to the page. `positionOf` is for rows
 * that are not listed by the time of their creation.
 */
export function toPage<Row extends CreatedRow>(
  rows: readonly Row[],
  request: PageRequest,
): PageOfRows<Row>;
export function toPage<Row>(
  rows: readonly Row[],
  request: PageRequest,
  positionOf: (row: Row) => Position,
): PageOfRows<Row>;
export function toPage(
  rows: readonly CreatedRow[],
  request: PageRequest,
  positionOf: (row: CreatedRow) => Position = positionOfCreated,
): PageOfRows<CreatedRow> {
  const kept = rows.slice(0, request.limit);
  if (request.direction === "newer") kept.reverse();
  const [first, last] = [kept[0], kept.at(-1)];
  return {
    rows: kept,
    first: first === undefined ? null : positionOf(first),
    last: last === undefined ? null : positionOf(last),
    hasMore: rows.length > request.limit,
  };
}

export function positionOfCreated(row: CreatedRow): Position {
  const createdAt = "created_at" in row ? row.created_at : row.createdAt;
  return { createdAtMs: createdAt.getTime(), id: row.id };
}

/** The page an opaque cursor continues with. Throws a 400 for a cursor that is not of this list and these filters. */
export function fromCursor(
  cursor: string | undefined,
  limit: number,
  filters: unknown,
): PageRequest {
  if (cursor === undefined) return { limit, direction: "older", from: null };
  const [createdAtMs, id] = readCursor(cursor, filters, ["number", "string"]);
  const from = { createdAtMs: readCursorTime(createdAtMs), id: String(id) };
  return { limit, direction: "older", from };
}

/** A time that stands in a cursor, in milliseconds since the epoch. Throws a 400 for one that no row can have. */
export function readCursorTime(part: CursorPart | undefined): number {
  const ms = Number(part);
  if (!(ms >= 0 && ms <= LAST_MS)) throw malformedCursor();
  return ms;
}

/** A count or an amount that stands in a cursor as text. Throws a 400 for one that no row can have. */
export function readCursorAmount(part: CursorPart | undefined): bigint {
  const text = String(part);
  if (!/^-?[0-9]{1,18}$/.test(text)) throw malformedCursor();
  return BigInt(text);
}

/** The cursor of the page after this one, or null where this one is the last. */
export function nextCursor(page: PageOfRows<unknown>, filters: unknown): string | null {
  if (!page.hasMore || page.last === null) return null;
  const { createdAtMs, id } = page.last;
  return encodeCursor([createdAtMs, id], filters);
}

/** The parts of an opaque cursor. Throws a 400. */
export function readCursor(
  cursor: string,
  filters: unknown,
  shape: readonly ("string" | "number")[],
): CursorPart[] {
  const position = decodeCursor(cursor, filters, shape);
  if (position === "malformed") throw malformedCursor();
  if (position === "other filters") {
    throw refuseField(
      "page",
      "cursor does not match current query parameters. A cursor continues the list it came from: keep the " +
        "other parameters as they were, or start again without page.",
      "invalid_cursor",
    );
  }
  return position;
}

function malformedCursor(): ApiError {
  return refuseField("page", "this is not a cursor of this list.", "invalid_cursor");
}

/** What an official `Page` query asks for: `findPosition` looks an id up among the rows that the caller may list. */
export async function fromIds(
  query: { limit: number; after_id?: string | undefined; before_id?: string | undefined },
  findPosition: (id: string) => Promise<Position | null>,
): Promise<PageRequest> {
  const { limit, after_id: afterId, before_id: beforeId } = query;
  if (afterId !== undefined && beforeId !== undefined) {
    throw refuseFields("after_id and before_id cannot be used together.", [
      "after_id",
      "before_id",
    ]);
  }
  const id = afterId ?? beforeId;
  if (id === undefined) return { limit, direction: "older", from: null };
  const from = await findPosition(id);
  if (from === null) {
    const name = afterId === undefined ? "before_id" : "after_id";
    throw refuseField(name, `nothing in this list has the id ${id}.`, "invalid_cursor");
  }
  return { limit, direction: afterId === undefined ? "newer" : "older", from };
}

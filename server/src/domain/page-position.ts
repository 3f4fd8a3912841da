import { type CursorPart, decodeCursor, encodeCursor } from "#src/lib/page-cursor.ts";
import type { ApiError } from "./api-error.ts";
import { refuseField, refuseFields } from "./refuse-field.ts";

// Lists run newest first. A page continues from a position instead of a number of rows, so that new rows neither repeat
// nor hide others.

/** End of the year 9999. PostgreSQL and RFC 3339 do not support every time that a double can represent. */
const LAST_MS = 253_402_300_799_999;

/** Position of a row in its list. The id distinguishes rows of the same millisecond. */
export interface Position {
  createdAtMs: number;
  id: string;
}

/** Rows to read: `limit` rows beyond `from`, older ones or newer ones. */
export interface PageRequest {
  limit: number;
  direction: "older" | "newer";
  from: Position | null;
}

export interface PageOfRows<Row> {
  /** Newest first, in both directions. */
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
 * Cuts `rows`, read with a limit of `request.limit + 1` in the order of the direction, to the page. `positionOf` is for rows
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

/** Reads the page request from an opaque cursor. Throws a 400 for a cursor of another list or other filters. */
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

/** Reads a time from a cursor, milliseconds since the epoch. Throws a 400 if no row can have it. */
export function readCursorTime(part: CursorPart | undefined): number {
  const ms = Number(part);
  if (!(ms >= 0 && ms <= LAST_MS)) throw makeCursorError();
  return ms;
}

/** Reads a count or an amount from a cursor. Throws a 400 if no row can have it. */
export function readCursorAmount(part: CursorPart | undefined): bigint {
  const text = String(part);
  if (!/^-?[0-9]{1,18}$/.test(text)) throw makeCursorError();
  return BigInt(text);
}

/** Cursor of the next page. Null: this page is the last. */
export function nextCursor(page: PageOfRows<unknown>, filters: unknown): string | null {
  if (!page.hasMore || page.last === null) return null;
  const { createdAtMs, id } = page.last;
  return encodeCursor([createdAtMs, id], filters);
}

/** Parts of an opaque cursor. Throws a 400. */
export function readCursor(
  cursor: string,
  filters: unknown,
  shape: readonly ("string" | "number")[],
): CursorPart[] {
  const position = decodeCursor(cursor, filters, shape);
  if (position === "malformed") throw makeCursorError();
  if (position === "other filters") {
    throw refuseField(
      "page",
      "cursor does not match current query parameters. Keep the " +
        "other parameters unchanged, or start again without page.",
      "invalid_cursor",
    );
  }
  return position;
}

function makeCursorError(): ApiError {
  return refuseField("page", "this is not a cursor of this list.", "invalid_cursor");
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000;

/** Limit and ids of a list of the Claude API. Throws a 400. */
export function readListQuery(query: URLSearchParams): {
  limit: number;
  after_id: string | undefined;
  before_id: string | undefined;
} {
  return {
    limit: readListLimit(query),
    after_id: query.get("after_id") ?? undefined,
    before_id: query.get("before_id") ?? undefined,
  };
}

/** Throws a 400. */
export function readListLimit(query: URLSearchParams): number {
  const text = query.get("limit");
  if (text === null || text === "") return DEFAULT_LIMIT;
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw refuseField("limit", `expected a whole number from 1 to ${MAX_LIMIT}.`);
}

/** Page request of an official `Page` query. `findPosition` finds an id among the rows that the caller can list. */
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
    throw refuseField(name, `this list has no entry with the id ${id}.`, "invalid_cursor");
  }
  return { limit, direction: afterId === undefined ? "newer" : "older", from };
}

import { SimulatedError } from "../simulated-error.ts";

// Pages of ids, in the two forms of the official lists. Ids are newest first.

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000;

/** Reads `limit`. Throws SimulatedError(400) outside 1 to `max`. */
export function readLimit(query: URLSearchParams, max = MAX_LIMIT): number {
  const text = query.get("limit");
  if (text === null) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= max) return limit;
  throw new SimulatedError(400, `limit: Input should be between 1 and ${max}`);
}

/** One page with `after_id` and `before_id`. A cursor must be in the list. */
export function selectByIds<Item extends { id: string }>(
  items: readonly Item[],
  query: URLSearchParams,
): { data: Item[]; has_more: boolean; first_id: string | null; last_id: string | null } {
  const limit = readLimit(query);
  const afterId = query.get("after_id");
  const beforeId = query.get("before_id");
  if (afterId !== null && beforeId !== null) {
    throw new SimulatedError(400, "Only one of `after_id` and `before_id` may be given.");
  }
  const from = afterId === null ? 0 : indexOf(items, afterId) + 1;
  const to = beforeId === null ? items.length : indexOf(items, beforeId);
  const rest = items.slice(from, to);
  const data = beforeId === null ? rest.slice(0, limit) : rest.slice(-limit);
  return {
    data,
    has_more: rest.length > data.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

/** One page with `page`, the text of an earlier `next_page`. Ids with another prefix than `prefix` are at the end. */
export function selectByCursor(
  ids: readonly string[],
  query: URLSearchParams,
  prefix: string,
): { ids: string[]; nextPage: string | null } {
  const limit = readLimit(query);
  const page = query.get("page");
  const from = page === null ? 0 : findAfter(ids, decodeCursor(page), prefix);
  const selected = ids.slice(from, from + limit);
  const end = selected.at(-1);
  const hasMore = from + selected.length < ids.length && end !== undefined;
  return { ids: selected, nextPage: hasMore ? Buffer.from(end).toString("base64url") : null };
}

function decodeCursor(page: string): string {
  return Buffer.from(page, "base64url").toString("utf8");
}

/** The object of a cursor may be deleted since, so its place in the order counts. */
function findAfter(ids: readonly string[], last: string, prefix: string): number {
  const known = ids.indexOf(last);
  if (known !== -1) return known + 1;
  if (!last.startsWith(prefix)) throw new SimulatedError(400, "page: Invalid cursor");
  const index = ids.findIndex((id) => id < last || !id.startsWith(prefix));
  return index === -1 ? ids.length : index;
}

function indexOf(items: readonly { id: string }[], id: string): number {
  const index = items.findIndex((item) => item.id === id);
  if (index === -1) throw new SimulatedError(400, `Invalid cursor: ${id}`);
  return index;
}

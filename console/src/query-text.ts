// Addresses of calls. early.ts asks before api-client.ts and queries.ts do, and the addresses must be equal.

/** Text of a query, with its question mark. Leaves out what is undefined, null or empty. */
export function toQueryText(query: Record<string, unknown> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    for (const item of Array.isArray(value) ? value : [value]) search.append(name, String(item));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

/** Path with its parameters. */
export function fillPath(path: string, params: Record<string, unknown> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

const LIST_PAGE_SIZE = 1000;
const LOG_PAGE_SIZE = 50;

/** Query for a page of a list that is loaded to its end. Null: the first page. */
export const toListQuery = (query: object, page: string | null) => ({
  ...query,
  limit: LIST_PAGE_SIZE,
  page,
});

/** Query for a page of a long list, such as a log. Null: the newest page. */
export const toLogQuery = (query: object, page: string | null) => ({
  limit: LOG_PAGE_SIZE,
  ...query,
  page,
});

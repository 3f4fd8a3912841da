/**
 * Parses a query string to names and values. A repeated name, or one with brackets (`ids[]=a`, as official SDKs send
 * lists), becomes a list. Other values are text. The order of names does not matter.
 */
export function readQuery(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null);
  for (const [written, value] of new URLSearchParams(text)) {
    const isList = written.endsWith("[]");
    const name = isList ? written.slice(0, -2) : written;
    const before = query[name];
    if (before === undefined) query[name] = isList ? [value] : value;
    else query[name] = [...(typeof before === "string" ? [before] : before), value];
  }
  return query;
}

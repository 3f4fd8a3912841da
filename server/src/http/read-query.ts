/**
 * A query string as names and values: text where a name stands once, a list where it stands more often or with brackets
 * (`ids[]=a`), which is how the official SDKs send lists. The order of names does not matter.
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

import type { IncomingHttpHeaders } from "node:http";

/** Returns fields by their lower-case names. Repeated fields become a list, so that each one is passed on by itself. */
export function toResponseHeaders(rawHeaders: readonly string[]): IncomingHttpHeaders {
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    const value = rawHeaders[i + 1] as string;
    const earlier = headers[name];
    if (earlier === undefined) headers[name] = value;
    else if (typeof earlier === "string") headers[name] = [earlier, value];
    else if (Array.isArray(earlier)) earlier.push(value);
    // Other values are properties of every object. No header of an API has such a name.
  }
  return headers;
}

import type { IncomingHttpHeaders } from "node:http";

/** Names of which the first field counts, and the others are dropped. */
const FIRST_COUNTS = new Set([
  "age",
  "authorization",
  "content-length",
  "content-type",
  "etag",
  "expires",
  "from",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "referer",
  "retry-after",
  "server",
  "user-agent",
]);

/**
 * Returns the fields by their names in lower case. Fields with the same name are joined or dropped by the rules of
 * `message.headers` in node:http.
 */
export function toHeaderMap(rawHeaders: readonly string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    addHeader(headers, (rawHeaders[i] as string).toLowerCase(), rawHeaders[i + 1] as string);
  }
  return headers;
}

function addHeader(headers: IncomingHttpHeaders, name: string, value: string): void {
  const earlier = headers[name];
  if (name === "set-cookie") {
    if (Array.isArray(earlier)) earlier.push(value);
    else headers[name] = [value];
  } else if (typeof earlier !== "string") {
    headers[name] = value;
  } else if (!FIRST_COUNTS.has(name)) {
    headers[name] = `${earlier}${name === "cookie" ? "; " : ", "}${value}`;
  }
}

import type { IncomingHttpHeaders } from "node:http";

// Headers that the gateway forwards. Requests: all headers except a list, because new fields, betas and trace headers must
// reach the upstream. Responses: only headers of a list, because the upstream's cookies and organization are not for the
// client.

/** Headers that belong to one connection (RFC 9110 §7.6.1), or that the upstream's client writes itself. */
const connectionHeaders = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "content-length",
  "expect",
];

/** Headers for this gateway only. `accept-encoding` becomes `identity`. */
const privateHeaders = [
  "x-api-key",
  "authorization",
  "cookie",
  "anthropic-workspace-id",
  "forwarded",
  "via",
  "x-real-ip",
  "accept-encoding",
];

const removedHeaders = new Set([...connectionHeaders, ...privateHeaders]);

const DEFAULT_ANTHROPIC_VERSION = "2023-06-01";

/**
 * Returns the headers of the upstream call as a flat list of names and values. `rawHeaders` are the client's. `credential`
 * is the upstream's key, or null if it needs none. A missing `anthropic-version` becomes the oldest version in use, for
 * which clients without the header were written.
 */
export function toUpstreamHeaders(
  rawHeaders: readonly string[],
  credential: string | null,
): string[] {
  const headers: string[] = [];
  let named: readonly string[] = [];
  let hasVersion = false;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const value = rawHeaders[i + 1] ?? "";
    if (name === "connection") named = listConnectionHeaders(named, value);
    if (removedHeaders.has(name) || name.startsWith("x-forwarded-")) continue;
    if (name === "anthropic-version") hasVersion = true;
    headers.push(name, value);
  }
  const kept = named.length === 0 ? headers : removeNamedHeaders(headers, named);
  if (!hasVersion) kept.push("anthropic-version", DEFAULT_ANTHROPIC_VERSION);
  kept.push("accept-encoding", "identity");
  if (credential !== null) kept.push("x-api-key", credential);
  return kept;
}

/** Lists the header names in a Connection header. Nearly all of these headers have only `keep-alive` or `close`. */
function listConnectionHeaders(soFar: readonly string[], value: string): readonly string[] {
  if (value === "keep-alive" || value === "close") return soFar;
  const names = value
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    // Version and content type belong to the request and not to the connection, so they cannot be removed.
    .filter((name) => name !== "" && name !== "anthropic-version" && name !== "content-type");
  return [...soFar, ...names];
}

function removeNamedHeaders(headers: readonly string[], named: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (!named.includes(name)) kept.push(name, headers[i + 1] ?? "");
  }
  return kept;
}

const passed = new Set([
  "content-type",
  "content-length",
  "content-encoding",
  "content-language",
  "cache-control",
  "date",
  "request-id",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
]);
const passedPrefixes = ["anthropic-ratelimit-", "anthropic-priority-", "anthropic-fast-"];

/** Ids of this server in a response. */
export interface ResponseIdentity {
  requestId: string;
  organizationId: string;
  workspaceId: string;
}

interface AnswerFacts {
  status: number;
  isStream: boolean;
  /** Rate limit headers of this server. Null: none. */
  rates: Readonly<Record<string, string>> | null;
}

/**
 * Returns the headers of the client's response as a flat list of names and values: listed headers of the upstream, and those
 * of this server. The upstream's `request-id` stays, and this server's id is in `bursar-request-id`. The length of a stream
 * is removed, so that the gateway can end it with an error event. `rates` replace rate limit headers of the upstream, which
 * are about the shared account. A 401 gets `x-should-retry: false`.
 */
export function toClientHeaders(
  upstream: IncomingHttpHeaders,
  identity: ResponseIdentity,
  { status, isStream, rates }: AnswerFacts,
): string[] {
  const headers: string[] = [];
  for (const name in upstream) {
    const value = upstream[name];
    if (value === undefined || !isForwarded(name)) continue;
    if (isStream && name === "content-length") continue;
    if (rates !== null && name in rates) continue;
    if (typeof value === "string") headers.push(name, value);
    else for (const one of value) headers.push(name, one);
  }
  if (upstream["request-id"] === undefined) headers.push("request-id", identity.requestId);
  addIdentityHeaders(headers, identity);
  for (const name in rates) headers.push(name, rates[name] ?? "");
  if (isStream) headers.push("x-accel-buffering", "no");
  if (status === 401 && upstream["x-should-retry"] === undefined) {
    headers.push("x-should-retry", "false");
  }
  return headers;
}

/** Adds the headers of every response to an authenticated client. */
export function addIdentityHeaders(headers: string[], identity: ResponseIdentity): void {
  headers.push(
    "bursar-request-id",
    identity.requestId,
    "anthropic-organization-id",
    identity.organizationId,
    "anthropic-workspace-id",
    identity.workspaceId,
    "x-content-type-options",
    "nosniff",
  );
}

function isForwarded(name: string): boolean {
  if (passed.has(name)) return true;
  if (!name.startsWith("anthropic-")) return false;
  return passedPrefixes.some((prefix) => name.startsWith(prefix));
}

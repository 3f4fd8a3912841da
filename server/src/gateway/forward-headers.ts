import { FieldLines } from "#src/lib/field-lines.ts";
import { FieldNames } from "#src/lib/field-names.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";

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

/** Users whom a gateway in front of this server names. Removed if this server knows the user itself. */
const userHeaders = [
  "x-claude-gateway-user-id",
  "x-claude-gateway-user-email",
  "x-litellm-end-user-id",
];

const removedHeaders = [...connectionHeaders, ...privateHeaders];
const removedStarts = ["x-forwarded-"];
const removed = new FieldNames(removedHeaders, removedStarts);
const removedWithUser = new FieldNames([...removedHeaders, ...userHeaders], removedStarts);

const DEFAULT_ANTHROPIC_VERSION = "2023-06-01";
const noEncoding = FieldLines.fromList(["accept-encoding", "identity"]);

/**
 * Returns the headers of the upstream call. `fields` are the client's. `credential` is the upstream's key, or null if it
 * needs none. `isUserKnown`: headers that name a user are removed. A missing `anthropic-version` becomes the oldest version in
 * use, for which clients without the header were written.
 */
export function toUpstreamHeaders(
  fields: HeaderFields,
  credential: string | null,
  isUserKnown: boolean,
): FieldLines {
  const lines = new FieldLines();
  const named = listConnectionHeaders(fields);
  const always = isUserKnown ? removedWithUser : removed;
  const isRemoved =
    named.length === 0
      ? always
      : new FieldNames(
          [...removedHeaders, ...(isUserKnown ? userHeaders : []), ...named],
          removedStarts,
        );
  lines.addFields(fields, (index) => !isRemoved.has(fields, index));
  if (fields.find("anthropic-version") === undefined) {
    lines.add("anthropic-version", DEFAULT_ANTHROPIC_VERSION);
  }
  lines.addLines(noEncoding);
  if (credential !== null) lines.add("x-api-key", credential);
  return lines;
}

/** Lists the header names in a Connection header. Nearly all of these headers have only `keep-alive` or `close`. */
function listConnectionHeaders(fields: HeaderFields): readonly string[] {
  const value = fields.find("connection");
  if (value === undefined || value === "keep-alive" || value === "close") return [];
  return (
    value
      .toLowerCase()
      .split(",")
      .map((name) => name.trim())
      // Version and content type belong to the request and not to the connection, so they cannot be removed.
      .filter((name) => name !== "" && name !== "anthropic-version" && name !== "content-type")
  );
}

const passedHeaders = [
  "content-type",
  "content-encoding",
  "content-language",
  "content-disposition",
  "cache-control",
  "date",
  "request-id",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
];
const otherStarts = ["anthropic-priority-", "anthropic-fast-"];
const passedStarts = ["anthropic-ratelimit-", ...otherStarts];
const passed = new FieldNames([...passedHeaders, "content-length"], passedStarts);
const passedOfStream = new FieldNames(passedHeaders, passedStarts);
/** A laptop would show limits of the shared account as those of its person. */
const passedToLaptop = new FieldNames([...passedHeaders, "content-length"], otherStarts);
const passedToLaptopOfStream = new FieldNames(passedHeaders, otherStarts);

/** Ids of this server in a response. */
export interface ResponseIdentity {
  requestId: string;
  organizationId: string;
  workspaceId: string;
}

interface AnswerFacts {
  status: number;
  isStream: boolean;
  /** The client is a laptop, which gets no rate limit headers of the upstream. */
  isLaptop: boolean;
  /** Rate limit headers of this server. Null: none. */
  rates: Readonly<Record<string, string>> | null;
}

/**
 * Returns the headers of the client's response: listed headers of the upstream, and those of this server. The upstream's
 * `request-id` stays, and this server's id is in `bursar-request-id`. The length of a stream is removed, so that the gateway
 * can end it with an error event. `rates` replace rate limit headers of the upstream, which are about the shared account. A
 * 401 gets `x-should-retry: false`.
 */
export function toClientHeaders(
  upstream: HeaderFields,
  identity: ResponseIdentity,
  { status, isStream, isLaptop, rates }: AnswerFacts,
): FieldLines {
  const lines = new FieldLines();
  const listed = isLaptop ? findLaptopList(isStream) : isStream ? passedOfStream : passed;
  lines.addFields(upstream, (index) => {
    if (!listed.has(upstream, index)) return false;
    return rates === null || !Object.hasOwn(rates, upstream.nameOf(index));
  });
  if (upstream.find("request-id") === undefined) lines.add("request-id", identity.requestId);
  addIdentityHeaders(lines, identity);
  for (const name in rates) lines.add(name, rates[name] ?? "");
  if (isStream) lines.add("x-accel-buffering", "no");
  if (status === 401 && upstream.find("x-should-retry") === undefined) {
    lines.add("x-should-retry", "false");
  }
  return lines;
}

function findLaptopList(isStream: boolean): FieldNames {
  return isStream ? passedToLaptopOfStream : passedToLaptop;
}

/** Adds the headers of every response to an authenticated client. */
export function addIdentityHeaders(lines: FieldLines, identity: ResponseIdentity): void {
  lines.add("bursar-request-id", identity.requestId);
  lines.addLines(workspaceLines(identity));
}

/** Lines of the last response, because most responses in a row belong to one workspace. */
let last: { organizationId: string; workspaceId: string; lines: FieldLines } | null = null;

function workspaceLines({ organizationId, workspaceId }: ResponseIdentity): FieldLines {
  const isSame = last?.workspaceId === workspaceId && last.organizationId === organizationId;
  if (last !== null && isSame) return last.lines;
  const lines = FieldLines.fromList([
    "anthropic-organization-id",
    organizationId,
    "anthropic-workspace-id",
    workspaceId,
    "x-content-type-options",
    "nosniff",
  ]);
  last = { organizationId, workspaceId, lines };
  return lines;
}

import {
  isAnsweredEarly,
  type OwnReading,
  type Reading,
  type ReadMessage,
} from "./message-reading.ts";

/** Known and wanted difference: the reader of `http1/` refuses, and the reference reads on. */
interface AcceptedDifference {
  /** Reason of the refusal. */
  refusal: string;
  /** Form of the refused head, or of the body from its begin. */
  pattern: RegExp;
}

/** Refusals of a head by node:http for which the reader of `http1/` waits until the head is complete. */
const EARLY_REFUSALS = [
  "HPE_INVALID_CONTENT_LENGTH",
  "HPE_UNEXPECTED_CONTENT_LENGTH",
  "HPE_INVALID_TRANSFER_ENCODING",
];

/** Trailers that would change the connection, or the framing of a body that has ended. No known program sends them. */
const FRAMING_TRAILER: AcceptedDifference = {
  refusal: "invalid body",
  pattern:
    /(?:^|\r\n)0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*(?:proxy-connection|connection|transfer-encoding):/i,
};

/** Sizes that no real message has. Each bound is lower than at the reference, which may have none. */
const OVER_BOUNDS: readonly AcceptedDifference[] = [
  { refusal: "fields", pattern: /^(?:(?!\r\n\r\n)[\s\S]){16381}/ },
  { refusal: "fields", pattern: /^(?:[^\r\n]+\r\n){502}/ },
  { refusal: "status line", pattern: /^[^\r\n]{16383}/ },
  { refusal: "invalid body", pattern: /;[^\r\n]{16384}/ },
  { refusal: "invalid body", pattern: /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n){1001}/ },
];

/**
 * Differences about requests. Heads that are `other` are the work of node:http, so they need no entry. Older versions of
 * Node have no bound for the number of trailers.
 */
const acceptedForRequests: readonly AcceptedDifference[] = [FRAMING_TRAILER, ...OVER_BOUNDS];

/** Differences about responses. Each is a response that no usual server sends. */
const acceptedForResponses: readonly AcceptedDifference[] = [
  FRAMING_TRAILER,
  ...OVER_BOUNDS,
  // Empty lines before a response are left over from another message.
  { refusal: "status line", pattern: /^[\r\n]/ },
  // Other protocols and versions have other rules for bodies.
  { refusal: "status line", pattern: /^(ICE|RTSP|HTTP)\/(?!1\.[01])\d\.\d/ },
  { refusal: "status line", pattern: /^(ICE|RTSP)\// },
  // llhttp takes a second CR for the LF.
  { refusal: "status line", pattern: /^HTTP\/1\.[01] \d{3}[^\r\n]*\r\r/ },
  // Control characters in the reason phrase are invalid (RFC 9112 §4).
  { refusal: "status line", pattern: /^HTTP\/1\.[01] \d{3} [^\r\n]*[^\t\x20-\x7e\x80-\xff\r\n]/ },
  // undici fails by an assertion after it has reported these heads.
  { refusal: "status", pattern: /^HTTP\/1\.[01] (0\d\d|101)/ },
  // A number above 15 digits is no length of a real response.
  { refusal: "length", pattern: /\r\ncontent-length:[ \t]*\d{16,}/i },
  // The coding of the body is unknown, or HTTP/1.0 excludes it (RFC 9112 §6.1). undici would pass on coded bytes.
  { refusal: "transfer coding", pattern: /\r\ntransfer-encoding:/i },
  // llhttp reads `chunked` with a tab after it as an unknown coding.
  { refusal: "fields", pattern: /:[^\r\n]*\t *\r\n/ },
  // undici refuses the final response that follows.
  { refusal: "interim response that closes", pattern: /^HTTP\/1\.[01] 1/ },
];

/** Returns the first disagreement about a connection of requests, or null. */
export function compareRequests(own: OwnReading, node: Reading): string | null {
  const problem = compareMessages(own, node);
  if (problem !== null) return problem;
  const more = node.messages.length - own.messages.length;
  switch (own.ending) {
    case "other":
      return null;
    case "closed":
      return more > 0 ? "node:http reads on after the connection ends" : null;
    case "partial": {
      if (more > 0) return "node:http reads more";
      const isEarly = own.unread !== "" && EARLY_REFUSALS.includes(node.refusal ?? "");
      return node.refusal === null || isEarly ? null : `waits, and node:http: ${node.refusal}`;
    }
    case "invalid": {
      const isRefused = node.refusal !== null && more === 0;
      return isRefused || isAccepted(own, acceptedForRequests) ? null : "refuses a body alone";
    }
  }
}

/**
 * Returns the first disagreement about a connection of requests that a server of `http1/` and node:http served together, or
 * null. `node` served it alone.
 */
export function compareServers(served: Reading, node: Reading, text: string): string | null {
  const last = served.messages.at(-1);
  // A refusal after a response would damage it, so the connection is closed.
  const isStopped = served.refusal !== null || (last !== undefined && isAnsweredEarly(last));
  const isRefusedBody = isStopped && FRAMING_TRAILER.pattern.test(text);
  for (const [index, message] of served.messages.entries()) {
    const other = node.messages[index];
    if (other === undefined) return `only http1 serves message ${index}: ${node.refusal}`;
    const isLast = index === served.messages.length - 1;
    const isRefused = isAnsweredEarly(message) || (isRefusedBody && isLast);
    const problem = compareMessage(message, other, isRefused);
    if (problem !== null) return `message ${index}: ${problem}`;
  }
  if (isRefusedBody) return null;
  // No handler gets a request whose body is invalid from the first piece on.
  const isLastUnserved = served.refusal !== null && node.messages.at(-1)?.isComplete === false;
  const unserved = node.messages.length - served.messages.length;
  if (unserved !== 0 && !(unserved === 1 && isLastUnserved)) {
    return `${served.messages.length} messages and ${node.messages.length}`;
  }
  // A server of `http1/` reads nothing after a last request, and waits for the end of a head.
  const isUnread = ["HPE_CLOSED_CONNECTION", ...EARLY_REFUSALS].includes(node.refusal ?? "");
  if (served.refusal === null && isUnread) return null;
  if ((served.refusal === null) === (node.refusal === null)) return null;
  return isStopped && served.refusal === null
    ? null
    : `refusals ${served.refusal} and ${node.refusal}`;
}

/** Returns the first disagreement about a connection of responses that has ended, or null. `text` has all its bytes. */
export function compareResponses(own: OwnReading, undici: Reading, text: string): string | null {
  const problem = compareMessages(own, undici);
  if (problem !== null) return isMiscounted(undici, text) ? null : problem;
  const more = undici.messages.length - own.messages.length;
  switch (own.ending) {
    case "closed":
    case "partial":
      return more <= 0 || hasContradiction(text) ? null : "undici reads more";
    case "other":
    case "invalid": {
      const isRefused = undici.refusal !== null && more === 0;
      if (isRefused || isAccepted(own, acceptedForResponses)) return null;
      return `refuses alone: ${own.refusal}`;
    }
  }
}

/** True if undici counted a space after a length as a digit, and then refused the body. */
function isMiscounted({ refusal }: Reading, text: string): boolean {
  const isMismatch = refusal === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH";
  return isMismatch && /\r\ncontent-length:[ \t]*\d+ +\r\n/i.test(text);
}

/** True for `close` beside `keep-alive` in HTTP/1.0. llhttp then keeps the connection alive, and http1 does not. */
function hasContradiction(text: string): boolean {
  return (
    /HTTP\/1\.0 [\s\S]*connection:[^\r\n]*close/i.test(text) && /:[^\r\n]*keep-alive/i.test(text)
  );
}

function isAccepted(own: OwnReading, accepted: readonly AcceptedDifference[]): boolean {
  const headEnd = own.unread.indexOf("\r\n\r\n") + 4;
  const isHead = own.ending === "other" && headEnd > 4;
  const refused = isHead ? own.unread.slice(0, headEnd) : own.unread;
  return accepted.some(({ refusal, pattern }) => refusal === own.refusal && pattern.test(refused));
}

function compareMessages(own: OwnReading, reference: Reading): string | null {
  for (const [index, message] of own.messages.entries()) {
    const other = reference.messages[index];
    if (other === undefined) return `only http1 reads message ${index}: ${reference.refusal}`;
    // The body that is refused may be longer at the reference.
    const isRefused = own.ending === "invalid" && index === own.messages.length - 1;
    const problem = compareMessage(message, other, isRefused);
    if (problem !== null) return `message ${index}: ${problem}`;
  }
  return null;
}

function compareMessage(
  own: ReadMessage,
  reference: ReadMessage,
  isRefused: boolean,
): string | null {
  if (own.start !== reference.start) return `start ${own.start} and ${reference.start}`;
  const fields = JSON.stringify(own.fields);
  const others = JSON.stringify(reference.fields);
  if (fields !== others) return `fields ${fields} and ${others}`;
  const isReported = own.isKeptAlive !== null && reference.isKeptAlive !== null;
  if (isReported && own.isKeptAlive !== reference.isKeptAlive) {
    return `kept alive ${own.isKeptAlive} and ${reference.isKeptAlive}`;
  }
  // The reference may read on in a body that is refused or dropped.
  if (isRefused && reference.body.startsWith(own.body)) return null;
  if (own.body !== reference.body) return `body ${own.body} and ${reference.body}`;
  if (own.isComplete === reference.isComplete) return null;
  return `complete ${own.isComplete} and ${reference.isComplete}`;
}

import type { HeaderFields } from "#src/lib/header-fields.ts";
import { isOfClass, TARGET, VALUE } from "./byte-classes.ts";
import { type MessageFields, readMessageFields } from "./message-fields.ts";
import {
  createFields,
  createText,
  INVALID,
  MAX_HEAD_BYTES,
  PARTIAL,
  scanFields,
} from "./scan-fields.ts";

/** Length of a body. `untilClose`: responses only. */
export type Framing =
  | { kind: "none" }
  | { kind: "length"; bytes: number }
  | { kind: "chunked" }
  | { kind: "untilClose" };

export interface RequestHead {
  method: string;
  /** Path and query as sent. Begins with a slash. */
  target: string;
  fields: HeaderFields;
  framing: Framing;
  /** False if the connection ends after this request. */
  isKeptAlive: boolean;
}

export interface ResponseHead {
  /** Below 200: the head of the final response follows. */
  status: number;
  fields: HeaderFields;
  framing: Framing;
  /** False if the connection ends after this response. */
  isKeptAlive: boolean;
}

/**
 * `length`: bytes of the head with its empty line. `partial`: more bytes are needed. `other`: the bytes are invalid or
 * unusual.
 */
export type HeadRead<Head> =
  | { kind: "head"; head: Head; length: number }
  | { kind: "partial" }
  | { kind: "other"; reason: string };

type NoHead = Exclude<HeadRead<never>, { kind: "head" }>;

const METHODS = ["POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"];
const METHOD_STARTS = METHODS.map((method) => Buffer.from(`${method} `));
const REQUEST_VERSION = Buffer.from(" HTTP/1.1\r\n");
const LINE_END = Buffer.from("\r\n");
/** Start of a response, in which `0` is any digit. */
const STATUS_PATTERN = Buffer.from("HTTP/1.0 000");
const MINOR_AT = 7;
const STATUS_AT = 9;

const SPACE = 0x20;
const SLASH = 0x2f;
const ZERO = 0x30;
const CR = 0x0d;

const NO_BODY: Framing = { kind: "none" };
const CHUNKED: Framing = { kind: "chunked" };
const UNTIL_CLOSE: Framing = { kind: "untilClose" };

/**
 * Reads the head of a request at `start`. Returns a head only if node:http reads the same method, target, fields and
 * length of the body. Node:http serves or refuses a request that is `other`.
 */
export function readRequestHead(bytes: Buffer, start: number): HeadRead<RequestHead> {
  const method = findMethod(bytes, start);
  if (typeof method === "number") return noHead(method, "method");
  const targetStart = start + method.length + 1;
  const targetEnd = findTargetEnd(bytes, start, targetStart);
  if (targetEnd < 0) return noHead(targetEnd, "target");
  const lineEnd = skip(bytes, targetEnd, REQUEST_VERSION);
  if (lineEnd < 0) return noHead(lineEnd, "version");
  const end = scanFields(bytes, start, lineEnd);
  if (end < 0) return noHead(end, "fields");
  const text = createText(bytes, start, end);
  const fields = createFields(text);
  const facts = readMessageFields(fields);
  if (typeof facts === "string") return noHead(INVALID, facts);
  const unusual = findUnusualField(facts);
  if (unusual !== null) return noHead(INVALID, unusual);
  const head: RequestHead = {
    method,
    target: text.substring(targetStart - start, targetEnd - start),
    fields,
    framing: facts.isChunked ? CHUNKED : frameLength(facts.contentLength ?? 0),
    isKeptAlive: !facts.hasClose,
  };
  return { kind: "head", head, length: end - start };
}

/**
 * Reads the head of a response at `start`. `requestMethod`: the response to HEAD has no body. Accepts every usual response
 * of HTTP/1.1 and HTTP/1.0. `other` means that the call fails. Status 100 and 101 are `other`, because no request asks
 * for them.
 */
export function readResponseHead(
  bytes: Buffer,
  start: number,
  requestMethod: string,
): HeadRead<ResponseHead> {
  const lineEnd = findStatusLineEnd(bytes, start);
  if (lineEnd < 0) return noHead(lineEnd, "status line");
  const minor = (bytes[start + MINOR_AT] as number) - ZERO;
  const status = readStatus(bytes, start + STATUS_AT);
  if (minor > 1 || status < 102) return noHead(INVALID, "status");
  const end = scanFields(bytes, start, lineEnd);
  if (end < 0) return noHead(end, "fields");
  const fields = createFields(createText(bytes, start, end));
  const facts = readMessageFields(fields);
  if (typeof facts === "string") return noHead(INVALID, facts);
  if (minor === 0 && facts.isChunked) return noHead(INVALID, "transfer coding");
  const framing = frameResponse(facts, status, requestMethod);
  const closes = facts.hasClose || (minor === 0 && !facts.hasKeepAlive);
  if (status < 200 && closes) return noHead(INVALID, "interim response that closes");
  const isKeptAlive = !closes && hasSureEnd(facts, { status, framing, requestMethod });
  return { kind: "head", head: { status, fields, framing, isKeptAlive }, length: end - start };
}

/** Returns the method, PARTIAL or INVALID. Methods that the Claude API does not use are INVALID. */
function findMethod(bytes: Buffer, start: number): string | number {
  let result = INVALID;
  for (let i = 0; i < METHODS.length; i++) {
    const end = skip(bytes, start, METHOD_STARTS[i] as Buffer);
    if (end >= 0) return METHODS[i] as string;
    if (end === PARTIAL) result = PARTIAL;
  }
  return result;
}

/** Returns the position after `text`, PARTIAL or INVALID. */
function skip(bytes: Buffer, from: number, text: Buffer): number {
  for (let i = 0; i < text.length; i++) {
    if (from + i >= bytes.length) return PARTIAL;
    if (bytes[from + i] !== text[i]) return INVALID;
  }
  return from + text.length;
}

/** Returns the end of the target that begins at `from`, PARTIAL or INVALID. */
function findTargetEnd(bytes: Buffer, start: number, from: number): number {
  const end = Math.min(bytes.length, start + MAX_HEAD_BYTES);
  if (from < end && bytes[from] !== SLASH) return INVALID;
  let pos = from;
  while (pos < end && isOfClass(bytes[pos] as number, TARGET)) pos++;
  if (pos < end) return bytes[pos] === SPACE ? pos : INVALID;
  return end < start + MAX_HEAD_BYTES ? PARTIAL : INVALID;
}

function findUnusualField(facts: MessageFields): string | null {
  if (facts.hostCount !== 1) return "host";
  if (facts.hasExpect) return "expect";
  if (facts.hasUpgrade) return "upgrade";
  if (facts.hasProxyConnection) return "proxy-connection";
  return null;
}

/** Returns the position after the status line, PARTIAL or INVALID. */
function findStatusLineEnd(bytes: Buffer, start: number): number {
  for (let i = 0; i < STATUS_PATTERN.length; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return PARTIAL;
    const isExpected = STATUS_PATTERN[i] === ZERO ? isDigit(byte) : byte === STATUS_PATTERN[i];
    if (!isExpected) return INVALID;
  }
  const end = Math.min(bytes.length, start + MAX_HEAD_BYTES);
  let pos = start + STATUS_PATTERN.length;
  if (pos < end && bytes[pos] !== SPACE && bytes[pos] !== CR) return INVALID;
  while (pos < end && isOfClass(bytes[pos] as number, VALUE)) pos++;
  if (pos < end) return skip(bytes, pos, LINE_END);
  return end < start + MAX_HEAD_BYTES ? PARTIAL : INVALID;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

function readStatus(bytes: Buffer, at: number): number {
  const [hundreds = 0, tens = 0, ones = 0] = [bytes[at], bytes[at + 1], bytes[at + 2]];
  return (hundreds - ZERO) * 100 + (tens - ZERO) * 10 + (ones - ZERO);
}

function frameLength(bytes: number): Framing {
  return bytes === 0 ? NO_BODY : { kind: "length", bytes };
}

/** Framing of a response (RFC 9112 §6.3). */
function frameResponse(facts: MessageFields, status: number, requestMethod: string): Framing {
  if (requestMethod === "HEAD" || isWithoutBody(status)) return NO_BODY;
  if (facts.isChunked) return CHUNKED;
  return facts.contentLength === null ? UNTIL_CLOSE : frameLength(facts.contentLength);
}

function isWithoutBody(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

/**
 * True if the next response surely begins after this one. Some servers send a body although the status or HEAD excludes
 * it, so undici too closes such connections.
 */
function hasSureEnd(
  facts: MessageFields,
  response: { status: number; framing: Framing; requestMethod: string },
): boolean {
  if (response.status < 200) return true;
  if (response.requestMethod === "HEAD") return false;
  if (response.framing.kind !== "none") return response.framing.kind !== "untilClose";
  return !facts.isChunked && (facts.contentLength ?? 0) === 0;
}

function noHead(why: number, reason: string): NoHead {
  return why === PARTIAL ? { kind: "partial" } : { kind: "other", reason };
}

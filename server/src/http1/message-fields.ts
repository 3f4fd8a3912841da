import type { HeaderFields } from "#src/lib/header-fields.ts";

/** Facts in the fields of a head that decide about its body and its connection. */
export interface MessageFields {
  /** Number of bytes, or null without a length. */
  contentLength: number | null;
  isChunked: boolean;
  hasClose: boolean;
  hasKeepAlive: boolean;
  hasUpgrade: boolean;
  hasExpect: boolean;
  hasProxyConnection: boolean;
  hostCount: number;
}

/** Highest number of digits of a length. Every such number is exact. */
const MAX_LENGTH_DIGITS = 15;
const ZERO = 0x30;

/**
 * Reads the facts from the fields. Returns a reason if the framing is ambiguous or unusual. Examples are two lengths, a
 * length beside a transfer coding, and a coding other than `chunked`.
 */
export function readMessageFields(fields: HeaderFields): MessageFields | string {
  const facts: MessageFields = {
    contentLength: null,
    isChunked: false,
    hasClose: false,
    hasKeepAlive: false,
    hasUpgrade: false,
    hasExpect: false,
    hasProxyConnection: false,
    hostCount: 0,
  };
  for (let i = 0; i < fields.count; i++) {
    const reason = addField(facts, fields, i);
    if (reason !== null) return reason;
  }
  if (facts.isChunked && facts.contentLength !== null) return "length and transfer coding";
  return facts;
}

/** Adds one field. The length of the name rules out most of the fields before a comparison. */
function addField(facts: MessageFields, fields: HeaderFields, index: number): string | null {
  switch (fields.nameLengthOf(index)) {
    case 4:
      if (fields.isNamed(index, "host")) facts.hostCount++;
      return null;
    case 6:
      if (fields.isNamed(index, "expect")) facts.hasExpect = true;
      return null;
    case 7:
      if (fields.isNamed(index, "upgrade")) facts.hasUpgrade = true;
      return null;
    case 10:
      if (fields.isNamed(index, "connection")) addConnection(facts, fields.valueOf(index));
      return null;
    case 14:
      if (!fields.isNamed(index, "content-length")) return null;
      return addContentLength(facts, fields.valueOf(index));
    case 16:
      if (!fields.isNamed(index, "proxy-connection")) return null;
      facts.hasProxyConnection = true;
      addConnection(facts, fields.valueOf(index));
      return null;
    case 17:
      if (!fields.isNamed(index, "transfer-encoding")) return null;
      return addTransferEncoding(facts, fields.valueOf(index));
    default:
      return null;
  }
}

function addConnection(facts: MessageFields, value: string): void {
  if (value === "keep-alive") {
    facts.hasKeepAlive = true;
    return;
  }
  for (const part of value.split(",")) {
    const option = trimBlanks(part).toLowerCase();
    if (option === "close") facts.hasClose = true;
    else if (option === "keep-alive") facts.hasKeepAlive = true;
    else if (option === "upgrade") facts.hasUpgrade = true;
  }
}

/** Removes spaces and tabs only. `trim` would also remove 0xa0, which belongs to the option. */
function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

function addContentLength(facts: MessageFields, value: string): string | null {
  if (facts.contentLength !== null) return "two lengths";
  const length = parseLength(value);
  if (length === null) return "length";
  facts.contentLength = length;
  return null;
}

function addTransferEncoding(facts: MessageFields, value: string): string | null {
  if (facts.isChunked || value.toLowerCase() !== "chunked") return "transfer coding";
  facts.isChunked = true;
  return null;
}

/** Returns a number of at most 15 digits, and null for any other text. */
function parseLength(text: string): number | null {
  if (text.length === 0 || text.length > MAX_LENGTH_DIGITS) return null;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return null;
    length = length * 10 + digit;
  }
  return length;
}

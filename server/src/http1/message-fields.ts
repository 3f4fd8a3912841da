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
/** Difference between a letter in upper case and in lower case. */
const LOWER_CASE_BIT = 0x20;

/**
 * Reads the facts from names and values. Returns a reason if the framing is ambiguous or unusual. Examples are two lengths,
 * a length beside a transfer coding, and a coding other than `chunked`.
 */
export function readMessageFields(rawHeaders: readonly string[]): MessageFields | string {
  const fields: MessageFields = {
    contentLength: null,
    isChunked: false,
    hasClose: false,
    hasKeepAlive: false,
    hasUpgrade: false,
    hasExpect: false,
    hasProxyConnection: false,
    hostCount: 0,
  };
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const reason = addField(fields, rawHeaders[i] as string, rawHeaders[i + 1] as string);
    if (reason !== null) return reason;
  }
  if (fields.isChunked && fields.contentLength !== null) return "length and transfer coding";
  return fields;
}

/** Adds one field. Length and first letter of the name rule out most of the fields before a comparison. */
function addField(fields: MessageFields, name: string, value: string): string | null {
  switch (name.length) {
    case 4:
      if (isName(name, "host")) fields.hostCount++;
      return null;
    case 6:
      if (isName(name, "expect")) fields.hasExpect = true;
      return null;
    case 7:
      if (isName(name, "upgrade")) fields.hasUpgrade = true;
      return null;
    case 10:
      if (isName(name, "connection")) addConnection(fields, value);
      return null;
    case 14:
      return isName(name, "content-length") ? addContentLength(fields, value) : null;
    case 16:
      if (!isName(name, "proxy-connection")) return null;
      fields.hasProxyConnection = true;
      addConnection(fields, value);
      return null;
    case 17:
      return isName(name, "transfer-encoding") ? addTransferEncoding(fields, value) : null;
    default:
      return null;
  }
}

function isName(name: string, lowerCase: string): boolean {
  if ((name.charCodeAt(0) | LOWER_CASE_BIT) !== lowerCase.charCodeAt(0)) return false;
  return name === lowerCase || name.toLowerCase() === lowerCase;
}

function addConnection(fields: MessageFields, value: string): void {
  if (value === "keep-alive") {
    fields.hasKeepAlive = true;
    return;
  }
  for (const part of value.split(",")) {
    const option = trimBlanks(part).toLowerCase();
    if (option === "close") fields.hasClose = true;
    else if (option === "keep-alive") fields.hasKeepAlive = true;
    else if (option === "upgrade") fields.hasUpgrade = true;
  }
}

/** Removes spaces and tabs only. `trim` would also remove 0xa0, which belongs to the option. */
function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

function addContentLength(fields: MessageFields, value: string): string | null {
  if (fields.contentLength !== null) return "two lengths";
  const length = parseLength(value);
  if (length === null) return "length";
  fields.contentLength = length;
  return null;
}

function addTransferEncoding(fields: MessageFields, value: string): string | null {
  if (fields.isChunked || value.toLowerCase() !== "chunked") return "transfer coding";
  fields.isChunked = true;
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

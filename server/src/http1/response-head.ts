import { STATUS_CODES } from "#src/lib/node-http.ts";
import { KEEP_ALIVE_SECONDS } from "./client-call.ts";

/** Characters that node:http refuses in a header value. A line end would begin another header. */
const INVALID_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const KEPT_ALIVE = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_SECONDS}\r\n`;
const CLOSED = "Connection: close\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";

export interface ResponseHeadFacts {
  status: number;
  /** Names and values in turn. */
  headers: readonly string[];
  isKeptAlive: boolean;
  isChunked: boolean;
  /** Milliseconds since the epoch. */
  nowMs: number;
}

/** Formats the head of a response byte for byte as node:http does. Throws a TypeError for an invalid header value. */
export function formatResponseHead(facts: ResponseHeadFacts): string {
  const { status, headers } = facts;
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
  let hasDate = false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (INVALID_IN_VALUE.test(value)) throw new TypeError(`invalid value of header ${name}`);
    if (name === "date") hasDate = true;
    text += `${name}: ${value}\r\n`;
  }
  if (!hasDate) text += `Date: ${formatDate(facts.nowMs)}\r\n`;
  text += facts.isKeptAlive ? KEPT_ALIVE : CLOSED;
  if (facts.isChunked) text += CHUNKED;
  return `${text}\r\n`;
}

let formattedSecond = 0;
let formattedDate = "";

function formatDate(nowMs: number): string {
  const second = Math.floor(nowMs / 1_000);
  if (second !== formattedSecond) {
    formattedSecond = second;
    formattedDate = new Date(nowMs).toUTCString();
  }
  return formattedDate;
}

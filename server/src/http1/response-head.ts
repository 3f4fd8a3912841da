import type { FieldLines } from "#src/lib/field-lines.ts";
import { STATUS_CODES } from "#src/lib/node-http.ts";
import { KEEP_ALIVE_SECONDS } from "./client-call.ts";

const KEPT_ALIVE = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_SECONDS}\r\n`;
const CLOSED = "Connection: close\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";

export interface ResponseHeadFacts {
  status: number;
  headers: FieldLines;
  isKeptAlive: boolean;
  isChunked: boolean;
  /** Milliseconds since the epoch. */
  nowMs: number;
}

/** Formats the head of a response byte for byte as node:http does. */
export function formatResponseHead(facts: ResponseHeadFacts): string {
  const { status, headers } = facts;
  const start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
  const date = headers.hasDate ? "" : `Date: ${formatDate(facts.nowMs)}\r\n`;
  const connection = facts.isKeptAlive ? KEPT_ALIVE : CLOSED;
  return `${start}${headers.text}${date}${connection}${facts.isChunked ? CHUNKED : ""}\r\n`;
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

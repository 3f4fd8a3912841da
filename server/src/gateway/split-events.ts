// Splits the bytes of an event stream (WHATWG HTML, "event stream") into events, without creating strings. Lines end in LF,
// CR or CRLF, and a chunk can end at any byte. Memory has one event at most, with at most MAX_EVENT_BYTES.

/** An event with more data is counted but not read. */
export const MAX_EVENT_BYTES = 16 * 1024 * 1024;

const names = [
  "content_block_delta",
  "content_block_start",
  "content_block_stop",
  "message_start",
  "message_delta",
  "message_stop",
  "error",
  "ping",
] as const;

/** `other`: an unknown name. `none`: no name. */
export type EventName = (typeof names)[number] | "other" | "none";

/** Called with the data of one event: `bytes[start]` up to `bytes[end]`, valid only during the call. */
export type OnEvent = (name: EventName, bytes: Buffer, start: number, end: number) => void;

/**
 * Called at the start of an event. Returns the offset after whole events that the callee has read, including their blank
 * lines, or `start`. The bytes up to that offset must not contain a CR.
 */
export type SkipEvents = (bytes: Buffer, start: number) => number;

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const eventField = Buffer.from("event");
const dataField = Buffer.from("data");
const nameBytes = names.map((name) => Buffer.from(name));
const empty = Buffer.alloc(0);
const newline = Buffer.from("\n");

interface Flags {
  isFirstLine: boolean;
  /** The last chunk ended in CR. An LF at the start of the next chunk belongs to it. */
  isAfterCr: boolean;
  /** At least one line of the next event was read. */
  hasBegun: boolean;
  hasData: boolean;
  isTooLarge: boolean;
}

export class EventSplitter {
  readonly #onEvent: OnEvent;
  readonly #skipEvents: SkipEvents;
  /** Pieces of an incomplete line. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #name: EventName = "none";
  readonly #is: Flags = {
    isFirstLine: true,
    isAfterCr: false,
    hasBegun: false,
    hasData: false,
    isTooLarge: false,
  };
  #data: Buffer = empty;
  #dataStart = 0;
  #dataEnd = 0;

  constructor(onEvent: OnEvent, skipEvents: SkipEvents) {
    this.#onEvent = onEvent;
    this.#skipEvents = skipEvents;
  }

  /** True if no part of an event or a line is pending. */
  get isAtBoundary(): boolean {
    return this.#pieceBytes === 0 && !this.#is.hasBegun;
  }

  push(chunk: Buffer): void {
    let pos = 0;
    if (this.#is.isAfterCr && chunk.length > 0) {
      this.#is.isAfterCr = false;
      if (chunk[0] === LF) pos = 1;
    }
    // Real streams have no CR, so that one native search finds the end of a line.
    let nextCr = -2; // Not searched yet.
    while (pos < chunk.length) {
      if (this.isAtBoundary && !this.#is.isFirstLine) {
        const afterEvents = this.#skipEvents(chunk, pos);
        if (afterEvents > pos) {
          pos = afterEvents;
          continue;
        }
      }
      if (nextCr === -2) nextCr = chunk.indexOf(CR, pos);
      const nextLf = chunk.indexOf(LF, pos);
      const end = nextCr !== -1 && (nextLf === -1 || nextCr < nextLf) ? nextCr : nextLf;
      if (end === -1) break;
      this.#endLine(chunk, pos, end);
      pos = end + 1;
      if (end !== nextCr) continue;
      if (pos === chunk.length) this.#is.isAfterCr = true;
      else if (chunk[pos] === LF) pos++;
      nextCr = chunk.indexOf(CR, pos);
    }
    if (pos < chunk.length) this.#keep(chunk, pos);
  }

  /** Ends the stream. An event without its blank line is still passed on, because its data may be whole. */
  finish(): void {
    if (this.#pieceBytes > 0) this.#endLine(empty, 0, 0);
    this.#endEvent();
  }

  #keep(chunk: Buffer, start: number): void {
    const piece = start === 0 ? chunk : chunk.subarray(start);
    this.#pieceBytes += piece.length;
    if (this.#pieceBytes <= MAX_EVENT_BYTES) {
      this.#pieces.push(piece);
      return;
    }
    this.#pieces = [];
    this.#is.isTooLarge = true;
  }

  #endLine(chunk: Buffer, start: number, end: number): void {
    if (this.#pieceBytes === 0) {
      this.#readLine(chunk, start, end);
      return;
    }
    this.#keep(chunk.subarray(0, end), start);
    const line = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pieceBytes = 0;
    if (this.#is.isTooLarge) this.#is.hasBegun = true;
    else this.#readLine(line, 0, line.length);
  }

  #readLine(bytes: Buffer, lineStart: number, end: number): void {
    let start = lineStart;
    if (this.#is.isFirstLine) {
      this.#is.isFirstLine = false;
      const hasMark = end - start >= 3 && bytes.readUIntBE(start, 3) === 0xefbbbf;
      if (hasMark) start += 3;
    }
    if (start === end) this.#endEvent();
    else if (isField(dataField, bytes, start, end)) {
      this.#addData(bytes, valueStart(bytes, start + dataField.length, end), end);
    } else if (isField(eventField, bytes, start, end)) {
      this.#is.hasBegun = true;
      this.#name = nameOf(bytes, valueStart(bytes, start + eventField.length, end), end);
    }
    // Comments, `id` and `retry` have no usage.
    else this.#is.hasBegun = true;
  }

  #addData(bytes: Buffer, start: number, end: number): void {
    this.#is.hasBegun = true;
    if (!this.#is.hasData) {
      this.#is.hasData = true;
      this.#data = bytes;
      this.#dataStart = start;
      this.#dataEnd = end;
      return;
    }
    const before = this.#data.subarray(this.#dataStart, this.#dataEnd);
    if (before.length + end - start > MAX_EVENT_BYTES) this.#is.isTooLarge = true;
    if (this.#is.isTooLarge) return;
    this.#data = Buffer.concat([before, newline, bytes.subarray(start, end)]);
    this.#dataStart = 0;
    this.#dataEnd = this.#data.length;
  }

  #endEvent(): void {
    const data = this.#data;
    const name = this.#name;
    const isWhole = this.#is.hasData && !this.#is.isTooLarge;
    this.#name = "none";
    this.#is.hasBegun = false;
    this.#is.hasData = false;
    this.#is.isTooLarge = false;
    this.#data = empty;
    if (isWhole) this.#onEvent(name, data, this.#dataStart, this.#dataEnd);
  }
}

/** True if the line is this field: its name, and then a colon or the end of the line. */
function isField(field: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const after = start + field.length;
  if (after > end || !startsWith(field, bytes, start)) return false;
  return after === end || bytes[after] === COLON;
}

function valueStart(bytes: Buffer, afterName: number, end: number): number {
  if (afterName >= end) return end;
  return bytes[afterName + 1] === SPACE && afterName + 1 < end ? afterName + 2 : afterName + 1;
}

function nameOf(bytes: Buffer, start: number, end: number): EventName {
  if (start === end) return "none";
  for (let i = 0; i < nameBytes.length; i++) {
    const name = nameBytes[i] as Buffer;
    if (name.length === end - start && startsWith(name, bytes, start)) {
      return names[i] as EventName;
    }
  }
  return "other";
}

/** True if `text` is at `start`. Most texts differ in their first bytes, so a loop is faster than a native call. */
export function startsWith(text: Buffer, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

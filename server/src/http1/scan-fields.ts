import { findUsualFields, positions, readUsualHead } from "#src/lib/head-kernel.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import { isOfClass, TOKEN, VALUE } from "./byte-classes.ts";

/** Largest head with its empty line, bytes. node:http counts fewer bytes, so it accepts each head of this size. */
export const MAX_HEAD_BYTES = 16_384;
/** Most fields of a head. node:http accepts 1,000. */
const MAX_FIELDS = 500;

/** More bytes are needed. */
export const PARTIAL = -1;
/** The bytes are invalid or unusual. */
export const INVALID = -2;

/** Length of the empty line at the end of a head. */
const LAST_LINE_BYTES = 2;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

// Results of the last scan. Shared by all heads, because the fields are created right after the scan.
/** Number of positions that the kernel found. 0: an unusual head, which is in `offsets`. */
let positionCount = 0;
/** Start and end of each name and each value, counted from the start of the head. */
const offsets = new Uint16Array(MAX_FIELDS * 4);
let offsetCount = 0;

/**
 * Finds the fields between `from` and the empty line of a head that begins at `start`. Returns the position after the
 * empty line, PARTIAL or INVALID. Line foldings, a bare CR or LF, control characters and spaces before a colon are
 * INVALID. `createFields` creates the fields.
 */
export function scanFields(bytes: Buffer, start: number, from: number): number {
  positionCount = findUsualFields(bytes, start, from);
  if (positionCount === 0) return scanLines(bytes, start, from);
  return start + (positions[positionCount - 1] as number) + LAST_LINE_BYTES;
}

/** Does the same for any head, byte by byte. */
function scanLines(bytes: Buffer, start: number, from: number): number {
  const end = Math.min(bytes.length, start + MAX_HEAD_BYTES);
  const needsMore = end < start + MAX_HEAD_BYTES ? PARTIAL : INVALID;
  let pos = from;
  let count = 0;
  for (;;) {
    const nameStart = pos;
    while (pos < end && isOfClass(bytes[pos] as number, TOKEN)) pos++;
    if (pos >= end) return needsMore;
    const nameEnd = pos;
    if (nameEnd === nameStart) {
      if (bytes[pos] !== CR) return INVALID;
      if (pos + 1 >= end) return needsMore;
      offsetCount = count;
      return bytes[pos + 1] === LF ? pos + 2 : INVALID;
    }
    if (bytes[pos++] !== COLON || count === offsets.length) return INVALID;
    while (pos < end && isSpaceOrTab(bytes[pos])) pos++;
    const valueStart = pos;
    while (pos < end && isOfClass(bytes[pos] as number, VALUE)) pos++;
    if (pos >= end) return needsMore;
    const valueEnd = trimEnd(bytes, valueStart, pos);
    if (valueEnd < 0) return INVALID;
    if (bytes[pos] !== CR) return INVALID;
    if (pos + 1 >= end) return needsMore;
    if (bytes[pos + 1] !== LF) return INVALID;
    pos += 2;
    offsets[count] = nameStart - start;
    offsets[count + 1] = nameEnd - start;
    offsets[count + 2] = valueStart - start;
    offsets[count + 3] = valueEnd - start;
    count += 4;
  }
}

/**
 * Returns the text of the head of the last scan, one character for each byte from `start` to `end`. The names of fields can
 * be in lower case already.
 */
export function createText(bytes: Buffer, start: number, end: number): string {
  if (positionCount === 0) return bytes.toString("latin1", start, end);
  return readUsualHead(end - start);
}

/** Returns the fields of the last scan. `text` is the text of its head. */
export function createFields(text: string): HeaderFields {
  if (positionCount === 0) return HeaderFields.fromCheckedList(listFields(text));
  const marks = new Array<number>(positionCount);
  for (let i = 0; i < positionCount; i++) marks[i] = positions[i] as number;
  return new HeaderFields(text, marks);
}

function listFields(text: string): string[] {
  const list: string[] = [];
  for (let i = 0; i < offsetCount; i += 2) {
    list.push(text.substring(offsets[i] as number, offsets[i + 1] as number));
  }
  return list;
}

/**
 * Returns the end of a value without the spaces after it. A tab there is INVALID, because llhttp then ignores the coding
 * `chunked`.
 */
function trimEnd(bytes: Buffer, from: number, to: number): number {
  let end = to;
  while (end > from && isSpaceOrTab(bytes[end - 1])) {
    if (bytes[end - 1] === TAB) return INVALID;
    end--;
  }
  return end;
}

function isSpaceOrTab(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

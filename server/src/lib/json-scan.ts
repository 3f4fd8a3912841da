import { isUtf8 } from "node:buffer";
import { assert } from "./assert.ts";
import {
  found,
  newKernelOwner,
  readKeyInKernel,
  readTextInKernel,
  skipInKernel,
} from "./json-kernel.ts";

// A pull reader over the bytes of one JSON text (RFC 8259, strict). The caller walks the needed parts and skips the
// rest. Every byte is checked, so a text read to its `end()` is accepted exactly if JSON.parse accepts it, with
// exceptions. Rejected are invalid UTF-8 and nesting deeper than MAX_JSON_DEPTH. In walked objects, duplicate keys
// after resolving escapes and keys with half a surrogate pair are rejected, because two parsers may read them
// differently. Error messages never quote a value.

/** Maximum nesting. A caller's walk may recurse, so it limits that too. */
export const MAX_JSON_DEPTH = 512;

export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

/** `offset` counts bytes from the start of the text. The message contains the offset and never quotes the text. */
export class JsonSyntaxError extends Error {
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(`${reason} at byte ${offset}`);
    this.name = "JsonSyntaxError";
    this.offset = offset;
  }
}

/** A walked object has a duplicate key. */
export class DuplicateKeyError extends Error {
  readonly key: string;
  readonly offset: number;

  constructor(key: string, offset: number) {
    super(`a key appears more than once, again at byte ${offset}`);
    this.name = "DuplicateKeyError";
    this.key = key;
    this.offset = offset;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MINUS = 0x2d;
const LOWER_U = 0x75;
const SPACE = 0x20;

/** Number of keys above which an object uses a set, because comparing each pair is quadratic. */
const LINEAR_KEYS = 12;

const isHexDigit = tableOf("0123456789abcdefABCDEF");
const isSimpleEscape = tableOf('"\\/bfnrt');

// Open brackets inside a skipped value. Shared by all readers, because skipping calls no other code.
const openIsObject = new Uint8Array(MAX_JSON_DEPTH + 1);

export class JsonReader {
  readonly bytes: Buffer;
  #pos = 0;
  #depth = 0;
  readonly #kernelOwner = newKernelOwner();
  readonly #frames: Frame[] = [];

  /** Throws JsonSyntaxError for a byte order mark and, unless `isTrusted`, for invalid UTF-8. */
  constructor(bytes: Buffer, isTrusted = false) {
    this.bytes = bytes;
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      throw new JsonSyntaxError("a byte order mark is not allowed", 0);
    }
    if (!isTrusted && !isUtf8(bytes)) {
      throw new JsonSyntaxError("the text is not UTF-8", firstInvalidByte(bytes));
    }
  }

  /** Offset of the next unread byte. After `kind()`: first byte of the value. After a read or skip: its end. */
  get position(): number {
    return this.#pos;
  }

  /** Kind of the next value by its first byte. Reads only white space. */
  kind(): JsonKind {
    switch (this.#peek()) {
      case OPEN_OBJECT:
        return "object";
      case OPEN_ARRAY:
        return "array";
      case QUOTE:
        return "string";
      case 0x74: // t
      case 0x66: // f
        return "boolean";
      case 0x6e: // n
        return "null";
      default:
        return "number"; // or invalid, which reading reports
    }
  }

  /** Enters an object. Call `nextKey()` until it returns null, and consume one value after each key. */
  beginObject(): void {
    this.#expect(OPEN_OBJECT, '"{"');
    this.#push();
  }

  /** Returns the next key with resolved escapes, or null at the end of the object. Throws DuplicateKeyError. */
  nextKey(): string | null {
    const frame = this.#frame();
    const isFirst = frame.isFirst;
    switch (readKeyInKernel(this.#kernelOwner, this.bytes, this.#pos, isFirst)) {
      case "end":
        this.#pos = found.end;
        this.#depth--;
        return null;
      case "key": {
        frame.isFirst = false;
        const { text } = found;
        if (!addKey(frame, text)) throw new DuplicateKeyError(text, this.#keyStart(isFirst));
        this.#pos = found.end;
        return text;
      }
      default:
        return this.#nextKeyByBytes(frame);
    }
  }

  #nextKeyByBytes(frame: Frame): string | null {
    if (this.#peek() === CLOSE_OBJECT) {
      this.#pop();
      return null;
    }
    if (!frame.isFirst) this.#expect(COMMA, '"," or "}"');
    frame.isFirst = false;
    this.#peek();
    const start = this.#pos;
    const key = this.#readStringByBytes();
    if (!key.isWellFormed()) {
      throw new JsonSyntaxError("a key contains half a surrogate pair", start);
    }
    if (!addKey(frame, key)) throw new DuplicateKeyError(key, start);
    this.#expect(COLON, '":"');
    return key;
  }

  /** Offset of the key that follows. */
  #keyStart(isFirst: boolean): number {
    if (!isFirst) this.#expect(COMMA, '"," or "}"');
    this.#peek();
    return this.#pos;
  }

  /** Enters an array. Call `nextElement()` until it returns false, and consume one value after each true. */
  beginArray(): void {
    this.#expect(OPEN_ARRAY, '"["');
    this.#push();
  }

  nextElement(): boolean {
    const frame = this.#frame();
    if (this.#peek() === CLOSE_ARRAY) {
      this.#pop();
      return false;
    }
    if (!frame.isFirst) this.#expect(COMMA, '"," or "]"');
    frame.isFirst = false;
    return true;
  }

  /** Reads a string with resolved escapes, possibly with half a surrogate pair, as in JSON.parse. */
  readString(): string {
    if (this.#peek() === QUOTE && readTextInKernel(this.#kernelOwner, this.bytes, this.#pos)) {
      this.#pos = found.end;
      return found.text;
    }
    return this.#readStringByBytes();
  }

  #readStringByBytes(): string {
    this.#expect(QUOTE, "a string");
    const start = this.#pos;
    const hasEscape = this.#finishString();
    const end = this.#pos - 1;
    if (!hasEscape) return this.bytes.toString("utf8", start, end);
    return JSON.parse(this.bytes.toString("utf8", start - 1, end + 1)) as string;
  }

  /** Reads a number and returns its text: `1`, `1.0` and `1e0` differ. */
  readNumberText(): string {
    this.#peek();
    const start = this.#pos;
    this.#finishNumber();
    return this.bytes.toString("latin1", start, this.#pos);
  }

  readBoolean(): boolean {
    const isTrue = this.#peek() === 0x74;
    this.#finishLiteral(isTrue ? "true" : "false");
    return isTrue;
  }

  /** Skips one value and checks it. Duplicate keys inside are ignored. */
  skipValue(): void {
    const room = MAX_JSON_DEPTH - this.#depth;
    const end = skipInKernel(this.#kernelOwner, this.bytes, this.#pos, room);
    if (end >= 0) this.#pos = end;
    else this.#skipByBytes(room);
  }

  /** Like `skipValue`, iteratively and byte by byte. Throws for an error that the kernel found. */
  #skipByBytes(room: number): void {
    let open = 0;
    do {
      const byte = this.#peek();
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (open >= room) throw this.#tooDeep();
        const isObject = byte === OPEN_OBJECT;
        this.#pos++;
        openIsObject[++open] = isObject ? 1 : 0;
        const isEmpty = this.#peek() === (isObject ? CLOSE_OBJECT : CLOSE_ARRAY);
        if (!isEmpty) {
          if (isObject) this.#skipKey();
          continue;
        }
        this.#pos++;
        open--;
      } else {
        this.#skipScalar(byte);
      }
      open = this.#closeBrackets(open);
    } while (open > 0);
  }

  /** Skips one value and returns its bytes without a copy. */
  sliceValue(): Buffer {
    this.#peek();
    const start = this.#pos;
    this.skipValue();
    return this.bytes.subarray(start, this.#pos);
  }

  /** Checks that only white space follows. */
  end(): void {
    this.#peek();
    if (this.#pos < this.bytes.length) {
      throw new JsonSyntaxError("unexpected data after the JSON value", this.#pos);
    }
  }

  /** After a value inside `open` brackets: reads closing brackets, or the comma and key before the next value. */
  #closeBrackets(open: number): number {
    let left = open;
    while (left > 0) {
      const isObject = openIsObject[left] === 1;
      const byte = this.#peek();
      if (byte === COMMA) {
        this.#pos++;
        if (isObject) this.#skipKey();
        return left;
      }
      if (byte !== (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        throw this.#unexpected(isObject ? '"," or "}"' : '"," or "]"');
      }
      this.#pos++;
      left--;
    }
    return left;
  }

  #skipKey(): void {
    this.#expect(QUOTE, "a key in double quotes");
    this.#finishString();
    this.#expect(COLON, '":"');
  }

  #skipScalar(first: number): void {
    if (first === QUOTE) {
      this.#pos++;
      this.#finishString();
    } else if (first === 0x74) {
      this.#finishLiteral("true");
    } else if (first === 0x66) {
      this.#finishLiteral("false");
    } else if (first === 0x6e) {
      this.#finishLiteral("null");
    } else {
      this.#finishNumber();
    }
  }

  /** Reads a string after its opening quote. Returns true if it contains an escape. */
  #finishString(): boolean {
    const bytes = this.bytes;
    const length = bytes.length;
    let pos = this.#pos;
    let hasEscape = false;
    for (;;) {
      while (pos < length && !isSpecial(bytes[pos] as number)) pos++;
      if (pos >= length) throw new JsonSyntaxError("unexpected end inside a string", length);
      const byte = bytes[pos];
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) {
        throw new JsonSyntaxError("a control character inside a string", pos);
      }
      hasEscape = true;
      pos = this.#afterEscape(pos + 1);
    }
    this.#pos = pos + 1;
    return hasEscape;
  }

  #afterEscape(pos: number): number {
    const bytes = this.bytes;
    const byte = bytes[pos];
    if (byte === LOWER_U) {
      for (let i = pos + 1; i <= pos + 4; i++) {
        if (isHexDigit[bytes[i] ?? 0] !== 1) {
          throw new JsonSyntaxError("a broken \\u escape", Math.min(i, bytes.length));
        }
      }
      return pos + 5;
    }
    if (isSimpleEscape[byte ?? 0] !== 1) throw new JsonSyntaxError("an unknown escape", pos);
    return pos + 1;
  }

  #finishNumber(): void {
    const bytes = this.bytes;
    if (bytes[this.#pos] === MINUS) this.#pos++;
    if (bytes[this.#pos] === 0x30) this.#pos++;
    else this.#digits();
    if (bytes[this.#pos] === 0x2e) {
      this.#pos++;
      this.#digits();
    }
    if (bytes[this.#pos] === 0x65 || bytes[this.#pos] === 0x45) {
      this.#pos++;
      if (bytes[this.#pos] === MINUS || bytes[this.#pos] === 0x2b) this.#pos++;
      this.#digits();
    }
  }

  #digits(): void {
    const bytes = this.bytes;
    const start = this.#pos;
    while (isDigit(bytes[this.#pos])) this.#pos++;
    if (this.#pos === start) throw this.#unexpected("a JSON value");
  }

  #finishLiteral(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[this.#pos] !== word.charCodeAt(i)) throw this.#unexpected(word);
      this.#pos++;
    }
  }

  /** Skips white space and returns the next byte, or -1 at the end. */
  #peek(): number {
    const bytes = this.bytes;
    for (;;) {
      const byte = bytes[this.#pos];
      if (byte === undefined) return -1;
      if (byte > SPACE || (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
        return byte;
      }
      this.#pos++;
    }
  }

  #expect(byte: number, what: string): void {
    if (this.#peek() !== byte) throw this.#unexpected(what);
    this.#pos++;
  }

  #frame(): Frame {
    const frame = this.#frames[this.#depth - 1];
    assert(frame, "a bracket is open");
    return frame;
  }

  #push(): void {
    if (this.#depth >= MAX_JSON_DEPTH) throw this.#tooDeep();
    const frame = this.#frames[this.#depth];
    if (frame) {
      frame.isFirst = true;
      frame.keyCount = 0;
      frame.keySet = null;
    } else {
      this.#frames.push({ isFirst: true, keys: [], keyCount: 0, keySet: null });
    }
    this.#depth++;
  }

  #pop(): void {
    this.#pos++;
    this.#depth--;
  }

  #tooDeep(): JsonSyntaxError {
    return new JsonSyntaxError(`nested deeper than ${MAX_JSON_DEPTH} levels`, this.#pos);
  }

  #unexpected(expected: string): JsonSyntaxError {
    if (this.#pos >= this.bytes.length) {
      return new JsonSyntaxError(`unexpected end, expected ${expected}`, this.bytes.length);
    }
    return new JsonSyntaxError(`expected ${expected}`, this.#pos);
  }
}

/** One open bracket of the walk. Frames are reused, because most objects are small and there are many. */
interface Frame {
  isFirst: boolean;
  keys: string[];
  keyCount: number;
  keySet: Set<string> | null;
}

/** Returns false for a duplicate key. */
function addKey(frame: Frame, key: string): boolean {
  if (frame.keySet !== null) {
    if (frame.keySet.has(key)) return false;
    frame.keySet.add(key);
    return true;
  }
  for (let i = 0; i < frame.keyCount; i++) if (frame.keys[i] === key) return false;
  frame.keys[frame.keyCount++] = key;
  if (frame.keyCount > LINEAR_KEYS) frame.keySet = new Set(frame.keys.slice(0, frame.keyCount));
  return true;
}

function isSpecial(byte: number): boolean {
  return byte < SPACE || byte === QUOTE || byte === BACKSLASH;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

/** Offset of the first invalid UTF-8 byte, by bisection. Runs only for an error. */
function firstInvalidByte(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isValidPrefix(bytes, middle)) good = middle;
    else bad = middle;
  }
  while (!isUtf8(bytes.subarray(0, good))) good--; // back to where the broken character starts
  return good;
}

/** A prefix may end inside a character, so up to three bytes may be incomplete. */
function isValidPrefix(bytes: Buffer, length: number): boolean {
  for (let cut = 0; cut <= 3 && cut <= length; cut++) {
    if (isUtf8(bytes.subarray(0, length - cut))) return true;
  }
  return false;
}

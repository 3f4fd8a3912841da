import { isOfClass, QUOTED, readHexDigit, TOKEN, VALUE } from "./byte-classes.ts";
import { INVALID, PARTIAL } from "./scan-fields.ts";

/** Most bytes of the extensions of one chunk, as in node:http. */
const MAX_EXTENSION_BYTES = 16_384;
/** Most bytes of names and values of all trailers, as in node:http. */
const MAX_TRAILER_BYTES = 16_383;
/** Most digits of a size that is read without states. */
const MAX_SHORT_DIGITS = 6;
/**
 * Most digits of a size after leading zeros, as in llhttp. A number above 2^53 is not exact. The body limit or the peer
 * ends such a chunk before.
 */
const MAX_SIZE_DIGITS = 16;
/** Most trailers, as in node:http. */
const MAX_TRAILERS = 1_000;
/** Trailers that would change framing or the connection after the body. */
const FORBIDDEN_TRAILERS = new Set([
  "connection",
  "content-length",
  "proxy-connection",
  "transfer-encoding",
]);
/** Length of the longest name in FORBIDDEN_TRAILERS. */
const MAX_FORBIDDEN_NAME = 17;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** Part of the coding that the next byte belongs to. */
type State =
  | "firstDigit"
  | "size"
  | "sizeLf"
  | "extensionStart"
  | "extensionName"
  | "extensionValue"
  | "quoted"
  | "quotedPair"
  | "afterQuoted"
  | "data"
  | "dataCr"
  | "dataLf"
  | "trailerStart"
  | "trailerName"
  | "trailerBlank"
  | "trailerValue"
  | "trailerLf"
  | "lastLf"
  | "done"
  | "invalid";

/**
 * Reads a body in the chunked coding (RFC 9112 §7.1), from pieces of any size. Accepts what llhttp accepts, with lower
 * bounds. Extensions and trailers are read and dropped.
 */
export class ChunkedReader {
  #state: State = "firstDigit";
  /** Size of the chunk, then its bytes that are still to come. */
  #left = 0;
  /** Digits of the size after leading zeros. */
  #digits = 0;
  /** Bytes of the extensions of this chunk. */
  #extensionBytes = 0;
  /** Bytes of the names and values of all trailers. */
  #trailerBytes = 0;
  #trailerCount = 0;
  /** First letters of a trailer name. */
  #trailerName = "";

  /** True exactly between two chunks: nothing of the next one is read. Also true before the first one. */
  get isAtChunkBoundary(): boolean {
    return this.#state === "firstDigit";
  }

  /**
   * Reads from `start`. Calls `onData` with the start and the end of each run of body bytes. Returns the position after the
   * body when it ends. Returns -1 if more bytes are needed, and -2 if the coding is invalid. An invalid body stays
   * invalid.
   */
  read(bytes: Buffer, start: number, onData: (from: number, to: number) => void): number {
    let pos = start;
    while (this.#state !== "done") {
      if (this.#state === "invalid") return INVALID;
      if (pos >= bytes.length) return PARTIAL;
      if (this.#state === "data") {
        const end = Math.min(bytes.length, pos + this.#left);
        onData(pos, end);
        this.#left -= end - pos;
        if (this.#left === 0) this.#state = "dataCr";
        pos = end;
      } else {
        pos = this.#readFraming(bytes, pos);
      }
    }
    return pos;
  }

  /** Reads at least one byte outside of the data. Returns the position after it. */
  #readFraming(bytes: Buffer, from: number): number {
    let pos = from;
    // The usual bytes between two runs of data, read without the states in between.
    if (this.#state === "dataCr" && bytes[pos] === CR && bytes[pos + 1] === LF) {
      this.#startChunk();
      pos += 2;
      if (pos >= bytes.length) return pos;
    }
    if (this.#state === "firstDigit") {
      const end = this.#readShortSize(bytes, pos);
      if (end > pos) return end;
    }
    this.#state = this.#next(bytes[pos] as number);
    return pos + 1;
  }

  /** Reads a size of few digits with its line end. Returns `from` for anything else, the last chunk too. */
  #readShortSize(bytes: Buffer, from: number): number {
    let size = 0;
    let pos = from;
    const end = Math.min(bytes.length, from + MAX_SHORT_DIGITS);
    while (pos < end) {
      const digit = readHexDigit(bytes[pos] as number);
      if (digit > 15) break;
      size = size * 16 + digit;
      pos++;
    }
    if (size === 0 || bytes[pos] !== CR || bytes[pos + 1] !== LF) return from;
    this.#left = size;
    this.#state = "data";
    return pos + 2;
  }

  /** Reads one byte outside of the data. Returns the state after it. */
  #next(byte: number): State {
    switch (this.#state) {
      case "firstDigit":
      case "size":
      case "sizeLf":
      case "dataCr":
      case "dataLf":
        return this.#readSizeLine(byte);
      case "extensionStart":
      case "extensionName":
      case "extensionValue":
      case "quoted":
      case "quotedPair":
      case "afterQuoted":
        return this.#readExtension(byte);
      case "trailerStart":
      case "trailerName":
      case "trailerBlank":
      case "trailerValue":
      case "trailerLf":
      case "lastLf":
        return this.#readTrailer(byte);
      case "data":
      case "done":
      case "invalid":
        return this.#state;
    }
  }

  #readSizeLine(byte: number): State {
    switch (this.#state) {
      case "dataCr":
        return byte === CR ? "dataLf" : "invalid";
      case "dataLf":
        return byte === LF ? this.#startChunk() : "invalid";
      case "sizeLf":
        if (byte !== LF) return "invalid";
        return this.#left === 0 ? "trailerStart" : "data";
      default: {
        const digit = readHexDigit(byte);
        if (digit <= 15) return this.#addDigit(digit);
        if (this.#state === "firstDigit") return "invalid";
        if (byte === SEMICOLON) return "extensionStart";
        return byte === CR ? "sizeLf" : "invalid";
      }
    }
  }

  #startChunk(): State {
    this.#left = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#state = "firstDigit";
    return this.#state;
  }

  #addDigit(digit: number): State {
    this.#left = this.#left * 16 + digit;
    if (this.#left > 0) this.#digits++;
    return this.#digits <= MAX_SIZE_DIGITS ? "size" : "invalid";
  }

  #readExtension(byte: number): State {
    const state = this.#nextOfExtension(byte);
    const isEquals = byte === EQUALS && this.#state !== "quoted" && this.#state !== "quotedPair";
    if (isEquals || state === "sizeLf" || state === "extensionStart" || state === "invalid") {
      return state;
    }
    this.#extensionBytes++;
    return this.#extensionBytes <= MAX_EXTENSION_BYTES ? state : "invalid";
  }

  #nextOfExtension(byte: number): State {
    switch (this.#state) {
      case "quoted":
        if (byte === QUOTE) return "afterQuoted";
        if (byte === BACKSLASH) return "quotedPair";
        return isOfClass(byte, QUOTED) ? "quoted" : "invalid";
      case "quotedPair":
        return isOfClass(byte, VALUE) ? "quoted" : "invalid";
      case "extensionValue":
        if (byte === QUOTE) return "quoted";
        if (isOfClass(byte, TOKEN)) return "extensionValue";
        break;
      case "extensionStart":
        if (byte === CR) return "invalid";
        if (byte === EQUALS) return "extensionValue";
        if (isOfClass(byte, TOKEN)) return "extensionName";
        break;
      case "extensionName":
        if (byte === EQUALS) return "extensionValue";
        if (isOfClass(byte, TOKEN)) return "extensionName";
        break;
      default:
        break;
    }
    if (byte === SEMICOLON) return "extensionStart";
    return byte === CR ? "sizeLf" : "invalid";
  }

  #readTrailer(byte: number): State {
    switch (this.#state) {
      case "trailerStart":
        if (byte === CR) return "lastLf";
        return this.#startTrailer(byte);
      case "trailerName":
        if (byte !== COLON) return this.#addToTrailerName(byte);
        return FORBIDDEN_TRAILERS.has(this.#trailerName.toLowerCase()) ? "invalid" : "trailerBlank";
      case "trailerBlank":
        if (byte === SPACE || byte === TAB) return "trailerBlank";
        return byte === CR ? "trailerLf" : this.#addToTrailerValue(byte);
      case "trailerValue":
        return byte === CR ? "trailerLf" : this.#addToTrailerValue(byte);
      case "trailerLf":
        return byte === LF ? "trailerStart" : "invalid";
      default:
        return byte === LF ? "done" : "invalid";
    }
  }

  #startTrailer(byte: number): State {
    this.#trailerName = "";
    this.#trailerCount++;
    return this.#trailerCount <= MAX_TRAILERS ? this.#addToTrailerName(byte) : "invalid";
  }

  #addToTrailerName(byte: number): State {
    // A longer name is none of the forbidden ones.
    if (this.#trailerName.length <= MAX_FORBIDDEN_NAME) {
      this.#trailerName += String.fromCharCode(byte);
    }
    return isOfClass(byte, TOKEN) ? this.#countTrailerByte("trailerName") : "invalid";
  }

  #addToTrailerValue(byte: number): State {
    return isOfClass(byte, VALUE) ? this.#countTrailerByte("trailerValue") : "invalid";
  }

  #countTrailerByte(state: State): State {
    this.#trailerBytes++;
    return this.#trailerBytes <= MAX_TRAILER_BYTES ? state : "invalid";
  }
}

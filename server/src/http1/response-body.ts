import { ChunkedReader } from "./chunked-reader.ts";
import type { Framing } from "./read-head.ts";

/** Receives the body of a response. `framed` is the same data in the chunked coding, in its shortest form. */
export type OnBodyData = (data: Buffer, framed?: Buffer) => void;

/** The body continues, ended at this position, or its coding is invalid. */
export type BodyRead = "more" | "invalid" | number;

const CRLF_BYTES = 2;
/** Length of the last chunk without an extension or a trailer. */
const LAST_CHUNK_BYTES = 5;

/** Begin and end of each run of data in the bytes being read, in turn. One list for all readers, which read one by one. */
const runs: number[] = [];
/** Numbers of `runs` in use. The list does not shrink, because each growth would allocate it again. */
let runCount = 0;

function addRun(from: number, to: number): void {
  runs[runCount++] = from;
  runs[runCount++] = to;
}

/** Reads the bodies of the responses of one connection, one after another. */
export class ResponseBodyReader {
  #kind: Framing["kind"] = "none";
  /** Bytes that are still to come, of a body with a length. */
  #left = 0;
  #chunked: ChunkedReader | null = null;

  /** Begins a body. True: the body is empty and has ended. */
  begin(framing: Framing): boolean {
    this.#kind = framing.kind;
    if (framing.kind === "length") this.#left = framing.bytes;
    if (framing.kind === "chunked") this.#chunked = new ChunkedReader();
    return framing.kind === "none" || (framing.kind === "length" && framing.bytes === 0);
  }

  /** True if the end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.#kind === "untilClose";
  }

  /** Reads bytes, which must not change afterwards: slices of them are passed on. */
  read(bytes: Buffer, onData: OnBodyData): BodyRead {
    if (this.#chunked !== null && this.#kind === "chunked") {
      return this.#readChunked(this.#chunked, bytes, onData);
    }
    if (this.#kind === "untilClose") {
      onData(bytes);
      return "more";
    }
    const end = Math.min(this.#left, bytes.length);
    this.#left -= end;
    onData(end === bytes.length ? bytes : bytes.subarray(0, end));
    return this.#left === 0 ? end : "more";
  }

  #readChunked(reader: ChunkedReader, bytes: Buffer, onData: OnBodyData): BodyRead {
    const beginsAtChunk = reader.isAtChunkBoundary;
    runCount = 0;
    const end = reader.read(bytes, 0, addRun);
    if (runCount > 0) {
      const framed = beginsAtChunk ? findFramed(reader, bytes, end) : null;
      if (framed === null) onData(compactData(bytes));
      else onData(copyData(bytes), framed);
    }
    if (end >= 0) return end;
    return end === -1 ? "more" : "invalid";
  }
}

/**
 * Returns the chunks with data, if the bytes begin and end between two chunks, and each chunk is in its shortest form.
 * An extension or a leading zero is never passed on, because readers differ about them.
 */
function findFramed(reader: ChunkedReader, bytes: Buffer, end: number): Buffer | null {
  let length = 0;
  for (let i = 0; i < runCount; i += 2) {
    const size = (runs[i + 1] as number) - (runs[i] as number);
    length += countHexDigits(size) + size + 2 * CRLF_BYTES;
  }
  const framedEnd = (runs[runCount - 1] as number) + CRLF_BYTES;
  if (framedEnd !== length) return null;
  if (end === -1) return reader.isAtChunkBoundary && bytes.length === length ? bytes : null;
  const isLastNext = end === length + LAST_CHUNK_BYTES;
  return isLastNext ? bytes.subarray(0, length) : null;
}

/** Moves the runs together, over the framing between them. */
function compactData(bytes: Buffer): Buffer {
  const start = runs[0] as number;
  let to = runs[1] as number;
  for (let i = 2; i < runCount; i += 2) {
    const from = runs[i] as number;
    const end = runs[i + 1] as number;
    bytes.copyWithin(to, from, end);
    to += end - from;
  }
  return bytes.subarray(start, to);
}

function copyData(bytes: Buffer): Buffer {
  if (runCount === 2) return bytes.subarray(runs[0], runs[1]);
  let total = 0;
  for (let i = 0; i < runCount; i += 2) {
    total += (runs[i + 1] as number) - (runs[i] as number);
  }
  const data = Buffer.allocUnsafe(total);
  let to = 0;
  for (let i = 0; i < runCount; i += 2) {
    to += bytes.copy(data, to, runs[i], runs[i + 1]);
  }
  return data;
}

/** Number of hexadecimal digits of a size above 0. Sizes in one read are far below 2³². */
function countHexDigits(size: number): number {
  return (35 - Math.clz32(size)) >> 2;
}

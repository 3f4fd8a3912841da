import { DuplicateKeyError, JsonReader, JsonSyntaxError } from "#src/lib/json-scan.ts";
import { refuseBatchBody, tooLarge } from "./refuse-batch.ts";

// Splits the body of a batch into its requests while it arrives. One request is in memory at a time. The rest of the body
// is kept without them and read at the end. So the whole body is checked as one JSON text.

/** Bytes of one request of a batch, as of one message. */
export const MAX_REQUEST_BYTES = 32 * 1024 * 1024;
export const MAX_REQUESTS = 100_000;
/** Bytes of the body without its requests: two bytes and a comma for each, and white space. */
const MAX_SKELETON_BYTES = 4 * 1024 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
/** Depth of the elements of an array in the top-level object. */
const ELEMENT_DEPTH = 2;

/** Receives the bytes of each request with its place from 0. The bytes are valid during the call. */
export type RequestListener = (bytes: Buffer, index: number) => void;

export class RequestSplitter {
  readonly #onRequest: RequestListener;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Bytes of the current request from earlier chunks. Null: outside of a request. */
  #parts: Buffer[] | null = null;
  #partBytes = 0;
  #count = 0;
  #skeleton: Buffer[] = [];
  #skeletonBytes = 0;

  constructor(onRequest: RequestListener) {
    this.#onRequest = onRequest;
  }

  /** Reads the next bytes. Throws a refusal, or what the listener throws. The bytes must not change afterwards. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#isInString) {
        at = this.#endOfString(chunk, at);
        continue;
      }
      if (byte === QUOTE) this.#isInString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (this.#depth === ELEMENT_DEPTH && byte === OPEN_OBJECT && this.#parts === null) {
          this.#keepSkeleton(chunk.subarray(start, at));
          this.#parts = [];
          this.#partBytes = 0;
          start = at;
        }
        this.#depth += 1;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.#depth -= 1;
        if (this.#depth === ELEMENT_DEPTH && this.#parts !== null) {
          this.#endRequest(chunk.subarray(start, at + 1));
          start = at + 1;
        }
      }
    }
    const rest = chunk.subarray(start);
    if (this.#parts === null) this.#keepSkeleton(rest);
    else this.#keepPart(rest);
  }

  /** Checks the rest of the body. Returns the number of requests. Throws a refusal. */
  end(): number {
    const reader = readOrRefuse(() => new JsonReader(Buffer.concat(this.#skeleton)));
    const seen = readOrRefuse(() => readSkeleton(reader));
    if (this.#parts !== null || seen !== this.#count) {
      throw refuseBatchBody("The request body is not valid JSON.");
    }
    return this.#count;
  }

  /** Skips to the end of a string. Returns the last offset that is read. */
  #endOfString(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      if (this.#isEscaped) {
        this.#isEscaped = false;
        continue;
      }
      const byte = chunk[at];
      if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) {
        this.#isInString = false;
        return at;
      }
    }
    return chunk.length;
  }

  #endRequest(last: Buffer): void {
    this.#keepPart(last);
    const parts = this.#parts ?? [];
    const [first] = parts;
    const bytes = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
    this.#parts = null;
    const index = this.#count;
    this.#count += 1;
    if (this.#count > MAX_REQUESTS) {
      throw refuseBatchBody(`requests: A batch has at most ${MAX_REQUESTS} requests.`, "requests");
    }
    this.#keepSkeleton(PLACEHOLDER);
    this.#onRequest(bytes, index);
  }

  #keepPart(part: Buffer): void {
    this.#partBytes += part.length;
    if (this.#partBytes > MAX_REQUEST_BYTES) {
      throw tooLarge(
        `requests.${this.#count}: A request of a batch has at most ${MAX_REQUEST_BYTES} bytes.`,
      );
    }
    if (part.length > 0) this.#parts?.push(part);
  }

  #keepSkeleton(part: Buffer): void {
    this.#skeletonBytes += part.length;
    if (this.#skeletonBytes > MAX_SKELETON_BYTES) {
      throw refuseBatchBody("The request body has too much data outside of requests.");
    }
    // A copy, because a part of a chunk would keep the whole chunk in memory.
    if (part.length > 0) this.#skeleton.push(part === PLACEHOLDER ? part : Buffer.from(part));
  }
}

const PLACEHOLDER = Buffer.from("{}");

/** Reads the body without its requests, in which each request is an empty object. Returns the number of elements. */
function readSkeleton(reader: JsonReader): number {
  if (reader.kind() !== "object") {
    throw refuseBatchBody("The request body must be a JSON object.");
  }
  let count: number | null = null;
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key !== "requests")
      throw refuseBatchBody("The body of a batch has only the field requests.");
    if (reader.kind() !== "array") {
      throw refuseBatchBody("requests: Input should be a valid list.", "requests");
    }
    count = readElements(reader);
  }
  reader.end();
  if (count === null) throw refuseBatchBody("requests: Field required.", "requests");
  if (count === 0) {
    throw refuseBatchBody("requests: A batch has at least one request.", "requests");
  }
  return count;
}

function readElements(reader: JsonReader): number {
  let count = 0;
  reader.beginArray();
  while (reader.nextElement()) {
    if (reader.kind() !== "object") {
      const path = `requests.${count}`;
      throw refuseBatchBody(`${path}: Input should be a valid dictionary.`, path);
    }
    reader.skipValue();
    count += 1;
  }
  return count;
}

/** Converts errors of the reader to refusals. */
export function readOrRefuse<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof DuplicateKeyError) {
      throw refuseBatchBody("The request body is not valid JSON, or a key appears more than once.");
    }
    throw error;
  }
}

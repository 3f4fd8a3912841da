import { DuplicateKeyError, JsonReader, JsonSyntaxError } from "./json-scan.ts";

// Splits a JSON object with one list, such as `{"requests": […]}`, into the elements of the list while it arrives. One element is in
// memory at a time. The rest of the text is kept without them and read at the end. So the whole text is checked as one JSON text.

/** Bytes of the text without its elements: two bytes and a comma for each, and white space. */
const MAX_SKELETON_BYTES = 4 * 1024 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
/** Depth of the elements of an array in the top-level object. */
const ELEMENT_DEPTH = 2;

/** Why a text is refused. */
export type ListFault =
  | "invalid_json"
  | "no_object"
  | "other_field"
  | "no_list"
  | "missing_list"
  | "empty_list"
  | "too_many_elements"
  | "element_no_object"
  | "element_too_large"
  | "rest_too_large";

/** Refusal of a text. */
export class JsonListError extends Error {
  readonly fault: ListFault;
  /** Place of the element at fault. Null: the text itself. */
  readonly index: number | null;

  constructor(fault: ListFault, index: number | null = null) {
    super(fault);
    this.fault = fault;
    this.index = index;
  }
}

export interface JsonListOptions {
  /** Name of the list, which is the only field of the object. */
  field: string;
  maxElements: number;
  maxElementBytes: number;
  /** Receives the bytes of each element with its place from 0. The bytes are valid during the call. */
  onElement: (bytes: Buffer, index: number) => void;
}

export class JsonListSplitter {
  readonly #options: JsonListOptions;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Bytes of the current element from earlier chunks. Null: outside of an element. */
  #parts: Buffer[] | null = null;
  #partBytes = 0;
  #count = 0;
  #skeleton: Buffer[] = [];
  #skeletonBytes = 0;

  constructor(options: JsonListOptions) {
    this.#options = options;
  }

  /** Reads the next bytes. Throws a JsonListError, or what the listener throws. The bytes must not change afterwards. */
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
          this.#endElement(chunk.subarray(start, at + 1));
          start = at + 1;
        }
      }
    }
    const rest = chunk.subarray(start);
    if (this.#parts === null) this.#keepSkeleton(rest);
    else this.#keepPart(rest);
  }

  /** Checks the rest of the text. Returns the number of elements. Throws a JsonListError. */
  end(): number {
    const seen = readSkeleton(Buffer.concat(this.#skeleton), this.#options.field);
    if (this.#parts !== null || seen !== this.#count) throw new JsonListError("invalid_json");
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

  #endElement(last: Buffer): void {
    this.#keepPart(last);
    const parts = this.#parts ?? [];
    const [first] = parts;
    const bytes = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
    this.#parts = null;
    const index = this.#count;
    this.#count += 1;
    if (this.#count > this.#options.maxElements) throw new JsonListError("too_many_elements");
    this.#keepSkeleton(PLACEHOLDER);
    this.#options.onElement(bytes, index);
  }

  #keepPart(part: Buffer): void {
    this.#partBytes += part.length;
    if (this.#partBytes > this.#options.maxElementBytes) {
      throw new JsonListError("element_too_large", this.#count);
    }
    if (part.length > 0) this.#parts?.push(part);
  }

  #keepSkeleton(part: Buffer): void {
    this.#skeletonBytes += part.length;
    if (this.#skeletonBytes > MAX_SKELETON_BYTES) throw new JsonListError("rest_too_large");
    // A copy, because a part of a chunk would keep the whole chunk in memory.
    if (part.length > 0) this.#skeleton.push(part === PLACEHOLDER ? part : Buffer.from(part));
  }
}

const PLACEHOLDER = Buffer.from("{}");

/** Reads the text without its elements, in which each one is an empty object. Returns the number of elements. */
function readSkeleton(skeleton: Buffer, field: string): number {
  try {
    return readList(new JsonReader(skeleton), field);
  } catch (error) {
    const isInvalid = error instanceof JsonSyntaxError || error instanceof DuplicateKeyError;
    throw isInvalid ? new JsonListError("invalid_json") : error;
  }
}

function readList(reader: JsonReader, field: string): number {
  if (reader.kind() !== "object") throw new JsonListError("no_object");
  let count: number | null = null;
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key !== field) throw new JsonListError("other_field");
    if (reader.kind() !== "array") throw new JsonListError("no_list");
    count = readElements(reader);
  }
  reader.end();
  if (count === null) throw new JsonListError("missing_list");
  if (count === 0) throw new JsonListError("empty_list");
  return count;
}

function readElements(reader: JsonReader): number {
  let count = 0;
  reader.beginArray();
  while (reader.nextElement()) {
    if (reader.kind() !== "object") throw new JsonListError("element_no_object", count);
    reader.skipValue();
    count += 1;
  }
  return count;
}

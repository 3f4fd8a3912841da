import { readMessageUsage } from "#src/domain/usage-fields.ts";
import { DuplicateKeyError, JsonReader, JsonSyntaxError } from "#src/lib/json-scan.ts";
import { releaseMemory } from "#src/lib/release-memory.ts";
import { decodeCopy, isIdentity } from "./decode-copy.ts";
import { StreamReader } from "./read-stream-usage.ts";
import {
  type AnswerFields,
  errorTypeOf,
  nothingSeen,
  type PlainReader,
  parseObject,
  type UsageReader,
  type UsageSeen,
} from "./usage-seen.ts";

// Reads the usage of a response beside the relay. The reader gets every byte and changes none. Readers never throw, because
// a response that cannot be metered must still reach its client.

export type { UsageReader, UsageSeen };

export interface UsageReaderOptions {
  /** Set by the `content-type` of the response, and not by the request. */
  isStream: boolean;
  /** `content-encoding` of the response. A copy in gzip, deflate, br or zstd is decoded for metering only. */
  contentEncoding?: string | undefined;
  /** Billed model if the response names none. */
  requestedModel?: string;
}

/** Longest JSON response that is kept for its usage, bytes. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function makeUsageReader(options: UsageReaderOptions): UsageReader {
  const model = options.requestedModel ?? "";
  const plain = options.isStream ? new StreamReader(model) : new AnswerReader(model);
  if (isIdentity(options.contentEncoding)) return plain;
  return decodeCopy(plain, options.contentEncoding);
}

/** Keeps the chunks, and at the end reads the few needed fields without building the rest of the message. */
class AnswerReader implements PlainReader {
  readonly hasMessageStart = false;
  readonly isAtEventBoundary = false;
  readonly live = null;
  readonly #requestedModel: string;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #seen: UsageSeen | null = null;

  constructor(requestedModel: string) {
    this.#requestedModel = requestedModel;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= MAX_ANSWER_BYTES) this.#chunks.push(chunk);
    else this.#chunks = [];
  }

  finish(): UsageSeen {
    this.#seen ??= this.#read();
    return this.#seen;
  }

  #read(): UsageSeen {
    const seen = nothingSeen();
    seen.isAtEventBoundary = false;
    if (this.#bytes > MAX_ANSWER_BYTES) {
      seen.isReadable = false;
      return seen;
    }
    const [first] = this.#chunks;
    const isOne = this.#chunks.length === 1 && first !== undefined;
    const text = isOne ? first : Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [];
    const message = readTopLevel(text);
    // The chunks belong to the client's socket too.
    if (!isOne) releaseMemory(text);
    if (message === null) return seen;
    seen.usage = readMessageUsage(message, this.#requestedModel);
    seen.isComplete = true;
    seen.errorType = errorTypeOf(message);
    seen.isRefusal = message.stop_reason === "refusal";
    return seen;
  }
}

/** Reads the fields of a JSON object that metering needs. Null: the text is not one whole object. */
function readTopLevel(text: Buffer): AnswerFields | null {
  const found: AnswerFields = {};
  try {
    const reader = new JsonReader(text, true);
    reader.beginObject();
    for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
      if (isNeeded(key)) found[key] = readValue(reader);
      else reader.skipValue();
    }
    reader.end();
    return found;
  } catch (error) {
    // The reader refuses repeated keys and deep nesting. The client can read such a response, so it is billed.
    if (error instanceof DuplicateKeyError || error instanceof JsonSyntaxError) {
      return parseWhole(text);
    }
    throw error;
  }
}

/** Reads a value like JSON.parse. Most needed values are strings, for which JSON.parse would cost more. */
function readValue(reader: JsonReader): unknown {
  if (reader.kind() === "string") return reader.readString();
  return JSON.parse(reader.sliceValue().toString("utf8"));
}

type NeededField = "type" | "model" | "usage" | "stop_reason" | "error";

function isNeeded(key: string): key is NeededField {
  switch (key) {
    case "type":
    case "model":
    case "usage":
    case "stop_reason":
    case "error":
      return true;
    default:
      return false;
  }
}

function parseWhole(text: Buffer): AnswerFields | null {
  const value = parseObject(text.toString("utf8"));
  return Array.isArray(value) ? null : value;
}

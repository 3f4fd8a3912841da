import { readMessageUsage } from "#src/domain/usage-fields.ts";
import { DuplicateKeyError, JsonReader, JsonSyntaxError } from "#src/lib/json-scan.ts";
import { decodeCopy, isIdentity } from "./decode-copy.ts";
import { makeStreamReader } from "./read-stream-usage.ts";
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

/** Up to this size, parsing the whole message is faster than skipping unneeded fields. */
const SMALL_ANSWER_BYTES = 8 * 1024;

export function makeUsageReader(options: UsageReaderOptions): UsageReader {
  const model = options.requestedModel ?? "";
  const plain = options.isStream ? makeStreamReader(model) : makeJsonReader(model);
  if (!isIdentity(options.contentEncoding)) return decodeCopy(plain, options.contentEncoding);
  let seen: UsageSeen | null = null;
  return {
    push: (chunk) => plain.push(chunk),
    get hasMessageStart() {
      return plain.hasMessageStart;
    },
    get isAtEventBoundary() {
      return plain.isAtEventBoundary;
    },
    finish() {
      seen ??= plain.finish();
      return seen;
    },
  };
}

/** Keeps the chunks, and at the end reads the few needed fields without building the rest of the message. */
function makeJsonReader(requestedModel: string): PlainReader {
  let chunks: Buffer[] = [];
  let bytes = 0;
  return {
    hasMessageStart: false,
    isAtEventBoundary: false,
    push(chunk) {
      bytes += chunk.length;
      if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
      else chunks = [];
    },
    finish() {
      const seen = nothingSeen();
      seen.isAtEventBoundary = false;
      if (bytes > MAX_ANSWER_BYTES) {
        seen.isReadable = false;
        return seen;
      }
      const [first] = chunks;
      const text = chunks.length === 1 && first ? first : Buffer.concat(chunks, bytes);
      chunks = [];
      const message = readTopLevel(text);
      if (message === null) return seen;
      seen.usage = readMessageUsage(message, requestedModel);
      seen.isComplete = true;
      seen.errorType = errorTypeOf(message);
      seen.isRefusal = message.stop_reason === "refusal";
      return seen;
    },
  };
}

/** Reads the fields of a JSON object that metering needs. Null: the text is not one whole object. */
function readTopLevel(text: Buffer): AnswerFields | null {
  if (text.length <= SMALL_ANSWER_BYTES) return parseWhole(text);
  const found: AnswerFields = {};
  try {
    const reader = new JsonReader(text, true);
    reader.beginObject();
    for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
      if (isNeeded(key)) {
        found[key] = JSON.parse(reader.sliceValue().toString("utf8"));
      } else reader.skipValue();
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

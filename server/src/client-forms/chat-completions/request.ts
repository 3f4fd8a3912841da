import { ApiError } from "#src/domain/api-error.ts";
import { limitsOf } from "#src/domain/model-limits.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { JsonReader, JsonSyntaxError } from "#src/lib/json-scan.ts";
import { toConversation } from "./messages.ts";
import { isAbsent, isObject, type JsonObject, readList, readText } from "./read-fields.ts";
import { toTools, usesFunctions } from "./tools.ts";

// The body of a chat completion becomes that of a message, by the table of the official compatibility layer:
// https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk. Fields that the table does not name are
// ignored, as there.

/** Highest output of a request that names none. A client that needs more sets `max_completion_tokens`. */
const DEFAULT_MAX_TOKENS = 16_384;

/** Values of a body that are parsed at most. Each takes some memory, and a text of 32 MB can have 16 million. */
const MAX_VALUES = 1_000_000;

export interface ChatRequest {
  /** Body of `POST /v1/messages`. */
  body: Buffer;
  /** The stream ends with a chunk about usage. */
  isUsageIncluded: boolean;
  /** The answer has the deprecated `function_call`. */
  usesFunctions: boolean;
}

/** Throws `invalid_body` and `invalid_fields`. */
export function toMessageRequest(bytes: Buffer): ChatRequest {
  const chat = parseBody(bytes);
  if (!isAbsent(chat.n) && chat.n !== 1) throw refuseField("n", "Input should be 1");
  const { system, messages } = toConversation(chat.messages);
  const model = readText(chat.model, "model");
  const stop = readStop(chat.stop);
  const message = {
    model,
    max_tokens: chat.max_completion_tokens ?? chat.max_tokens ?? defaultMaxTokens(chat, model),
    ...(system === null ? {} : { system }),
    messages,
    ...toTools(chat),
    ...(stop.length === 0 ? {} : { stop_sequences: stop }),
    ...passed(chat, ["stream", "top_p", "thinking"]),
    ...readTemperature(chat.temperature),
  };
  const { stream_options: streamOptions } = chat;
  return {
    body: Buffer.from(JSON.stringify(message)),
    isUsageIncluded: isObject(streamOptions) && streamOptions.include_usage === true,
    usesFunctions: usesFunctions(chat),
  };
}

function parseBody(bytes: Buffer): JsonObject {
  checkJson(bytes);
  const chat: unknown = JSON.parse(bytes.toString("utf8"));
  if (!isObject(chat)) {
    throw new ApiError("invalid_body", "The request body is not a JSON object.");
  }
  return chat;
}

/** Checks syntax, nesting and the number of values, before memory is taken for them. */
function checkJson(bytes: Buffer): void {
  try {
    const reader = new JsonReader(bytes);
    reader.skipValue();
    reader.end();
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new ApiError("invalid_body", `The request body is not valid JSON: ${error.message}.`);
  }
  if (countSeparators(bytes) > MAX_VALUES) {
    throw new ApiError("invalid_body", `The request body has more than ${MAX_VALUES} values.`);
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/** Counts commas and open brackets outside of texts, which bound the number of values. */
function countSeparators(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === COMMA || byte === OPEN_ARRAY || byte === OPEN_OBJECT) count += 1;
    else if (byte === QUOTE) at = findTextEnd(bytes, at + 1);
  }
  return count;
}

/** Offset of the quote that ends a text. */
function findTextEnd(bytes: Buffer, start: number): number {
  let end = bytes.indexOf(QUOTE, start);
  while (end !== -1 && isEscaped(bytes, end)) end = bytes.indexOf(QUOTE, end + 1);
  return end === -1 ? bytes.length : end;
}

function isEscaped(bytes: Buffer, at: number): boolean {
  let first = at;
  while (bytes[first - 1] === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

/** Thinking is a part of the output, so its budget is added. */
function defaultMaxTokens({ thinking }: JsonObject, model: string): number {
  const budget = isObject(thinking) ? thinking.budget_tokens : 0;
  const thought = typeof budget === "number" && budget > 0 ? budget : 0;
  return Math.min(DEFAULT_MAX_TOKENS + thought, limitsOf(model).maxOutputTokens);
}

/** Values above 1 become 1, as in the official layer. */
function readTemperature(value: unknown): { temperature?: unknown } {
  if (isAbsent(value)) return {};
  return { temperature: typeof value === "number" ? Math.min(value, 1) : value };
}

/** Blank sequences are left out, because the Claude API refuses them. */
function readStop(value: unknown): string[] {
  if (isAbsent(value)) return [];
  const texts =
    typeof value === "string"
      ? [value]
      : readList(value, "stop").map((item, index) => readText(item, `stop.${index}`));
  return texts.filter((text) => text.trim() !== "");
}

/** Fields with the same meaning in both APIs. */
function passed(chat: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.filter((name) => !isAbsent(chat[name])).map((name) => [name, chat[name]]),
  );
}

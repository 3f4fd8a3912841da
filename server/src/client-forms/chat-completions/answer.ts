import { parseJson } from "#src/lib/parse-json.ts";
import { toFinishReason } from "./finish-reason.ts";
import { isObject, type JsonObject } from "./read-fields.ts";
import { toChatUsage } from "./usage.ts";

/** Facts of a request that decide the form of its answer. */
export interface AnswerForm {
  /** The answer has the deprecated `function_call`. */
  usesFunctions: boolean;
  /** Time of the answer, seconds since the epoch. */
  created: number;
}

/** Converts a message of the Claude API. Null: the bytes are no message. */
export function toChatCompletion(bytes: Buffer, form: AnswerForm): Buffer | null {
  const message = parseJson(bytes);
  if (!isObject(message) || !Array.isArray(message.content)) return null;
  const blocks = message.content.filter(isObject);
  const completion = {
    id: message.id,
    choices: [
      {
        finish_reason: toFinishReason(message.stop_reason, form.usesFunctions),
        index: 0,
        logprobs: null,
        message: {
          role: "assistant",
          content: joinTexts(blocks),
          refusal: null,
          ...toCalls(blocks, form.usesFunctions),
        },
      },
    ],
    created: form.created,
    model: message.model,
    object: "chat.completion",
    service_tier: null,
    system_fingerprint: null,
    usage: toChatUsage(message.usage),
  };
  return Buffer.from(JSON.stringify(completion));
}

/** Converts an official error. Null: the bytes are none. */
export function toChatError(bytes: Buffer): Buffer | null {
  const error = readChatError(parseJson(bytes));
  return error === null ? null : Buffer.from(JSON.stringify(error));
}

/** Body of an error in the form that the OpenAI SDKs read. `code` is the cause, `param` the first wrong field. */
export function readChatError(body: unknown): JsonObject | null {
  if (!isObject(body) || !isObject(body.error)) return null;
  const { type, message, details } = body.error;
  const facts = isObject(details) ? details : {};
  return {
    error: {
      code: facts.error_code ?? type,
      message,
      type,
      param: findParam(facts.fields),
      ...(isObject(details) ? { details } : {}),
    },
    request_id: body.request_id,
  };
}

function findParam(fields: unknown): string | null {
  const first: unknown = Array.isArray(fields) ? fields[0] : null;
  return isObject(first) && typeof first.path === "string" ? first.path : null;
}

/** Null: an answer without text, as of one that only calls tools. */
function joinTexts(blocks: readonly JsonObject[]): string | null {
  const texts = blocks.filter(({ type }) => type === "text").map(({ text }) => String(text));
  return texts.length === 0 ? null : texts.join("");
}

function toCalls(blocks: readonly JsonObject[], usesFunctions: boolean): JsonObject {
  const calls = blocks.filter(({ type }) => type === "tool_use");
  if (calls.length === 0) return {};
  const [first] = calls;
  if (usesFunctions && first !== undefined) return { function_call: toCalled(first) };
  return {
    tool_calls: calls.map((call) => ({ id: call.id, type: "function", function: toCalled(call) })),
  };
}

function toCalled({ name, input }: JsonObject): JsonObject {
  return { name, arguments: JSON.stringify(input ?? {}) };
}

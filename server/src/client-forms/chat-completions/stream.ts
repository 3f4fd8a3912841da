import { parseJson } from "#src/lib/parse-json.ts";
import { EventReader } from "../event-reader.ts";
import { type AnswerForm, readChatError } from "./answer.ts";
import { toFinishReason } from "./finish-reason.ts";
import { isObject, type JsonObject } from "./read-fields.ts";
import { toChatUsage } from "./usage.ts";

export interface StreamForm extends AnswerForm {
  /** The stream ends with a chunk about usage. */
  isUsageIncluded: boolean;
}

/** Comment in place of an event without data for the client, so that proxies see bytes. */
const KEEP_ALIVE = ": keep-alive\n\n";

/** Converts the events of a stream of the Claude API to chunks of a chat completion. */
export class ChatStream {
  readonly #form: StreamForm;
  readonly #events = new EventReader();
  #message: JsonObject = {};
  #usage: JsonObject = {};
  /** Place of each tool call by the place of its block. */
  readonly #calls = new Map<unknown, number>();

  constructor(form: StreamForm) {
    this.#form = form;
  }

  /** Returns the bytes for the client. Throws a RangeError for an event that is too large. */
  push(chunk: Buffer): Buffer {
    let text = "";
    for (const data of this.#events.push(chunk)) {
      const event = parseJson(data);
      if (isObject(event)) text += this.#convert(event);
    }
    return Buffer.from(text === "" ? KEEP_ALIVE : text);
  }

  #convert(event: JsonObject): string {
    switch (event.type) {
      case "message_start":
        return this.#start(event.message);
      case "content_block_start":
        return this.#startBlock(event);
      case "content_block_delta":
        return this.#addDelta(event);
      case "message_delta":
        return this.#finish(event);
      case "message_stop":
        return this.#stop();
      case "error":
        return formatData(readChatError(event) ?? event);
      default:
        return "";
    }
  }

  #start(message: unknown): string {
    this.#message = isObject(message) ? message : {};
    this.#addUsage(this.#message.usage);
    return this.#format({ role: "assistant", content: "", refusal: null });
  }

  #startBlock({ index, content_block: block }: JsonObject): string {
    if (!isObject(block)) return "";
    if (block.type === "text" && typeof block.text === "string" && block.text !== "") {
      return this.#format({ content: block.text });
    }
    if (block.type !== "tool_use") return "";
    const place = this.#calls.size;
    this.#calls.set(index, place);
    const called = { name: block.name, arguments: "" };
    if (this.#form.usesFunctions) return this.#format({ function_call: called });
    const call = { index: place, id: block.id, type: "function", function: called };
    return this.#format({ tool_calls: [call] });
  }

  #addDelta({ index, delta }: JsonObject): string {
    if (!isObject(delta)) return "";
    if (delta.type === "text_delta") return this.#format({ content: delta.text });
    const place = this.#calls.get(index);
    if (delta.type !== "input_json_delta" || place === undefined) return "";
    const added = { arguments: delta.partial_json };
    if (this.#form.usesFunctions) return this.#format({ function_call: added });
    return this.#format({ tool_calls: [{ index: place, function: added }] });
  }

  #finish({ delta, usage }: JsonObject): string {
    this.#addUsage(usage);
    const stopReason = isObject(delta) ? delta.stop_reason : null;
    if (typeof stopReason !== "string") return "";
    return this.#format({}, toFinishReason(stopReason, this.#form.usesFunctions));
  }

  #stop(): string {
    const end = "data: [DONE]\n\n";
    if (!this.#form.isUsageIncluded) return end;
    const last = { ...this.#head(), choices: [], usage: toChatUsage(this.#usage) };
    return formatData(last) + end;
  }

  /** Later counts are sums so far, and replace earlier ones. */
  #addUsage(usage: unknown): void {
    if (isObject(usage)) this.#usage = { ...this.#usage, ...withoutNulls(usage) };
  }

  #format(delta: JsonObject, finishReason: string | null = null): string {
    const choice = { delta, finish_reason: finishReason, index: 0, logprobs: null };
    return formatData({
      ...this.#head(),
      choices: [choice],
      ...(this.#form.isUsageIncluded ? { usage: null } : {}),
    });
  }

  #head(): JsonObject {
    return {
      id: this.#message.id,
      created: this.#form.created,
      model: this.#message.model,
      object: "chat.completion.chunk",
      service_tier: null,
      system_fingerprint: null,
    };
  }
}

function formatData(data: JsonObject): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function withoutNulls(counts: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== null));
}

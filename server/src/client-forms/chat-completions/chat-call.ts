import type { ClientCall } from "#src/http1/client-call.ts";
import type { FieldLines } from "#src/lib/field-lines.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import { ConvertingCall, type StreamConverter } from "../converting-call.ts";
import { toChatCompletion, toChatError } from "./answer.ts";
import { toMessageRequest } from "./request.ts";
import { toChatHead } from "./response-fields.ts";
import { ChatStream } from "./stream.ts";

/** Converts `POST /v1/chat/completions` to `POST /v1/messages`. `nowMs`: milliseconds since the epoch. */
export function makeChatCall(call: ClientCall, nowMs: () => number): ClientCall {
  return new ChatCall(call, nowMs);
}

/** A larger JSON answer breaks the connection. The longest answers of models have about 1 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Ids of an account at OpenAI, which are not for the Claude API. */
const foreignFields: ReadonlySet<string> = new Set([
  "openai-organization",
  "openai-project",
  "openai-beta",
]);

class ChatCall extends ConvertingCall {
  protected readonly maxAnswerBytes = MAX_ANSWER_BYTES;
  readonly #nowMs: () => number;
  #isUsageIncluded = false;
  #usesFunctions = false;

  constructor(inner: ClientCall, nowMs: () => number) {
    super(inner, {
      method: "POST",
      target: "/v1/messages",
      fields: withoutForeign(inner.fields),
    });
    this.#nowMs = nowMs;
  }

  adaptBody(bytes: Buffer): Buffer {
    const { body, isUsageIncluded, usesFunctions } = toMessageRequest(bytes);
    this.#isUsageIncluded = isUsageIncluded;
    this.#usesFunctions = usesFunctions;
    return body;
  }

  protected isConverted(): boolean {
    return true;
  }

  protected startStream(status: number, headers: FieldLines): StreamConverter {
    const stream = new ChatStream(this.#form());
    this.#sendHead(status, headers, null);
    return (chunk) => stream.push(chunk);
  }

  protected startRaw(status: number, headers: FieldLines): void {
    this.#sendHead(status, headers, null);
  }

  protected sendConverted(status: number, headers: FieldLines, bytes: Buffer): void {
    const converted = status < 300 ? toChatCompletion(bytes, this.#form()) : toChatError(bytes);
    const body = converted ?? bytes;
    this.#sendHead(status, headers, body.length);
    this.inner.write(body);
  }

  #form() {
    return {
      isUsageIncluded: this.#isUsageIncluded,
      usesFunctions: this.#usesFunctions,
      created: Math.floor(this.#nowMs() / 1_000),
    };
  }

  #sendHead(status: number, headers: FieldLines, length: number | null): void {
    this.inner.writeHead(status, toChatHead(headers, { length, nowMs: this.#nowMs() }));
  }
}

function withoutForeign(fields: HeaderFields): HeaderFields {
  const list: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    if (!foreignFields.has(fields.nameOf(i))) list.push(fields.nameOf(i), fields.valueOf(i));
  }
  return HeaderFields.fromCheckedList(list);
}

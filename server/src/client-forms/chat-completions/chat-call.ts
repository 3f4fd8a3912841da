import type { ClientCall } from "#src/http1/client-call.ts";
import type { FieldLines } from "#src/lib/field-lines.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import { AdaptedCall } from "../adapted-call.ts";
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

/** A JSON answer that is not sent before its last byte arrived. */
interface PendingAnswer {
  status: number;
  headers: FieldLines;
  chunks: Buffer[];
  bytes: number;
  /** Declared length. Null: the answer ends with `end`. */
  length: number | null;
}

type Response =
  | { kind: "none" }
  | { kind: "json"; answer: PendingAnswer }
  | { kind: "stream"; stream: ChatStream }
  /** Bytes pass as they are: the rest of an answer that was sent, or a body that is neither JSON nor a stream. */
  | { kind: "raw" };

class ChatCall extends AdaptedCall {
  readonly #nowMs: () => number;
  #isUsageIncluded = false;
  #usesFunctions = false;
  #status: number | null = null;
  #response: Response = { kind: "none" };

  constructor(inner: ClientCall, nowMs: () => number) {
    super(inner, {
      method: "POST",
      target: "/v1/messages",
      fields: withoutForeign(inner.fields),
    });
    this.#nowMs = nowMs;
  }

  get isHeadSent(): boolean {
    return this.#status !== null;
  }

  get status(): number | null {
    return this.#status;
  }

  adaptBody(bytes: Buffer): Buffer {
    const { body, isUsageIncluded, usesFunctions } = toMessageRequest(bytes);
    this.#isUsageIncluded = isUsageIncluded;
    this.#usesFunctions = usesFunctions;
    return body;
  }

  writeHead(status: number, headers: FieldLines): void {
    const fields = HeaderFields.fromList(headers.toList());
    this.#status = status;
    this.#response = this.#startResponse(status, headers, fields);
    if (this.#response.kind !== "json") this.#sendHead(status, headers, null);
  }

  flushHead(): void {
    if (this.#response.kind !== "json") this.inner.flushHead();
  }

  write(chunk: Buffer): boolean {
    const response = this.#response;
    switch (response.kind) {
      case "json":
        this.#collect(response.answer, chunk);
        return true;
      case "stream":
        return this.#writeEvents(response.stream, chunk);
      default:
        return this.inner.write(chunk);
    }
  }

  end(last?: Buffer | string, stallMs?: number): void {
    const hasLast = last !== undefined && last.length > 0;
    if (hasLast) this.write(typeof last === "string" ? Buffer.from(last) : last);
    // `write` may have sent the answer.
    const response = this.#response;
    if (response.kind === "json") this.#sendAnswer(response.answer);
    this.inner.end(undefined, stallMs);
  }

  #startResponse(status: number, headers: FieldLines, fields: HeaderFields): Response {
    const type = fields.find("content-type") ?? "";
    const isEncoded = fields.find("content-encoding") !== undefined;
    if (!isEncoded && status < 300 && /^text\/event-stream\b/i.test(type)) {
      return { kind: "stream", stream: new ChatStream(this.#form()) };
    }
    if (isEncoded || !/^application\/json\b/i.test(type)) return { kind: "raw" };
    const declared = fields.find("content-length");
    const length = declared === undefined ? null : Number(declared);
    return { kind: "json", answer: { status, headers, chunks: [], bytes: 0, length } };
  }

  #form() {
    return {
      isUsageIncluded: this.#isUsageIncluded,
      usesFunctions: this.#usesFunctions,
      created: Math.floor(this.#nowMs() / 1_000),
    };
  }

  #writeEvents(stream: ChatStream, chunk: Buffer): boolean {
    try {
      return this.inner.write(stream.push(chunk));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.inner.destroy();
      return true;
    }
  }

  #collect(answer: PendingAnswer, chunk: Buffer): void {
    answer.bytes += chunk.length;
    if (answer.bytes > MAX_ANSWER_BYTES) {
      answer.chunks = [];
      this.inner.destroy();
      return;
    }
    answer.chunks.push(chunk);
    // A refusal ends only after the rest of the request, and its client must not wait for that.
    if (answer.bytes === answer.length) this.#sendAnswer(answer);
  }

  #sendAnswer({ status, headers, chunks }: PendingAnswer): void {
    this.#response = { kind: "raw" };
    const bytes = Buffer.concat(chunks);
    const converted = status < 300 ? toChatCompletion(bytes, this.#form()) : toChatError(bytes);
    const body = converted ?? bytes;
    this.#sendHead(status, headers, body.length);
    this.inner.write(body);
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

import { UpstreamError } from "#src/http1/upstream-error.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import type { HttpCallController, HttpCallHandler } from "#src/lib/http-client.ts";
import {
  type AnswerTranslator,
  JSON_TYPE,
  type LocalAnswer,
  type ProviderCall,
} from "./dialect.ts";
import { isCredentialFault, MAX_ERROR_BYTES, translateError } from "./translate-error.ts";

export type WarnRefusedCredential = (refused: { status: number; body: string }) => void;

interface TranslatedCall {
  call: Pick<ProviderCall, "translateAnswer">;
  /** Name of the platform. */
  name: string;
  /** Receives the official answer. */
  handler: HttpCallHandler;
  onRefusedCredential: WarnRefusedCredential;
}

/** Headers with the platform's id of a request, the first one that is present. */
const idHeaders = [
  "request-id",
  "x-amzn-requestid",
  "apim-request-id",
  "x-request-id",
] as const satisfies Lowercase<string>[];
/** Headers of the platform's body, which the official body does not have. */
const replacedHeaders = new Set(["content-type", "content-length", "content-encoding"]);

/** Turns the answer of a platform into the official one. */
export class TranslatingHandler implements HttpCallHandler {
  readonly #translated: TranslatedCall;
  readonly #handler: HttpCallHandler;
  /** Null: the bytes are official, or an error is collected. */
  #translator: AnswerTranslator | null = null;
  #error: { status: number; fields: HeaderFields; chunks: Buffer[]; bytes: number } | null = null;
  #hasFailed = false;

  constructor(translated: TranslatedCall) {
    this.#translated = translated;
    this.#handler = translated.handler;
  }

  onRequestStart(controller: HttpCallController): void {
    this.#handler.onRequestStart(controller);
  }

  onRequestSent(): void {
    this.#handler.onRequestSent();
  }

  onResponseStart(controller: HttpCallController, status: number, fields: HeaderFields): void {
    if (status < 200) {
      this.#handler.onResponseStart(controller, status, fields);
      return;
    }
    if (status >= 300) {
      this.#error = { status, fields, chunks: [], bytes: 0 };
      return;
    }
    this.#translator = this.#translated.call.translateAnswer(fields);
    const type = this.#translator?.contentType ?? null;
    this.#handler.onResponseStart(controller, status, toOfficialFields(fields, type));
  }

  onResponseData(controller: HttpCallController, chunk: Buffer, framed?: Buffer): void {
    if (this.#hasFailed) return;
    if (this.#error !== null) {
      this.#collect(this.#error, chunk);
      return;
    }
    if (this.#translator === null) {
      this.#handler.onResponseData(controller, chunk, framed);
      return;
    }
    try {
      const bytes = this.#translator.push(chunk);
      if (bytes.length > 0) this.#handler.onResponseData(controller, bytes);
    } catch (error) {
      this.#hasFailed = true;
      controller.abort(toFailure(error));
    }
  }

  onResponseEnd(): void {
    if (this.#error !== null) this.#endError(this.#error);
    else if (this.#translator !== null) this.#endTranslation(this.#translator);
    else this.#handler.onResponseEnd();
  }

  onResponseError(controller: HttpCallController | null, error: Error): void {
    this.#handler.onResponseError(controller, error);
  }

  #collect(error: { chunks: Buffer[]; bytes: number }, chunk: Buffer): void {
    const room = MAX_ERROR_BYTES - error.bytes;
    if (room <= 0) return;
    // The client of the platform uses the memory of a chunk again.
    error.chunks.push(Buffer.from(chunk.subarray(0, room)));
    error.bytes += Math.min(chunk.length, room);
  }

  #endError({
    status,
    fields,
    chunks,
  }: {
    status: number;
    fields: HeaderFields;
    chunks: Buffer[];
  }): void {
    const { name, onRefusedCredential } = this.#translated;
    const body = Buffer.concat(chunks);
    if (isCredentialFault(status)) onRefusedCredential({ status, body: body.toString("utf8") });
    const requestId = findRequestId(fields);
    const official = translateError({ name, status, body, requestId });
    const headers = toOfficialFields(fields, JSON_TYPE);
    this.#handler.onResponseStart(idleController, official.status, headers);
    this.#handler.onResponseData(idleController, official.body);
    this.#handler.onResponseEnd();
  }

  #endTranslation(translator: AnswerTranslator): void {
    if (this.#hasFailed) return;
    let last: Buffer;
    try {
      last = translator.end();
    } catch (error) {
      this.#handler.onResponseError(idleController, toFailure(error));
      return;
    }
    if (last.length > 0) this.#handler.onResponseData(idleController, last);
    this.#handler.onResponseEnd();
  }
}

/** Answers without a request. */
export function answerLocally({ body }: LocalAnswer, handler: HttpCallHandler): void {
  const bytes = Buffer.from(JSON.stringify(body));
  handler.onRequestStart(idleController);
  handler.onRequestSent();
  const fields = ["content-type", JSON_TYPE, "content-length", String(bytes.length)];
  handler.onResponseStart(idleController, 200, HeaderFields.fromList(fields));
  handler.onResponseData(idleController, bytes);
  handler.onResponseEnd();
}

/** Controls an answer that has arrived. */
const idleController: HttpCallController = {
  pause: () => undefined,
  resume: () => undefined,
  abort: () => undefined,
};

/** Returns the fields with the id of the request, and with another content type unless it is null. */
function toOfficialFields(fields: HeaderFields, contentType: string | null): HeaderFields {
  const list: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    const name = fields.nameOf(i);
    if (contentType !== null && replacedHeaders.has(name)) continue;
    if (name !== "request-id") list.push(name, fields.valueOf(i));
  }
  if (contentType !== null) list.push("content-type", contentType);
  const requestId = findRequestId(fields);
  if (requestId !== null) list.push("request-id", requestId);
  return HeaderFields.fromCheckedList(list);
}

function findRequestId(fields: HeaderFields): string | null {
  for (const name of idHeaders) {
    const found = fields.find(name);
    if (found !== undefined) return found;
  }
  return null;
}

/** The body of the answer is not what the platform documents, so its rest cannot be read. */
function toFailure(error: unknown): UpstreamError {
  const reason = error instanceof Error ? error.message : String(error);
  return new UpstreamError("HPE_INVALID_RESPONSE", reason);
}

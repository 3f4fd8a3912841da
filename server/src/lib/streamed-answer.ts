import { Readable } from "node:stream";
import type { HeaderFields } from "./header-fields.ts";
import type {
  HttpCallController,
  HttpCallHandler,
  StreamedClient,
  StreamedRequest,
} from "./http-client.ts";

/** Unread bytes of an answer after which its origin is paused. */
const BUFFERED_BYTES = 256 * 1024;

/** An answer whose body is read no faster than its reader takes it. */
export interface StreamedAnswer {
  status: number;
  fields: HeaderFields;
  /** Destroying it ends the request. */
  body: Readable;
}

export interface StreamedBounds {
  /** Longest time without a byte in either direction before the answer's head, milliseconds. */
  silenceMs: number;
  signal?: AbortSignal;
  /** Called at most once, before the first byte is sent. Without this call, nothing was sent. */
  onSent?: () => void;
}

/** Sends a request, and resolves with the head of its answer. Rejects if there is none. */
export function requestStreamed(
  client: Pick<StreamedClient, "send">,
  request: StreamedRequest,
  bounds: StreamedBounds,
): Promise<StreamedAnswer> {
  return readAnswer(bounds, (handler) => sendWatched(client, request, handler));
}

/** Reads the answer to a request that `send` sends once. Resolves with its head. Rejects if there is none. */
export function readAnswer(
  bounds: StreamedBounds,
  send: (handler: AnswerHandler) => void,
): Promise<StreamedAnswer> {
  const handler = new AnswerReader(bounds);
  try {
    send(handler);
  } catch (error) {
    handler.onResponseError(null, toError(error));
  }
  return handler.answer;
}

/** Receives the events of one request, and knows about those of its body. */
export interface AnswerHandler extends HttpCallHandler {
  /** Starts the time of silence again. */
  noteProgress(): void;
}

/** Sends a request whose body counts as progress of its answer. */
export function sendWatched(
  client: Pick<StreamedClient, "send">,
  request: StreamedRequest,
  progress: AnswerHandler,
  handler: HttpCallHandler = progress,
): void {
  const { body } = request;
  const watched = body instanceof Readable ? Readable.from(watch(body, progress)) : body;
  // The reader of the answer counts silence itself: sending a long body is none.
  client.send({ ...request, body: watched, headersTimeoutMs: 0 }, handler);
}

/** Reads a whole body. Rejects after more than `maxBytes`. */
export async function readWhole({ body }: StreamedAnswer, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error("the response is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

async function* watch(body: Readable, reader: AnswerHandler): AsyncGenerator<Buffer> {
  for await (const chunk of body as AsyncIterable<Buffer>) {
    reader.noteProgress();
    yield chunk;
  }
  reader.noteProgress();
}

class AnswerReader implements AnswerHandler {
  readonly #bounds: StreamedBounds;
  readonly #head = Promise.withResolvers<StreamedAnswer>();
  readonly #silence: NodeJS.Timeout;
  readonly #onAbort: () => void;
  #controller: HttpCallController | null = null;
  #stopped: Error | null = null;
  #body: Readable | null = null;
  #isOver = false;

  constructor(bounds: StreamedBounds) {
    this.#bounds = bounds;
    this.#silence = setTimeout(() => this.#stop(makeSilenceError()), bounds.silenceMs);
    this.#onAbort = () => this.#stop(toError(bounds.signal?.reason));
    if (bounds.signal?.aborted) this.#onAbort();
    else bounds.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get answer(): Promise<StreamedAnswer> {
    return this.#head.promise;
  }

  noteProgress(): void {
    if (!this.#isOver && this.#body === null) this.#silence.refresh();
  }

  onRequestStart(controller: HttpCallController): void {
    this.#controller = controller;
    if (this.#stopped === null) this.#bounds.onSent?.();
    else controller.abort(this.#stopped);
  }

  onRequestSent(): void {
    this.noteProgress();
  }

  onResponseStart(controller: HttpCallController, status: number, fields: HeaderFields): void {
    if (status < 200) return;
    clearTimeout(this.#silence);
    this.#body = new Readable({
      highWaterMark: BUFFERED_BYTES,
      read: () => controller.resume(),
      destroy: (error, done) => {
        if (!this.#isOver) controller.abort(error ?? new Error("the response is not read further"));
        done(error);
      },
    });
    // The body can break while its owner waits for something else. The reader gets the error later.
    this.#body.on("error", () => undefined);
    this.#head.resolve({ status, fields, body: this.#body });
  }

  onResponseData(controller: HttpCallController, chunk: Buffer): void {
    const body = this.#body;
    if (body === null || body.destroyed) return;
    if (!body.push(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#end();
    this.#body?.push(null);
  }

  onResponseError(_: HttpCallController | null, error: Error): void {
    this.#end();
    const reason = this.#stopped ?? error;
    if (this.#body === null) this.#head.reject(reason);
    else if (!this.#body.destroyed) this.#body.destroy(reason);
  }

  #stop(reason: Error): void {
    if (this.#isOver || this.#stopped !== null) return;
    this.#stopped = reason;
    this.#controller?.abort(reason);
    if (this.#body === null) this.#head.reject(reason);
    else this.#body.destroy(reason);
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#silence);
    this.#bounds.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** The error of undici for the same case, which callers know. */
function makeSilenceError(): Error {
  return Object.assign(new Error("no answer in time"), { code: "UND_ERR_HEADERS_TIMEOUT" });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

import type { Readable } from "node:stream";
import type { FieldLines } from "./field-lines.ts";
import type { HeaderFields } from "./header-fields.ts";

// Port of a client for HTTP/1.1 to one origin. One connection runs one request at a time, and no request is sent twice.

export interface HttpRequest {
  method: "GET" | "HEAD" | "POST";
  /** Path and query, sent unchanged. */
  path: string;
  /** All headers except `host`, `connection` and `content-length`. */
  headers: FieldLines;
  body: Buffer | null;
  /** True: no other code uses the memory of the body, so that the client may free it after the body is sent. */
  ownsBody?: boolean;
  /** Maximum silence before the response's headers, milliseconds. Null: the client's limit. */
  headersTimeoutMs: number | null;
}

/** Controls a running request. */
export interface HttpCallController {
  /** Stops reading. Some bytes may still arrive. */
  pause(): void;
  resume(): void;
  /** Closes the connection. `onResponseError` follows with this reason. */
  abort(reason: Error): void;
}

/** Receives the events of one request. Exactly one of `onResponseEnd` and `onResponseError` is called, as the last. */
export interface HttpCallHandler {
  /** Called at most once, before the first byte is sent. Without this call, nothing was sent. */
  onRequestStart(controller: HttpCallController): void;
  /** Called at most once, when the body is sent and no longer in memory. */
  onRequestSent(): void;
  /** Called for each response head, also for informational ones (status below 200). */
  onResponseStart(controller: HttpCallController, status: number, fields: HeaderFields): void;
  /**
   * `framed` has the same bytes in the chunked coding, as they came. Without it, the bytes came in another form. The last
   * chunk, of length 0, is never part of it.
   */
  onResponseData(controller: HttpCallController, chunk: Buffer, framed?: Buffer): void;
  onResponseEnd(): void;
  /** The controller is null if nothing was sent. The error has a `code` of Node or undici. */
  onResponseError(controller: HttpCallController | null, error: Error): void;
}

export interface HttpClient {
  /** Sends a request once. Throws an Error for a request that cannot be written. */
  send(request: HttpRequest, handler: HttpCallHandler): void;
  /** True after `close` and `destroy`. New requests then fail. */
  readonly isClosed: boolean;
  /** Resolves when the running requests have ended. */
  close(): Promise<void>;
  /** Ends running requests with an error. */
  destroy(): Promise<void>;
}

/** Request about a stored object. Its body can be a stream of any length. */
export interface StreamedRequest extends Omit<HttpRequest, "method" | "body" | "ownsBody"> {
  method: "GET" | "POST" | "DELETE";
  body: Buffer | Readable | null;
  /** Length of a stream, bytes. Null: unknown, and sent in the chunked coding. */
  bodyBytes: number | null;
}

/** Client for stored objects. Reads a body no faster than the origin takes it. */
export interface StreamedClient extends Omit<HttpClient, "send"> {
  /** Sends a request once. Throws an Error for a request that cannot be written. */
  send(request: StreamedRequest, handler: HttpCallHandler): void;
}

/** Complete response. */
interface WholeResponse {
  status: number;
  body: Buffer;
}

/** Bounds of a response that is read as a whole. */
interface WholeResponseBounds {
  maxBytes: number;
  signal?: AbortSignal;
}

/** Sends a request and reads the complete response. Rejects after an abort, an error, or more than `maxBytes`. */
export function requestWhole(
  client: HttpClient,
  request: HttpRequest,
  { maxBytes, signal }: WholeResponseBounds,
): Promise<WholeResponse> {
  const result = Promise.withResolvers<WholeResponse>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  let status = 0;
  let running: HttpCallController | null = null;
  let stopped: Error | null = null;
  const stop = (reason: Error) => {
    stopped ??= reason;
    running?.abort(reason);
    result.reject(reason);
  };
  const stopBySignal = () => stop(toError(signal?.reason));
  if (signal?.aborted) return Promise.reject(toError(signal.reason));
  signal?.addEventListener("abort", stopBySignal, { once: true });
  const handler: HttpCallHandler = {
    onRequestStart(controller) {
      running = controller;
      if (stopped !== null) controller.abort(stopped);
    },
    onRequestSent: () => undefined,
    onResponseStart(_, received) {
      status = received;
    },
    onResponseData(_, chunk) {
      bytes += chunk.length;
      if (bytes > maxBytes) stop(new Error("the response is too large"));
      else chunks.push(chunk);
    },
    onResponseEnd: () => result.resolve({ status, body: Buffer.concat(chunks) }),
    onResponseError: (_, error) => result.reject(error),
  };
  try {
    client.send(request, handler);
  } catch (error) {
    result.reject(error);
  }
  return result.promise.finally(() => signal?.removeEventListener("abort", stopBySignal));
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

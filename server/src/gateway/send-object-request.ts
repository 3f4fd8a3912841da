import type { FailoverReason } from "@bursar/contract/usage-shape.ts";
import type { FieldLines } from "#src/lib/field-lines.ts";
import type { HttpCallHandler } from "#src/lib/http-client.ts";
import {
  type AnswerHandler,
  readAnswer,
  type StreamedAnswer,
  sendWatched,
} from "#src/lib/streamed-answer.ts";
import type { Upstream, UpstreamOrder } from "#src/upstreams/upstream.ts";
import { type FailoverSender, sendWithFailover } from "./failover.ts";
import type { RequestBody } from "./object-body.ts";
import { toApiError } from "./relay-failure.ts";

// Requests about stored objects, under the rule of failover.ts. A body that cannot be read again stays at its upstream from
// its first byte on.

export interface UpstreamRequest {
  method: "GET" | "POST" | "DELETE";
  /** Path and query. */
  target: string;
  body?: RequestBody | null;
  /** Called before each attempt, which waits for it. A rejection ends the request with this error. */
  onSending?: (upstream: Upstream, reason: FailoverReason | null) => Promise<void>;
  /** Called before the first byte of the first attempt. Without this call, nothing was sent. */
  onSent?: () => void;
}

/** An answer with the upstream that gave it. */
export interface ServedAnswer {
  answer: StreamedAnswer;
  upstream: Upstream;
  /** Why the first upstream of the order did not answer. Null: it did. */
  failover: FailoverReason | null;
}

export interface ObjectRequestDeps {
  makeHeaders(upstream: Upstream): FieldLines;
  databaseNowMs(): number;
  /** True after the client has left. */
  isClientGone(): boolean;
  /** Longest time without a byte in either direction before the answer's head, milliseconds. */
  silenceMs: number;
  /** Ends the request. */
  signal: AbortSignal;
}

/** Sends a request to the first upstream that takes it. Rejects with the error for the client. */
export function sendObjectRequest(
  deps: ObjectRequestDeps,
  order: UpstreamOrder,
  request: UpstreamRequest,
): Promise<ServedAnswer> {
  return new Sending(deps, order, request).run();
}

class Sending implements FailoverSender {
  readonly #deps: ObjectRequestDeps;
  readonly #order: UpstreamOrder;
  readonly #request: UpstreamRequest;
  readonly #body: RequestBody | null;
  #isSent = false;
  /** Failure of this server, because of which nothing more is sent. */
  #failure: unknown = null;
  #served: Omit<ServedAnswer, "answer">;

  constructor(deps: ObjectRequestDeps, order: UpstreamOrder, request: UpstreamRequest) {
    this.#deps = deps;
    this.#order = order;
    this.#request = request;
    this.#body = request.body ?? null;
    this.#served = { upstream: order[0], failover: null };
  }

  async run(): Promise<ServedAnswer> {
    const { silenceMs, signal, databaseNowMs } = this.#deps;
    const onSent = () => {
      this.#isSent = true;
      this.#request.onSent?.();
    };
    try {
      const answer = await readAnswer({ silenceMs, signal, onSent }, (reader) =>
        sendWithFailover(reader, {
          order: this.#order,
          sender: this,
          databaseNowMs,
          send: (upstream, attempt, reason) => this.#send(upstream, { reader, attempt, reason }),
        }),
      );
      return { answer, ...this.#served };
    } catch (error) {
      // The cause of a broken body is the better reason.
      throw toApiError(this.#failure ?? this.#body?.error ?? error, this.#isSent);
    }
  }

  isOver(): boolean {
    return this.#failure !== null || this.#deps.signal.aborted || this.#hasBrokenBody;
  }

  isPinned(): boolean {
    return this.#deps.isClientGone() || this.#body?.canOpen() === false;
  }

  onServed(upstream: Upstream, failover: FailoverReason | null): void {
    this.#served = { upstream, failover };
  }

  get #hasBrokenBody(): boolean {
    return this.#body !== null && this.#body.error !== null;
  }

  #send(upstream: Upstream, sending: Attempted): void {
    const { onSending } = this.#request;
    if (onSending === undefined) {
      this.#dispatch(upstream, sending);
      return;
    }
    onSending(upstream, sending.reason)
      .then(() => this.#dispatch(upstream, sending))
      .catch((error: unknown) => {
        this.#failure = error;
        sending.attempt.onResponseError(null, toError(error));
      });
  }

  #dispatch(upstream: Upstream, { reader, attempt }: Attempted): void {
    if (upstream.objects === null) throw new Error("the upstream has no objects");
    const { method, target } = this.#request;
    const body = this.#body?.open() ?? null;
    const bodyBytes = this.#body?.bytes ?? null;
    const path = upstream.basePath + target;
    const headers = this.#deps.makeHeaders(upstream);
    reader.noteProgress();
    sendWatched(
      upstream.objects,
      { method, path, headers, body, bodyBytes, headersTimeoutMs: 0 },
      reader,
      attempt,
    );
  }
}

interface Attempted {
  reader: AnswerHandler;
  attempt: HttpCallHandler;
  reason: FailoverReason | null;
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

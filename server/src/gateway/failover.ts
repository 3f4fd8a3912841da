import type { FailoverReason } from "@bursar/contract/usage-shape.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import type { HttpCallController, HttpCallHandler } from "#src/lib/http-client.ts";
import type { Upstream, UpstreamOrder } from "#src/upstreams/upstream.ts";
import { codeOf, isAboutRequest, isTimeout } from "./relay-failure.ts";

// A request of a workspace with several upstreams goes to the next one in two cases only. Either nothing of it was sent, or
// the client has seen nothing of a 429 or 529. After any other sent byte, the request stays where it is.

export interface FailoverCall {
  order: UpstreamOrder;
  sender: FailoverSender;
  databaseNowMs(): number;
  /** Sends the request to an upstream, now or later. Each one gets the same body, whose memory no client may free. */
  send(upstream: Upstream, handler: HttpCallHandler, reason: FailoverReason | null): void;
}

/** Owner of a request. The owner lives longer than the body, so it must not refer to the body. */
export interface FailoverSender {
  /** True if nothing may be sent any more. Errors then say nothing about an upstream. */
  isOver(): boolean;
  /** True if no other upstream may get the request. */
  isPinned(): boolean;
  /** Called once, before the relay gets the answer or the error of this upstream. */
  onServed(upstream: Upstream, reason: FailoverReason | null): void;
}

/** Bytes of a refusal that are kept while the next upstream is tried. The rest waits in the connection. */
const MAX_KEPT_BYTES = 64 * 1024;

/** Finds the upstream for a call of the gateway itself, such as a token count: the first one without failures. */
export function findWorking(order: UpstreamOrder): Upstream {
  return order.find(({ health }) => health.isClosed) ?? order[0];
}

/** Sends a request to the first upstream that takes it. Never throws: the relay handles each failure. */
export function sendWithFailover(relay: HttpCallHandler, call: FailoverCall): void {
  new Failover(relay, call).start();
}

/** Controls the running attempt on behalf of the relay. */
class Failover implements HttpCallController {
  readonly #relay: HttpCallHandler;
  #call: FailoverCall | null;
  readonly #order: UpstreamOrder;
  readonly #sender: FailoverSender;
  readonly #nowMs: () => number;
  /** Place of the next upstream. */
  #next = 0;
  #attempt: Attempt | null = null;
  /** The last refusal, until another upstream answers. */
  #kept: Attempt | null = null;
  /** Why the first upstream of the order did not answer. Null: it did, or is still asked. */
  #reason: FailoverReason | null = null;
  #isStarted = false;
  #isAborted = false;

  constructor(relay: HttpCallHandler, call: FailoverCall) {
    this.#relay = relay;
    this.#call = call;
    this.#order = call.order;
    this.#sender = call.sender;
    this.#nowMs = call.databaseNowMs;
  }

  start(): void {
    const upstream = this.#takeNext();
    if (upstream !== null) this.#send(upstream);
  }

  pause(): void {
    this.#attempt?.controller?.pause();
  }

  resume(): void {
    this.#attempt?.controller?.resume();
  }

  abort(reason: Error): void {
    this.#isAborted = true;
    const attempt = this.#attempt;
    if (attempt === null || attempt.state === "dropped") return;
    if (attempt.controller !== null) {
      attempt.controller.abort(reason);
      return;
    }
    // The attempt has no connection yet, so nothing of it will be sent.
    attempt.state = "dropped";
    attempt.upstream.health.noteNothing();
    this.#serve(attempt);
    this.#relay.onResponseError(null, reason);
  }

  /** True if the request must not be sent any more. */
  get isOver(): boolean {
    return this.#isAborted || this.#sender.isOver();
  }

  nowMs(): number {
    return this.#nowMs();
  }

  /** The first byte of an attempt will be sent now. */
  onStart(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#relay.onRequestStart(this);
  }

  /** The body has left. Its memory is kept for another attempt, if there can be one. */
  onSent(): void {
    if (this.#call === null || this.#next >= this.#order.length) this.#relay.onRequestSent();
  }

  /** Handles a refusal. True: another upstream gets the request, and the refusal is kept. */
  tryAfterRefusal(attempt: Attempt, status: number): boolean {
    if (status !== 429 && status !== 529) return false;
    if (this.isOver || this.#sender.isPinned()) return false;
    const before = this.#kept;
    this.#kept = attempt;
    this.#reason ??= status === 429 ? "rate_limited" : "overloaded";
    const next = this.#takeNext();
    if (next === null) {
      this.#kept = before;
      return false;
    }
    before?.drop();
    attempt.state = "kept";
    this.#send(next);
    return true;
  }

  /** Handles an attempt of which nothing was sent. */
  tryAfterUnsent(attempt: Attempt, error: Error): void {
    attempt.state = "dropped";
    const isLeft = this.isOver || this.#sender.isPinned();
    this.#reason ??= isUnsupported(error) ? "unsupported" : "unreached";
    const next = isLeft ? null : this.#takeNext();
    if (next !== null) {
      this.#send(next);
      return;
    }
    const kept = this.#kept;
    if (kept === null) {
      this.#serve(attempt);
      this.#relay.onResponseError(null, error);
      return;
    }
    this.#kept = null;
    this.#attempt = kept;
    this.#serve(kept);
    kept.replay(this.#relay);
  }

  /** The client gets the answer of this attempt, or its error. Returns the relay. */
  commit(attempt: Attempt): HttpCallHandler {
    this.#serve(attempt);
    return this.#relay;
  }

  /** No other attempt follows, so the body is no longer needed after it is sent. */
  #serve({ upstream, isSent }: Attempt): void {
    this.#sender.onServed(upstream, this.#reasonFor(upstream));
    this.#kept?.drop();
    this.#kept = null;
    this.#call = null;
    if (isSent) this.#relay.onRequestSent();
  }

  /**
   * Takes the next upstream that its circuit breaker admits. The last one is tried in any case, unless there is a refusal to
   * answer with. Null: none is left.
   */
  #takeNext(): Upstream | null {
    while (this.#next < this.#order.length) {
      const upstream = this.#order[this.#next++] as Upstream;
      if (upstream.health.admit(this.#nowMs())) return upstream;
      if (this.#next === this.#order.length && this.#kept === null) return upstream;
      this.#reason ??= "circuit_open";
    }
    return null;
  }

  #reasonFor(upstream: Upstream): FailoverReason | null {
    return upstream === this.#order[0] ? null : this.#reason;
  }

  #send(upstream: Upstream): void {
    const attempt = new Attempt(this, upstream);
    this.#attempt = attempt;
    const call = this.#call;
    if (call === null) return;
    try {
      call.send(upstream, attempt, this.#reasonFor(upstream));
    } catch (error) {
      attempt.onResponseError(null, error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/**
 * - running: without a final head.
 * - kept: refused, while another upstream is tried.
 * - relayed: the client gets its events.
 * - dropped: no event counts any more.
 */
type AttemptState = "running" | "kept" | "relayed" | "dropped";

/** One sending of a request to one upstream. */
class Attempt implements HttpCallHandler {
  readonly #failover: Failover;
  readonly upstream: Upstream;
  state: AttemptState = "running";
  /** Set before the first byte is sent. */
  controller: HttpCallController | null = null;
  isSent = false;
  #relay: HttpCallHandler | null = null;
  /** Head and body of a refusal. */
  #head: { status: number; fields: HeaderFields } | null = null;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #end: "open" | "complete" | Error = "open";

  constructor(failover: Failover, upstream: Upstream) {
    this.#failover = failover;
    this.upstream = upstream;
  }

  onRequestStart(controller: HttpCallController): void {
    if (this.controller !== null) {
      controller.abort(new Error("a request is never sent twice"));
      return;
    }
    if (this.state === "dropped" || this.#failover.isOver) {
      if (this.state === "running") this.upstream.health.noteNothing();
      this.state = "dropped";
      controller.abort(new Error("the request is over"));
      return;
    }
    this.controller = controller;
    this.#failover.onStart();
  }

  onRequestSent(): void {
    this.isSent = true;
    if (this.state === "running" || this.state === "relayed") this.#failover.onSent();
  }

  onResponseStart(controller: HttpCallController, status: number, fields: HeaderFields): void {
    if (status < 200 || this.state !== "running") return;
    this.upstream.health.noteAnswer(status, this.#failover.nowMs());
    this.#head = { status, fields };
    if (this.#failover.tryAfterRefusal(this, status)) return;
    this.state = "relayed";
    this.#relay = this.#failover.commit(this);
    this.#relay.onResponseStart(controller, status, fields);
  }

  onResponseData(controller: HttpCallController, chunk: Buffer, framed?: Buffer): void {
    if (this.#relay !== null) {
      this.#relay.onResponseData(controller, chunk, framed);
    } else if (this.state === "kept") {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > MAX_KEPT_BYTES) controller.pause();
    }
  }

  onResponseEnd(): void {
    if (this.#relay !== null) this.#relay.onResponseEnd();
    else this.#end = "complete";
  }

  onResponseError(controller: HttpCallController | null, error: Error): void {
    if (this.#relay !== null) {
      this.#relay.onResponseError(controller, error);
      return;
    }
    if (this.state === "kept") this.#end = error;
    if (this.state !== "running") return;
    this.#noteFailure(error);
    if (this.controller === null) this.#failover.tryAfterUnsent(this, error);
    else {
      this.state = "relayed";
      this.#failover.commit(this).onResponseError(controller, error);
    }
  }

  /** Ends a kept refusal. Its connection is used again if the rest of both bodies is short. */
  drop(): void {
    this.state = "dropped";
    this.#chunks = [];
    const isLong = this.#bytes > MAX_KEPT_BYTES || !this.isSent;
    if (isLong) this.controller?.abort(new Error("the answer is not needed"));
  }

  /** Passes the kept refusal to the relay, and what follows of it. */
  replay(relay: HttpCallHandler): void {
    const { controller } = this;
    if (this.#head === null || controller === null) return;
    this.state = "relayed";
    this.#relay = relay;
    relay.onResponseStart(controller, this.#head.status, this.#head.fields);
    const chunks = this.#chunks;
    this.#chunks = [];
    for (const chunk of chunks) relay.onResponseData(controller, chunk);
    if (this.#end === "complete") relay.onResponseEnd();
    else if (this.#end !== "open") relay.onResponseError(controller, this.#end);
    else if (this.#bytes > MAX_KEPT_BYTES) controller.resume();
  }

  #noteFailure(error: Error): void {
    const { health } = this.upstream;
    // A timeout of the caller ends the request too, and is a failure of the upstream.
    const isOver = this.#failover.isOver && !isTimeout(error);
    if (isOver || isAboutRequest(error)) health.noteNothing();
    else health.noteFailure(codeOf(error), this.#failover.nowMs());
  }
}

/** True if the provider of the upstream lacks something that the request needs. */
function isUnsupported(error: Error): boolean {
  const code: string | null = error instanceof ApiError ? error.code : null;
  return code === "provider_unsupported";
}

import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import { ApiError } from "#src/domain/api-error.ts";
import type { BeginRecord, Outcome } from "#src/domain/request-record.ts";
import type { BilledUsage } from "#src/domain/usage.ts";
import { raiseUsage } from "#src/domain/usage-fields.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { Exchange } from "./exchange.ts";
import { toClientHeaders } from "./forward-headers.ts";
import { makeUsageReader } from "./read-usage.ts";
import { refuse } from "./refuse.ts";
import { codeOf, toApiError, toErrorEvent } from "./relay-failure.ts";
import type { Ending } from "./settle.ts";
import { nothingSeen, type UsageReader, type UsageSeen } from "./usage-seen.ts";

/** What a metered request needs when it ends. */
export interface Metered {
  begin: BeginRecord;
  /** Most output tokens that can be billed: what the request asked for, null where it set no bound. */
  maxTokens: number | null;
  /** The answer may hold thinking that is billed but not shown. */
  canHideThinking: boolean;
}

export interface RelayDeps {
  /** Called exactly once for every metered request that was dispatched. Never throws. */
  settle(exchange: Exchange, begin: BeginRecord, ending: Ending): void;
  /** What the client of an exchange that rate limits count is told of them. */
  rateHeaders(rate: NonNullable<Exchange["rate"]>): Readonly<Record<string, string>>;
  /** Called exactly once, after `settle`. */
  onDone(exchange: Exchange, outcome: Outcome, status: number | null): void;
  /** The body has left for the upstream and is not held any more. Called at most once. */
  onBodySent(exchange: Exchange): void;
  databaseNowMs(): number;
  isDraining(): boolean;
  logger: Logger;
  /** Longest that a client may leave the answer unread, milliseconds; the upstream is paused meanwhile. */
  idleTimeoutMs: number;
  /** Longest wait for an answer that comes as one document: nothing of it is sent before the model is done. */
  answerTimeoutMs: number;
}

/** Why the gateway itself ended the upstream call. */
type CutReason = "client_gone" | "shutdown";

/**
 * Passes one answer from the upstream to the client, byte by byte, and reads its usage aside. undici calls the `on…`
 * methods; exactly one of `onResponseEnd` and `onResponseError` comes last, and each way ends in `#finish`.
 */
export class Relay implements Dispatcher.DispatchHandler {
  readonly #deps: RelayDeps;
  readonly #exchange: Exchange;
  readonly #metered: Metered | null;
  #controller: Dispatcher.DispatchController | null = null;
  #reader: UsageReader | null = null;
  #isSent = false;
  #status: number | null = null;
  #isEventStream = false;
  #isClientGone = false;
  #cutReason: CutReason | null = null;
  #isOver = false;
  #firstByteAtMs: number | null = null;
  #upstreamRequestId: string | null = null;
  #stallTimer: NodeJS.Timeout | null = null;
  #onDrain: (() => void) | null = null;

  constructor(deps: RelayDeps, exchange: Exchange, metered: Metered | null) {
    this.#deps = deps;
    this.#exchange = exchange;
    this.#metered = metered;
  }

  /**
   * The client disconnected. Cuts a call without metering, and a stream after `message_start`. Other responses are read to
   * their end for their usage.
   */
  onClientGone(): void {
    if (this.#isOver || this.#isClientGone) return;
    this.#isClientGone = true;
    this.#clearStall();
    if (this.#metered === null || this.#isStreamToAbort()) this.#cut("client_gone");
    else this.#controller?.resume();
  }

  /** The server stops and will not wait any longer. */
  abortForShutdown(): void {
    if (this.#isOver) return;
    if (this.#isSent) this.#cut("shutdown");
    else this.#finish(makeAbortError());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#isSent) {
      // undici would send a request again in no case known; should it ever, a second bill is worse than an error.
      controller.abort(new Error("a request is never sent twice"));
      return;
    }
    if (this.#isClientGone || this.#isOver) {
      controller.abort(new Error("there is nobody left to answer"));
      return;
    }
    this.#controller = controller;
    this.#isSent = true;
  }

  onRequestSent(): void {
    this.#deps.onBodySent(this.#exchange);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    const { response } = this.#exchange;
    this.#status = status;
    if (this.#metered) this.#firstByteAtMs = this.#deps.databaseNowMs();
    const upstreamId = headers["request-id"];
    this.#upstreamRequestId = typeof upstreamId === "string" ? upstreamId.slice(0, 200) : null;
    this.#isEventStream = isEventStream(headers["content-type"]);
    if (this.#metered && status < 300) {
      this.#reader = makeUsageReader({
        isStream: this.#isEventStream,
        contentEncoding: headers["content-encoding"],
        requestedModel: this.#metered.begin.requestedModel,
      });
    }
    if (this.#isClientGone) return;
    this.#writeHead(status, headers);
    // An event stream may be silent after its headers; they must not wait for the first event. In the same tick as a
    // first chunk they still leave together with it.
    if (this.#isEventStream) process.nextTick(flushHeaders, response);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#reader?.push(chunk);
    if (this.#isClientGone) {
      if (this.#isStreamToAbort()) this.#cut("client_gone");
      return;
    }
    if (!this.#exchange.response.write(chunk)) this.#pause(controller);
  }

  onResponseEnd(): void {
    this.#clearStall();
    if (!this.#isClientGone) this.#end();
    this.#finish(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#clearStall();
    this.#finish(error);
  }

  #writeHead(status: number, headers: IncomingHttpHeaders): void {
    const { response, identity, requestId } = this.#exchange;
    const ours = identity ?? { requestId, organizationId: "", workspaceId: "" };
    if (this.#deps.isDraining()) response.shouldKeepAlive = false;
    const { rate } = this.#exchange;
    // An error of the upstream passes as it is: its headers say why it refused.
    const rates = rate === null || status >= 400 ? null : this.#deps.rateHeaders(rate);
    const isStream = this.#isEventStream;
    response.writeHead(status, toClientHeaders(headers, ours, { status, isStream, rates }));
  }

  /** The client reads slower than the upstream sends: nothing is read from upstream until the client has caught up. */
  #pause(controller: Dispatcher.DispatchController): void {
    const { response } = this.#exchange;
    controller.pause();
    if (this.#onDrain === null) {
      this.#onDrain = () => {
        this.#clearStall();
        controller.resume();
      };
      response.on("drain", this.#onDrain);
    }
    this.#stallTimer ??= setTimeout(() => response.destroy(), this.#deps.idleTimeoutMs);
  }

  /** What the client has not taken yet may wait as long as in the middle of an answer, and no longer. */
  #end(lastWords = ""): void {
    const { response } = this.#exchange;
    response.end(lastWords);
    if (response.writableLength === 0) return;
    const timer = setTimeout(() => response.destroy(), this.#deps.idleTimeoutMs);
    response.once("close", () => clearTimeout(timer));
  }

  #clearStall(): void {
    if (this.#stallTimer === null) return;
    clearTimeout(this.#stallTimer);
    this.#stallTimer = null;
  }

  /**
   * With its client gone a stream is cut, but only after its first usage: the input is known exactly then. Until then,
   * and for every JSON answer, the upstream is read to the end, since it is billed anyway.
   */
  #isStreamToAbort(): boolean {
    return this.#isEventStream && this.#reader?.hasMessageStart === true;
  }

  #cut(reason: CutReason): void {
    this.#cutReason ??= reason;
    // Comes back through onResponseError, or through onRequestStart where no connection was ready yet.
    this.#controller?.abort(reason === "shutdown" ? makeAbortError() : new Error(reason));
  }

  /** `error` is null for an answer that came to its end. */
  #finish(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error !== null) this.#failClient(error);
    const seen = this.#reader === null ? nothingSeen() : this.#reader.finish();
    if (seen instanceof Promise) void seen.then((later) => this.#settle(error, later));
    else this.#settle(error, seen);
  }

  #settle(error: Error | null, seen: UsageSeen): void {
    const outcome = this.#outcome(error, seen);
    const { response, requestId } = this.#exchange;
    const status = response.headersSent ? response.statusCode : null;
    if (this.#metered) {
      const isPartial = outcome === "aborted" || outcome === "interrupted";
      this.#deps.settle(this.#exchange, this.#metered.begin, {
        outcome,
        httpStatus: status,
        usage: isPartial ? estimateUsage(this.#metered, seen) : seen.usage,
        isEstimated: isPartial && seen.usage !== null && !isExact(seen),
        endedAtMs: this.#deps.databaseNowMs(),
        upstreamRequestId: this.#upstreamRequestId,
        firstByteAtMs: this.#firstByteAtMs,
      });
    }
    if (outcome === "interrupted" || outcome === "unreached") {
      const code = error === null ? "no usage" : codeOf(error);
      this.#deps.logger.warn(
        { requestId, outcome, code },
        "the upstream did not complete a request",
      );
    }
    this.#deps.onDone(this.#exchange, outcome, status);
  }

  #outcome(error: Error | null, seen: UsageSeen): Outcome {
    if (!this.#isSent) return "unreached";
    if (error !== null) {
      return this.#cutReason === "client_gone" && seen.usage !== null ? "aborted" : "interrupted";
    }
    if (this.#metered === null || this.#reader === null) {
      return this.#status !== null && this.#status < 300 ? "answered" : "refused";
    }
    if (seen.usage === null) return seen.errorType === null ? "interrupted" : "refused";
    return seen.isComplete ? "answered" : "interrupted";
  }

  #failClient(error: Error): void {
    const { request, response, requestId, identity } = this.#exchange;
    if (this.#isClientGone) return;
    const refusal = toApiError(error, this.#isSent);
    if (!response.headersSent) {
      const isClosing = this.#deps.isDraining();
      refuse(request, response, {
        error: refusal,
        requestId,
        identity,
        isBodyHeldBack: false,
        isClosing,
      });
    } else if (this.#isEventStream && this.#reader?.isAtEventBoundary === true) {
      this.#end(toErrorEvent(refusal, requestId));
    } else {
      // Half an event or half a document: only a broken connection tells the client that it is not whole.
      response.destroy();
    }
  }
}

function makeAbortError(): ApiError {
  return new ApiError("server_not_ready", "This server is stopping. Send the request again.");
}

function flushHeaders(response: Exchange["response"]): void {
  if (!response.destroyed) response.flushHeaders();
}

function isEventStream(contentType: string | string[] | undefined): boolean {
  return typeof contentType === "string" && /^text\/event-stream\b/i.test(contentType);
}

/**
 * Usage of an answer that was not seen to its end. Input is exact. Every output token is at least one byte of the text
 * in the stream, so its bytes bound the tokens, and so does `max_tokens`. Thinking that is not shown leaves no bytes:
 * then `max_tokens` is the only bound.
 */
function estimateUsage(metered: Metered, seen: UsageSeen): BilledUsage | null {
  if (seen.usage === null || isExact(seen)) return seen.usage;
  const { maxTokens } = metered;
  const { outputBytes, webSearches } = seen;
  const isHidden = metered.canHideThinking || seen.hasHiddenThinking;
  const bound = maxTokens ?? outputBytes;
  const outputTokens = isHidden ? bound : Math.min(outputBytes, bound);
  return raiseUsage(seen.usage, { outputTokens, webSearches });
}

/** What was cut came after the numbers. */
function isExact(seen: UsageSeen): boolean {
  return seen.isComplete || seen.isOutputFinal;
}

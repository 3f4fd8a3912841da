import { ApiError } from "#src/domain/api-error.ts";
import type { Outcome } from "#src/domain/request-record.ts";
import type { BilledUsage } from "#src/domain/usage.ts";
import { raiseUsage } from "#src/domain/usage-fields.ts";
import { boundCall } from "#src/domain/worst-case.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import type { HttpCallController, HttpCallHandler } from "#src/lib/http-client.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { Exchange } from "./exchange.ts";
import { toClientHeaders } from "./forward-headers.ts";
import { makeUsageReader } from "./read-usage.ts";
import { refuse } from "./refuse.ts";
import { codeOf, toApiError, toErrorEvent } from "./relay-failure.ts";
import type { Ending, Metered } from "./settle.ts";
import { nothingSeen, type UsageReader, type UsageSeen } from "./usage-seen.ts";

export interface RelayDeps {
  /** Called exactly once for every metered request that was dispatched. Never throws. */
  settle(exchange: Exchange, metered: Metered, ending: Ending): void;
  /** Returns the rate limit headers for the client. */
  rateHeaders(rate: NonNullable<Exchange["rate"]>): Readonly<Record<string, string>>;
  /** Returns the headers about the caps of a laptop's person. Null: none. */
  usageHeaders(exchange: Exchange): Readonly<Record<string, string>> | null;
  /** Called exactly once, after `settle`. */
  onDone(exchange: Exchange, outcome: Outcome, status: number | null): void;
  /** Called at most once, when the body is sent and no longer in memory. */
  onBodySent(exchange: Exchange): void;
  /** Called before the client gets an error of this server instead of a response. Never throws. */
  onRefused(exchange: Exchange, error: ApiError): void;
  databaseNowMs(): number;
  isDraining(): boolean;
  logger: Logger;
  /** Longest time for which a client may not read the response, milliseconds. The upstream is paused in the meantime. */
  idleTimeoutMs: number;
  /** Longest wait for a JSON response, milliseconds. The upstream sends nothing before the model has finished. */
  answerTimeoutMs: number;
}

/** Reason for which the gateway ended the upstream call. */
type AbortReason = "client_gone" | "shutdown";

/**
 * Relays one response from the upstream to the client unchanged, and reads its usage. The upstream's client calls the `on…` methods.
 * Exactly one of `onResponseEnd` and `onResponseError` comes last, and both end in `#finish`.
 */
export class Relay implements HttpCallHandler {
  readonly #deps: RelayDeps;
  readonly #exchange: Exchange;
  readonly #metered: Metered | null;
  #controller: HttpCallController | null = null;
  #reader: UsageReader | null = null;
  #isSent = false;
  #status: number | null = null;
  #isEventStream = false;
  #isClientGone = false;
  #abortReason: AbortReason | null = null;
  #isOver = false;
  #firstByteAtMs: number | null = null;
  #upstreamRequestId: string | null = null;
  #stallTimer: NodeJS.Timeout | null = null;

  constructor(deps: RelayDeps, exchange: Exchange, metered: Metered | null) {
    this.#deps = deps;
    this.#exchange = exchange;
    this.#metered = metered;
  }

  /**
   * Handles a client that disconnected. Ends an unmetered call, and a stream after `message_start`. Other responses are read
   * to their end for their usage.
   */
  onClientGone(): void {
    if (this.#isOver || this.#isClientGone) return;
    this.#isClientGone = true;
    this.#clearStall();
    if (this.#metered === null || this.#isStreamToAbort()) this.#abortUpstream("client_gone");
    else this.#controller?.resume();
  }

  /** Ends the call, because the server stops and does not wait any longer. */
  abortForShutdown(): void {
    if (this.#isOver) return;
    if (this.#isSent) this.#abortUpstream("shutdown");
    else this.#finish(makeAbortError());
  }

  onRequestStart(controller: HttpCallController): void {
    if (this.#isSent) {
      // No known case makes the client send a request again. If it does, an error is better than a second bill.
      controller.abort(new Error("a request is never sent twice"));
      return;
    }
    if (this.#isClientGone || this.#isOver) {
      controller.abort(new Error("the client has left"));
      return;
    }
    this.#controller = controller;
    this.#isSent = true;
  }

  onRequestSent(): void {
    this.#deps.onBodySent(this.#exchange);
  }

  onResponseStart(_controller: HttpCallController, status: number, fields: HeaderFields): void {
    if (status < 200) return;
    this.#status = status;
    if (this.#metered) this.#firstByteAtMs = this.#deps.databaseNowMs();
    this.#upstreamRequestId = fields.find("request-id")?.slice(0, 200) ?? null;
    this.#isEventStream = isEventStream(fields.find("content-type"));
    if (this.#metered && status < 300) {
      this.#reader = makeUsageReader({
        isStream: this.#isEventStream,
        contentEncoding: fields.find("content-encoding"),
        requestedModel: this.#metered.begin.requestedModel,
      });
    }
    if (this.#isClientGone) return;
    this.#writeHead(status, fields);
    // An event stream can be silent after its headers, so they do not wait for the first event.
    if (this.#isEventStream) this.#exchange.call.flushHead();
  }

  onResponseData(controller: HttpCallController, chunk: Buffer, framed?: Buffer): void {
    this.#reader?.push(chunk);
    if (this.#isClientGone) {
      if (this.#isStreamToAbort()) this.#abortUpstream("client_gone");
      return;
    }
    if (!this.#exchange.call.write(chunk, framed)) this.#pause(controller);
  }

  onResponseEnd(): void {
    this.#clearStall();
    if (!this.#isClientGone) this.#endResponse();
    this.#finish(null);
  }

  onResponseError(_controller: HttpCallController | null, error: Error): void {
    this.#clearStall();
    this.#finish(error);
  }

  #writeHead(status: number, fields: HeaderFields): void {
    const { call, identity, requestId } = this.#exchange;
    const ours = identity ?? { requestId, organizationId: "", workspaceId: "" };
    if (this.#deps.isDraining()) call.closeAfterwards();
    const { rate, laptop } = this.#exchange;
    // The headers of an upstream error pass unchanged, because they have the reason of the refusal.
    const rates = rate === null || status >= 400 ? null : this.#deps.rateHeaders(rate);
    const isStream = this.#isEventStream;
    const isLaptop = laptop !== null;
    const hasUsage = isLaptop && status === 200 && this.#metered !== null;
    const usage = hasUsage ? this.#deps.usageHeaders(this.#exchange) : null;
    const facts = {
      status,
      isStream,
      isLaptop,
      rates: usage === null ? rates : { ...rates, ...usage },
    };
    call.writeHead(status, toClientHeaders(fields, ours, facts));
  }

  /** Pauses the upstream until a slow client has read the buffered bytes. */
  #pause(controller: HttpCallController): void {
    const { call } = this.#exchange;
    controller.pause();
    call.onDrain ??= () => {
      this.#clearStall();
      controller.resume();
    };
    this.#stallTimer ??= setTimeout(() => call.destroy(), this.#deps.idleTimeoutMs);
  }

  /** Ends the response. Its buffered bytes wait for the client as long as in the middle of a response. */
  #endResponse(lastWords = ""): void {
    this.#exchange.call.end(lastWords, this.#deps.idleTimeoutMs);
  }

  #clearStall(): void {
    if (this.#stallTimer === null) return;
    clearTimeout(this.#stallTimer);
    this.#stallTimer = null;
  }

  /**
   * True if a stream without its client can end, because its exact input is known. Before that, and for every JSON response,
   * the upstream is read to the end, because it is billed anyway.
   */
  #isStreamToAbort(): boolean {
    return this.#isEventStream && this.#reader?.hasMessageStart === true;
  }

  #abortUpstream(reason: AbortReason): void {
    this.#abortReason ??= reason;
    // The client then calls onResponseError, or onRequestStart if no connection was ready yet.
    this.#controller?.abort(reason === "shutdown" ? makeAbortError() : new Error(reason));
  }

  /** Ends the request. `error` is null for a response that arrived to its end. */
  #finish(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error !== null) this.#sendFailure(error);
    const seen = this.#reader === null ? nothingSeen() : this.#reader.finish();
    if (seen instanceof Promise) void seen.then((later) => this.#settle(error, later));
    else this.#settle(error, seen);
  }

  #settle(error: Error | null, seen: UsageSeen): void {
    const outcome = this.#outcome(error, seen);
    const { call, requestId } = this.#exchange;
    const { status } = call;
    if (this.#metered) {
      const isPartial = outcome === "aborted" || outcome === "interrupted";
      this.#deps.settle(this.#exchange, this.#metered, {
        outcome,
        httpStatus: status,
        usage: isPartial ? estimateUsage(this.#metered, seen) : seen.usage,
        isFinal: !isPartial || isExact(seen),
        isRefusal: seen.isRefusal,
        isUsageMissing: outcome === "interrupted" && this.#reader !== null && isUnknown(seen),
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
      return this.#abortReason === "client_gone" && seen.usage !== null ? "aborted" : "interrupted";
    }
    if (this.#metered === null || this.#reader === null) {
      return this.#status !== null && this.#status < 300 ? "answered" : "refused";
    }
    if (seen.usage === null && !isFreeRefusal(seen)) {
      return seen.errorType === null ? "interrupted" : "refused";
    }
    return seen.isComplete ? "answered" : "interrupted";
  }

  #sendFailure(error: Error): void {
    const { call, requestId, identity } = this.#exchange;
    if (this.#isClientGone) return;
    const refusal = toApiError(error, this.#isSent);
    if (!call.isHeadSent) {
      const isClosing = this.#deps.isDraining();
      this.#deps.onRefused(this.#exchange, refusal);
      refuse(call, { error: refusal, requestId, identity, isClosing });
    } else if (this.#isEventStream && this.#reader?.isAtEventBoundary === true) {
      this.#endResponse(toErrorEvent(refusal, requestId));
    } else {
      // Only a broken connection shows the client that an event or a document is incomplete.
      call.destroy();
    }
  }
}

function makeAbortError(): ApiError {
  return new ApiError("server_not_ready", "This server is stopping. Send the request again.");
}

function isEventStream(contentType: string | undefined): boolean {
  return contentType !== undefined && /^text\/event-stream\b/i.test(contentType);
}

/**
 * Estimates the usage of a response that was not read to its end. Its input is exact. Every output token is at least one
 * byte of text in the stream, so the bytes and `max_tokens` bound the tokens. Hidden thinking has no bytes, and then
 * `max_tokens` is the only bound. The maximum of the model applies if it is lower.
 */
function estimateUsage({ message }: Metered, seen: UsageSeen): BilledUsage | null {
  if (seen.usage === null || isExact(seen)) return seen.usage;
  const { outputBytes, webSearches } = seen;
  const isHidden = message.thinking === "on" || seen.hasHiddenThinking;
  const modelBound = boundCall(message).outputTokens;
  const bound = Math.min(message.maxTokens ?? modelBound, modelBound);
  const outputTokens = isHidden ? bound : Math.min(outputBytes, bound);
  return raiseUsage(seen.usage, { outputTokens, webSearches });
}

/** True if the missing part came after the final numbers. */
function isExact(seen: UsageSeen): boolean {
  return seen.isComplete || seen.isOutputFinal;
}

/** True if the upstream neither reported usage nor an error. */
function isUnknown({ usage, errorType }: UsageSeen): boolean {
  return usage === null && errorType === null;
}

/** True for a complete refusal without usage, which is not billed. */
function isFreeRefusal({ isRefusal, isComplete }: UsageSeen): boolean {
  return isRefusal && isComplete;
}

import { ApiError } from "#src/domain/api-error.ts";
import type { Outcome } from "#src/domain/request-record.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import type { HttpCallController, HttpCallHandler } from "#src/lib/http-client.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { UpstreamHealth } from "#src/upstreams/upstream-health.ts";
import { estimateUsage, isExact } from "./estimate-usage.ts";
import type { Exchange } from "./exchange.ts";
import { toClientHeaders } from "./forward-headers.ts";
import type { ObjectReferences } from "./object-references.ts";
import { makeUsageReader } from "./read-usage.ts";
import { type RefusalForm, refuse } from "./refuse.ts";
import { codeOf, isAboutRequest, toApiError, toErrorEvent } from "./relay-failure.ts";
import type { Ending, Metered, SteppedEnding } from "./settle.ts";
import {
  estimateStream,
  type SteppedResponse,
  type SteppedStream,
  type StreamControl,
  startSteps,
} from "./stream-control.ts";
import { nothingSeen, type UsageReader, type UsageSeen } from "./usage-seen.ts";

export interface RelayDeps {
  /** Called exactly once for every metered request that was dispatched. Never throws. */
  settle(exchange: Exchange, metered: Metered, ending: Ending): void;
  /** Returns the rate limit headers for the client. */
  rateHeaders(rate: NonNullable<Exchange["rate"]>): Readonly<Record<string, string>>;
  /** Returns the headers about the caps of a laptop's person. Null: none. */
  usageHeaders(exchange: Exchange): Readonly<Record<string, string>> | null;
  /** Records objects that responses give. */
  objects: ObjectReferences;
  /** Holds of streams in steps. */
  streams: StreamControl;
  /** Returns the form of an error of this server that the client expects. */
  adaptRefusal(exchange: Exchange, error: ApiError): RefusalForm;
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
type AbortReason = "client_gone" | "shutdown" | "cut";

/**
 * Relays one response from the upstream to the client unchanged, and reads its usage. The upstream's client calls the `on…` methods.
 * Exactly one of `onResponseEnd` and `onResponseError` comes last, and both end in `#finish`.
 */
export class Relay implements HttpCallHandler, SteppedResponse {
  readonly #deps: RelayDeps;
  readonly #exchange: Exchange;
  readonly #metered: Metered | null;
  /** Null: another part of the gateway notes the health of the upstream. */
  readonly #health: UpstreamHealth | null;
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
  /** Null: no limit holds the response in steps. */
  #steps: SteppedStream | null = null;

  constructor(
    deps: RelayDeps,
    exchange: Exchange,
    metered: Metered | null,
    health: UpstreamHealth | null,
  ) {
    this.#deps = deps;
    this.#exchange = exchange;
    this.#metered = metered;
    this.#health = health;
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
    this.#steps = startSteps(this.#deps.streams, this.#metered, this);
  }

  onRequestSent(): void {
    this.#deps.onBodySent(this.#exchange);
  }

  onResponseStart(_controller: HttpCallController, status: number, fields: HeaderFields): void {
    if (status < 200) return;
    this.#status = status;
    const nowMs = this.#deps.databaseNowMs();
    if (this.#metered) this.#firstByteAtMs = nowMs;
    this.#health?.noteAnswer(status, nowMs);
    this.#upstreamRequestId = fields.find("request-id")?.slice(0, 200) ?? null;
    this.#isEventStream = isEventStream(fields.find("content-type"));
    if (this.#metered && status < 300) {
      this.#reader = makeUsageReader({
        isStream: this.#isEventStream,
        contentEncoding: fields.find("content-encoding"),
        requestedModel: this.#metered.begin.requestedModel,
      });
      this.#steps?.follow(this.#reader);
    }
    if (this.#isClientGone) return;
    this.#writeHead(status, fields);
    // An event stream can be silent after its headers, so they do not wait for the first event.
    if (this.#isEventStream) this.#exchange.call.flushHead();
  }

  onResponseData(controller: HttpCallController, chunk: Buffer, framed?: Buffer): void {
    this.#reader?.push(chunk);
    this.#steps?.stream.noteRead();
    if (this.#isClientGone) {
      if (this.#isStreamToAbort()) this.#abortUpstream("client_gone");
      return;
    }
    if (!this.#exchange.call.write(chunk, framed)) this.#waitForReader(controller, chunk.length);
  }

  onResponseEnd(): void {
    this.#clearStall();
    if (!this.#isClientGone) this.#endResponse();
    this.#finish(null);
  }

  onResponseError(_controller: HttpCallController | null, error: Error): void {
    if (this.#status === null && this.#abortReason === null && !this.#isClientGone) {
      if (isAboutRequest(error)) this.#health?.noteNothing();
      else this.#health?.noteFailure(codeOf(error), this.#deps.databaseNowMs());
    }
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

  /**
   * Pauses the upstream until a slow client has read the buffered bytes. A stream in steps is read on at first, because its
   * bound needs the present.
   */
  #waitForReader(controller: HttpCallController, bytes: number): void {
    const { call } = this.#exchange;
    if (this.#steps === null || !this.#steps.takeUnread(bytes)) controller.pause();
    call.onDrain ??= () => {
      this.#clearStall();
      this.#steps?.releaseUnread();
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

  #abortUpstream(reason: Exclude<AbortReason, "cut">): void {
    this.#abortReason ??= reason;
    // The client then calls onResponseError, or onRequestStart if no connection was ready yet.
    this.#controller?.abort(reason === "shutdown" ? makeAbortError() : new Error(reason));
  }

  /** Ends the stream, because a limit has nothing left for it. */
  cut(error: ApiError): void {
    this.#abortReason ??= "cut";
    this.#controller?.abort(error);
  }

  canEnd(): boolean {
    return !this.#exchange.call.isHeadSent || this.#reader?.isAtEventBoundary === true;
  }

  /** Ends the request. `error` is null for a response that arrived to its end. */
  #finish(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#steps?.stop();
    if (error !== null) this.#sendFailure(error);
    const seen = this.#reader === null ? nothingSeen() : this.#reader.finish();
    if (seen instanceof Promise) void seen.then((later) => this.#settle(error, later));
    else this.#settle(error, seen);
  }

  #settle(error: Error | null, seen: UsageSeen): void {
    const stepped = this.#steps?.end({ isLeft: this.#abortReason === "client_gone" }) ?? null;
    const outcome = this.#outcome(error, seen);
    const { call, requestId } = this.#exchange;
    const { status } = call;
    if (this.#metered) {
      const isPartial = outcome === "aborted" || outcome === "interrupted";
      const isComplete = outcome === "answered" && seen.isComplete;
      if (isComplete && seen.usage && this.#steps) {
        this.#deps.streams.observe(this.#steps, seen.usage);
      }
      this.#deps.settle(this.#exchange, this.#metered, {
        outcome,
        httpStatus: status,
        usage: isPartial ? this.#estimate(this.#metered, seen, stepped) : seen.usage,
        isFinal: !isPartial || isExact(seen),
        isRefusal: seen.isRefusal,
        isUsageMissing: outcome === "interrupted" && this.#reader !== null && isUnknown(seen),
        endedAtMs: this.#deps.databaseNowMs(),
        upstreamRequestId: this.#upstreamRequestId,
        firstByteAtMs: this.#firstByteAtMs,
        stepped,
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

  #estimate({ message }: Metered, seen: UsageSeen, stepped: SteppedEnding | null) {
    return stepped === null ? estimateUsage(message, seen) : estimateStream(stepped, seen);
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
      const form = this.#deps.adaptRefusal(this.#exchange, refusal);
      refuse(call, { error: refusal, form, requestId, identity, isClosing });
    } else if (this.#isEventStream && this.#reader?.isAtEventBoundary === true) {
      const { type, message, headers } = this.#deps.adaptRefusal(this.#exchange, refusal);
      const { details } = refusal;
      this.#endResponse(toErrorEvent({ type, message, headers, details }, requestId));
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

/** True if the upstream neither reported usage nor an error. */
function isUnknown({ usage, errorType }: UsageSeen): boolean {
  return usage === null && errorType === null;
}

/** True for a complete refusal without usage, which is not billed. */
function isFreeRefusal({ isRefusal, isComplete }: UsageSeen): boolean {
  return isRefusal && isComplete;
}

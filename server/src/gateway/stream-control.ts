import { ApiError } from "#src/domain/api-error.ts";
import { findCachedResults } from "#src/domain/later-calls.ts";
import { describeIncreaseRequest } from "#src/domain/limit-message.ts";
import { findModelSpeed } from "#src/domain/model-speeds.ts";
import type { Cut } from "#src/domain/request-record.ts";
import { firstHold } from "#src/domain/stream-bound.ts";
import { findStreamTerms, type StreamLimits, type StreamTerms } from "#src/domain/stream-terms.ts";
import type { BilledUsage, TokenUsage } from "#src/domain/usage.ts";
import type { WorstCase } from "#src/domain/worst-case.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { ExceededBounds } from "#src/spend/exceeded-bounds/exceeded-bounds.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import type { StreamHold, StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import { CachedResults } from "./cached-results.ts";
import { boundUsage, isExact } from "./estimate-usage.ts";
import { findExcess, type StreamExcess } from "./find-excess.rule.ts";
import { findExcessBeyondHold } from "./find-excess-beyond-hold.rule.ts";
import { MeteredStream } from "./metered-stream.ts";
import type { ParsedMessage } from "./parse-message.ts";
import { PromptShares } from "./prompt-shares.ts";
import type { Metered, SteppedEnding } from "./settle.ts";
import { type CutDecision, toCut, toCutError } from "./stream-cut.ts";
import { type RunningStream, StreamMeter, type StreamMeterDeps } from "./stream-meter.ts";
import type { UsageReader, UsageSeen } from "./usage-seen.ts";
import { UsualCosts } from "./usual-cost.ts";

// Holds of streams in steps, for all requests of this process.

export interface StreamControlDeps {
  leases: StreamMeterDeps["leases"];
  clock: Clock;
  logger: Logger;
  metrics: {
    /** Counts a change of a hold: set at once, or waiting for budget. */
    observeStep(outcome: "granted" | "waiting"): void;
    observeFasterStream(kind: StreamExcess["kind"]): void;
  };
  publicUrl: () => string | null;
  /** Models and tools that exceeded the data of their bound. */
  exceededBounds: Pick<ExceededBounds, "isHeldWhole" | "report">;
  /** See `HoldDeps`. */
  onLimitReached?: ((limit: StrictLimit & Pick<SpendScope, "workspaceId">) => void) | undefined;
}

export class StreamControl {
  readonly deps: StreamControlDeps;
  readonly meter: StreamMeter;
  /** Usual largest hold of streams in steps. */
  readonly usual = new UsualCosts();
  readonly #prompts = new PromptShares();
  readonly #cachedResults = new CachedResults();

  constructor(deps: StreamControlDeps) {
    this.deps = deps;
    this.meter = new StreamMeter(deps);
  }

  /** Finds the facts of a stream that limits can hold in steps. Null: it is held whole. */
  findTerms(
    message: ParsedMessage,
    worstCase: WorstCase,
    { organizationId }: SpendScope,
    countedTokens: number | null,
  ): StreamTerms | null {
    if (!message.isStream || worstCase.kind === "refused") return null;
    const { exceededBounds } = this.deps;
    const limits: StreamLimits = {
      findSpeed: (model) => {
        const isWhole = exceededBounds.isHeldWhole(organizationId, "model", model);
        return isWhole ? null : findModelSpeed(model);
      },
      isExcludedTool: (type) => exceededBounds.isHeldWhole(organizationId, "tool", type),
      cachesResults: (model) => this.#cachedResults.has(organizationId, model),
    };
    return findStreamTerms(message, worstCase, limits, countedTokens);
  }

  findHold(terms: StreamTerms, { apiKeyId }: SpendScope, model: string): StreamHold {
    return { firstNanoUsd: firstHold(terms), usualNanoUsd: this.usual.find(apiKeyId, model) };
  }

  /** Estimates the tokens of a prompt by the last one of its key and model. 0: none is known. */
  estimatePrompt(terms: StreamTerms, { apiKeyId }: SpendScope, model: string): number {
    return this.#prompts.estimate(apiKeyId, model, terms.inputTokens);
  }

  /** Learns from a complete stream. */
  observe(stepped: SteppedStream, usage: BilledUsage): void {
    const { metered, terms, stream } = stepped;
    const { apiKeyId, requestedModel } = metered.begin;
    const { start } = stream.seen;
    if (start !== null && metered.bound?.worstCase.drivers.inputBasis === "bytes") {
      const { inputTokens: boundTokens } = metered.bound.worstCase.drivers;
      this.#prompts.add(apiKeyId, requestedModel, { tokens: start.promptTokens, boundTokens });
    }
    if (!metered.isSimulated) this.#learnCache(stepped, usage);
    const endedMs = this.deps.clock.monotonicMs();
    const { promptsNanoUsd, seen } = stream;
    const ended = {
      model: requestedModel,
      terms,
      seen,
      usage: usage.total,
      promptsNanoUsd,
      endedMs,
    };
    this.#report(metered, findExcess(ended));
  }

  /** Learns from a stream that ends with a cost beyond its hold. */
  observeBeyondHold({ metered, terms, stream }: SteppedStream, endedMs: number): void {
    const { requestedModel: model } = metered.begin;
    const pausedUntilMs = this.meter.findPauseEndMs();
    const ended = { model, terms, seen: stream.seen, endedMs, pausedUntilMs };
    this.#report(metered, findExcessBeyondHold(ended));
  }

  #report({ isSimulated, begin }: SteppedMetered, found: readonly StreamExcess[]): void {
    // The simulator generates at any speed.
    if (isSimulated) return;
    const { deps } = this;
    const { requestId, organizationId } = begin;
    for (const excess of found) {
      const { kind, name } = excess;
      if (deps.exceededBounds.isHeldWhole(organizationId, kind, name)) continue;
      deps.metrics.observeFasterStream(kind);
      deps.exceededBounds.report({ ...excess, organizationId, requestId });
    }
  }

  #learnCache({ metered, stream: { seen, started } }: SteppedStream, usage: BilledUsage): void {
    if (seen.start === null || started === null) return;
    const later = {
      plain: usage.total.inputTokens - started.total.inputTokens,
      written: countWritten(usage.total) - countWritten(started.total),
    };
    const isCached = findCachedResults(seen.nextPrompts, seen.start.cachedTokens, later);
    const { organizationId, requestedModel } = metered.begin;
    if (isCached !== null) this.#cachedResults.note(organizationId, requestedModel, isCached);
  }
}

function countWritten({ cacheWrite5mTokens, cacheWrite1hTokens }: TokenUsage): number {
  return cacheWrite5mTokens + cacheWrite1hTokens;
}

/** A stream of which a limit holds steps. */
interface SteppedMetered extends Metered {
  stream: NonNullable<Metered["stream"]>;
}

/** The part of `Relay` that a stream in steps calls. */
export interface SteppedResponse {
  /** Ends the response with this error. */
  cut(error: ApiError): void;
  /** True if the error can be the next event, or the whole response. */
  canEnd(): boolean;
}

/** Starts to hold a stream in steps. Null: the request is held whole, or not at all. */
export function startSteps(
  control: StreamControl,
  metered: Metered | null,
  response: SteppedResponse,
): SteppedStream | null {
  if (metered === null || !isStepped(metered)) return null;
  return new SteppedStream(control, metered, response);
}

function isStepped(metered: Metered): metered is SteppedMetered {
  return metered.stream !== null;
}

/** One stream in steps, from its dispatch to its end. */
export class SteppedStream implements RunningStream {
  readonly metered: SteppedMetered;
  readonly stream: MeteredStream;
  readonly #control: StreamControl;
  readonly #response: SteppedResponse;
  #unreadBytes = 0;
  #cut: Cut | null = null;
  /** End on the monotonic clock, milliseconds. Null: the stream runs. */
  #endedMs: number | null = null;

  /** Called at the dispatch. */
  constructor(control: StreamControl, metered: SteppedMetered, response: SteppedResponse) {
    this.#control = control;
    this.metered = metered;
    this.#response = response;
    const { begin, stream } = metered;
    const { requestId, startedAtMs: pricedAtMs } = begin;
    this.stream = new MeteredStream({ requestId, pricedAtMs, ...stream }, this.#nowMs());
    control.meter.add(this);
  }

  get terms(): StreamTerms {
    return this.stream.terms;
  }

  follow(reader: UsageReader): void {
    this.stream.follow(reader.live, () => this.#nowMs());
  }

  cut(decision: CutDecision): void {
    const { deps, meter } = this.#control;
    const nowMs = this.#nowMs();
    this.#cut = toCut(this.stream, decision, nowMs);
    meter.remove(this);
    const costNanoUsd = this.stream.boundAt(nowMs);
    const { reason } = this.#cut;
    const { requestId, workspaceId, requestedModel: model } = this.metered.begin;
    const { lack, heldNanoUsd, pausedMs } = decision;
    deps.logger.warn(
      {
        requestId,
        model,
        reason,
        lack: lack.reason,
        limitId: lack.limit.id,
        heldNanoUsd: String(heldNanoUsd),
        costNanoUsd: String(costNanoUsd),
        pausedMs,
      },
      "a spend limit cut a stream",
    );
    if (reason === "limit_spent") deps.onLimitReached?.({ ...lack.limit, workspaceId });
    const increase = describeIncreaseRequest(lack.limit, deps.publicUrl());
    this.#response.cut(toCutError(decision, { costNanoUsd, increase }));
  }

  canEnd(): boolean {
    return this.#response.canEnd();
  }

  /** Ends the stream, because its hold cannot follow it any more. */
  fail(error: unknown): void {
    const { deps, meter } = this.#control;
    meter.remove(this);
    const { requestId } = this.metered.begin;
    deps.logger.error({ err: error, requestId }, "a stream in steps failed");
    this.#response.cut(
      error instanceof ApiError ? error : new ApiError("internal_error", "Internal error"),
    );
  }

  /** Lets a client read these bytes later. False: it has too many of them, and the upstream must be paused. */
  takeUnread(bytes: number): boolean {
    if (!this.#control.meter.takeUnread(this.#unreadBytes, bytes)) {
      this.stream.notePause();
      return false;
    }
    this.#unreadBytes += bytes;
    return true;
  }

  /** The client has read all bytes. */
  releaseUnread(): void {
    this.#control.meter.releaseUnread(this.#unreadBytes);
    this.#unreadBytes = 0;
  }

  /** Ends the steps. The hold stays until the record of the request ends it. A second call does nothing. */
  stop(): void {
    this.#endedMs ??= this.#nowMs();
    this.#control.meter.remove(this);
    this.releaseUnread();
  }

  /** Facts for the record, after `stop`. `isLeft`: the client has ended the stream. */
  end({ isLeft }: { isLeft: boolean }): SteppedEnding {
    const { deps } = this.#control;
    const { begin } = this.metered;
    const endedMs = this.#endedMs ?? this.#nowMs();
    this.#lookLast(endedMs);
    const hold = deps.leases.findStreamHold(begin.requestId);
    if (hold !== null && this.stream.boundAt(endedMs) > hold.currentNanoUsd) {
      this.#control.observeBeyondHold(this, endedMs);
    }
    const { started } = this.stream;
    const bound = this.stream.boundTokensAt(endedMs);
    if (isLeft) {
      bound.outputTokens = Math.min(bound.outputTokens, this.stream.estimateOutputAt(endedMs));
    }
    return {
      holds: hold?.highest ?? null,
      peakNanoUsd: this.stream.peakNanoUsd,
      bound: boundUsage(begin.requestedModel, this.terms, { bound, started }),
      cut: this.#cut,
    };
  }

  #lookLast(endedMs: number): void {
    try {
      this.stream.look(endedMs);
    } catch (error) {
      const { requestId } = this.metered.begin;
      this.#control.deps.logger.error({ err: error, requestId }, "a stream in steps failed");
    }
  }

  #nowMs(): number {
    return this.#control.deps.clock.monotonicMs();
  }
}

/** Usage of a stream in steps that was not read to its end. Null: nothing is known, and its hold stays unresolved. */
export function estimateStream(ending: SteppedEnding, seen: UsageSeen): BilledUsage | null {
  if (isExact(seen)) return seen.usage;
  return seen.usage === null && ending.cut === null ? null : ending.bound;
}

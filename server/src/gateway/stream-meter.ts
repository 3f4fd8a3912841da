import { ApiError } from "#src/domain/api-error.ts";
import { boundStream, findStreamNeed } from "#src/domain/stream-bound.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { LeaseSync } from "#src/spend/ledger/lease-sync.ts";
import { chooseCuts, type DueCut, TURN_MS } from "./choose-cuts.rule.ts";
import type { MeteredStream } from "./metered-stream.ts";
import { type CutDecision, toCutReason } from "./stream-cut.ts";

// Follows the bound of all running streams of this process that limits hold in steps. Each tick sets their holds ahead of
// need. A limit whose streams can no longer grow cuts them one after another.

/** Time between two ticks. */
const TICK_MS = TURN_MS;
/**
 * Shortest wait for a larger hold before a cut, milliseconds. The hold still covers the bound for two seconds then. A use of
 * a tool is urgent earlier.
 */
const LEAST_WAIT_MS = 1_000;
/** The last growth before a cut covers the next two ticks only, so that nearly all of the limit is used. */
const LAST_GROWTH_MS = 2 * TICK_MS;
/** A wish without an answer of the database waits until the hold does not cover the bound this far ahead. */
const UNANSWERED_MS = 1_500;
/** A longer tick is a pause of this process. */
const PAUSE_MS = 1_000;
/** Time after a pause in which a cut is an effect of it: late uses of tools count, and cuts that waited for an event. */
const PAUSE_EFFECT_MS = 1_500;
/** Bytes that clients have not read yet, for one stream and for all of this process. Beyond it, the upstream is paused. */
const MAX_UNREAD_BYTES = 256 * 1024;
const MAX_ALL_UNREAD_BYTES = 64 * 1024 * 1024;

export interface RunningStream {
  stream: MeteredStream;
  /** Ends the stream. Removes it from the meter. */
  cut(decision: CutDecision): void;
  /** False: the response ends in the middle of an event, so that only a broken connection could follow. */
  canEnd(): boolean;
  /** Ends the stream after an error of its meter. Removes it from the meter. */
  fail(error: unknown): void;
}

export interface StreamMeterDeps {
  leases: Pick<LeaseSync, "resizeHold" | "findStreamHold" | "findLack">;
  clock: Pick<Clock, "monotonicMs">;
  metrics: {
    /** Counts a change of a hold: set at once, or waiting for budget. */
    observeStep(outcome: "granted" | "waiting"): void;
  };
}

export class StreamMeter {
  readonly #deps: StreamMeterDeps;
  readonly #leases: StreamMeterDeps["leases"];
  readonly #running = new Set<RunningStream>();
  #timer: NodeJS.Timeout | null = null;
  #tickedMs = 0;
  #unreadBytes = 0;
  /** Last pause of this process, milliseconds. Null: none. */
  #pause: { untilMs: number; lastedMs: number } | null = null;

  constructor(deps: StreamMeterDeps) {
    this.#deps = deps;
    const { leases, metrics } = deps;
    this.#leases = {
      resizeHold(requestId, nanoUsd) {
        const decision = leases.resizeHold(requestId, nanoUsd);
        metrics.observeStep(decision === "held" ? "granted" : "waiting");
        return decision;
      },
      findStreamHold: (requestId) => leases.findStreamHold(requestId),
      findLack: (requestId) => leases.findLack(requestId),
    };
  }

  add(running: RunningStream): void {
    this.#running.add(running);
    if (this.#timer !== null) return;
    this.#tickedMs = this.#deps.clock.monotonicMs();
    this.#timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** A second call does nothing. */
  remove(running: RunningStream): void {
    this.#running.delete(running);
    if (this.#running.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Adds bytes that a client has not read. False: there are too many, and the upstream must be paused. */
  takeUnread(ownBytes: number, bytes: number): boolean {
    if (ownBytes + bytes > MAX_UNREAD_BYTES) return false;
    if (this.#unreadBytes + bytes > MAX_ALL_UNREAD_BYTES) return false;
    this.#unreadBytes += bytes;
    return true;
  }

  releaseUnread(bytes: number): void {
    this.#unreadBytes -= bytes;
  }

  /** End of the last pause of this process, also of one before the next tick. Null: none. */
  findPauseEndMs(): number | null {
    const nowMs = this.#deps.clock.monotonicMs();
    return nowMs - this.#tickedMs > PAUSE_MS ? nowMs : (this.#pause?.untilMs ?? null);
  }

  /** Sets all holds by the present bounds, and cuts streams without budget. */
  tick(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const silentMs = nowMs - this.#tickedMs;
    this.#tickedMs = nowMs;
    if (silentMs > PAUSE_MS) {
      this.#pause = { untilMs: nowMs, lastedMs: Math.round(silentMs - TICK_MS) };
    }
    const pausedMs = this.#findRecentPause(nowMs);
    const due: RunningCut[] = [];
    for (const running of this.#running) {
      attempt(running, () => {
        running.stream.look(nowMs);
        const found = followStream(this.#leases, running.stream, { nowMs, pausedMs });
        if (found === null) running.stream.isCutDeferred = false;
        else due.push({ ...found, running });
      });
    }
    for (const each of chooseCuts(due)) attempt(each.running, () => this.#cut(each));
  }

  #findRecentPause(nowMs: number): number {
    const pause = this.#pause;
    return pause === null || nowMs - pause.untilMs > PAUSE_EFFECT_MS ? 0 : pause.lastedMs;
  }

  #cut({ running, decision }: RunningCut): void {
    const { stream } = running;
    // A cut before this one in the same tick can have freed its budget.
    if (this.#leases.findLack(stream.requestId) === null) return;
    // The rest of an event usually arrives within a tick, and then the client learns the reason.
    const canWait = decision.canWait && !stream.isCutDeferred;
    stream.isCutDeferred = canWait && !running.canEnd();
    if (!stream.isCutDeferred) running.cut(decision);
  }
}

interface RunningCut extends StreamCut {
  running: RunningStream;
}

function attempt(running: RunningStream, action: () => void): void {
  try {
    action();
  } catch (error) {
    running.fail(error);
  }
}

/** Cut of a stream that waits too long for a larger hold. */
export interface StreamCut extends DueCut {
  decision: CutDecision;
}

/** Sets the hold of one stream. Returns its cut, or null. Throws if no limit explains the missing budget. */
export function followStream(
  leases: StreamMeterDeps["leases"],
  stream: MeteredStream,
  { nowMs, pausedMs }: { nowMs: number; pausedMs: number },
): StreamCut | null {
  const { requestId, terms, seen } = stream;
  const held = leases.findStreamHold(requestId);
  if (held === null) return null;
  const { currentNanoUsd } = held;
  const need = findStreamNeed(terms, seen, { atMs: nowMs, currentNanoUsd });
  if (need.wishNanoUsd === null) {
    // Ends a wish that is no longer needed.
    if (stream.waitsSinceMs !== null) leases.resizeHold(requestId, currentNanoUsd);
    stream.waitsSinceMs = null;
    stream.noteHold(currentNanoUsd);
    return null;
  }
  const lastMs = nowMs + LAST_GROWTH_MS;
  const last = findStreamNeed(terms, seen, { atMs: lastMs, currentNanoUsd }).needNanoUsd;
  // A wish that waits is for the whole step first, and then for as little as possible.
  const isLast = stream.waitsSinceMs !== null && last > currentNanoUsd;
  const wishNanoUsd = isLast ? last : need.wishNanoUsd;
  if (leases.resizeHold(requestId, wishNanoUsd) === "held") {
    stream.waitsSinceMs = null;
    stream.noteHold(wishNanoUsd);
    return null;
  }
  stream.waitsSinceMs ??= nowMs;
  if (seen.finalNanoUsd !== null) return null;
  const isOver = nowMs - stream.waitsSinceMs >= LEAST_WAIT_MS && currentNanoUsd < need.needNanoUsd;
  // A call of a tool's use can start before the wait is over.
  const isUrgent = currentNanoUsd < need.urgentNanoUsd;
  if (!isOver && !isUrgent) return null;
  const lack = leases.findLack(requestId);
  if (lack === null || lack.limit === null) throw makeUnexplainedError();
  const isCoveredFor = (ms: number) => currentNanoUsd >= boundStream(terms, seen, nowMs + ms);
  // A late answer can still grant the wish, or say that the limit is spent.
  const isAnswered = toCutReason(lack.reason) !== "database_unavailable";
  if (!isAnswered && !isUrgent && isCoveredFor(UNANSWERED_MS)) return null;
  const canWait = isCoveredFor(2 * TICK_MS) || !isCoveredFor(0);
  const { limit } = lack;
  const decision = { lack: { ...lack, limit }, heldNanoUsd: currentNanoUsd, pausedMs, canWait };
  const sunkNanoUsd = stream.boundAt(nowMs);
  const { isCutDeferred: hasBegun } = stream;
  return { decision, limitId: limit.id, sunkNanoUsd, isUrgent, hasBegun, isCoveredFor };
}

function makeUnexplainedError(): ApiError {
  return new ApiError(
    "database_unavailable",
    "This response was stopped, because the gateway's database grants no more budget for it. Send the request again shortly.",
    { "retry-after": "2" },
  );
}

import { findExcess } from "#src/gateway/find-excess.rule.ts";
import { findExcessBeyondHold } from "#src/gateway/find-excess-beyond-hold.rule.ts";
import type { MeteredStream } from "#src/gateway/metered-stream.ts";
import type { RunningStream } from "./simulated-streams.ts";
import { describe } from "./stream-bills.ts";

/** Reasons why a stream may cost more than its hold. A running node allows no other. */
export type ExcessCause = "stopped" | "too_fast" | "large_result" | "fast_tool";

/** Models and tools that exceeded a bound, which all nodes of the organization hold whole. */
export class ExceededBounds {
  readonly #names = new Set<string>();

  get size(): number {
    return this.#names.size;
  }

  has(kind: "model" | "tool", name: string): boolean {
    return this.#names.has(`${kind} ${name}`);
  }

  add({ kind, name }: { kind: "model" | "tool"; name: string }): void {
    this.#names.add(`${kind} ${name}`);
  }
}

export function findCause(stream: RunningStream, nowMs: number): ExcessCause | null {
  return nowMs < stream.stoppedUntilMs ? "stopped" : findMisbehaviour(stream);
}

/** Way in which the provider breaks the bounds of this stream. Null: it keeps them. */
function findMisbehaviour({ planned }: RunningStream): ExcessCause | null {
  const { bounds, plan } = planned;
  if (bounds.isTooFast) return "too_fast";
  if (plan.outputs !== "tools") return null;
  if (bounds.hasLargeResults) return "large_result";
  return bounds.hasFastTools ? "fast_tool" : null;
}

/** Time after a pause in which a result can be early, and its stream be cut. */
const PAUSE_EFFECT_MS = 3_000;

interface Ended {
  isAnswered: boolean;
  isBeyondHold: boolean;
  /** Reason that the simulation knows, if the stream is beyond its hold. */
  cause: ExcessCause | null;
  endedMs: number;
  pausedUntilMs: number | null;
}

/** Applies the rules of the gateway at the end of a stream. A stream that a provider lets exceed its hold must name a cause. */
export function observeEnd(
  stream: RunningStream,
  metered: MeteredStream,
  { exceeded, ended }: { exceeded: ExceededBounds; ended: Ended },
): void {
  const { isAnswered, isBeyondHold, cause, endedMs, pausedUntilMs } = ended;
  const { terms, seen, promptsNanoUsd } = metered;
  const { model } = stream.planned.plan.request;
  const usage = stream.reader.seen.usage?.total;
  const isComplete = isAnswered && usage !== undefined;
  const found = isComplete
    ? findExcess({ model, terms, seen, usage, promptsNanoUsd, endedMs })
    : [];
  if (isBeyondHold) {
    found.push(...findExcessBeyondHold({ model, terms, seen, endedMs, pausedUntilMs }));
  }
  for (const each of found) exceeded.add(each);
  // The rule lets a pause explain each result of the next two seconds.
  const isPaused = pausedUntilMs !== null && endedMs - pausedUntilMs < PAUSE_EFFECT_MS;
  if (!isBeyondHold || cause === "stopped" || isPaused || found.length > 0) return;
  const { requestId } = stream.begin;
  throw new Error(
    `${requestId} is beyond its hold by ${cause}, and no rule finds that ${describe(stream)}`,
  );
}

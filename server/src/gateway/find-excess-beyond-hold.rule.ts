import { boundOutput, MAX_DELAY_MS } from "#src/domain/stream-bound.ts";
import type { EndedStream, StreamExcess } from "./find-excess.rule.ts";

/** A stream that cost more than its hold. */
export interface StreamBeyondHold
  extends Pick<EndedStream, "model" | "terms" | "seen" | "endedMs"> {
  /** Last time until which this process did not run, on the clock of `seen`, milliseconds. Null: it always ran. */
  pausedUntilMs: number | null;
}

/**
 * Finds the part of the bound that failed for a stream which cost more than its hold. A model was above its speed, or the
 * result of a tool came before its use counted as a call. Empty if a pause of this process explains the cost.
 */
export function findExcessBeyondHold(stream: StreamBeyondHold): StreamExcess[] {
  return [...findFasterModel(stream), ...findFasterTools(stream)];
}

/** Also finds a burst that is too short for the average speed. */
function findFasterModel({ model, terms, seen, endedMs }: StreamBeyondHold): StreamExcess[] {
  const { outputTokens, dispatchedMs, finalNanoUsd } = seen;
  if (finalNanoUsd === null) return [];
  // The reported count is no part of the bound here.
  const most = boundOutput(terms, { ...seen, outputTokens: 0 }, endedMs);
  if (outputTokens <= most) return [];
  const lastedMs = Math.max(1, endedMs - dispatchedMs);
  const observed = Math.max(terms.speed + 1, Math.round((outputTokens * 1_000) / lastedMs));
  return [{ kind: "model", name: model, observed, allowed: terms.speed }];
}

/** After a pause, a use and its result are read at once, whatever the time of the tool was. */
function findFasterTools({ terms, seen, pausedUntilMs }: StreamBeyondHold): StreamExcess[] {
  const { tools } = terms;
  const { early, nextPrompts } = seen;
  if (tools === null || early === null) return [];
  if (pausedUntilMs !== null && pausedUntilMs >= early.atMs - MAX_DELAY_MS) return [];
  const [observed, allowed] = [nextPrompts.tokens, early.promptTokens];
  return [...new Set(tools.types)].map((name) => ({ kind: "tool", name, observed, allowed }));
}

import { costOfTokens } from "#src/domain/later-calls.ts";
import { boundReadPrompts, findRates, NEED_MS, type StreamSeen } from "#src/domain/stream-bound.ts";
import type { StreamTerms } from "#src/domain/stream-terms.ts";
import type { TokenUsage } from "#src/domain/usage.ts";
import { promptTokens } from "#src/domain/usage-fields.ts";
import type { Rate } from "#src/domain/worst-case.ts";

/** A model that was faster than its speed, or a tool whose results were larger or dearer than their data. */
export interface StreamExcess {
  kind: "model" | "tool";
  /** Name of the model, or type of the tool. */
  name: string;
  /**
   * Output tokens per second of a model. For a tool: prompt tokens of all calls after the first, or their cost as plain
   * prompt tokens.
   */
  observed: number;
  allowed: number;
}

export interface EndedStream {
  model: string;
  terms: StreamTerms;
  seen: StreamSeen;
  /** Exact usage of the whole stream. */
  usage: TokenUsage;
  /** Exact cost of the prompts of all calls. */
  promptsNanoUsd: bigint;
  /** End on the clock of `seen`, milliseconds. */
  endedMs: number;
}

/** Compares a complete stream with the data of its bound. */
export function findExcess(stream: EndedStream): StreamExcess[] {
  return [...findFasterModel(stream), ...findLargerPrompts(stream)];
}

/** A hold covers the output of NEED_MS in advance, so that a shorter burst costs no more than the hold. */
function findFasterModel({ model, terms, seen, usage, endedMs }: EndedStream): StreamExcess[] {
  const lastedMs = Math.max(1, endedMs - seen.dispatchedMs);
  const { outputTokens } = usage;
  if (outputTokens * 1_000 <= terms.speed * (lastedMs + NEED_MS)) return [];
  const observed = Math.round((outputTokens * 1_000) / lastedMs);
  return [{ kind: "model", name: model, observed, allowed: terms.speed }];
}

/** A response reports the prompts of all its calls as one sum, so that each of its tools may be the cause. */
function findLargerPrompts(stream: EndedStream): StreamExcess[] {
  const { tools } = stream.terms;
  if (tools === null) return [];
  const excess = compareTokens(stream) ?? compareCost(stream);
  if (excess === null) return [];
  return [...new Set(tools.types)].map((name) => ({ kind: "tool", name, ...excess }));
}

type Compared = Pick<StreamExcess, "observed" | "allowed"> | null;

function compareTokens({ seen, usage }: EndedStream): Compared {
  if (seen.start === null) return null;
  const observed = promptTokens(usage) - seen.start.promptTokens;
  const allowed = seen.nextPrompts.tokens;
  return observed > allowed ? { observed, allowed } : null;
}

/** Fewer tokens can cost more, if the calls wrote them to a cache and did not read them from it. */
function compareCost({ terms, seen, promptsNanoUsd }: EndedStream): Compared {
  if (seen.start === null) return null;
  const { inputNanoUsd } = seen.start;
  const allowedNanoUsd = boundReadPrompts(terms, seen);
  if (promptsNanoUsd <= allowedNanoUsd + ROUNDING_NANO_USD) return null;
  const { plainRate } = findRates(terms, seen);
  const toPlain = (nanoUsd: bigint) => countPlain(plainRate, nanoUsd - inputNanoUsd);
  const allowed = toPlain(allowedNanoUsd);
  return { observed: Math.max(allowed + 1, toPlain(promptsNanoUsd)), allowed };
}

/** The parts of a cost are rounded, and so is its sum. */
const ROUNDING_NANO_USD = 2n;

/** Plain prompt tokens of this cost. */
function countPlain(plainRate: Rate, nanoUsd: bigint): number {
  const millionNanoUsd = costOfTokens(1_000_000, plainRate);
  return Number((nanoUsd * 1_000_000n) / (millionNanoUsd > 0n ? millionNanoUsd : 1n));
}

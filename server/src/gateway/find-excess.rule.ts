import { NEED_MS, type StreamSeen, type StreamTerms } from "#src/domain/stream-bound.ts";
import type { TokenUsage } from "#src/domain/usage.ts";
import { promptTokens } from "#src/domain/usage-fields.ts";

/** A model that was faster than its speed, or a tool with a larger result than its figure. */
export interface StreamExcess {
  kind: "model" | "tool";
  /** Name of the model, or type of the tool. */
  name: string;
  /** Output tokens per second of a model, or prompt tokens of all results of tools. */
  observed: number;
  allowed: number;
}

export interface EndedStream {
  model: string;
  terms: StreamTerms;
  seen: StreamSeen;
  /** Exact usage of the whole stream. */
  usage: TokenUsage;
  /** End on the clock of `seen`, milliseconds. */
  endedMs: number;
}

/** Compares a complete stream with the data of its bound. */
export function findExcess(stream: EndedStream): StreamExcess[] {
  return [...findFasterModel(stream), ...findLargerResults(stream)];
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
function findLargerResults({ terms, seen, usage }: EndedStream): StreamExcess[] {
  const { tools } = terms;
  if (tools === null || seen.start === null) return [];
  const observed = promptTokens(usage) - seen.start.promptTokens;
  const allowed = seen.nextPromptTokens;
  if (observed <= allowed) return [];
  return [...new Set(tools.types)].map((name) => ({ kind: "tool", name, observed, allowed }));
}

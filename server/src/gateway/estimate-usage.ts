import { tokenNames } from "#src/domain/hold-cost.ts";
import type { PricedTokens } from "#src/domain/later-calls.ts";
import type { StreamTokens } from "#src/domain/stream-bound.ts";
import type { StreamTerms } from "#src/domain/stream-terms.ts";
import { type BilledUsage, noTokens, type TokenUsage } from "#src/domain/usage.ts";
import { raiseUsage } from "#src/domain/usage-fields.ts";
import { boundCall } from "#src/domain/worst-case.ts";
import type { ParsedMessage } from "./parse-message.ts";
import type { UsageSeen } from "./usage-seen.ts";

// Usage of responses that were not read to their end.

/**
 * Estimates the usage of a response that was held whole. Its input is exact. Every output token is at least one byte of text
 * in the stream, so the bytes and `max_tokens` bound the tokens. Hidden thinking has no bytes, and then `max_tokens` is
 * the only bound. The maximum of the model applies if it is lower.
 */
export function estimateUsage(message: ParsedMessage, seen: UsageSeen): BilledUsage | null {
  if (seen.usage === null || isExact(seen)) return seen.usage;
  const { outputBytes, webSearches } = seen;
  const isHidden = message.thinking === "on" || seen.hasHiddenThinking;
  const modelBound = boundCall(message).outputTokens;
  const bound = Math.min(message.maxTokens ?? modelBound, modelBound);
  const outputTokens = isHidden ? bound : Math.min(outputBytes, bound);
  return raiseUsage(seen.usage, { outputTokens, webSearches });
}

/** True if the missing part came after the final numbers. */
export function isExact(seen: UsageSeen): boolean {
  return seen.isComplete || seen.isOutputFinal;
}

/**
 * Usage of a stream at its bound. `started`: usage of its prompt. Null: the bound of the prompt applies too, at
 * its highest price.
 */
export function boundUsage(
  model: string,
  terms: StreamTerms,
  { bound, started }: { bound: StreamTokens; started: BilledUsage | null },
): BilledUsage {
  const { outputTokens, nextPrompts, webSearches } = bound;
  if (started !== null) {
    const total = addPrompts(started.total, terms, nextPrompts);
    return { ...started, total: { ...total, outputTokens, webSearches } };
  }
  const highest = terms.inputTokens + nextPrompts.highest;
  return {
    model,
    total: {
      ...addPrompts(noTokens, terms, { ...nextPrompts, highest }),
      outputTokens,
      webSearches,
    },
    iterations: null,
    serviceTier: null,
    inferenceGeo: terms.outputRate.twentieths > 20n ? "us" : null,
    speed: terms.outputRate.band === "fast" ? "fast" : null,
  };
}

function addPrompts(
  usage: TokenUsage,
  { inputRate, writeRate }: StreamTerms,
  { highest, plain, read, written }: PricedTokens,
): TokenUsage {
  const sum = { ...usage };
  sum.inputTokens += plain;
  sum.cacheReadTokens += read;
  sum[tokenNames[inputRate.kind]] += highest;
  sum[tokenNames[writeRate.kind]] += written;
  return sum;
}

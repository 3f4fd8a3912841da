import type { CutReason } from "@bursar/contract/usage-shape.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { NO_RETRY } from "#src/domain/limit-facts.ts";
import { nameLimit } from "#src/domain/limit-message.ts";
import { formatDollars, formatUsd } from "#src/domain/money.ts";
import type { Cut } from "#src/domain/request-record.ts";
import type { HoldRefusal, StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import { describeLimit, readAmounts } from "#src/spend/ledger/refuse-hold.ts";
import type { MeteredStream } from "./metered-stream.ts";

/** Reason why a stream is cut, and its numbers. */
export interface CutDecision {
  /** Refusal of the larger hold, with its limit. */
  lack: HoldRefusal & { limit: StrictLimit };
  heldNanoUsd: bigint;
  /** Time before the cut in which this process did not run, milliseconds. 0: it ran. */
  pausedMs: number;
  /** The cut can wait for the end of an event: the hold covers the next two ticks, or not even this one. */
  canWait: boolean;
}

/** Bytes of a token in usual text. For the record only: the cost of a cut stream is its bound. */
const USUAL_TOKEN_BYTES = 4;
/** Seconds in which some running requests probably settle. */
const RETRY_AFTER_S = "2";

/** Record of a cut at this time on the monotonic clock. */
export function toCut(stream: MeteredStream, decision: CutDecision, nowMs: number): Cut {
  const { lack, heldNanoUsd, pausedMs } = decision;
  const { limit, figures } = lack;
  const { seen } = stream;
  const visible = Math.ceil(seen.visibleBytes / USUAL_TOKEN_BYTES);
  const { outputTokens: boundOutputTokens } = stream.boundTokensAt(nowMs);
  return {
    reason: toCutReason(lack.reason),
    scopeType: limit.scopeType,
    scopeId: limit.scopeId,
    period: limit.period,
    heldNanoUsd,
    seenOutputTokens: Math.min(boundOutputTokens, Math.max(seen.outputTokens, visible)),
    boundOutputTokens,
    ...(pausedMs > 0 && { pausedMs }),
    ...(figures !== null && {
      balance: {
        limitNanoUsd: limit.amountNanoUsd,
        settledNanoUsd: figures.settledNanoUsd,
        leasedNanoUsd: figures.leasedNanoUsd,
        unresolvedNanoUsd: figures.unresolvedNanoUsd,
      },
    }),
  };
}

export function toCutReason(reason: HoldRefusal["reason"]): CutReason {
  switch (reason) {
    case "spent":
    case "too_large":
      return "limit_spent";
    case "unavailable":
    case "node_awaited":
    case "uncounted":
    case "queue_slow":
      return "database_unavailable";
    case "held":
    case "queue_full":
      return "limit_held";
  }
}

interface CutWords {
  /** Highest cost that the stream can have reached, nano-USD. */
  costNanoUsd: bigint;
  /** Sentence about a request for a higher limit. */
  increase: string;
}

/** Error that ends a cut stream: the limit, what was held, and the next step. */
export function toCutError(
  { lack, heldNanoUsd, pausedMs }: CutDecision,
  { costNanoUsd, increase }: CutWords,
): ApiError {
  const { limit, figures } = lack;
  const { settled, held, unresolved } = readAmounts(figures);
  const facts = {
    limit: describeLimit(lack),
    cut: { held_usd: formatUsd(heldNanoUsd), cost_usd: formatUsd(costNanoUsd) },
  };
  const state =
    `${nameLimit(limit)} is ${formatDollars(limit.amountNanoUsd)}. Spent: ${formatDollars(settled)}; ` +
    `held: ${formatDollars(held)}; unresolved: ${formatDollars(unresolved)}. ` +
    `This response held ${formatDollars(heldNanoUsd)}, and is billed with its highest possible cost of ${formatDollars(costNanoUsd)}.`;
  const retry = { "retry-after": RETRY_AFTER_S };
  const { cause, next } = explainSilence(pausedMs);
  switch (toCutReason(lack.reason)) {
    case "limit_spent":
      return new ApiError(
        "stream_cut_limit_spent",
        `This response was stopped, because a spend limit has nothing left for the rest of it. ${state} ${increase}`,
        NO_RETRY,
        facts,
      );
    case "database_unavailable":
      return new ApiError(
        "stream_cut_database_unavailable",
        `This response was stopped, because ${cause} ${state} ${next}`,
        retry,
        facts,
      );
    case "limit_held":
      return new ApiError(
        "stream_cut_budget_held",
        `This response was stopped, because other requests hold what remains of a spend limit. ${state} Send the request again shortly.`,
        retry,
        facts,
      );
  }
}

/** Explains a hold that could not grow, although the limit may have room. After a pause of the node, that is the cause. */
function explainSilence(pausedMs: number): { cause: string; next: string } {
  if (pausedMs === 0) {
    return {
      cause: "the gateway's database grants no more budget for it.",
      next: "Send the request again when the database responds.",
    };
  }
  const seconds = Math.round(pausedMs / 1_000);
  return {
    cause: `its node of the gateway stood still for ${seconds} s, and held no more budget for it.`,
    next: "Send the request again shortly.",
  };
}

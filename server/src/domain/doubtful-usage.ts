import type { PricedUsage } from "./cost.ts";
import { limitsOf } from "./model-limits.ts";
import { ASSUMED_WEB_SEARCHES } from "./open-ended.ts";
import { WEB_SEARCH_NANO_USD } from "./price-list.ts";
import type { Doubt } from "./request-record.ts";
import { type BilledUsage, type CountGroup, noTokens } from "./usage.ts";
import { promptTokens } from "./usage-fields.ts";
import type { CallBound, WorstCase } from "./worst-case.ts";

// Finds usage that cannot be true, and limits it to what the request allows. No real response of the Claude API may be
// marked, so the limits leave room where the bound of a request is an assumption (docs/decisions/0057-doubtful-ends.md).

/** The byte bound and the model table may be outdated, and a new feature may add tokens to a prompt. */
const CLOSED_FACTOR = 2;
/** The bound of an open-ended request assumes a number of model calls, and more are possible. */
const OPEN_ENDED_FACTOR = 8;
/** Without a hold, only usage that no request can have is impossible. */
const UNHELD_FACTOR = 8;

export interface ReportedUsage {
  usage: BilledUsage;
  /** Null: not limited. */
  limits: UsageLimits | null;
  /** The usage at the prices of the response. */
  priced: Pick<PricedUsage, "cost">;
  /** The response arrived to its end, or its last counts did. */
  isFinal: boolean;
  /** The model declined to answer, which can be free. */
  isRefusal: boolean;
}

/** Usage above any of these numbers is impossible. */
export interface UsageLimits extends CallBound {
  webSearches: number;
  /** Null: the tokens alone decide. */
  nanoUsd: bigint | null;
}

/** Finds the limits of a request. With a hold, its own bound decides. */
export function findUsageLimits(
  { kind, drivers, nanoUsd }: WorstCase,
  { model, isHeld }: { model: string; isHeld: boolean },
): UsageLimits {
  const heldSearches = Number(drivers.feesNanoUsd / WEB_SEARCH_NANO_USD);
  const webSearches = OPEN_ENDED_FACTOR * Math.max(ASSUMED_WEB_SEARCHES, heldSearches);
  if (!isHeld) {
    const { contextTokens, maxOutputTokens } = limitsOf(model);
    return {
      inputTokens: UNHELD_FACTOR * Math.max(drivers.inputTokens, contextTokens),
      outputTokens: UNHELD_FACTOR * Math.max(drivers.outputTokens, maxOutputTokens),
      webSearches,
      nanoUsd: null,
    };
  }
  const factor = kind === "closed" ? CLOSED_FACTOR : OPEN_ENDED_FACTOR;
  // The API never generates more than `max_tokens`.
  const outputFactor = drivers.outputBasis === "model" ? factor : 1;
  return {
    inputTokens: factor * drivers.inputTokens,
    outputTokens: outputFactor * drivers.outputTokens,
    webSearches,
    nanoUsd: BigInt(factor) * nanoUsd,
  };
}

/**
 * Finds the doubt about reported usage. Null: the usage can be true.
 *
 * - Impossible: an invalid count, or usage above the limits. The cost is above the limit, for instance, if the response
 *   names a model that the request cannot reach. Complete usage without a prompt or an output count is impossible too.
 * - Missing: the prompt of a response that broke off is unknown.
 * - Incomplete: a response broke off after its prompt was known.
 */
export function findDoubt(reported: ReportedUsage): Doubt | null {
  const { usage, isFinal } = reported;
  if (isImpossible(reported)) return "impossible_usage";
  if (isFinal) return null;
  const hasPrompt = usage.unknownCounts?.input === undefined && promptTokens(usage.total) > 0;
  return hasPrompt ? "incomplete_usage" : "missing_usage";
}

function isImpossible({ usage, limits, priced, isFinal, isRefusal }: ReportedUsage): boolean {
  const { total, unknownCounts = {} } = usage;
  const unknown = Object.values(unknownCounts);
  if (unknown.includes("invalid")) return true;
  const isEmpty = unknown.length > 0 || promptTokens(total) === 0;
  if (isFinal && isEmpty && !isRefusal) return true;
  if (limits === null) return false;
  return (
    promptTokens(total) > limits.inputTokens ||
    total.outputTokens > limits.outputTokens ||
    total.webSearches > limits.webSearches ||
    (limits.nanoUsd !== null && priced.cost.total > limits.nanoUsd)
  );
}

export interface DoubtfulUsage {
  /** Null: nothing was reported. */
  usage: BilledUsage | null;
  limits: UsageLimits;
  call: CallBound;
  /** Model that the client requested. Its standard price applies. */
  requestedModel: string;
}

/**
 * Limits doubtful usage. Counts that can be true stay. Each other count becomes the bound of one call of the requested model,
 * and searches become 0. So the cost is never 0, and never absurd. The split over iterations is dropped.
 */
export function limitUsage({ usage, limits, call, requestedModel }: DoubtfulUsage): BilledUsage {
  const known = usage?.total ?? noTokens;
  const isKnown = (group: CountGroup) => usage?.unknownCounts?.[group] === undefined;
  const prompt = promptTokens(known);
  const isPromptTrue = isKnown("input") && prompt > 0 && prompt <= limits.inputTokens;
  const isOutputTrue = isKnown("output") && known.outputTokens <= limits.outputTokens;
  return {
    model: requestedModel,
    total: {
      ...noTokens,
      ...(isPromptTrue ? known : { inputTokens: call.inputTokens }),
      outputTokens: isOutputTrue ? known.outputTokens : call.outputTokens,
      webSearches: known.webSearches <= limits.webSearches ? known.webSearches : 0,
    },
    iterations: null,
    serviceTier: null,
    inferenceGeo: null,
    speed: null,
    isDoubtful: true,
  };
}

import { EMPTY_REQUEST } from "#src/domain/hold-request.ts";
import { findModelSpeed } from "#src/domain/model-speeds.ts";
import { findListedModel, type PriceBook } from "#src/domain/price-book.ts";
import { firstHold } from "#src/domain/stream-bound.ts";
import { findStreamTerms, type StreamLimits } from "#src/domain/stream-terms.ts";
import { tightenWorstCase } from "#src/domain/worst-case.ts";
import type { WantedLimit } from "./combine-values.rule.ts";

// How many usual requests a limit could start now. Pure. Amounts are integer nano-USD.

/** Usual figures of the requests of one model: 90th percentiles. Amounts are integer nano-USD. */
export interface UsualRequests {
  model: string;
  requests: number;
  costNanoUsd: bigint;
  /** Largest hold of streams, at most twice their cost. Null: there were none. */
  streamHoldNanoUsd: bigint | null;
  /** Tokens of the prompt, cached ones included. */
  promptTokens: bigint;
  /** Holds of requests that were held whole. Null: there were none. */
  wholeHoldNanoUsd: bigint | null;
  hasCacheWrite5m: boolean;
  hasCacheWrite1h: boolean;
}

/** Capacity of a limit for usual requests of one model. Null counts: the limit holds nothing before a request. */
export interface ModelCapacity {
  model: string;
  requests: number;
  usualCostNanoUsd: bigint;
  /** Null: the limit or the model has its streams held whole. */
  inSteps: { firstHoldNanoUsd: bigint; startNanoUsd: bigint; couldStart: number | null } | null;
  whole: { holdNanoUsd: bigint; couldStart: number | null };
}

export interface LimitRoom {
  limit: Pick<WantedLimit, "enforcement" | "hold">;
  /** Limit less spent, held and unresolved amounts. */
  remainingNanoUsd: bigint;
  /** Limit less spent and unresolved amounts. */
  restNanoUsd: bigint;
  isBlocking: boolean;
}

/** Facts from which holds are computed. */
export interface HoldFacts {
  book: PriceBook;
  atMs: number;
  /** Models that were faster than their speed, so that their streams are held whole. Any of their names. */
  wholeModels: readonly string[];
}

/** Divides what remains of a limit by the budget that a usual request needs. */
export function computeCapacity(
  room: LimitRoom,
  usual: UsualRequests,
  facts: HoldFacts,
): ModelCapacity {
  const { model, requests, costNanoUsd, streamHoldNanoUsd, wholeHoldNanoUsd } = usual;
  const bounds = boundUsual(usual, facts);
  const holdNanoUsd = wholeHoldNanoUsd ?? bounds.worstNanoUsd;
  return {
    ...{ model, requests, usualCostNanoUsd: costNanoUsd },
    inSteps: countInSteps(room, bounds.firstNanoUsd, streamHoldNanoUsd ?? 2n * costNanoUsd),
    whole: { holdNanoUsd, couldStart: countFits(room, holdNanoUsd) },
  };
}

/**
 * A stream in steps needs its first hold, or its usual hold if that is more. A limit whose whole rest is below the usual
 * hold uses its rest up with first holds.
 */
function countInSteps(
  room: LimitRoom,
  firstHoldNanoUsd: bigint | null,
  usualNanoUsd: bigint,
): ModelCapacity["inSteps"] {
  const isInSteps = room.limit.enforcement === "strict" && room.limit.hold === "steps";
  if (firstHoldNanoUsd === null || !isInSteps) return null;
  const isReachable = room.restNanoUsd >= usualNanoUsd;
  const startNanoUsd = isReachable ? larger(firstHoldNanoUsd, usualNanoUsd) : firstHoldNanoUsd;
  return { firstHoldNanoUsd, startNanoUsd, couldStart: countFits(room, startNanoUsd) };
}

function countFits(room: LimitRoom, eachNanoUsd: bigint): number | null {
  if (room.isBlocking) return 0;
  if (room.limit.enforcement !== "strict") return null;
  const count = room.remainingNanoUsd / larger(eachNanoUsd, 1n);
  return count > MAX_COUNT ? Number(MAX_COUNT) : Number(count);
}

const MAX_COUNT = BigInt(Number.MAX_SAFE_INTEGER);
/** Body of the largest request, so that the count of tokens bounds its input. */
const LARGEST_BODY_BYTES = 33_554_432;

/** Holds of a request with the usual prompt, whose tokens the upstream has counted. First hold null: held whole. */
function boundUsual(
  { model, promptTokens, hasCacheWrite5m, hasCacheWrite1h }: UsualRequests,
  { book, atMs, wholeModels }: HoldFacts,
): { worstNanoUsd: bigint; firstNanoUsd: bigint | null } {
  const markers = {
    ...EMPTY_REQUEST.markers,
    hasCacheControl5m: hasCacheWrite5m,
    hasCacheControl1h: hasCacheWrite1h,
  };
  const request = { ...EMPTY_REQUEST, bodyBytes: LARGEST_BODY_BYTES, model, markers };
  const worstCase = tightenWorstCase({
    ...{ request, book, atMs },
    countedTokens: Number(promptTokens),
  });
  const isWhole = wholeModels.some((name) => idOf(name) === idOf(model));
  const limits: StreamLimits = {
    findSpeed: () => (isWhole ? null : findModelSpeed(model)),
    isExcludedTool: () => false,
  };
  const terms = findStreamTerms(request, worstCase, limits);
  return {
    worstNanoUsd: worstCase.nanoUsd,
    firstNanoUsd: terms === null ? null : firstHold(terms),
  };
}

/** Id of a model by any of its names. */
function idOf(model: string): string {
  return findListedModel(model)?.id ?? model;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

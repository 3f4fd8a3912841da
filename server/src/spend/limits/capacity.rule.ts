import type { HoldRequest } from "#src/domain/hold-request.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import { tightenWorstCase } from "#src/domain/worst-case.ts";
import type { WantedLimit } from "./combine-values.rule.ts";

// How many usual requests a limit could start now. Pure. Amounts are integer nano-USD.

/** Usual figures of the requests of one model: 90th percentiles. Amounts are integer nano-USD. */
export interface UsualRequests {
  model: string;
  requests: number;
  costNanoUsd: bigint;
  /** Cost of streams. Null: there were none. */
  streamCostNanoUsd: bigint | null;
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
  /** Null: streams are held whole. */
  inSteps: { firstHoldNanoUsd: bigint; startNanoUsd: bigint; couldStart: number | null } | null;
  whole: { holdNanoUsd: bigint; couldStart: number | null };
}

export interface LimitRoom {
  limit: Pick<WantedLimit, "enforcement" | "hold">;
  /** Limit less spent, held and unresolved amounts. */
  remainingNanoUsd: bigint;
  isBlocking: boolean;
}

/**
 * Divides what remains of a limit by the budget that a usual request needs. A stream in steps starts with its first hold, and
 * leaves the rest of its usual cost to it.
 */
export function computeCapacity(
  room: LimitRoom,
  usual: UsualRequests,
  { book, atMs }: { book: PriceBook; atMs: number },
): ModelCapacity {
  const { model, requests, costNanoUsd, streamCostNanoUsd, wholeHoldNanoUsd } = usual;
  const bound = (maxTokens: number | null) => boundUsual(usual, { maxTokens, book, atMs });
  const holdNanoUsd = wholeHoldNanoUsd ?? bound(null);
  const firstHoldNanoUsd = bound(STEP_TOKENS);
  const startNanoUsd = larger(firstHoldNanoUsd, streamCostNanoUsd ?? costNanoUsd);
  const isInSteps = room.limit.enforcement === "strict" && room.limit.hold === "steps";
  return {
    ...{ model, requests, usualCostNanoUsd: costNanoUsd },
    inSteps: isInSteps
      ? { firstHoldNanoUsd, startNanoUsd, couldStart: countFits(room, startNanoUsd) }
      : null,
    whole: { holdNanoUsd, couldStart: countFits(room, holdNanoUsd) },
  };
}

function countFits(room: LimitRoom, eachNanoUsd: bigint): number | null {
  if (room.isBlocking) return 0;
  if (room.limit.enforcement !== "strict") return null;
  const count = room.remainingNanoUsd / larger(eachNanoUsd, 1n);
  return count > MAX_COUNT ? Number(MAX_COUNT) : Number(count);
}

const MAX_COUNT = BigInt(Number.MAX_SAFE_INTEGER);
/** Output of the first step. */
const STEP_TOKENS = 4_096;
/** Body of the largest request, so that the count of tokens bounds its input. */
const LARGEST_BODY_BYTES = 33_554_432;

/** Worst case of a request with the usual prompt, whose tokens the upstream has counted. */
function boundUsual(
  { model, promptTokens, hasCacheWrite5m, hasCacheWrite1h }: UsualRequests,
  { maxTokens, book, atMs }: { maxTokens: number | null; book: PriceBook; atMs: number },
): bigint {
  const markers = {
    ...PLAIN.markers,
    hasCacheControl5m: hasCacheWrite5m,
    hasCacheControl1h: hasCacheWrite1h,
  };
  const request = { ...PLAIN, model, maxTokens, markers };
  const countedTokens = Number(promptTokens);
  return tightenWorstCase({ request, book, atMs, countedTokens }).nanoUsd;
}

const PLAIN: Omit<HoldRequest, "model" | "maxTokens"> = {
  speed: null,
  inferenceGeo: null,
  fallbacks: { models: [], maxTokens: null, hasFastSpeed: false, hasUnknownModel: false },
  bodyBytes: LARGEST_BODY_BYTES,
  outsidePromptBytes: 0,
  toolCount: 0,
  builtInToolCount: 0,
  toolsetCount: 0,
  largestToolBytes: 0,
  repeatedToolCount: 0,
  imageCount: 0,
  imageDataBytes: 0,
  citedBytes: 0,
  serverTools: [],
  unknownParts: [],
  markers: {
    hasCacheControl5m: false,
    hasCacheControl1h: false,
    hasMcpServers: false,
    hasContainer: false,
    hasSkills: false,
    hasThread: false,
    hasCompaction: false,
    hasOpaqueSource: false,
    hasUrlSource: false,
    hasFileIds: false,
  },
};

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

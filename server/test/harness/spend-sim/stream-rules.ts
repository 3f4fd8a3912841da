import { priceUsage } from "#src/domain/cost.ts";
import { findModelSpeed } from "#src/domain/model-speeds.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import {
  addResult,
  addToolUse,
  findStreamTerms,
  firstHold,
  MAX_GAP_MS,
  type StreamSeen,
  type StreamTerms,
} from "#src/domain/stream-bound.ts";
import { noTokens } from "#src/domain/usage.ts";
import { computeWorstCost, tightenWorstCase, type WorstCase } from "#src/domain/worst-case.ts";
import { leastOf } from "#src/spend/ledger/lease-rules.ts";
import type { Counts, Run } from "./provider.ts";
import type { Random } from "./random.ts";
import { planRun, planStream, type RunBounds, type StreamPlan } from "./stream-plans.ts";

// Streams under the rules of the product: their holds, prices and bounds.

const BOOK = makePriceBook([]);
/** Bounds of a stream that is held whole. No rule depends on them. */
const WHOLE: Pick<RunBounds, "tokensPerSecond" | "resultTokens"> = {
  tokensPerSecond: 100,
  resultTokens: 10_000,
};
/** Most tokens of a fetched page. */
const MAX_PAGE_TOKENS = 60_000;

/** A stream with its holds, before its node has decided on it. */
export interface PlannedStream {
  plan: StreamPlan;
  worstCase: WorstCase;
  /** Null: every limit holds the whole worst case. */
  terms: StreamTerms | null;
  firstNanoUsd: bigint;
  usualNanoUsd: bigint;
  bounds: RunBounds;
  run: Run;
}

/** Ways in which the provider breaks its bounds. */
export type Misbehaviour = Pick<RunBounds, "isTooFast" | "hasLargeResults">;

export function makeStream(
  random: Random,
  { atMs, misbehaviour }: { atMs: number; misbehaviour: Misbehaviour },
): PlannedStream {
  return planOn(planStream(random), random, { atMs, misbehaviour });
}

export function planOn(
  plan: StreamPlan,
  random: Random,
  { atMs, misbehaviour }: { atMs: number; misbehaviour: Misbehaviour },
): PlannedStream {
  const holds = findHolds(plan.request, computeWorstCost(plan.request, BOOK, atMs));
  const { terms, firstNanoUsd, worstCase } = holds;
  const resultTokens = Math.min(terms?.tools?.resultTokens ?? 0, MAX_PAGE_TOKENS);
  const known = terms === null ? WHOLE : { tokensPerSecond: terms.speed, resultTokens };
  const bounds = { ...known, ...misbehaviour };
  const usualNanoUsd = pickUsual(random, firstNanoUsd, worstCase.nanoUsd);
  const run = planRun(plan, bounds, random);
  return { plan, ...holds, usualNanoUsd, bounds, run };
}

/** The upstream has counted the prompt, so its hold is smaller. */
export function countTokens(planned: PlannedStream, atMs: number): PlannedStream {
  const { plan, worstCase } = planned;
  const { request, inputTokens: countedTokens } = plan;
  const counted = tightenWorstCase({ request, book: BOOK, atMs, countedTokens });
  if (counted.nanoUsd >= worstCase.nanoUsd) return planned;
  return { ...planned, ...findHolds(request, counted) };
}

function findHolds(request: StreamPlan["request"], worstCase: WorstCase) {
  const terms = findStreamTerms(request, worstCase, {
    findSpeed: findModelSpeed,
    isExcludedTool: () => false,
  });
  const first = terms === null ? worstCase.nanoUsd : firstHold(terms);
  return { worstCase, terms, firstNanoUsd: leastOf(first, worstCase.nanoUsd) };
}

/** Any usual cost must keep the limits. */
function pickUsual(random: Random, first: bigint, whole: bigint): bigint {
  const chance = random.next();
  if (chance < 0.2) return 0n;
  if (chance < 0.9) return (first * BigInt(5 + random.below(15))) / 10n;
  return whole;
}

/** Exact cost of these counts, nano-USD. */
export function priceCounts({ plan }: PlannedStream, counts: Counts, atMs: number): bigint {
  const { outputTokens, searches: webSearches } = counts;
  const cacheReadTokens = Math.floor(counts.inputTokens * plan.cachedShare);
  const inputTokens = counts.inputTokens - cacheReadTokens;
  const total = { ...noTokens, inputTokens, cacheReadTokens, outputTokens, webSearches };
  const { model } = plan.request;
  const { inferenceGeo } = plan;
  const usage = { model, total, iterations: null, serviceTier: null, inferenceGeo, speed: null };
  return priceUsage({ book: BOOK, usage, atMs }).cost.total;
}

/** A stream as its node sees it. */
export interface SeenStream {
  planned: PlannedStream;
  begin: { startedAtMs: number };
  seen: StreamSeen;
  /** Counts of the last event that was read. */
  read: Counts;
}

/** Adds an event that a node has read at `nowMs`, as the gateway's reader does. */
export function seeEvent(stream: SeenStream, counts: Counts, nowMs: number): void {
  const { planned, begin, seen, read: before } = stream;
  const { terms, plan } = planned;
  if (counts.starts > 0 && seen.start === null) {
    const prompt = { ...counts, outputTokens: 0, searches: 0 };
    seen.start = {
      inputNanoUsd: priceCounts(planned, prompt, begin.startedAtMs),
      promptTokens: counts.inputTokens,
      isGlobal: plan.inferenceGeo === "global",
    };
    seen.outputTokens = counts.outputTokens;
  }
  seen.visibleBytes = counts.visibleBytes;
  seen.blocks = counts.blocks;
  seen.hasHidden ||= counts.hiddenBlocks > 0;
  for (let use = before.toolUses; use < counts.toolUses; use++) {
    addToolUse(seen, { atMs: nowMs, isSearch: counts.searchUses > before.searchUses });
  }
  stream.read = counts;
  if (terms === null || counts.results === before.results) return;
  // The bytes of search results are encrypted.
  const bytes = terms.tools?.hasSearch === true ? null : counts.resultBytes - before.resultBytes;
  addResult(terms, seen, { bytes, atMs: nowMs });
}

/** Records a read of bytes. Late ones say nothing about the present. */
export function markRead(seen: StreamSeen, nowMs: number): void {
  if (nowMs - seen.lastReadMs > MAX_GAP_MS) seen.hadGap = true;
  seen.lastReadMs = nowMs;
}

import { priceUsage } from "#src/domain/cost.ts";
import { findModelSpeed } from "#src/domain/model-speeds.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { firstHold, type StreamTokens } from "#src/domain/stream-bound.ts";
import { findStreamTerms, type StreamTerms } from "#src/domain/stream-terms.ts";
import { type BilledUsage, noTokens } from "#src/domain/usage.ts";
import { computeWorstCost, tightenWorstCase, type WorstCase } from "#src/domain/worst-case.ts";
import { boundUsage } from "#src/gateway/estimate-usage.ts";
import { type LiveUsage, nothingSeen } from "#src/gateway/usage-seen.ts";
import { leastOf } from "#src/spend/ledger/lease-rules.ts";
import { type Counts, NO_COUNTS, type Run } from "./provider.ts";
import type { Random } from "./random.ts";
import type { ExceededBounds } from "./stream-excess.ts";
import { planRun, planStream, type RunBounds, type StreamPlan } from "./stream-plans.ts";

// Streams under the rules of the product: their holds, prices and bounds.

export const BOOK = makePriceBook([]);
/** Bounds of a stream that is held whole. No rule depends on them. */
const WHOLE: Pick<RunBounds, "tokensPerSecond" | "resultTokens" | "page"> = {
  tokensPerSecond: 100,
  resultTokens: 10_000,
  page: null,
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
export type Misbehaviour = Pick<RunBounds, "isTooFast" | "hasLargeResults" | "hasFastTools">;

/** A provider that breaks none. */
export const KEEPS_BOUNDS: Misbehaviour = {
  isTooFast: false,
  hasLargeResults: false,
  hasFastTools: false,
};

/** Facts at the start of a stream. */
interface StreamFacts {
  atMs: number;
  misbehaviour: Misbehaviour;
  exceeded: ExceededBounds;
}

export function makeStream(random: Random, facts: StreamFacts): PlannedStream {
  return planOn(planStream(random, facts.misbehaviour), random, facts);
}

export function planOn(
  plan: StreamPlan,
  random: Random,
  { atMs, misbehaviour, exceeded }: StreamFacts,
): PlannedStream {
  const holds = findHolds(plan, computeWorstCost(plan.request, BOOK, atMs), exceeded);
  const { terms, firstNanoUsd, worstCase } = holds;
  const resultTokens = Math.min(terms?.tools?.resultTokens ?? 0, MAX_PAGE_TOKENS);
  const page = terms?.tools?.page ?? null;
  const known = terms === null ? WHOLE : { tokensPerSecond: terms.speed, resultTokens, page };
  const bounds = { ...known, ...misbehaviour };
  const usualNanoUsd = pickUsual(random, firstNanoUsd, worstCase.nanoUsd);
  const run = planRun(plan, bounds, random);
  return { plan, ...holds, usualNanoUsd, bounds, run };
}

/** The upstream has counted the prompt, so its hold is smaller. */
export function countTokens(
  planned: PlannedStream,
  { atMs, exceeded }: Pick<StreamFacts, "atMs" | "exceeded">,
): PlannedStream {
  const { plan, worstCase } = planned;
  const { request, inputTokens: countedTokens } = plan;
  const counted = tightenWorstCase({ request, book: BOOK, atMs, countedTokens });
  if (counted.nanoUsd >= worstCase.nanoUsd) return planned;
  return { ...planned, ...findHolds(plan, counted, exceeded) };
}

function findHolds(
  { request, isCacheKnown }: StreamPlan,
  worstCase: WorstCase,
  exceeded: ExceededBounds,
) {
  const terms = findStreamTerms(request, worstCase, {
    findSpeed: (model) => (exceeded.has("model", model) ? null : findModelSpeed(model)),
    isExcludedTool: (type) => exceeded.has("tool", type),
    cachesResults: () => isCacheKnown,
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
export function priceCounts(planned: PlannedStream, counts: Counts, atMs: number): bigint {
  return priceUsage({ book: BOOK, usage: toUsage(planned, counts), atMs }).cost.total;
}

function toUsage({ plan }: PlannedStream, counts: Counts): BilledUsage {
  const { outputTokens, searches: webSearches } = counts;
  const { readTokens: cacheReadTokens, writtenTokens: cacheWrite5mTokens } = counts;
  const inputTokens = counts.inputTokens - cacheReadTokens - cacheWrite5mTokens;
  const cached = { cacheReadTokens, cacheWrite5mTokens };
  const total = { ...noTokens, ...cached, inputTokens, outputTokens, webSearches };
  const { model } = plan.request;
  const { inferenceGeo } = plan;
  return { model, total, iterations: null, serviceTier: null, inferenceGeo, speed: null };
}

/** Reads the events of one run, as the gateway reads those of a stream. */
export class SimulatedReader implements LiveUsage {
  readonly seen = nothingSeen();
  onToolResult: LiveUsage["onToolResult"] = null;
  /** Counts of the last event that was read. */
  counts: Counts = NO_COUNTS;
  readonly #planned: PlannedStream;

  constructor(planned: PlannedStream) {
    this.#planned = planned;
  }

  read(counts: Counts): void {
    const { seen, counts: before } = this;
    if (before.starts === 0 && counts.starts > 0) {
      seen.hasMessageStart = true;
      // The start of the response has the first prompt alone.
      seen.usage = toUsage(this.#planned, { ...counts, searches: 0 });
    }
    if (counts.ends > 0) {
      seen.usage = toUsage(this.#planned, counts);
      Object.assign(seen, { isOutputFinal: true, isComplete: true });
    }
    seen.outputBytes = counts.visibleBytes;
    seen.blocks = counts.blocks;
    seen.hasHiddenThinking = counts.hiddenBlocks > 0;
    seen.serverToolUses = counts.toolUses;
    seen.webSearches = counts.searchUses;
    this.counts = counts;
    if (counts.results === before.results) return;
    const bytes = counts.resultBytes - before.resultBytes;
    const pages = counts.resultPages - before.resultPages;
    const hasSearch = this.#planned.terms?.tools?.hasSearch === true;
    this.onToolResult?.(
      hasSearch ? { kind: "pages", pages, chars: bytes } : { kind: "text", bytes },
    );
  }
}

/** Cost at which a stream in steps is cut, nano-USD. */
export function priceBound(
  { terms, plan }: PlannedStream,
  bounds: { bound: StreamTokens; started: BilledUsage | null },
  atMs: number,
): bigint {
  if (terms === null) throw new Error("a stream that is held whole has no bound");
  const usage = boundUsage(plan.request.model, terms, bounds);
  return priceUsage({ book: BOOK, usage, atMs }).cost.total;
}

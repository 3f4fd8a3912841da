import {
  costOfPrompts,
  costOfTokens,
  type NextPrompts,
  type PricedTokens,
  priceNextPrompts,
  type StreamRates,
} from "./later-calls.ts";
import { ASSUMED_WEB_SEARCHES } from "./open-ended.ts";
import { WEB_SEARCH_NANO_USD } from "./price-list.ts";
import type { StreamTerms, StreamTools } from "./stream-terms.ts";
import type { Rate } from "./worst-case.ts";

// The bound of a stream: the highest cost that a running stream can have reached by a time. Pure. Times are milliseconds
// of one clock that never goes back and counts suspensions.
//
// Assumptions about the upstream. Each of them is data or a named constant, and spend beyond them is an overrun:
// - A model generates no faster than its speed, on average since the dispatch and since any later read.
// - A result of a server tool has at most the tokens of its figure. Encrypted pages have at most the tokens of their size.
// - A block announces each call of the model, and it arrives CALL_START_MS before the call starts. Without any byte for
//   UNSEEN_CALL_MS, one more call may have started. No call runs beside a tool.
// - Later calls read from the cache what `message_start` reported as cached. They either write all results to the cache
//   once and then read them, or write nothing: see `later-calls.ts`.
// - Bytes arrive within MAX_DELAY_MS, unless nothing arrives for longer than MAX_GAP_MS. After such a gap, bytes do not
//   bound the present output.
// - A reader that was paused knows nothing about the present, so time alone is the bound from then on.

/** Burst beyond the average speed, as a time. */
export const BURST_MS = 1_000;
/** Longest way of a byte from the upstream to the reader. */
export const MAX_DELAY_MS = 2_000;
/** Longest time without a byte in which no byte was late. */
export const MAX_GAP_MS = 5_000;
/** A silent stream may be cut off. Longer than nearly all searches, because the result ends the silence. */
export const UNSEEN_CALL_MS = 12_000;
/** Shortest time of one call with a server tool, if the reader was paused. */
export const LEAST_CALL_MS = 1_000;
/** Shortest time from the read of a `server_tool_use` block to the call that reads its result: the tool runs in between. */
export const CALL_START_MS = 1_000;
/** Tokens that the API adds around a visible block. */
const TOKENS_PER_BLOCK = 64;
/** Tokens that the API adds around the text of a result. A figure includes them. */
const TOKENS_PER_RESULT = 256;

/** Facts that the reader of a stream has seen so far. */
export interface StreamSeen {
  dispatchedMs: number;
  /** Last time at which bytes were read. The dispatch before the first one. */
  lastReadMs: number;
  /** Nothing arrived for longer than MAX_GAP_MS at some time. */
  hadGap: boolean;
  /** The reader was paused at some time. */
  wasPaused: boolean;
  /** Facts of `message_start`. Null before it. */
  start: StreamStart | null;
  /** Highest reported count. */
  outputTokens: number;
  /** Bytes of text in the blocks, UTF-8. */
  visibleBytes: number;
  blocks: number;
  /** A block began whose bytes do not bound its tokens: see `noteHidden`. */
  hasHidden: boolean;
  /** Most tokens until that block, and the time of its read. Null: none began, or bytes bounded nothing before it. */
  beforeHidden: { tokens: number; atMs: number } | null;
  /** An earlier bound of the output, which grows with the speed: see `keepAnchor`. Null: none. */
  anchor: { tokens: number; atMs: number } | null;
  /** `server_tool_use` blocks. */
  serverToolUses: number;
  /** The last of them, whose tools may not have run yet. */
  fresh: FreshUses;
  /** Last result that was read before its use counted as a call, and prompts of later calls until then. Null: none. */
  early: { atMs: number; promptTokens: number } | null;
  /** Searches that are billed: without the failed ones. Never below 0. */
  webSearches: number;
  /** Results of server tools, and their tokens. */
  results: number;
  resultTokens: number;
  /** Prompts of the calls that read these results. */
  nextPrompts: NextPrompts;
  /** Exact cost by the final counts. Null before them. */
  finalNanoUsd: bigint | null;
}

/** Uses of tools that were read less than CALL_START_MS apart. */
interface FreshUses {
  /** Read time of the last one. */
  lastMs: number;
  uses: number;
  searches: number;
}

export interface StreamStart {
  /** Exact cost of the prompt. */
  inputNanoUsd: bigint;
  /** All kinds of prompt tokens. */
  promptTokens: number;
  /** Tokens that were written to the cache, or read from it. */
  cachedTokens: number;
  /** The response states that its tokens have no US multiplier. */
  isGlobal: boolean;
}

const NO_PROMPTS: NextPrompts = { calls: 0, tokens: 0, lastTokens: 0 };
const NONE_FRESH: FreshUses = { lastMs: Number.NEGATIVE_INFINITY, uses: 0, searches: 0 };

/** Facts at the dispatch. */
export function seeNothing(dispatchedMs: number): StreamSeen {
  return {
    dispatchedMs,
    lastReadMs: dispatchedMs,
    hadGap: false,
    wasPaused: false,
    start: null,
    outputTokens: 0,
    visibleBytes: 0,
    blocks: 0,
    hasHidden: false,
    beforeHidden: null,
    anchor: null,
    serverToolUses: 0,
    fresh: NONE_FRESH,
    early: null,
    webSearches: 0,
    results: 0,
    resultTokens: 0,
    nextPrompts: NO_PROMPTS,
    finalNanoUsd: null,
  };
}

/** Sets the counts of `server_tool_use` blocks, and of searches among them, that were read until `atMs`. */
export function setToolUses(
  seen: StreamSeen,
  { uses, searches, atMs }: { uses: number; searches: number; atMs: number },
): void {
  if (uses > seen.serverToolUses) {
    const before = findFresh(seen, atMs);
    seen.fresh = {
      lastMs: atMs,
      uses: before.uses + uses - seen.serverToolUses,
      searches: before.searches + Math.max(0, searches - seen.webSearches),
    };
  }
  seen.serverToolUses = uses;
  seen.webSearches = Math.max(0, searches);
}

/**
 * Notes a block whose bytes do not bound its tokens, after the facts of the same read. From then on time is the bound, and
 * its start is this read: the bound of a slow stream must not jump beyond its hold.
 */
export function noteHidden(seen: StreamSeen): void {
  if (seen.hasHidden) return;
  const { lastReadMs: atMs, hadGap, wasPaused } = seen;
  seen.hasHidden = true;
  seen.beforeHidden = hadGap || wasPaused ? null : { tokens: countVisible(seen), atMs };
}

/** Size of a result, in which text bounds its own tokens. Null: only the figure of its tool is a bound. */
export type ResultSize =
  | { kind: "text"; bytes: number }
  | { kind: "pages"; pages: number; chars: number }
  | null;

/** Adds a result that was read at `atMs`, before the next call's own output. */
export function addResult(
  terms: StreamTerms,
  seen: StreamSeen,
  { size, atMs }: { size: ResultSize; atMs: number },
): void {
  const isEarly = countBegun(seen, atMs) <= seen.results;
  if (isEarly) seen.early = { atMs, promptTokens: seen.nextPrompts.tokens };
  seen.results += 1;
  seen.resultTokens += boundResult(terms, size);
  // The output of earlier calls comes before the result, so that all of its bytes are read.
  const isVisible = !seen.hasHidden && !terms.isThinking;
  const read = isVisible ? countVisible(seen) : Number.POSITIVE_INFINITY;
  if (isVisible) anchorAtCall(terms, seen, atMs);
  const output = Math.min(read, boundOutput(terms, seen, atMs));
  const prompt = firstPromptTokens(terms, seen) + output + seen.resultTokens;
  seen.nextPrompts = addPrompt(seen.nextPrompts, Math.min(terms.contextTokens, prompt));
}

/** No call runs beside a tool, so that the output grows from the start of the next call on. */
function anchorAtCall(terms: StreamTerms, seen: StreamSeen, atMs: number): void {
  const { serverToolUses, results, wasPaused, fresh } = seen;
  if (wasPaused || isLate(seen, atMs) || serverToolUses > results) return;
  const ranMs = Math.max(0, atMs - fresh.lastMs - CALL_START_MS);
  const tokens = countVisible(seen) + (terms.speed * (ranMs + BURST_MS)) / 1000;
  if (tokens < boundGenerated(terms, seen, atMs)) seen.anchor = { tokens, atMs };
}

function boundResult({ tools, contextTokens }: StreamTerms, size: ResultSize): number {
  const figure = tools?.resultTokens ?? contextTokens;
  if (size === null) return figure;
  if (size.kind === "text") return Math.min(figure, size.bytes + TOKENS_PER_RESULT);
  const { page } = tools ?? { page: null };
  if (page === null) return figure;
  const tokens = size.pages * page.frameTokens + Math.ceil(size.chars / page.charsPerToken);
  // A search without a page has a frame too.
  return Math.min(figure, Math.max(TOKENS_PER_RESULT, tokens));
}

function addPrompt({ calls, tokens }: NextPrompts, promptTokens: number): NextPrompts {
  return { calls: calls + 1, tokens: tokens + promptTokens, lastTokens: promptTokens };
}

/**
 * Highest cost that a stream can have reached by `atMs`, by what was seen so far, nano-USD. Also for a future time. Never
 * decreases with `atMs`.
 */
export function boundStream(terms: StreamTerms, seen: StreamSeen, atMs: number): bigint {
  if (seen.finalNanoUsd !== null) return seen.finalNanoUsd;
  const { outputTokens, nextPrompts, webSearches } = boundTokens(terms, seen, atMs);
  const rates = findRates(terms, seen);
  const output = costOfTokens(outputTokens, rates.outputRate);
  const feesNanoUsd = BigInt(webSearches) * WEB_SEARCH_NANO_USD;
  return boundFirstPrompt(terms, seen) + costOfPrompts(rates, nextPrompts) + output + feesNanoUsd;
}

/** Highest cost of the prompts of all calls whose results were read, nano-USD. */
export function boundReadPrompts(terms: StreamTerms, seen: StreamSeen): bigint {
  const next = priceNext(terms, seen, seen.nextPrompts);
  return boundFirstPrompt(terms, seen) + costOfPrompts(findRates(terms, seen), next);
}

function boundFirstPrompt(terms: StreamTerms, seen: StreamSeen): bigint {
  const { start } = seen;
  if (start !== null && !isRepriced(terms)) return start.inputNanoUsd;
  return costOfTokens(firstPromptTokens(terms, seen), findRates(terms, seen).inputRate);
}

/** Most usage of a stream. */
export interface StreamTokens {
  outputTokens: number;
  /** Prompts of all calls after the first. */
  nextPrompts: PricedTokens;
  webSearches: number;
}

/** Bounds the usage that a stream can have reached by `atMs`, apart from its first prompt. */
export function boundTokens(terms: StreamTerms, seen: StreamSeen, atMs: number): StreamTokens {
  const { tools, contextTokens } = terms;
  const outputTokens = boundOutput(terms, seen, atMs);
  if (tools === null) return { outputTokens, nextPrompts: NO_TOKENS, webSearches: 0 };
  const uses = countUses(tools, seen, atMs);
  let { nextPrompts } = seen;
  let prompt = firstPromptTokens(terms, seen) + outputTokens + seen.resultTokens;
  // Each use leads to one more call, whose prompt has all results and all output so far. A paused reader does not know the
  // number of results, so the window is the bound of such a prompt.
  for (let result = seen.results; result < uses; result++) {
    prompt = seen.wasPaused ? contextTokens : Math.min(contextTokens, prompt + tools.resultTokens);
    nextPrompts = addPrompt(nextPrompts, prompt);
  }
  const perUse = seen.wasPaused ? ASSUMED_WEB_SEARCHES : 1;
  const unseenUses = Math.max(0, uses - seen.serverToolUses);
  const unseenSearches = tools.hasSearch ? unseenUses * perUse : 0;
  const webSearches = countSearches(seen, atMs) + unseenSearches;
  return { outputTokens, nextPrompts: priceNext(terms, seen, nextPrompts), webSearches };
}

const NO_TOKENS: PricedTokens = { highest: 0, plain: 0, read: 0, written: 0 };

function priceNext(terms: StreamTerms, seen: StreamSeen, next: NextPrompts): PricedTokens {
  const { start } = seen;
  if (next.calls === 0) return NO_TOKENS;
  if (start === null || isRepriced(terms)) return { ...NO_TOKENS, highest: next.tokens };
  const { cachedTokens } = start;
  const { cachesResults } = terms;
  return priceNextPrompts(findRates(terms, seen), next, { cachedTokens, cachesResults });
}

/** True if later calls can raise the price of the first prompt: all prompts together decide the price of a long one. */
function isRepriced({ tools, inputRate }: StreamTerms): boolean {
  return tools !== null && inputRate.band === "long_prompt";
}

/** Output tokens that a stream can have generated by `atMs`, also hidden ones. */
export function boundOutput(terms: StreamTerms, seen: StreamSeen, atMs: number): number {
  const tokens = Math.ceil(boundGenerated(terms, seen, atMs) - ROUNDING_TOKENS);
  const calls = 1 + (terms.tools === null ? 0 : countUses(terms.tools, seen, atMs));
  return Math.min(calls * terms.callOutputTokens, Math.max(seen.outputTokens, tokens));
}

/** A sum of many fractions is never a token above the exact number. */
const ROUNDING_TOKENS = 1e-6;

/** Tokens that can be generated by `atMs`, whatever the request asks for. With a fraction. */
function boundGenerated(terms: StreamTerms, seen: StreamSeen, atMs: number): number {
  const generated = (ms: number) => (terms.speed * Math.max(0, ms)) / 1000;
  let tokens = generated(atMs - seen.dispatchedMs + BURST_MS);
  const read = terms.isThinking ? null : findRead(seen, atMs);
  if (read !== null) {
    const unread = generated(atMs - read.atMs + MAX_DELAY_MS + MAX_GAP_MS + BURST_MS);
    tokens = Math.min(tokens, read.tokens + unread);
  }
  const { anchor } = seen;
  return anchor === null ? tokens : Math.min(tokens, anchor.tokens + generated(atMs - anchor.atMs));
}

/** Most tokens that were generated until a read. Null: bytes bound nothing. */
function findRead(seen: StreamSeen, atMs: number): StreamSeen["beforeHidden"] {
  const { hasHidden, wasPaused, lastReadMs } = seen;
  if (hasHidden) return seen.beforeHidden;
  // Bytes that arrive after the silence are late. So the bound grows before them, and does not jump with them.
  return wasPaused || isLate(seen, atMs) ? null : { tokens: countVisible(seen), atMs: lastReadMs };
}

function isLate({ hadGap, lastReadMs }: StreamSeen, atMs: number): boolean {
  return hadGap || atMs - lastReadMs > MAX_GAP_MS;
}

/**
 * Keeps the bound of the output at `atMs`, after the facts of a read. A bound stays valid, and from then on grows no faster
 * than the model. So late bytes, hidden blocks and fast text never raise it beyond the hold of the next seconds.
 */
export function keepAnchor(terms: StreamTerms, seen: StreamSeen, atMs: number): void {
  if (atMs > (seen.anchor?.atMs ?? Number.NEGATIVE_INFINITY)) {
    seen.anchor = { tokens: boundGenerated(terms, seen, atMs), atMs };
  }
}

/** Most tokens of the visible blocks that were read. */
function countVisible({ visibleBytes, blocks }: StreamSeen): number {
  return visibleBytes + TOKENS_PER_BLOCK * blocks;
}

/** Hold before a request is sent: its prompt and the first step. */
export function firstHold(terms: StreamTerms): bigint {
  return boundStream(terms, seeNothing(0), ASK_MS + STEP_MS);
}

/** Uses of server tools that may have led to a call by `atMs`. */
function countUses({ moreCalls }: StreamTools, seen: StreamSeen, atMs: number): number {
  const { wasPaused } = seen;
  const begun = countBegun(seen, atMs);
  const possible = wasPaused
    ? countWhole(atMs - seen.dispatchedMs, LEAST_CALL_MS)
    : begun + countWhole(atMs - seen.lastReadMs, UNSEEN_CALL_MS);
  return Math.max(begun, Math.min(moreCalls, possible));
}

/** Uses whose tool has run for CALL_START_MS, or whose result was read. */
function countBegun(seen: StreamSeen, atMs: number): number {
  return Math.max(seen.results, seen.serverToolUses - findFresh(seen, atMs).uses);
}

/** Searches that can have run. A search is billed then, and at the latest when its result is read. */
function countSearches(seen: StreamSeen, atMs: number): number {
  const { serverToolUses, results, webSearches } = seen;
  const { uses, searches } = findFresh(seen, atMs);
  const answered = Math.max(0, uses - Math.max(0, serverToolUses - results));
  return Math.max(0, webSearches - searches + Math.min(searches, answered));
}

function findFresh({ fresh }: StreamSeen, atMs: number): FreshUses {
  return atMs - fresh.lastMs < CALL_START_MS ? fresh : NONE_FRESH;
}

function countWhole(ms: number, eachMs: number): number {
  return Math.floor(Math.max(0, ms) / eachMs);
}

function firstPromptTokens(terms: StreamTerms, { start }: StreamSeen): number {
  return start?.promptTokens ?? terms.inputTokens;
}

const NO_MULTIPLIER = 20n;
const globalRates = new WeakMap<Rate, Rate>();

/** Without the US multiplier, if the response states that. */
export function findRates(terms: StreamTerms, { start }: StreamSeen): StreamRates {
  if (start === null || !start.isGlobal) return terms;
  return {
    inputRate: toGlobal(terms.inputRate),
    plainRate: toGlobal(terms.plainRate),
    readRate: toGlobal(terms.readRate),
    writeRate: toGlobal(terms.writeRate),
    outputRate: toGlobal(terms.outputRate),
  };
}

/** Rates are shared objects, and `computeHighestCost` finds their numbers by identity. */
function toGlobal(rate: Rate): Rate {
  if (rate.twentieths === NO_MULTIPLIER) return rate;
  const known = globalRates.get(rate) ?? { ...rate, twentieths: NO_MULTIPLIER };
  globalRates.set(rate, known);
  return known;
}

/** A stream may be cut when its hold does not cover its bound this far ahead: the time in which a cut takes effect. */
export const NEED_MS = 3_000;
/** A stream that waits for a larger hold is cut at once below the bound this far ahead: three ticks of its meter. */
export const URGENT_MS = 750;
/** A hold that does not cover its bound this far ahead grows. */
export const ASK_MS = 4_000;
/** Output that one growth of a hold adds, as a time at the model's speed. */
export const STEP_MS = 1_000;

/** Change of the hold of a running stream. */
export interface StreamNeed {
  /** Least hold with which the stream may go on. */
  needNanoUsd: bigint;
  /** Least hold with which the stream may wait for a larger one, also for the call of a tool's use. */
  urgentNanoUsd: bigint;
  /** New hold. Null: the current one is right. */
  wishNanoUsd: bigint | null;
}

/** Decides about the hold of a running stream. */
export function findStreamNeed(
  terms: StreamTerms,
  seen: StreamSeen,
  { atMs, currentNanoUsd }: { atMs: number; currentNanoUsd: bigint },
): StreamNeed {
  const needNanoUsd = boundStream(terms, seen, atMs + NEED_MS);
  const urgentNanoUsd = boundStream(terms, seen, atMs + URGENT_MS);
  const isShort = currentNanoUsd < boundStream(terms, seen, atMs + ASK_MS);
  // The rest after `message_start` is returned at once, and small differences are not.
  const isLong = currentNanoUsd > boundStream(terms, seen, atMs + ASK_MS + 2 * STEP_MS);
  const wishNanoUsd = isShort || isLong ? boundStream(terms, seen, atMs + ASK_MS + STEP_MS) : null;
  return { needNanoUsd, urgentNanoUsd, wishNanoUsd };
}

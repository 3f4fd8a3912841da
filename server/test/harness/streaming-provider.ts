import { priceUsage } from "#src/domain/cost.ts";
import type { HoldRequest } from "#src/domain/hold-request.ts";
import {
  addResult,
  BURST_MS,
  CALL_START_MS,
  LEAST_CALL_MS,
  MAX_GAP_MS,
  noteHidden,
  type ResultSize,
  type StreamSeen,
  seeNothing,
  setToolUses,
} from "#src/domain/stream-bound.ts";
import type { StreamTerms } from "#src/domain/stream-terms.ts";
import { type BilledUsage, noTokens, type TokenUsage } from "#src/domain/usage.ts";
import { promptTokens } from "#src/domain/usage-fields.ts";
import { atMs, book } from "./hold-requests.ts";

// A provider that answers one stream, with its true cost at each time, and the bytes that arrive at a reader.

export interface StreamCourse {
  calls: readonly CourseCall[];
  /** Shares of the first prompt by kind of price. They sum to at most 1, and the rest is plain input. */
  cacheReadShare: number;
  cacheWriteShare: number;
  /** Later calls write all that is new to the cache. Otherwise they read the cached part of the first prompt only. */
  cachesResults: boolean;
  inferenceGeo: "us" | "global";
  /** Longest way of each event, milliseconds. Used in turn. */
  delaysMs: readonly number[];
  /** Nothing arrives, or nothing is read. */
  outages: readonly Interval[];
  pauses: readonly Interval[];
  /** Longest time by which a reader is behind after its first pause, milliseconds. */
  lagMs: number;
}

export interface CourseCall {
  /** Time to the first token. */
  silentMs: number;
  blocks: readonly CourseBlock[];
  /** Uses of server tools at the end of the call, all before the next one. */
  uses: readonly CourseUse[];
}

interface CourseBlock {
  isHidden: boolean;
  tokens: number;
  /** Text bytes of each token, if they are visible. */
  bytesPerToken: number;
  /** Share of the highest speed. 0: at once, as far as the average speed allows. */
  speedShare: number;
}

interface CourseUse {
  runMs: number;
  tokens: number;
  resultTokens: number;
  /** Kind of the result. Null: its size is unknown. */
  kind: "text" | "pages" | null;
  isFailed: boolean;
}

interface Interval {
  fromMs: number;
  forMs: number;
}

interface ProviderEvent {
  generatedMs: number;
  readMs: number;
  /** Adds to the usage that is billed from `generatedMs` on. */
  billed: Partial<TokenUsage>;
  /** Use whose block announces the next call. */
  see(seen: StreamSeen, terms: StreamTerms): void;
}

export interface ProvidedStream {
  /** Usage that the provider bills if the stream ends at this time. */
  usageAt(ms: number): TokenUsage;
  costAt(ms: number): bigint;
  /** Facts that a reader has at this time. */
  seenAt(ms: number): StreamSeen;
  /** Starts of the calls after the first, with the time at which their blocks arrived. */
  calls: readonly { startMs: number; announcedMs: number }[];
  endMs: number;
}

const CHUNK_TOKENS = 12;
const USE_TOKENS = 8;

/** Generates a stream that is dispatched at 0. `prompt`: real tokens of the first prompt. */
export function provideStream(
  { request, terms, prompt }: { request: HoldRequest; terms: StreamTerms; prompt: number },
  course: StreamCourse,
): ProvidedStream {
  const maker = new StreamMaker(terms, course, (usage) => price(request, course, usage));
  maker.start(prompt);
  const calls: { startMs: number; announcedMs: number }[] = [];
  for (const [at, call] of course.calls.entries()) {
    maker.addCall(call);
    if (call.uses.length === 0 || at === course.calls.length - 1) break;
    calls.push(maker.runTools(call.uses, at));
  }
  maker.end();
  const { events } = maker;
  const usageAt = (ms: number) => {
    const usage = { ...noTokens };
    for (const { generatedMs, billed } of events) {
      if (generatedMs <= ms) addUsage(usage, billed);
    }
    return usage;
  };
  return {
    usageAt,
    costAt: (ms) => price(request, course, usageAt(ms)),
    seenAt(ms) {
      const seen = seeNothing(0);
      const firstPause = findFirst(course.pauses);
      for (const event of events) {
        if (event.readMs > ms) break;
        if (event.readMs - seen.lastReadMs > MAX_GAP_MS) seen.hadGap = true;
        seen.wasPaused = firstPause <= event.readMs;
        seen.lastReadMs = event.readMs;
        event.see(seen, terms);
      }
      seen.wasPaused = firstPause <= ms;
      return seen;
    },
    calls,
    endMs: events.at(-1)?.readMs ?? 0,
  };
}

class StreamMaker {
  readonly events: ProviderEvent[] = [];
  readonly #terms: StreamTerms;
  readonly #course: StreamCourse;
  readonly #price: (usage: TokenUsage) => bigint;
  #nowMs = 0;
  #arrivedMs = 0;
  #output = 0;
  #callOutput = 0;
  /** Start of a call after the first one. */
  #callStartMs: number | null = null;
  #nextPrompt = 0;
  /** Tokens that the next call reads from the cache. */
  #cachedTokens = 0;
  readonly #searchesPerUse: number;
  #usage: TokenUsage = { ...noTokens };

  constructor(terms: StreamTerms, course: StreamCourse, price: (usage: TokenUsage) => bigint) {
    this.#terms = terms;
    this.#course = course;
    this.#price = price;
    this.#searchesPerUse = terms.tools?.hasSearch === true ? 1 : 0;
  }

  start(prompt: number): void {
    this.#nextPrompt = prompt;
    // The prompt is billed from the dispatch on, before the reader sees the start.
    const billed = this.#toFirstPrompt(prompt);
    this.#add({ billed });
    const cachedTokens = prompt - (billed.inputTokens ?? 0);
    this.#cachedTokens = cachedTokens;
    const inputNanoUsd = this.#price(this.#usage);
    const first = this.#course.calls[0]?.silentMs ?? 0;
    this.#nowMs += first;
    this.#add({
      see: (seen) => {
        const isGlobal = this.#course.inferenceGeo === "global";
        seen.start = { inputNanoUsd, promptTokens: prompt, cachedTokens, isGlobal };
      },
    });
  }

  addCall({ silentMs, blocks }: CourseCall): void {
    this.#callOutput = 0;
    if (this.events.length > 2) this.#nowMs += silentMs;
    for (const block of blocks) this.#addBlock(block);
  }

  /** Runs tools, and starts the next call. */
  runTools(uses: readonly CourseUse[], at: number): { startMs: number; announcedMs: number } {
    let announcedMs = 0;
    for (const use of uses) announcedMs = this.#addUse(use);
    const ranMs = this.#nowMs + Math.max(...uses.map(({ runMs }) => runMs));
    this.#nowMs = Math.max(ranMs, announcedMs + CALL_START_MS, LEAST_CALL_MS * (at + 1));
    const startMs = this.#nowMs;
    this.#callStartMs = startMs;
    const figure = this.#terms.tools?.resultTokens ?? 0;
    const searches = this.#searchesPerUse;
    for (const use of uses) {
      const resultTokens = Math.min(use.resultTokens, figure);
      this.#nextPrompt += resultTokens;
      this.#add({
        billed: { webSearches: use.isFailed ? 0 : searches },
        see: (seen, terms) => {
          if (use.isFailed) seen.webSearches -= searches;
          const size = toSize(use.kind, resultTokens, terms);
          addResult(terms, seen, { size, atMs: seen.lastReadMs });
        },
      });
    }
    const prompt = Math.min(this.#terms.contextTokens, this.#nextPrompt + this.#output);
    this.#add({ billed: this.#toNextPrompt(prompt) });
    return { startMs, announcedMs };
  }

  end(): void {
    const finalNanoUsd = this.#price(this.#usage);
    this.#add({
      see: (seen) => {
        seen.finalNanoUsd = finalNanoUsd;
      },
    });
  }

  #addBlock({ isHidden, tokens, bytesPerToken, speedShare }: CourseBlock): void {
    this.#add({
      see: (seen) => {
        seen.blocks += 1;
        if (isHidden) noteHidden(seen);
      },
    });
    for (let left = tokens; left > 0; left -= CHUNK_TOKENS) {
      const bytes = isHidden ? 0 : bytesPerToken * Math.min(left, CHUNK_TOKENS);
      this.#generate(Math.min(left, CHUNK_TOKENS), { bytes, speedShare });
    }
  }

  /** Returns the time at which the block arrives. */
  #addUse({ tokens }: CourseUse): number {
    this.#add({
      see: (seen) => {
        seen.blocks += 1;
        const uses = seen.serverToolUses + 1;
        const searches = seen.webSearches + this.#searchesPerUse;
        setToolUses(seen, { uses, searches, atMs: seen.lastReadMs });
      },
    });
    this.#generate(Math.min(tokens, USE_TOKENS), { bytes: 4 * USE_TOKENS, speedShare: 1 });
    return this.#arrivedMs;
  }

  #generate(wanted: number, { bytes, speedShare }: { bytes: number; speedShare: number }): void {
    const { speed, callOutputTokens } = this.#terms;
    const tokens = Math.min(wanted, callOutputTokens - this.#callOutput);
    if (tokens <= 0) return;
    this.#output += tokens;
    this.#callOutput += tokens;
    if (speedShare > 0) this.#nowMs += (tokens * 1000) / (speed * speedShare);
    const soonestMs = (this.#output * 1000) / speed - BURST_MS;
    this.#nowMs = Math.max(this.#nowMs, soonestMs);
    if (this.#callStartMs !== null) {
      const ranMs = (this.#callOutput * 1000) / speed;
      this.#nowMs = Math.max(this.#nowMs, this.#callStartMs + ranMs);
    }
    this.#add({
      billed: { outputTokens: tokens },
      see: (seen) => {
        seen.visibleBytes += bytes;
      },
    });
  }

  #add({ billed = {}, see }: Partial<Pick<ProviderEvent, "billed" | "see">>): void {
    addUsage(this.#usage, billed);
    const { delaysMs, outages, pauses, lagMs } = this.#course;
    const delayMs = delaysMs[this.events.length % delaysMs.length] ?? 0;
    const before = this.events.at(-1)?.readMs ?? 0;
    const isBilling = see === undefined;
    const generatedMs = this.#nowMs;
    if (!isBilling) {
      this.#arrivedMs = delay(Math.max(this.#arrivedMs, generatedMs + delayMs), outages);
    }
    const firstPause = findFirst(pauses);
    // A slow reader falls behind by and by.
    const lateMs = Math.min(lagMs, Math.max(0, this.#arrivedMs - firstPause));
    const readMs = isBilling ? before : delay(Math.max(before, this.#arrivedMs + lateMs), pauses);
    this.events.push({ generatedMs, readMs, billed, see: see ?? ignore });
  }

  #toFirstPrompt(tokens: number): Partial<TokenUsage> {
    const cacheReadTokens = Math.floor(tokens * this.#course.cacheReadShare);
    const cacheWrite5mTokens = Math.floor(tokens * this.#course.cacheWriteShare);
    const inputTokens = tokens - cacheReadTokens - cacheWrite5mTokens;
    return { inputTokens, cacheReadTokens, cacheWrite5mTokens };
  }

  #toNextPrompt(tokens: number): Partial<TokenUsage> {
    const cacheReadTokens = Math.min(tokens, this.#cachedTokens);
    const rest = tokens - cacheReadTokens;
    if (!this.#course.cachesResults) return { cacheReadTokens, inputTokens: rest };
    this.#cachedTokens = tokens;
    return { cacheReadTokens, cacheWrite5mTokens: rest };
  }
}

/** Smallest result with these tokens. */
function toSize(kind: CourseUse["kind"], tokens: number, { tools }: StreamTerms): ResultSize {
  if (kind === null) return null;
  const page = tools?.page ?? null;
  if (kind === "text" || page === null) return { kind: "text", bytes: tokens };
  const pages = Math.min(MAX_PAGES, Math.floor(tokens / page.frameTokens));
  const rest = tokens - pages * page.frameTokens;
  return { kind: "pages", pages, chars: Math.ceil(rest * page.charsPerToken) };
}

const MAX_PAGES = 10;

/** Time of an event that no closed interval contains. */
function delay(ms: number, closed: readonly Interval[]): number {
  let delayedMs = ms;
  for (const { fromMs, forMs } of closed.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (fromMs <= delayedMs && delayedMs < fromMs + forMs) delayedMs = fromMs + forMs;
  }
  return delayedMs;
}

function findFirst(intervals: readonly Interval[]): number {
  return Math.min(...intervals.map(({ fromMs }) => fromMs));
}

function ignore(): void {
  // Billing shows nothing to the reader.
}

function addUsage(usage: TokenUsage, more: Partial<TokenUsage>): void {
  usage.inputTokens += more.inputTokens ?? 0;
  usage.cacheReadTokens += more.cacheReadTokens ?? 0;
  usage.cacheWrite5mTokens += more.cacheWrite5mTokens ?? 0;
  usage.outputTokens += more.outputTokens ?? 0;
  usage.webSearches += more.webSearches ?? 0;
}

function price(request: HoldRequest, course: StreamCourse, total: TokenUsage): bigint {
  if (promptTokens(total) + total.outputTokens === 0) return 0n;
  const usage: BilledUsage = {
    model: request.model,
    total,
    iterations: null,
    serviceTier: "standard",
    inferenceGeo: course.inferenceGeo,
    speed: request.speed,
  };
  return priceUsage({ book, usage, atMs }).cost.total;
}

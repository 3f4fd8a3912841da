import { priceUsage } from "#src/domain/cost.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import {
  addResult,
  BURST_MS,
  boundStream,
  boundTokens,
  keepAnchor,
  MAX_GAP_MS,
  noteHidden,
  type StreamSeen,
  type StreamTokens,
  seeNothing,
  setToolUses,
} from "#src/domain/stream-bound.ts";
import type { StreamTerms } from "#src/domain/stream-terms.ts";
import type { BilledUsage, Cost } from "#src/domain/usage.ts";
import { promptTokens } from "#src/domain/usage-fields.ts";
import type { LiveUsage } from "./usage-seen.ts";

/** A prompt above its bound by this factor is impossible, and then the bound by bytes stays. */
const IMPOSSIBLE_FACTOR = 2;

interface StreamRequest {
  requestId: string;
  terms: StreamTerms;
  book: PriceBook;
  /** Time that selects the prices, milliseconds since the epoch. */
  pricedAtMs: number;
}

/** One running stream that a limit holds in steps: its terms, and what was seen of it. */
export class MeteredStream {
  readonly requestId: string;
  readonly terms: StreamTerms;
  readonly seen: StreamSeen;
  readonly #request: StreamRequest;
  /** Null: not started, or encoded, so that only its time is known. */
  #live: LiveUsage | null = null;
  #hasRead = false;
  #hasStarted = false;
  /** Error of a result that could not be added. Its bytes must still reach the client. */
  #fault: Error | null = null;
  /** Last time at which the facts were brought up to date. */
  #lookedMs: number;
  /** Start of the wait for a larger hold on the monotonic clock. Null: no wait. */
  waitsSinceMs: number | null = null;
  /** Usage of `message_start`. Null before it, and if its prompt is impossible. */
  started: BilledUsage | null = null;
  /** Exact cost of all prompts, nano-USD. 0 before the final counts. */
  promptsNanoUsd = 0n;
  /** Largest hold after `message_start`, nano-USD. */
  peakNanoUsd = 0n;
  /** A cut waits for the end of an event. */
  isCutDeferred = false;

  /** `dispatchedMs`: now, on the monotonic clock. */
  constructor(request: StreamRequest, dispatchedMs: number) {
    this.requestId = request.requestId;
    this.terms = request.terms;
    this.seen = seeNothing(dispatchedMs);
    this.#request = request;
    this.#lookedMs = dispatchedMs;
  }

  /** Starts to read the usage of a successful response. `live` null: the response is encoded. */
  follow(live: LiveUsage | null, nowMs: () => number): void {
    this.#live = live;
    if (live === null) {
      // Time alone is the bound.
      this.seen.wasPaused = true;
      return;
    }
    if (this.terms.tools === null) return;
    live.onToolResult = (size) => {
      try {
        const atMs = nowMs();
        this.#readFacts(live, atMs);
        addResult(this.terms, this.seen, { size, atMs });
      } catch (error) {
        this.#fault = error instanceof Error ? error : new Error(String(error));
      }
    };
  }

  /** Notes that bytes have arrived. Called for each chunk. */
  noteRead(): void {
    this.#hasRead = true;
  }

  /** Notes that the reader is paused, so that bytes say nothing about the present any more. */
  notePause(): void {
    this.seen.wasPaused = true;
  }

  /** Notes the present hold, nano-USD. */
  noteHold(nanoUsd: bigint): void {
    if (this.seen.start !== null && nanoUsd > this.peakNanoUsd) this.peakNanoUsd = nanoUsd;
  }

  /** Brings the facts up to date. Throws the error of a result that could not be added. */
  look(nowMs: number): void {
    if (this.#fault !== null) throw this.#fault;
    if (this.#hasRead) {
      this.#hasRead = false;
      const { seen } = this;
      // A long wait for the first byte is usual, and no sign of late bytes.
      if (this.#hasStarted && nowMs - seen.lastReadMs > MAX_GAP_MS) seen.hadGap = true;
      this.#hasStarted = true;
      // The bytes arrived after the look before.
      seen.lastReadMs = this.#lookedMs;
    }
    this.#lookedMs = nowMs;
    if (this.#live !== null) this.#readFacts(this.#live, nowMs);
    keepAnchor(this.terms, this.seen, nowMs);
  }

  /** Highest cost by this time, nano-USD. */
  boundAt(atMs: number): bigint {
    return boundStream(this.terms, this.seen, atMs);
  }

  /** Most usage by this time, also if the final counts were seen. */
  boundTokensAt(atMs: number): StreamTokens {
    return boundTokens(this.terms, this.seen, atMs);
  }

  /**
   * Output of a stream that its client ends now: what was read, and what was generated since. Late bytes do not count,
   * because the client did not cause them. Infinity: the bytes bound nothing.
   */
  estimateOutputAt(atMs: number): number {
    const { seen, terms } = this;
    if (seen.hasHidden || terms.isThinking || seen.wasPaused) return Number.POSITIVE_INFINITY;
    const sinceMs = atMs - seen.lastReadMs + BURST_MS;
    return Math.ceil(seen.visibleBytes + (terms.speed * sinceMs) / 1_000);
  }

  #readFacts({ seen: read }: LiveUsage, atMs: number): void {
    const { seen } = this;
    seen.visibleBytes = read.outputBytes;
    seen.blocks = read.blocks;
    if (read.hasHiddenThinking) noteHidden(seen);
    setToolUses(seen, { uses: read.serverToolUses, searches: read.webSearches, atMs });
    const { usage } = read;
    if (usage === null) return;
    seen.outputTokens = Math.max(seen.outputTokens, usage.total.outputTokens);
    if (seen.start === null) this.#readStart(usage);
    if (read.isOutputFinal && seen.finalNanoUsd === null) this.#readEnd(usage);
  }

  #readEnd(usage: BilledUsage): void {
    const { total, output, webSearch } = this.#price(usage);
    this.seen.finalNanoUsd = total;
    this.promptsNanoUsd = total - output - webSearch;
  }

  #readStart(usage: BilledUsage): void {
    const tokens = promptTokens(usage.total);
    const isKnown = usage.unknownCounts?.input === undefined && tokens > 0;
    if (!isKnown || tokens > IMPOSSIBLE_FACTOR * this.terms.inputTokens) return;
    const total = { ...usage.total, outputTokens: 0, webSearches: 0 };
    this.started = { ...usage, total, iterations: null };
    this.seen.start = {
      inputNanoUsd: this.#price(this.started).total,
      promptTokens: tokens,
      cachedTokens: tokens - total.inputTokens,
      isGlobal: usage.inferenceGeo !== "us",
    };
  }

  #price(usage: BilledUsage): Cost {
    const { book, pricedAtMs } = this.#request;
    return priceUsage({ book, usage, atMs: pricedAtMs }).cost;
  }
}

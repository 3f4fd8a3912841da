import type { Database } from "#src/db/pool.ts";
import type { TokenUsage } from "#src/domain/usage.ts";
import { type Clock, systemClock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { askBuckets } from "./buckets.sql.ts";
import { listLiveRateLimits } from "./limits.sql.ts";
import type { NodeBucket } from "./node-bucket.ts";
import { type LimitState, NodeRates, type RateRefusal, type RateScope } from "./node-rates.ts";
import { toRateHeaders } from "./rate-headers.ts";

// The clock, the timer and the database of node-rates.ts. One statement is under way at a time, for all buckets that have
// anything to ask; requests that need its answer wait for it, all others are decided at once.

export interface RateLimiterOptions {
  database: Database;
  clock: Clock;
  /** Milliseconds since the epoch on the database's clock. */
  databaseNowMs: () => number;
  logger: Logger;
  /** A database that has not answered by then counts as away, milliseconds. */
  answerWithinMs?: number;
}

/** A request that all its limits had room for: what it uses counts in each. */
export interface RateTicket {
  kind: "taken";
  states: readonly LimitState[];
}

export type RateAnswer = RateTicket | (RateRefusal & Pick<RateTicket, "states">);

export interface RateLimiter {
  /** Loads the limits. Throws the database's error. */
  start(): Promise<void>;
  /** After a change. Throws the database's error, and then tries again by itself. */
  refresh(): Promise<void>;
  /** Null: nothing limits it. Waits only where the database must be asked, never longer than `answerWithinMs`. */
  take(scope: RateScope): RateAnswer | Promise<RateAnswer> | null;
  /** What a request has used, once it is known. Synchronous; never throws. */
  use(ticket: RateTicket, usage: TokenUsage): void;
  /** What a client is told of the limits of its request, names and values. */
  headersOf(answer: Pick<RateTicket, "states">): Readonly<Record<string, string>>;
  /** Tells what was used for the last time. Requests that wait are decided at once. */
  stop(): Promise<void>;
}

const ANSWER_WITHIN_MS = 1_000;
const ASK_AGAIN_MS = 500;
/** Of one request: what it was granted may be gone by the time that the other limits of its chain have answered. */
const MAX_QUESTIONS = 4;

interface Waiter {
  states: LimitState[];
  /** Those that it waits for. */
  buckets: NodeBucket[];
  questions: number;
  resolve(answer: RateAnswer): void;
}

/** One that is started, and that stops with the other parts. Throws the database's error. */
export async function startRates(
  options: Omit<RateLimiterOptions, "clock">,
  parts: AsyncDisposableStack,
): Promise<RateLimiter> {
  const keeper = makeRateLimiter({ ...options, clock: systemClock });
  await keeper.start();
  parts.defer(() => keeper.stop());
  return keeper;
}

export function makeRateLimiter(options: RateLimiterOptions): RateLimiter {
  return new TimedRateLimiter(options);
}

class TimedRateLimiter implements RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #rates = new NodeRates();
  #waiters: Waiter[] = [];
  #running: Promise<void> | null = null;
  /** Of the next question. */
  #cancel: (() => void) | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #reloadTimer: NodeJS.Timeout | null = null;
  #isStopped = false;
  #reads = 0;
  #applied = 0;

  constructor(options: RateLimiterOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#read();
  }

  async refresh(): Promise<void> {
    if (this.#reloadTimer !== null) clearTimeout(this.#reloadTimer);
    this.#reloadTimer = null;
    try {
      await this.#read();
    } catch (error) {
      // No other change may come for hours.
      if (!this.#isStopped) this.#reloadTimer ??= setTimeout(() => this.#reload(), ASK_AGAIN_MS);
      throw error;
    }
  }

  take(scope: RateScope): RateAnswer | Promise<RateAnswer> | null {
    const nowMs = this.#nowMs();
    const states = this.#rates.find(scope, nowMs);
    if (states === null) return null;
    const decision = this.#rates.decide(states, nowMs);
    if (decision.kind === "ask" && !this.#isStopped) {
      return new Promise((resolve) => {
        this.#wait({ states, buckets: decision.buckets, questions: 1, resolve });
        this.#schedule();
      });
    }
    this.#schedule();
    return decision.kind === "refused" ? { ...decision, states } : { kind: "taken", states };
  }

  use({ states }: RateTicket, usage: TokenUsage): void {
    const input = usage.inputTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
    this.#rates.use(states, { input, output: usage.outputTokens }, this.#nowMs());
    this.#schedule();
  }

  headersOf({ states }: Pick<RateTicket, "states">): Readonly<Record<string, string>> {
    const { databaseNowMs } = this.#options;
    return toRateHeaders(states, { nowMs: this.#nowMs(), atMs: databaseNowMs() });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    if (this.#reloadTimer !== null) clearTimeout(this.#reloadTimer);
    await this.#running;
    await this.#ask();
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  async #read(): Promise<void> {
    this.#reads += 1;
    const read = this.#reads;
    const limits = await listLiveRateLimits(this.#options.database);
    // A later read was faster: what it brought is newer.
    if (read < this.#applied) return;
    this.#applied = read;
    this.#rates.replaceLimits(limits, this.#nowMs());
  }

  #reload(): void {
    this.refresh().catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, "rate limits cannot be read: the last ones hold");
    });
  }

  #wait(waiter: Waiter): void {
    this.#waiters.push(waiter);
    this.#rates.wait(waiter.states, waiter.buckets, this.#nowMs());
  }

  /** One timer, for the earliest question; none while one is under way, which looks again at its end. */
  #schedule(): void {
    const dueMs = this.#rates.nextDueMs;
    if (this.#running !== null || this.#isStopped || dueMs >= this.#timerAtMs) return;
    this.#cancel?.();
    this.#timerAtMs = dueMs;
    const inMs = dueMs - this.#nowMs();
    if (inMs <= 0) {
      // Requests of one turn of the event loop ask together, and none waits for the millisecond of a timer.
      const immediate = setImmediate(() => this.#onTimer());
      this.#cancel = () => clearImmediate(immediate);
    } else {
      const timer = setTimeout(() => this.#onTimer(), inMs).unref();
      this.#cancel = () => clearTimeout(timer);
    }
  }

  #onTimer(): void {
    this.#cancel = null;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#running ??= this.#ask().finally(() => {
      this.#running = null;
      this.#schedule();
    });
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    const sentMs = this.#nowMs();
    const asks = this.#rates.asks(sentMs);
    if (asks.length === 0) return;
    const { database, logger } = this.#options;
    const wasAlone = this.#rates.isAlone;
    try {
      const asked = askBuckets(
        database,
        asks.map(({ ask }) => ask),
      );
      const answers = await this.#inTime(asked);
      this.#rates.answered(asks, answers, { sentMs, nowMs: this.#nowMs() });
      if (wasAlone) logger.info("rate limits are shared with the other nodes again");
    } catch (error) {
      this.#rates.failed(asks, this.#nowMs() + ASK_AGAIN_MS);
      if (!wasAlone) {
        logger.warn({ err: error }, "rate limits cannot be shared: this node goes on by itself");
      }
    }
    this.#decideWaiting();
  }

  /** What answers later is not counted on. */
  async #inTime<Answer>(asked: Promise<Answer>): Promise<Answer> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error("the database has not answered in time")),
      this.#options.answerWithinMs ?? ANSWER_WITHIN_MS,
    );
    try {
      return await Promise.race([asked, late.promise]);
    } finally {
      clearTimeout(timer);
      asked.catch(() => undefined);
    }
  }

  /** First come, first served. */
  #decideWaiting(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { buckets } of waiters) for (const bucket of buckets) bucket.waiting -= 1;
    for (const waiter of waiters) {
      const decision = this.#rates.decide(waiter.states, this.#nowMs());
      const { states } = waiter;
      if (decision.kind === "refused") waiter.resolve({ ...decision, states });
      else if (decision.kind === "taken" || this.#isStopped) {
        waiter.resolve({ kind: "taken", states });
      } else if (waiter.questions < MAX_QUESTIONS) {
        this.#wait({ ...waiter, buckets: decision.buckets, questions: waiter.questions + 1 });
      } else waiter.resolve(busy(waiter.states, decision.buckets));
    }
  }
}

/** It was granted something each time, and others were faster: as if there were nothing for a second. */
function busy(states: readonly LimitState[], [bucket]: readonly NodeBucket[]): RateAnswer {
  const state = states.find(({ buckets }) => buckets.get("requests") === bucket);
  if (state === undefined) return { kind: "taken", states };
  const { limit } = state;
  return { kind: "refused", limit, rateKind: "requests", retryAfterMs: 1_000, states };
}

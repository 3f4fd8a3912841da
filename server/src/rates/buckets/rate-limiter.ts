import type { Database } from "#src/db/pool.ts";
import type { TokenUsage } from "#src/domain/usage.ts";
import { type Clock, systemClock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { queryBuckets } from "./buckets.sql.ts";
import { listLiveRateLimits } from "./limits.sql.ts";
import type { NodeBucket } from "./node-bucket.ts";
import {
  type LimitState,
  NodeRates,
  type RateDecision,
  type RateRefusal,
  type RateScope,
  type TakenRequest,
} from "./node-rates.ts";
import { toRateHeaders } from "./rate-headers.ts";

// The clock, the timer and the database of node-rates.ts. One statement runs at a time, with the queries of all buckets.
// Requests that need its result wait for it. All others are decided at once.

export interface RateLimiterOptions {
  database: Database;
  clock: Clock;
  /** Milliseconds since the epoch on the database's clock. */
  databaseNowMs: () => number;
  logger: Logger;
  /** Maximum duration of a statement, milliseconds. A slower database counts as away. */
  queryTimeoutMs?: number;
}

/** Accepted request. Its use is charged to each of the limits. */
export interface RateTicket {
  kind: "taken";
  states: readonly LimitState[];
  /** Requests that return to their buckets if a later limit refuses. */
  taken: readonly TakenRequest[];
}

export type RateAnswer = RateTicket | (RateRefusal & Pick<RateTicket, "states">);

export interface RateLimiter {
  /** Loads the limits. Throws the database's error. */
  start(): Promise<void>;
  /** Loads the limits again after a change. Throws the database's error, and then retries by itself. */
  refresh(): Promise<void>;
  /**
   * Takes the request from its limits. Null: no limits. Waits only for a query, at most `queryTimeoutMs`. `earlier`: ticket
   * of the same request for other model groups. Its limits are not charged again. The answer has all limits, and a refusal
   * returns the requests of `earlier`.
   */
  take(scope: RateScope, earlier?: RateTicket | null): RateAnswer | Promise<RateAnswer> | null;
  /** Charges the use of a request. Synchronous, and never throws. */
  charge(ticket: RateTicket, usage: TokenUsage): void;
  /** Rate limit headers of the response, names and values. */
  headersOf(answer: Pick<RateTicket, "states">): Readonly<Record<string, string>>;
  /** Reports the last use. Waiting requests are decided at once. */
  stop(): Promise<void>;
}

const QUERY_TIMEOUT_MS = 1_000;
const RETRY_DELAY_MS = 500;
/** Most queries of one request, because a grant can expire before the other limits of its chain respond. */
const MAX_QUERIES = 4;

interface Waiter {
  states: LimitState[];
  earlier: RateTicket | null;
  /** Buckets that the request waits for. */
  buckets: NodeBucket[];
  queries: number;
  resolve(answer: RateAnswer): void;
}

/** Starts a rate limiter that stops with the other parts. Throws the database's error. */
export async function startRateLimiter(
  options: Omit<RateLimiterOptions, "clock">,
  parts: AsyncDisposableStack,
): Promise<RateLimiter> {
  const limiter = makeRateLimiter({ ...options, clock: systemClock });
  await limiter.start();
  parts.defer(() => limiter.stop());
  return limiter;
}

export function makeRateLimiter(options: RateLimiterOptions): RateLimiter {
  return new TimedRateLimiter(options);
}

class TimedRateLimiter implements RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #rates = new NodeRates();
  #waiters: Waiter[] = [];
  #running: Promise<void> | null = null;
  /** Cancels the timer of the next statement. */
  #cancelTimer: (() => void) | null = null;
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
      // The next change could be hours away.
      if (!this.#isStopped) this.#reloadTimer ??= setTimeout(() => this.#reload(), RETRY_DELAY_MS);
      throw error;
    }
  }

  take(
    scope: RateScope,
    earlier: RateTicket | null = null,
  ): RateAnswer | Promise<RateAnswer> | null {
    // Most requests have no limit. They need no reading of the clock, which takes 0.12 us.
    if (!this.#rates.isLimited(scope.organizationId)) return earlier;
    const nowMs = this.#nowMs();
    const found = this.#rates.findLimits(scope, nowMs);
    const states = earlier === null ? found : (found?.filter(isNotIn(earlier)) ?? null);
    if (states === null || states.length === 0) return earlier;
    const decision = this.#rates.decide(states, nowMs);
    if (decision.kind === "query" && !this.#isStopped) {
      return new Promise((resolve) => {
        this.#wait({ states, earlier, buckets: decision.buckets, queries: 1, resolve });
        this.#schedule();
      });
    }
    this.#schedule();
    return this.#toAnswer(decision, states, earlier);
  }

  /** Joins a decision with the earlier ticket. A server that stops lets waiting requests pass. */
  #toAnswer(
    decision: RateDecision,
    own: readonly LimitState[],
    earlier: RateTicket | null,
  ): RateAnswer {
    const states = earlier === null ? own : [...earlier.states, ...own];
    if (decision.kind === "refused") {
      if (earlier !== null) this.#rates.returnRequests(earlier.taken, this.#nowMs());
      return { ...decision, states };
    }
    const taken = decision.kind === "taken" ? decision.taken : [];
    return {
      kind: "taken",
      states,
      taken: earlier === null ? taken : [...earlier.taken, ...taken],
    };
  }

  charge({ states }: RateTicket, usage: TokenUsage): void {
    const input = usage.inputTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
    this.#rates.chargeTokens(states, { input, output: usage.outputTokens }, this.#nowMs());
    this.#schedule();
  }

  headersOf({ states }: Pick<RateTicket, "states">): Readonly<Record<string, string>> {
    const { databaseNowMs } = this.#options;
    return toRateHeaders(states, { nowMs: this.#nowMs(), atMs: databaseNowMs() });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer?.();
    if (this.#reloadTimer !== null) clearTimeout(this.#reloadTimer);
    await this.#running;
    await this.#runQuery();
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  async #read(): Promise<void> {
    this.#reads += 1;
    const read = this.#reads;
    const limits = await listLiveRateLimits(this.#options.database);
    // A later read finished first, and has newer limits.
    if (read < this.#applied) return;
    this.#applied = read;
    this.#rates.replaceLimits(limits, this.#nowMs());
  }

  #reload(): void {
    this.refresh().catch((error: unknown) => {
      this.#options.logger.warn(
        { err: error },
        "cannot read rate limits: the last known ones stay in force",
      );
    });
  }

  #wait(waiter: Waiter): void {
    this.#waiters.push(waiter);
    this.#rates.startWaiting(waiter.states, waiter.buckets, this.#nowMs());
  }

  /** Sets one timer for the earliest query. A running statement schedules the next one when it ends. */
  #schedule(): void {
    const dueMs = this.#rates.nextDueMs;
    if (this.#running !== null || this.#isStopped || dueMs >= this.#timerAtMs) return;
    this.#cancelTimer?.();
    this.#timerAtMs = dueMs;
    const inMs = dueMs - this.#nowMs();
    if (inMs <= 0) {
      // Requests of one event loop turn share a statement, without the millisecond of a timer.
      const immediate = setImmediate(() => this.#onTimer());
      this.#cancelTimer = () => clearImmediate(immediate);
    } else {
      const timer = setTimeout(() => this.#onTimer(), inMs).unref();
      this.#cancelTimer = () => clearTimeout(timer);
    }
  }

  #onTimer(): void {
    this.#cancelTimer = null;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#running ??= this.#runQuery().finally(() => {
      this.#running = null;
      this.#schedule();
    });
  }

  /** Sends the due queries in one statement. Never rejects. */
  async #runQuery(): Promise<void> {
    const sentMs = this.#nowMs();
    const queries = this.#rates.takeQueries(sentMs);
    if (queries.length === 0) return;
    const { database, logger } = this.#options;
    const wasStandalone = this.#rates.isStandalone;
    try {
      const statement = queryBuckets(
        database,
        queries.map(({ query }) => query),
      );
      const results = await this.#withTimeout(statement);
      this.#rates.applyResults(queries, results, { sentMs, nowMs: this.#nowMs() });
      if (wasStandalone) logger.info("rate limits are shared with the other nodes again");
    } catch (error) {
      this.#rates.recordFailure(queries, this.#nowMs() + RETRY_DELAY_MS);
      if (!wasStandalone) {
        logger.warn(
          { err: error },
          "cannot share rate limits with other nodes: this node applies them by itself",
        );
      }
    }
    this.#resolveWaiters();
  }

  /** Rejects after the timeout. A later result is ignored. */
  async #withTimeout<Result>(result: Promise<Result>): Promise<Result> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error("the database did not respond in time")),
      this.#options.queryTimeoutMs ?? QUERY_TIMEOUT_MS,
    );
    try {
      return await Promise.race([result, late.promise]);
    } finally {
      clearTimeout(timer);
      result.catch(() => undefined);
    }
  }

  /** Decides waiting requests in the order of their arrival. */
  #resolveWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { buckets } of waiters) for (const bucket of buckets) bucket.waitingRequests -= 1;
    for (const waiter of waiters) {
      const decision = this.#rates.decide(waiter.states, this.#nowMs());
      const { states, earlier } = waiter;
      if (decision.kind !== "query" || this.#isStopped) {
        waiter.resolve(this.#toAnswer(decision, states, earlier));
      } else if (waiter.queries < MAX_QUERIES) {
        this.#wait({ ...waiter, buckets: decision.buckets, queries: waiter.queries + 1 });
      } else {
        waiter.resolve(this.#toAnswer(makeBusyRefusal(states, decision.buckets), states, earlier));
      }
    }
  }
}

/** True for limits that the ticket does not have. */
function isNotIn({ states }: RateTicket): (state: LimitState) => boolean {
  return (state) => !states.includes(state);
}

/** Refuses for a second a request whose grants other requests took each time. */
function makeBusyRefusal(
  states: readonly LimitState[],
  [bucket]: readonly NodeBucket[],
): RateDecision {
  const state = states.find(({ buckets }) => buckets.get("requests") === bucket);
  if (state === undefined) return { kind: "taken", taken: [] };
  const { limit } = state;
  return { kind: "refused", limit, rateKind: "requests", retryAfterMs: 1_000 };
}

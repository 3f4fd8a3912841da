/** Length of a window of recent requests, milliseconds. The current window and the one before count. */
const WINDOW_MS = 30_000;
/** Averaging time of spend, milliseconds. */
const AVERAGE_MS = 30_000;
/** Shortest time that spend is averaged over, so that one response is not seen as a stream of them. */
const LEAST_AVERAGE_MS = 5_000;
/** Time without a request after which only single requests are expected, milliseconds. */
const QUIET_MS = 15_000;
/** Longest time in which resting traffic is expected again, milliseconds. */
const REST_MS = 600_000;
/** Ratio of need and largest request from which traffic can rest. So a key that calls seldom costs nothing meanwhile. */
const REST_RATIO = 4n;

/** A value of the current window, and of the one before. 0: no request. */
interface Recent {
  now: bigint;
  before: bigint;
}

interface MeasureOf {
  nowMs: number;
  elapsedMs: number;
  coverMs: number;
  canRest: boolean;
}

/**
 * Recent traffic of one lease. While the database is away, held amounts come back, and only the cost of ended requests
 * leaves the lease. So a lease outlives an outage with the highest held amount and the spend of that time.
 */
export class LeaseTraffic {
  readonly #held: Recent = { now: 0n, before: 0n };
  readonly #largest: Recent = { now: 0n, before: 0n };
  readonly #smallest: Recent = { now: 0n, before: 0n };
  #activity: "none" | "new" | "known" = "none";
  #drawnLately = 0n;
  #isResting = false;
  #isQuiet = false;
  /** Spend per millisecond, nano-USD: its weighted sum, and the sum of the weights. */
  #average = 0;
  #weight = 0;
  /** Times on the monotonic clock, milliseconds. */
  readonly #times = { window: Number.NEGATIVE_INFINITY, active: Number.NEGATIVE_INFINITY };

  /** True without a request for a minute. */
  get isNone(): boolean {
    return this.#activity === "none";
  }

  /** True if busy traffic has paused, and the limit has so much room that its budget can wait for it. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** True without a request for 15 s. */
  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  /** Amount of the smallest recent request, nano-USD. 0: no request for a minute. */
  get smallest(): bigint {
    const { now, before } = this.#smallest;
    return before === 0n || (now !== 0n && now < before) ? now : before;
  }

  /** Adds a request that begins or waits. `heldNanoUsd`: held amount of the lease. */
  addRequest(nanoUsd: bigint, heldNanoUsd: bigint): void {
    const { now } = this.#smallest;
    if (now === 0n || nanoUsd < now) this.#smallest.now = nanoUsd;
    this.#largest.now = largerOf(this.#largest.now, nanoUsd);
    this.#held.now = largerOf(this.#held.now, heldNanoUsd);
    this.#activity = "new";
    this.#isResting = false;
    this.#isQuiet = false;
  }

  /** Adds the held amount of the lease after a stream changed its hold. */
  addHeld(heldNanoUsd: bigint): void {
    this.#held.now = largerOf(this.#held.now, heldNanoUsd);
  }

  /** Adds the spend of an ended request. Negative: no fold counts it. */
  addDraw(nanoUsd: bigint): void {
    this.#drawnLately += nanoUsd;
    this.#activity = "new";
  }

  /**
   * Updates the estimates. `elapsedMs`: time since the last call. `canRest`: the limit has room for far more than
   * `findNeed(coverMs)`, so the estimates may outlast a pause.
   */
  measure(heldNanoUsd: bigint, { nowMs, elapsedMs, coverMs, canRest }: MeasureOf): void {
    if (this.#activity === "none" || !(elapsedMs > 0)) return;
    if (this.#activity === "new" || heldNanoUsd > 0n) this.#times.active = nowMs;
    this.#activity = "known";
    this.#isQuiet = nowMs - this.#times.active > QUIET_MS;
    this.#isResting = canRest && this.#canRest(nowMs, coverMs);
    if (this.#isResting) return;
    if (nowMs - this.#times.window >= WINDOW_MS) this.#startWindow(nowMs, heldNanoUsd);
    const share = Math.exp(-Math.min(elapsedMs, AVERAGE_MS) / AVERAGE_MS);
    const perMs = Number(this.#drawnLately) / elapsedMs;
    this.#drawnLately = 0n;
    this.#average = this.#average * share + perMs * (1 - share);
    this.#weight = this.#weight * share + 1 - share;
    if (!this.#isQuiet) return;
    this.#average = 0;
    this.#weight = 0;
    Object.assign(this.#held, NOTHING);
    if (this.#findLargest() === 0n) this.#activity = "none";
  }

  /**
   * Budget that the lease needs to serve this traffic for `coverMs` without a message, nano-USD. After some seconds without a
   * request: the amount of the largest recent one.
   */
  findNeed(coverMs: number): bigint {
    if (this.#activity === "none") return 0n;
    const perMs = this.#average / Math.max(this.#weight, LEAST_AVERAGE_MS / AVERAGE_MS);
    const spent = BigInt(Math.max(0, Math.round(perMs * coverMs)));
    const held = largerOf(this.#held.now, this.#held.before);
    return largerOf(this.#findLargest(), (held * 3n) / 2n + spent);
  }

  #canRest(nowMs: number, coverMs: number): boolean {
    const pauseMs = nowMs - this.#times.active;
    if (pauseMs <= QUIET_MS || pauseMs > REST_MS) return false;
    return this.findNeed(coverMs) >= REST_RATIO * this.#findLargest();
  }

  #findLargest(): bigint {
    return largerOf(this.#largest.now, this.#largest.before);
  }

  #startWindow(nowMs: number, heldNanoUsd: bigint): void {
    const isFirst = this.#times.window === Number.NEGATIVE_INFINITY;
    this.#times.window = nowMs;
    if (isFirst) return;
    for (const recent of [this.#held, this.#largest, this.#smallest]) {
      recent.before = recent.now;
      recent.now = 0n;
    }
    this.#held.now = heldNanoUsd;
  }
}

const NOTHING: Recent = { now: 0n, before: 0n };

function largerOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

import {
  capacityOf,
  GRANT_LIFE_MS,
  hasRoom,
  msUntil,
  type RateKind,
  ROUNDING,
  refill,
} from "./bucket.ts";

// What a node knows of one shared bucket, pure: `nowMs` is the node's monotonic clock.

/** What a node asks of a bucket, and tells it, in one statement with many others. */
export interface BucketAsk {
  limitId: string;
  kind: RateKind;
  /** Requests to be granted. */
  wanted: number;
  /** Used since the last answer, and not taken out of the bucket yet. */
  used: number;
}

export interface BucketAnswer {
  granted: number;
  /** After the grant and what was used. */
  level: number;
}

/** Used so lately that the node asks again before its next request has to wait. */
const STOCK_MS = 500;
const WINDOW_MS = 250;
/** A bucket that is used up is not asked for each of the many requests that it refills in that time. */
const LEAST_DRY_MS = 25;

interface Grant {
  requests: number;
  untilMs: number;
}

export class NodeBucket {
  readonly kind: RateKind;
  #perMinute: number;
  #capacity: number;
  /** The bucket's level at `#atMs` as the database told it, refilled since. */
  #seen: number;
  /** The same less what this node has used since. */
  #mine: number;
  #atMs: number;
  /** Used since the newest ask left. */
  #usedSinceAsk = 0;
  #grants: Grant[] = [];
  /** No request is there before; null where the node does not know. */
  #dryUntilMs: number | null = null;
  #toldMs: number | null = null;
  #isGone = false;
  #windowMs: number;
  #takenInWindow = 0;
  #takenPerMs = 0;
  /** Requests of this node that wait for a grant. */
  waiting = 0;

  constructor(kind: RateKind, perMinute: number, nowMs: number) {
    this.kind = kind;
    this.#perMinute = perMinute;
    this.#capacity = capacityOf(kind, perMinute);
    // As the database makes one that nobody has used.
    this.#seen = this.#capacity;
    this.#mine = this.#capacity;
    this.#atMs = nowMs;
    this.#windowMs = nowMs;
  }

  get perMinute(): number {
    return this.#perMinute;
  }

  /** Another limit from now on: what was granted under the old one is not used any more. */
  reset(perMinute: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#perMinute = perMinute;
    this.#capacity = capacityOf(this.kind, perMinute);
    this.#seen = Math.min(this.#seen, this.#capacity);
    this.#mine = Math.min(this.#mine, this.#capacity);
    this.#grants = [];
    this.#dryUntilMs = null;
    this.#isGone = false;
  }

  /** The database has no such limit any more: it refuses nothing, until this node knows it, too. */
  end(): void {
    this.#isGone = true;
  }

  /** "ask": only the database knows. A number: none for so many milliseconds. */
  room(nowMs: number, isAlone: boolean): "yes" | "ask" | number {
    this.#advance(nowMs);
    if (this.#isGone) return "yes";
    if (this.kind !== "requests") return this.#ownRoom();
    if (this.#stock() > 0) return "yes";
    if (isAlone) return this.#ownRoom();
    if (this.#dryUntilMs === null || this.#dryUntilMs <= nowMs) return "ask";
    return this.#dryUntilMs - nowMs;
  }

  /** Takes the request that `room` just said is there. */
  take(nowMs: number): void {
    this.#noteTaken(nowMs);
    const [grant] = this.#grants;
    if (grant === undefined) this.use(1, nowMs);
    else if (--grant.requests === 0) this.#grants.shift();
  }

  use(amount: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#mine -= amount;
    this.#usedSinceAsk += amount;
  }

  /** What is granted lasts for less than half the time that it should. */
  isLow(nowMs: number): boolean {
    const wished = this.#wishedStock(nowMs);
    return this.#dryUntilMs === null && this.#stock() * 2 < wished;
  }

  isStale(nowMs: number, afterMs: number): boolean {
    return this.#toldMs === null || nowMs - this.#toldMs > afterMs;
  }

  hasUse(nowMs: number): boolean {
    this.#advance(nowMs);
    return this.#seen > this.#mine;
  }

  ask(nowMs: number): Omit<BucketAsk, "limitId"> {
    this.#advance(nowMs);
    this.#usedSinceAsk = 0;
    const isGranted = this.kind === "requests";
    const stock = isGranted ? Math.max(0, this.#wishedStock(nowMs) - this.#stock()) : 0;
    const wanted = Math.ceil(Math.min(this.#capacity, this.waiting + stock));
    return { kind: this.kind, wanted, used: this.#seen - this.#mine };
  }

  /** `sentMs`: when the ask left. The database was not earlier, so that what it granted ends in time. */
  answered(answer: BucketAnswer, { sentMs, nowMs }: { sentMs: number; nowMs: number }): void {
    const untilMs = sentMs + GRANT_LIFE_MS;
    if (answer.granted > 0) this.#grants.push({ requests: answer.granted, untilMs });
    this.#seen = answer.level;
    this.#mine = answer.level - this.#usedSinceAsk;
    this.#atMs = nowMs;
    this.#toldMs = nowMs;
    this.#advance(nowMs);
    const isDry = this.kind === "requests" && !hasRoom(answer.level);
    this.#dryUntilMs = isDry ? nowMs + Math.max(LEAST_DRY_MS, this.#untilRoom()) : null;
  }

  /** What may be sent now, as far as this node knows; below 0 for tokens that were used beyond the limit. */
  remaining(nowMs: number): number {
    this.#advance(nowMs);
    return this.#stock() + this.#mine;
  }

  /** Until the bucket is as full as it can be, in milliseconds. */
  untilFullMs(nowMs: number): number {
    this.#advance(nowMs);
    return msUntil(this.#mine, this.#capacity, this.#perMinute);
  }

  #ownRoom(): "yes" | number {
    return hasRoom(this.#mine) ? "yes" : this.#untilRoom();
  }

  #untilRoom(): number {
    return msUntil(this.#mine, 1, this.#perMinute);
  }

  #stock(): number {
    let requests = 0;
    for (const grant of this.#grants) requests += grant.requests;
    return requests;
  }

  /** What this node uses in half a second, by its newest full window; nothing where that is long ago. */
  #wishedStock(nowMs: number): number {
    if (nowMs - this.#windowMs > 4 * WINDOW_MS) return 0;
    return Math.floor(this.#takenPerMs * STOCK_MS + ROUNDING);
  }

  #noteTaken(nowMs: number): void {
    this.#takenInWindow += 1;
    const lastedMs = nowMs - this.#windowMs;
    if (lastedMs < WINDOW_MS) return;
    this.#takenPerMs = this.#takenInWindow / lastedMs;
    this.#takenInWindow = 0;
    this.#windowMs = nowMs;
  }

  #advance(nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs > 0) {
      const of = { capacity: this.#capacity, perMinute: this.#perMinute, elapsedMs };
      this.#seen = refill(this.#seen, of);
      this.#mine = refill(this.#mine, of);
      this.#atMs = nowMs;
    }
    while (this.#grants.length > 0 && (this.#grants[0]?.untilMs ?? 0) <= nowMs)
      this.#grants.shift();
  }
}

import {
  capacityOf,
  GRANT_LIFE_MS,
  hasRoom,
  msUntilLevel,
  type RateKind,
  ROUNDING,
  refill,
} from "./bucket.ts";

// A node's copy of one shared bucket, pure. `nowMs` is the node's monotonic clock.

/** Query of a node to one bucket, sent in one statement with many others. */
export interface BucketQuery {
  limitId: string;
  kind: RateKind;
  /** Number of requests to grant. */
  wanted: number;
  /** Amount used since the last result, not yet taken from the bucket. */
  used: number;
}

export interface BucketResult {
  granted: number;
  /** Level after the grant and the reported use. */
  level: number;
}

/** Duration of traffic that a node holds grants for, so that its next request need not wait. */
const GRANT_AHEAD_MS = 500;
const WINDOW_MS = 250;
/** Minimum time between queries to an empty bucket, however fast it refills. */
const MIN_EMPTY_MS = 25;

/** Requests that the database granted. */
export interface Grant {
  requests: number;
  readonly untilMs: number;
  /** Number of changes of the limit before the grant. */
  readonly revision: number;
}

export class NodeBucket {
  readonly kind: RateKind;
  #perMinute: number;
  #capacity: number;
  /** Level at `#atMs`: the level in the last result, refilled since. */
  #sharedLevel: number;
  /** Shared level minus the later use of this node. */
  #ownLevel: number;
  #atMs: number;
  /** Amount used since the last query was sent. */
  #usedSinceQuery = 0;
  #grants: Grant[] = [];
  #revision = 0;
  /** Time until which the bucket has no request. Null: unknown. */
  #emptyUntilMs: number | null = null;
  #answeredAtMs: number | null = null;
  #isDeleted = false;
  #windowMs: number;
  #takenInWindow = 0;
  #takenPerMs = 0;
  /** Number of requests of this node that wait for a grant. */
  waitingRequests = 0;

  constructor(kind: RateKind, perMinute: number, nowMs: number) {
    this.kind = kind;
    this.#perMinute = perMinute;
    this.#capacity = capacityOf(kind, perMinute);
    // A new bucket is full, as in the database.
    this.#sharedLevel = this.#capacity;
    this.#ownLevel = this.#capacity;
    this.#atMs = nowMs;
    this.#windowMs = nowMs;
  }

  get perMinute(): number {
    return this.#perMinute;
  }

  /** Applies a changed limit. Grants of the old limit become invalid. */
  reset(perMinute: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#perMinute = perMinute;
    this.#capacity = capacityOf(this.kind, perMinute);
    this.#sharedLevel = Math.min(this.#sharedLevel, this.#capacity);
    this.#ownLevel = Math.min(this.#ownLevel, this.#capacity);
    this.#grants = [];
    this.#revision += 1;
    this.#emptyUntilMs = null;
    this.#isDeleted = false;
  }

  /** Records that the database no longer has the limit. The bucket then refuses nothing. */
  markDeleted(): void {
    this.#isDeleted = true;
  }

  /** Returns "query" if only the database knows, and a number for no room during so many milliseconds. */
  checkRoom(nowMs: number, isStandalone: boolean): "yes" | "query" | number {
    this.#advance(nowMs);
    if (this.#isDeleted) return "yes";
    if (this.kind !== "requests") return this.#checkOwnRoom();
    if (this.#countGranted() > 0) return "yes";
    if (isStandalone) return this.#checkOwnRoom();
    if (this.#emptyUntilMs === null || this.#emptyUntilMs <= nowMs) return "query";
    return this.#emptyUntilMs - nowMs;
  }

  /** Takes one request after `checkRoom` returned "yes". Returns its grant. Null: the node decided by itself. */
  takeRequest(nowMs: number): Grant | null {
    this.#countTaken(nowMs);
    const [grant = null] = this.#grants;
    if (grant === null) this.charge(1, nowMs);
    else if (--grant.requests === 0) this.#grants.shift();
    return grant;
  }

  /** Returns a taken request that was not sent. A grant keeps its end, so no window gets more requests. */
  returnRequest(grant: Grant | null, nowMs: number): void {
    if (grant === null) {
      this.charge(-1, nowMs);
      return;
    }
    if (grant.untilMs <= nowMs || grant.revision !== this.#revision) return;
    grant.requests += 1;
    if (grant.requests === 1) this.#grants.unshift(grant);
  }

  charge(amount: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#ownLevel -= amount;
    this.#usedSinceQuery += amount;
  }

  /** True if less than half of the wanted grants is left. */
  isLow(nowMs: number): boolean {
    const target = this.#findTargetStock(nowMs);
    return this.#emptyUntilMs === null && this.#countGranted() * 2 < target;
  }

  isStale(nowMs: number, afterMs: number): boolean {
    return this.#answeredAtMs === null || nowMs - this.#answeredAtMs > afterMs;
  }

  hasUnreportedUse(nowMs: number): boolean {
    this.#advance(nowMs);
    return this.#sharedLevel > this.#ownLevel;
  }

  createQuery(nowMs: number): Omit<BucketQuery, "limitId"> {
    this.#advance(nowMs);
    this.#usedSinceQuery = 0;
    const isGranted = this.kind === "requests";
    const stock = isGranted ? Math.max(0, this.#findTargetStock(nowMs) - this.#countGranted()) : 0;
    const wanted = Math.ceil(Math.min(this.#capacity, this.waitingRequests + stock));
    return { kind: this.kind, wanted, used: this.#sharedLevel - this.#ownLevel };
  }

  /** Applies a result. `sentMs`: time of the query. The database granted later, so the grant expires in time. */
  applyResult(answer: BucketResult, { sentMs, nowMs }: { sentMs: number; nowMs: number }): void {
    const untilMs = sentMs + GRANT_LIFE_MS;
    if (answer.granted > 0) {
      this.#grants.push({ requests: answer.granted, untilMs, revision: this.#revision });
    }
    this.#sharedLevel = answer.level;
    this.#ownLevel = answer.level - this.#usedSinceQuery;
    this.#atMs = nowMs;
    this.#answeredAtMs = nowMs;
    this.#advance(nowMs);
    const isEmpty = this.kind === "requests" && !hasRoom(answer.level);
    this.#emptyUntilMs = isEmpty ? nowMs + Math.max(MIN_EMPTY_MS, this.#msUntilRoom()) : null;
  }

  /** Amount that this node can send now, as far as it knows. Negative after excess use of tokens. */
  remaining(nowMs: number): number {
    this.#advance(nowMs);
    return this.#countGranted() + this.#ownLevel;
  }

  /** Time until the bucket is full, milliseconds. */
  untilFullMs(nowMs: number): number {
    this.#advance(nowMs);
    return msUntilLevel(this.#ownLevel, this.#capacity, this.#perMinute);
  }

  #checkOwnRoom(): "yes" | number {
    return hasRoom(this.#ownLevel) ? "yes" : this.#msUntilRoom();
  }

  #msUntilRoom(): number {
    return msUntilLevel(this.#ownLevel, 1, this.#perMinute);
  }

  #countGranted(): number {
    let requests = 0;
    for (const grant of this.#grants) requests += grant.requests;
    return requests;
  }

  /** Use of this node in half a second, from its last full window. 0: the window is too old. */
  #findTargetStock(nowMs: number): number {
    if (nowMs - this.#windowMs > 4 * WINDOW_MS) return 0;
    return Math.floor(this.#takenPerMs * GRANT_AHEAD_MS + ROUNDING);
  }

  #countTaken(nowMs: number): void {
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
      this.#sharedLevel = refill(this.#sharedLevel, of);
      this.#ownLevel = refill(this.#ownLevel, of);
      this.#atMs = nowMs;
    }
    while (this.#grants.length > 0 && (this.#grants[0]?.untilMs ?? 0) <= nowMs)
      this.#grants.shift();
  }
}

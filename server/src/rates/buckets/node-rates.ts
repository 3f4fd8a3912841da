import { ALL_MODELS, TOKEN_COUNT } from "#src/domain/model-groups.ts";
import { type RateKind, rateKinds } from "./bucket.ts";
import type { RateLimit } from "./limits.sql.ts";
import { type BucketQuery, type BucketResult, type Grant, NodeBucket } from "./node-bucket.ts";

// Limits of a request on this node, and their decision, pure. rate-limiter.ts has the clock, the timer and the database.

/** Scopes and model group of a request. */
export interface RateScope {
  organizationId: string;
  workspaceId: string;
  /** Null: limits of the key do not apply. */
  apiKeyId: string | null;
  /** Owner of a personal key. */
  memberId?: string | null;
  /** Groups of the owner. */
  groupIds?: readonly string[];
  modelGroup: string;
}

/** A limit and its buckets on this node. */
export interface LimitState {
  limit: RateLimit;
  readonly buckets: Map<RateKind, NodeBucket>;
}

export interface RateRefusal {
  kind: "refused";
  limit: RateLimit;
  rateKind: RateKind;
  /** Time until all exceeded limits have room, milliseconds. */
  retryAfterMs: number;
}

export interface SentQuery {
  bucket: NodeBucket;
  query: BucketQuery;
}

/** One request that was taken from a bucket. */
export interface TakenRequest {
  bucket: NodeBucket;
  grant: Grant | null;
}

export type RateDecision =
  | { kind: "taken"; taken: TakenRequest[] }
  | RateRefusal
  | { kind: "query"; buckets: NodeBucket[] };

const NO_IDS: readonly string[] = [];
/** Maximum delay before this node reports its use to the others. */
const REPORT_DELAY_MS = 100;
/** Maximum age of the level of a token bucket with traffic, so that the use of other nodes is known. */
const REFRESH_AFTER_MS = 250;
/** Most queries of one statement. The next statement has the rest. */
const MAX_QUERIES = 500;

export class NodeRates {
  /** Limits by organization and scope. An organization without limits is absent. */
  #limits = new Map<string, Map<string, RateLimit[]>>();
  readonly #states = new Map<string, LimitState>();
  /** Latest time of the next query of a bucket. Buckets without a query are absent. */
  #due = new Map<NodeBucket, { limitId: string; atMs: number }>();
  /** Earliest time in `#due`. */
  #nextDueMs = Number.POSITIVE_INFINITY;
  #isStandalone = false;
  /** End of the pause after a failed query. */
  #pausedUntilMs = 0;

  /** True while the database does not respond. This node then applies the configured rates by itself. */
  get isStandalone(): boolean {
    return this.#isStandalone;
  }

  get nextDueMs(): number {
    return Math.max(this.#nextDueMs, this.#pausedUntilMs);
  }

  replaceLimits(limits: readonly RateLimit[], nowMs: number): void {
    const byOrganization = Map.groupBy(limits, ({ organizationId }) => organizationId);
    this.#limits = new Map(
      Array.from(byOrganization, ([id, own]) => [id, Map.groupBy(own, ({ scopeId }) => scopeId)]),
    );
    const byId = new Map(limits.map((limit) => [limit.id, limit]));
    for (const [id, state] of this.#states) {
      const limit = byId.get(id);
      if (limit === undefined) this.#states.delete(id);
      else if (limit.revision !== state.limit.revision) changeState(state, limit, nowMs);
      // A renamed group keeps the revision of its limits.
      else state.limit = limit;
    }
    for (const [bucket, { limitId }] of this.#due) {
      const buckets = this.#states.get(limitId)?.buckets;
      if (buckets?.get(bucket.kind) !== bucket) this.#due.delete(bucket);
    }
  }

  /** False: no limit counts requests of this organization. Costs one map lookup. */
  isLimited(organizationId: string): boolean {
    return this.#limits.has(organizationId);
  }

  /** Returns the limits of the request, or null. */
  findLimits(scope: RateScope, nowMs: number): LimitState[] | null {
    const byScope = this.#limits.get(scope.organizationId);
    if (byScope === undefined) return null;
    const { apiKeyId, memberId = null, groupIds = NO_IDS, modelGroup } = scope;
    const found: LimitState[] = [];
    const add = (scopeId: string) => {
      const limits = byScope.get(scopeId);
      if (limits === undefined) return;
      for (const limit of limits) {
        if (coversGroup(limit, modelGroup)) found.push(this.#getState(limit, nowMs));
      }
    };
    if (apiKeyId !== null) add(apiKeyId);
    if (memberId !== null) add(memberId);
    for (const groupId of groupIds) add(groupId);
    add(scope.workspaceId);
    add(scope.organizationId);
    return found.length === 0 ? null : found;
  }

  /** Takes the request from all limits if all have room, else from none. */
  decide(states: readonly LimitState[], nowMs: number): RateDecision {
    let refusal: RateRefusal | null = null;
    const unknown: NodeBucket[] = [];
    for (const { limit, buckets } of states) {
      for (const bucket of buckets.values()) {
        this.#refreshTokens(limit, bucket, nowMs);
        const room = bucket.checkRoom(nowMs, this.#isStandalone);
        if (room === "yes") continue;
        if (room === "query") unknown.push(bucket);
        else if (refusal === null || room > refusal.retryAfterMs) {
          refusal = { kind: "refused", limit, rateKind: bucket.kind, retryAfterMs: room };
        }
      }
    }
    if (refusal !== null) return refusal;
    if (unknown.length > 0) return { kind: "query", buckets: unknown };
    const taken: TakenRequest[] = [];
    for (const { limit, buckets } of states) {
      const bucket = buckets.get("requests");
      if (bucket === undefined) continue;
      taken.push({ bucket, grant: bucket.takeRequest(nowMs) });
      if (bucket.hasUnreportedUse(nowMs))
        this.#scheduleQuery(limit, bucket, nowMs + REPORT_DELAY_MS);
      else if (bucket.isLow(nowMs)) this.#scheduleQuery(limit, bucket, nowMs);
    }
    return { kind: "taken", taken };
  }

  /** Returns requests that were taken, and that another limit then refused. */
  returnRequests(taken: readonly TakenRequest[], nowMs: number): void {
    for (const { bucket, grant } of taken) bucket.returnRequest(grant, nowMs);
  }

  /** Counts a request that waits for the database. */
  startWaiting(states: readonly LimitState[], buckets: readonly NodeBucket[], nowMs: number): void {
    for (const { limit, buckets: own } of states) {
      const bucket = own.get("requests");
      if (bucket === undefined || !buckets.includes(bucket)) continue;
      bucket.waitingRequests += 1;
      this.#scheduleQuery(limit, bucket, nowMs);
    }
  }

  /** Charges the tokens of a request, also beyond the level. */
  chargeTokens(
    states: readonly LimitState[],
    used: Record<"input" | "output", number>,
    nowMs: number,
  ): void {
    for (const { limit, buckets } of states) {
      for (const [kind, tokens] of [
        ["input_tokens", used.input],
        ["output_tokens", used.output],
      ] as const) {
        const bucket = buckets.get(kind);
        if (bucket === undefined || tokens <= 0) continue;
        bucket.charge(tokens, nowMs);
        this.#scheduleQuery(limit, bucket, nowMs + REPORT_DELAY_MS);
      }
    }
  }

  /** Returns the queries of one statement, and removes them from `#due`. */
  takeQueries(nowMs: number): SentQuery[] {
    const queries: SentQuery[] = [];
    for (const [bucket, { limitId }] of this.#due) {
      if (queries.length === MAX_QUERIES) break;
      this.#due.delete(bucket);
      queries.push({ bucket, query: { limitId, ...bucket.createQuery(nowMs) } });
    }
    this.#findNextDue();
    return queries;
  }

  /** Applies the results, in the order of `queries`. Null: the limit was deleted. */
  applyResults(
    queries: readonly SentQuery[],
    results: readonly ((BucketResult & { revision: bigint }) | null)[],
    times: { sentMs: number; nowMs: number },
  ): void {
    this.#isStandalone = false;
    this.#pausedUntilMs = 0;
    for (const [index, { bucket, query }] of queries.entries()) {
      const result = results[index] ?? null;
      const known = this.#states.get(query.limitId)?.limit;
      if (result === null) bucket.markDeleted();
      if (result === null || known === undefined) continue;
      // Ignores a grant of a limit that this node knows to be replaced.
      const granted = result.revision < known.revision ? 0 : result.granted;
      bucket.applyResult({ ...result, granted }, times);
    }
  }

  /** Records a failed statement. The node continues by itself, and reports its use when the database is back. */
  recordFailure(queries: readonly SentQuery[], retryAtMs: number): void {
    this.#isStandalone = true;
    this.#pausedUntilMs = retryAtMs;
    for (const { bucket, query } of queries) {
      const state = this.#states.get(query.limitId);
      if (state?.buckets.get(bucket.kind) === bucket)
        this.#scheduleQuery(state.limit, bucket, retryAtMs);
    }
  }

  #getState(limit: RateLimit, nowMs: number): LimitState {
    const known = this.#states.get(limit.id);
    if (known !== undefined) return known;
    const state: LimitState = { limit, buckets: new Map() };
    for (const kind of rateKinds) {
      const perMinute = limit.perMinute[kind];
      if (perMinute !== null) state.buckets.set(kind, new NodeBucket(kind, perMinute, nowMs));
    }
    this.#states.set(limit.id, state);
    return state;
  }

  #refreshTokens(limit: RateLimit, bucket: NodeBucket, nowMs: number): void {
    if (bucket.kind === "requests" || !bucket.isStale(nowMs, REFRESH_AFTER_MS)) return;
    this.#scheduleQuery(limit, bucket, nowMs);
  }

  #scheduleQuery(limit: RateLimit, bucket: NodeBucket, atMs: number): void {
    const known = this.#due.get(bucket);
    if (known === undefined) this.#due.set(bucket, { limitId: limit.id, atMs });
    else known.atMs = Math.min(known.atMs, atMs);
    this.#nextDueMs = Math.min(this.#nextDueMs, atMs);
  }

  #findNextDue(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#due.values()) next = Math.min(next, atMs);
    this.#nextDueMs = next;
  }
}

/** True if the limit applies to requests of this group. */
export function coversGroup({ modelGroup }: Pick<RateLimit, "modelGroup">, group: string): boolean {
  return modelGroup === group || (modelGroup === ALL_MODELS && group !== TOKEN_COUNT);
}

/** Changes the limits of existing buckets, so that the use of running requests counts. */
function changeState(state: LimitState, limit: RateLimit, nowMs: number): void {
  state.limit = limit;
  for (const kind of rateKinds) {
    const perMinute = limit.perMinute[kind];
    const bucket = state.buckets.get(kind);
    if (perMinute === null) state.buckets.delete(kind);
    else if (bucket === undefined) state.buckets.set(kind, new NodeBucket(kind, perMinute, nowMs));
    else bucket.reset(perMinute, nowMs);
  }
}

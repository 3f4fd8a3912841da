import { ALL_MODELS, TOKEN_COUNT } from "#src/domain/model-groups.ts";
import { type RateKind, rateKinds } from "./bucket.ts";
import type { RateLimit } from "./limits.sql.ts";
import { type BucketAnswer, type BucketAsk, NodeBucket } from "./node-bucket.ts";

// Which limits apply to a request on this node, and what they say, pure: rate-limiter.ts has the clock, the timer and the
// database.

/** Whose request it is, and for which group of models. */
export interface RateScope {
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
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
  /** Until there is room in all limits that have none. */
  retryAfterMs: number;
}

export interface SentAsk {
  bucket: NodeBucket;
  ask: BucketAsk;
}

export type RateDecision = { kind: "taken" } | RateRefusal | { kind: "ask"; buckets: NodeBucket[] };

const TAKEN: RateDecision = { kind: "taken" };
/** How late the others may know what this node's requests have used. */
const TELL_AFTER_MS = 100;
/** A node whose requests ask for a bucket of tokens looks at least this often what the others have used of it. */
const LOOK_AFTER_MS = 250;
/** In one statement; the rest follows in the next one. */
const MAX_ASKS = 500;

export class NodeRates {
  /** By organization, then by scope: of an organization without limits there is nothing. */
  #limits = new Map<string, Map<string, RateLimit[]>>();
  readonly #states = new Map<string, LimitState>();
  /** When to ask for a bucket at the latest; those that are not here have nothing to ask. */
  #due = new Map<NodeBucket, { limitId: string; atMs: number }>();
  /** Of those the earliest. */
  #nextDueMs = Number.POSITIVE_INFINITY;
  #isAlone = false;
  /** Until then nothing is asked: the database did not answer a moment ago. */
  #pausedUntilMs = 0;

  /** The database does not answer: this node goes on by itself, at the configured rates. */
  get isAlone(): boolean {
    return this.#isAlone;
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
    }
    for (const [bucket, { limitId }] of this.#due) {
      const buckets = this.#states.get(limitId)?.buckets;
      if (buckets?.get(bucket.kind) !== bucket) this.#due.delete(bucket);
    }
  }

  /** The limits that the request must find room in; null where there are none, at the price of one look into a map. */
  find(scope: RateScope, nowMs: number): LimitState[] | null {
    const byScope = this.#limits.get(scope.organizationId);
    if (byScope === undefined) return null;
    const found: LimitState[] = [];
    for (const scopeId of [scope.apiKeyId, scope.workspaceId, scope.organizationId]) {
      for (const limit of byScope.get(scopeId) ?? []) {
        if (appliesTo(limit, scope.modelGroup)) found.push(this.#stateOf(limit, nowMs));
      }
    }
    return found.length === 0 ? null : found;
  }

  /** All limits or none. Takes the request from each where all have room. */
  decide(states: readonly LimitState[], nowMs: number): RateDecision {
    let refusal: RateRefusal | null = null;
    const unknown: NodeBucket[] = [];
    for (const { limit, buckets } of states) {
      for (const bucket of buckets.values()) {
        this.#lookAtTokens(limit, bucket, nowMs);
        const room = bucket.room(nowMs, this.#isAlone);
        if (room === "yes") continue;
        if (room === "ask") unknown.push(bucket);
        else if (refusal === null || room > refusal.retryAfterMs) {
          refusal = { kind: "refused", limit, rateKind: bucket.kind, retryAfterMs: room };
        }
      }
    }
    if (refusal !== null) return refusal;
    if (unknown.length > 0) return { kind: "ask", buckets: unknown };
    for (const { limit, buckets } of states) {
      const bucket = buckets.get("requests");
      if (bucket === undefined) continue;
      bucket.take(nowMs);
      if (bucket.hasUse(nowMs)) this.#ask(limit, bucket, nowMs + TELL_AFTER_MS);
      else if (bucket.isLow(nowMs)) this.#ask(limit, bucket, nowMs);
    }
    return TAKEN;
  }

  /** A request begins or stops to wait for what only the database knows. */
  wait(states: readonly LimitState[], buckets: readonly NodeBucket[], nowMs: number): void {
    for (const { limit, buckets: own } of states) {
      const bucket = own.get("requests");
      if (bucket === undefined || !buckets.includes(bucket)) continue;
      bucket.waiting += 1;
      this.#ask(limit, bucket, nowMs);
    }
  }

  /** Tokens that a request has used, however many there were. */
  use(
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
        bucket.use(tokens, nowMs);
        this.#ask(limit, bucket, nowMs + TELL_AFTER_MS);
      }
    }
  }

  /** What one statement asks, of all buckets that have anything to ask. */
  asks(nowMs: number): SentAsk[] {
    const asks: SentAsk[] = [];
    for (const [bucket, { limitId }] of this.#due) {
      if (asks.length === MAX_ASKS) break;
      this.#due.delete(bucket);
      asks.push({ bucket, ask: { limitId, ...bucket.ask(nowMs) } });
    }
    this.#findNextDue();
    return asks;
  }

  /** `answers` in the order of `asks`; null for a limit that is gone. */
  answered(
    asks: readonly SentAsk[],
    answers: readonly ((BucketAnswer & { revision: bigint }) | null)[],
    times: { sentMs: number; nowMs: number },
  ): void {
    this.#isAlone = false;
    this.#pausedUntilMs = 0;
    for (const [index, { bucket, ask }] of asks.entries()) {
      const answer = answers[index] ?? null;
      const known = this.#states.get(ask.limitId)?.limit;
      if (answer === null) bucket.end();
      if (answer === null || known === undefined) continue;
      // Granted under a limit that this node knows to be replaced.
      const granted = answer.revision < known.revision ? 0 : answer.granted;
      bucket.answered({ ...answer, granted }, times);
    }
  }

  /** Nothing was heard of: the node goes on by itself, and tells what it has used when it is heard again. */
  failed(asks: readonly SentAsk[], againAtMs: number): void {
    this.#isAlone = true;
    this.#pausedUntilMs = againAtMs;
    for (const { bucket, ask } of asks) {
      const state = this.#states.get(ask.limitId);
      if (state?.buckets.get(bucket.kind) === bucket) this.#ask(state.limit, bucket, againAtMs);
    }
  }

  #stateOf(limit: RateLimit, nowMs: number): LimitState {
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

  #lookAtTokens(limit: RateLimit, bucket: NodeBucket, nowMs: number): void {
    if (bucket.kind === "requests" || !bucket.isStale(nowMs, LOOK_AFTER_MS)) return;
    this.#ask(limit, bucket, nowMs);
  }

  #ask(limit: RateLimit, bucket: NodeBucket, atMs: number): void {
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

/** True of a limit that messages of the group, or the counting of tokens, must find room in. */
export function appliesTo({ modelGroup }: Pick<RateLimit, "modelGroup">, asked: string): boolean {
  return modelGroup === asked || (modelGroup === ALL_MODELS && asked !== TOKEN_COUNT);
}

/** The same buckets with other limits, so that what running requests use counts. */
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

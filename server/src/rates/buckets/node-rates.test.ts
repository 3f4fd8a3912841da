import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capacityOf, GRANT_LIFE_MS, maxRequestsPerWindow, ROUNDING, refill } from "./bucket.ts";
import type { PerMinute, RateLimit } from "./limits.sql.ts";
import { type BucketQuery, NodeBucket } from "./node-bucket.ts";
import { type LimitState, NodeRates, type SentQuery } from "./node-rates.ts";

// Nodes with a model of the shared buckets. Queries can be slow or lost, and the guarantee of the limit is checked.
// rate-limiter.test.ts checks the same rules with real statements.

const scope = {
  organizationId: "org",
  workspaceId: "wksp",
  apiKeyId: "apikey",
  modelGroup: "sonnet_5",
};

function limitOf(perMinute: Partial<PerMinute>, fields: Partial<RateLimit> = {}): RateLimit {
  return {
    id: "rlim",
    organizationId: "org",
    scopeType: "workspace",
    scopeId: "wksp",
    modelGroup: "all",
    perMinute: { requests: null, input_tokens: null, output_tokens: null, ...perMinute },
    revision: 1n,
    createdAt: new Date(0),
    updatedAt: new Date(0),
    ...fields,
  };
}

/** Model of buckets.sql.ts. Its clock can jump. Each node has its own clock. */
class SharedBuckets {
  readonly #limit: RateLimit;
  readonly #levels = new Map<string, { level: number; atMs: number }>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  answer({ kind, wanted, used }: BucketQuery, atMs: number) {
    const perMinute = this.#limit.perMinute[kind] ?? 0;
    const capacity = capacityOf(kind, perMinute);
    const known = this.#levels.get(kind) ?? { level: capacity, atMs };
    const elapsedMs = atMs - known.atMs;
    const filled = refill(known.level, { capacity, perMinute, elapsedMs });
    const granted = Math.min(wanted, Math.max(0, Math.floor(filled + ROUNDING)));
    const level = filled - granted - used;
    this.#levels.set(kind, { level, atMs });
    return { granted, level, revision: this.#limit.revision };
  }
}

interface Flight {
  queries: SentQuery[];
  sentMs: number;
}

/** Node like in rate-limiter.ts: one query at a time, with requests that wait for it. */
class Node {
  readonly rates = new NodeRates();
  flight: Flight | null = null;
  waiting: LimitState[][] = [];
  readonly takenAtMs: number[] = [];

  constructor(limit: RateLimit) {
    this.rates.replaceLimits([limit], 0);
  }

  request(nowMs: number): ReturnType<NodeRates["decide"]> {
    const states = this.rates.findLimits(scope, nowMs) ?? [];
    const decision = this.rates.decide(states, nowMs);
    if (decision.kind === "taken") this.takenAtMs.push(nowMs);
    if (decision.kind === "query") {
      this.waiting.push(states);
      this.rates.startWaiting(states, decision.buckets, nowMs);
    }
    return decision;
  }

  send(nowMs: number): Flight | null {
    if (this.flight !== null || this.rates.nextDueMs > nowMs) return null;
    this.flight = { queries: this.rates.takeQueries(nowMs), sentMs: nowMs };
    return this.flight;
  }

  receive(answers: Parameters<NodeRates["applyResults"]>[1], nowMs: number): void {
    if (this.flight === null) return;
    const { queries, sentMs } = this.flight;
    this.flight = null;
    this.rates.applyResults(queries, answers, { sentMs, nowMs });
    this.decideWaiting(nowMs);
  }

  lose(nowMs: number): void {
    if (this.flight === null) return;
    const { queries } = this.flight;
    this.flight = null;
    this.rates.recordFailure(queries, nowMs + 500);
    this.decideWaiting(nowMs);
  }

  decideWaiting(nowMs: number): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const states of waiting) {
      for (const { buckets } of states) {
        const bucket = buckets.get("requests");
        if (bucket) bucket.waitingRequests = 0;
      }
    }
    for (let i = 0; i < waiting.length; i++) this.request(nowMs);
  }
}

/** Returns a window with more requests than the limit guarantees, if there is one. */
function findBrokenWindow(takenAtMs: readonly number[], perMinute: number) {
  const sorted = takenAtMs.toSorted((a, b) => a - b);
  for (let from = 0; from < sorted.length; from++) {
    for (let to = from; to < sorted.length; to++) {
      const windowMs = (sorted[to] ?? 0) - (sorted[from] ?? 0);
      const requests = to - from + 1;
      if (requests > maxRequestsPerWindow(windowMs, perMinute) + ROUNDING)
        return { windowMs, requests };
    }
  }
  return null;
}

const step = fc.record({
  node: fc.nat(2),
  passMs: fc.oneof(fc.nat(40), fc.nat(3_000)),
  what: fc.constantFrom(
    "request",
    "request",
    "request",
    "burst",
    "query",
    "query",
    "answer",
    "answer",
  ),
});

describe("requests", () => {
  test("all nodes together never send more than bucket and refill in any window", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 7, 30, 60, 600, 6_000),
        fc.array(step, { minLength: 20, maxLength: 200 }),
        // Duration of a query in both directions, and jumps of the database's clock.
        fc.infiniteStream(
          fc.record({ thereMs: fc.nat(300), jumpMs: fc.integer({ min: -2_000, max: 0 }) }),
        ),
        (perMinute, steps, times) => {
          const limit = limitOf({ requests: perMinute });
          const shared = new SharedBuckets(limit);
          const nodes = [new Node(limit), new Node(limit), new Node(limit)];
          const answers = new Map<Node, Parameters<NodeRates["applyResults"]>[1]>();
          let nowMs = 0;
          let jumpedMs = 0;
          for (const { node: which, passMs, what } of steps) {
            nowMs += passMs;
            const node = nodes[which] ?? new Node(limit);
            const answer = answers.get(node);
            if (what === "request") node.request(nowMs);
            else if (what === "burst") for (let i = 0; i < 20; i++) node.request(nowMs);
            else if (what === "query") {
              const flight = node.send(nowMs);
              if (flight === null) continue;
              const { value: time } = times.next();
              nowMs += time.thereMs;
              jumpedMs += time.jumpMs;
              answers.set(
                node,
                flight.queries.map(({ query }) => shared.answer(query, nowMs + jumpedMs)),
              );
            } else if (answer !== undefined) {
              answers.delete(node);
              node.receive(answer, nowMs);
            }
          }
          const all = nodes.flatMap(({ takenAtMs }) => takenAtMs);
          expect(findBrokenWindow(all, perMinute)).toBeNull();
        },
      ),
      { numRuns: 300 },
    );
  });

  test("a request is accepted after the announced wait, if no other request was first", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (perMinute) => {
        const limit = limitOf({ requests: perMinute });
        const shared = new SharedBuckets(limit);
        const node = new Node(limit);
        let nowMs = 0;
        for (let refused = 0; refused < 3; ) {
          const decision = node.request(nowMs);
          if (decision.kind === "refused") {
            refused += 1;
            nowMs += decision.retryAfterMs;
            const before = node.takenAtMs.length;
            if (node.request(nowMs).kind === "query") sendQuery(node, shared, nowMs);
            expect(node.takenAtMs.length).toBe(before + 1);
          } else if (decision.kind === "query") sendQuery(node, shared, nowMs);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("a node gets grants ahead of its traffic, which expire unused after two seconds", () => {
    const limit = limitOf({ requests: 60_000 });
    const shared = new SharedBuckets(limit);
    const node = new Node(limit);
    let questions = 0;
    let waited = 0;
    for (let nowMs = 0; nowMs < 5_000; nowMs++) {
      if (node.request(nowMs).kind === "query") waited += 1;
      if (node.rates.nextDueMs > nowMs) continue;
      questions += 1;
      sendQuery(node, shared, nowMs);
    }
    expect(node.takenAtMs).toHaveLength(5_000);
    // The traffic is unknown in the first quarter of a second. After that no request waits.
    expect(waited).toBeLessThanOrEqual(300);
    expect(questions - waited).toBeLessThan(30);
    const states = node.rates.findLimits(scope, 5_000) ?? [];
    const [state] = states;
    const held = () => state?.buckets.get("requests")?.checkRoom(5_000 + GRANT_LIFE_MS, false);
    expect(held()).toBe("query");
  });

  test("grants of a replaced limit are not used", () => {
    const limit = limitOf({ requests: 6_000 });
    const shared = new SharedBuckets(limit);
    const node = new Node(limit);
    for (let nowMs = 0; nowMs < 1_000; nowMs += 20) {
      node.request(nowMs);
      if (node.rates.nextDueMs <= nowMs) sendQuery(node, shared, nowMs);
    }
    node.rates.replaceLimits([limitOf({ requests: 1 }, { revision: 2n })], 1_000);
    expect(node.request(1_000).kind).toBe("query");
    // The result from before the change grants nothing.
    sendQuery(node, shared, 1_000);
    expect(node.request(1_001).kind).toBe("query");
    node.rates.replaceLimits([], 1_001);
    expect(node.rates.findLimits(scope, 1_001)).toBeNull();
  });
});

describe("tokens", () => {
  test("excess use must be refilled, and a full bucket accepts a request of any size", () => {
    const limit = limitOf({ input_tokens: 60_000 });
    const node = new Node(limit);
    const states = node.rates.findLimits(scope, 0) ?? [];
    expect(node.rates.decide(states, 0).kind).toBe("taken");
    node.rates.chargeTokens(states, { input: 65_000, output: 9 }, 0);
    // 5,000 were available. The other 60,001 refill at 1,000 a second.
    expect(node.rates.decide(states, 0)).toMatchObject({
      kind: "refused",
      rateKind: "input_tokens",
      retryAfterMs: 60_001,
    });
    expect(node.rates.decide(states, 60_000).kind).toBe("refused");
    expect(node.rates.decide(states, 60_001).kind).toBe("taken");
  });

  test("each node's use is counted once, and no node refuses a request that has room", () => {
    const use = fc.record({
      node: fc.nat(1),
      passMs: fc.nat(2_000),
      what: fc.constantFrom("use", "use", "query", "answer", "lose"),
      tokens: fc.integer({ min: 1, max: 20_000 }),
    });
    fc.assert(
      fc.property(fc.array(use, { maxLength: 120 }), (steps) => {
        const perMinute = 60_000;
        const limit = limitOf({ output_tokens: perMinute });
        const shared = new SharedBuckets(limit);
        const nodes = [new Node(limit), new Node(limit)];
        const answers = new Map<Node, Parameters<NodeRates["applyResults"]>[1]>();
        let nowMs = 0;
        for (const { node: which, passMs, what, tokens } of steps) {
          nowMs += passMs;
          const node = nodes[which];
          if (node === undefined) continue;
          const states = node.rates.findLimits(scope, nowMs) ?? [];
          const answer = answers.get(node);
          if (what === "use") node.rates.chargeTokens(states, { input: 0, output: tokens }, nowMs);
          else if (what === "query") {
            const flight = node.send(nowMs);
            if (flight !== null) {
              answers.set(
                node,
                flight.queries.map(({ query }) => shared.answer(query, nowMs)),
              );
            }
          } else if (what === "answer" && answer !== undefined) {
            answers.delete(node);
            node.receive(answer, nowMs);
          } else if (what === "lose" && answer === undefined && node.flight === null) {
            // A lost query.
            if (node.send(nowMs) !== null) node.lose(nowMs);
          }
        }
        // After all use is reported, all nodes know the level of the bucket.
        nowMs += 600;
        for (let round = 0; round < 2; round++) {
          for (const node of nodes) {
            const pending = answers.get(node);
            answers.delete(node);
            if (pending !== undefined) node.receive(pending, nowMs);
            const states = node.rates.findLimits(scope, nowMs) ?? [];
            node.rates.chargeTokens(states, { input: 0, output: 1 }, nowMs);
            nowMs += 600;
            sendQuery(node, shared, nowMs);
          }
        }
        const level = shared.answer(
          { limitId: limit.id, kind: "output_tokens", wanted: 0, used: 0 },
          nowMs,
        ).level;
        for (const node of nodes) {
          const [state] = node.rates.findLimits(scope, nowMs) ?? [];
          const known = state?.buckets.get("output_tokens")?.remaining(nowMs) ?? Number.NaN;
          // At most the last token of the other node can be unknown here.
          expect(known).toBeGreaterThanOrEqual(level - 1e-3);
          expect(known - level).toBeLessThanOrEqual(1 + 1e-3);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("a node without its database", () => {
  test("continues at the configured rate, and reports its use when the database is back", () => {
    const limit = limitOf({ requests: 60 });
    const shared = new SharedBuckets(limit);
    const node = new Node(limit);
    expect(node.request(0).kind).toBe("query");
    node.send(0);
    node.lose(1_000);
    const sent = () => node.takenAtMs.length;
    expect(sent()).toBe(1);
    for (let nowMs = 1_000; nowMs < 61_000; nowMs += 100) node.request(nowMs);
    // Three seconds of refill in the bucket, and a minute of refill.
    expect(sent()).toBeGreaterThanOrEqual(62);
    expect(sent()).toBeLessThanOrEqual(63);
    // Without the report, the bucket would be full with three requests.
    const before = sent();
    for (let nowMs = 61_000; nowMs < 61_500; nowMs += 10) {
      node.request(nowMs);
      if (node.rates.nextDueMs <= nowMs) sendQuery(node, shared, nowMs);
    }
    expect(sent() - before).toBeLessThanOrEqual(1);
  });
});

describe("limits of a request", () => {
  const limits = [
    limitOf({ requests: 1 }, { id: "key", scopeType: "api_key", scopeId: "apikey" }),
    limitOf({ requests: 1 }, { id: "workspace", modelGroup: "sonnet_5" }),
    limitOf({ requests: 1 }, { id: "elsewhere", scopeId: "wksp_other" }),
    limitOf({ requests: 1 }, { id: "other_group", modelGroup: "opus_5" }),
    limitOf({ requests: 1 }, { id: "counting", modelGroup: "token_count" }),
    limitOf({ requests: 1 }, { id: "all", scopeType: "organization", scopeId: "org" }),
    limitOf({ requests: 1 }, { id: "foreign", organizationId: "org2" }),
  ];
  const idsFor = (modelGroup: string) => {
    const rates = new NodeRates();
    rates.replaceLimits(limits, 0);
    return rates.findLimits({ ...scope, modelGroup }, 0)?.map(({ limit }) => limit.id);
  };

  test("are those of key, workspace and organization, for the model's group and for all models", () => {
    expect(idsFor("sonnet_5")).toEqual(["key", "workspace", "all"]);
    expect(idsFor("haiku_4_5")).toEqual(["key", "all"]);
  });

  test("are only those of token counting for a token count", () => {
    expect(idsFor("token_count")).toEqual(["counting"]);
  });

  test("all have room, or the request takes from none", () => {
    const rates = new NodeRates();
    const wide = limitOf({ requests: 600 }, { id: "wide" });
    const narrow = limitOf(
      { output_tokens: 60 },
      { id: "narrow", scopeType: "api_key", scopeId: "apikey" },
    );
    rates.replaceLimits([wide, narrow], 0);
    const states = rates.findLimits(scope, 0) ?? [];
    rates.chargeTokens(states, { input: 0, output: 100 }, 0);
    expect(rates.decide(states, 0)).toMatchObject({ kind: "refused", limit: { id: "narrow" } });
    const [, wideState] = states;
    expect(wideState?.limit.id).toBe("wide");
    expect(wideState?.buckets.get("requests")?.remaining(0)).toBe(30);
  });
});

function sendQuery(node: Node, shared: SharedBuckets, nowMs: number): void {
  const flight = node.send(nowMs);
  if (flight === null) throw new Error("the node has no query to send");
  node.receive(
    flight.queries.map(({ query }) => shared.answer(query, nowMs)),
    nowMs,
  );
}

describe("a returned request", () => {
  const nodeWith = (perMinute: number) => new NodeBucket("requests", perMinute, 0);
  const grantTo = (bucket: NodeBucket, granted: number) =>
    bucket.applyResult({ granted, level: 0 }, { sentMs: 0, nowMs: 0 });

  test("can be taken again until its grant ends", () => {
    const bucket = nodeWith(60);
    grantTo(bucket, 1);
    const grant = bucket.takeRequest(0);
    bucket.returnRequest(grant, 1_000);
    expect(bucket.checkRoom(1_999, false)).toBe("yes");
    expect(bucket.checkRoom(2_000, false)).not.toBe("yes");
  });

  test("is lost if its grant ended or its limit changed", () => {
    const bucket = nodeWith(60);
    grantTo(bucket, 1);
    const grant = bucket.takeRequest(0);
    bucket.reset(30, 1_000);
    bucket.returnRequest(grant, 1_000);
    expect(bucket.checkRoom(1_000, false)).toBe("query");
    const changed = nodeWith(60);
    grantTo(changed, 1);
    changed.returnRequest(changed.takeRequest(0), 2_000);
    expect(changed.checkRoom(2_000, false)).not.toBe("yes");
  });

  test("of a node without the database is as if it was never taken", () => {
    const bucket = nodeWith(20);
    bucket.returnRequest(bucket.takeRequest(0), 0);
    expect([bucket.checkRoom(0, true), bucket.hasUnreportedUse(0)]).toEqual(["yes", false]);
  });
});

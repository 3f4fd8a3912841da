import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capacityOf, GRANT_LIFE_MS, mostRequestsIn, ROUNDING, refill } from "./bucket.ts";
import type { PerMinute, RateLimit } from "./limits.sql.ts";
import type { BucketAsk } from "./node-bucket.ts";
import { type LimitState, NodeRates, type SentAsk } from "./node-rates.ts";

// Nodes on a model of the shared buckets: everything that can happen to their questions, checked against what a limit
// promises. The same rules against real statements are in rate-limiter.test.ts.

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

/** The shared buckets as buckets.sql.ts has them. Its clock may jump; nodes have clocks of their own. */
class SharedBuckets {
  readonly #limit: RateLimit;
  readonly #levels = new Map<string, { level: number; atMs: number }>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  answer({ kind, wanted, used }: BucketAsk, atMs: number) {
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
  asks: SentAsk[];
  sentMs: number;
}

/** A node, as rate-limiter.ts runs it: one question at a time, requests that need its answer wait. */
class Node {
  readonly rates = new NodeRates();
  flight: Flight | null = null;
  waiting: LimitState[][] = [];
  readonly takenAtMs: number[] = [];

  constructor(limit: RateLimit) {
    this.rates.replaceLimits([limit], 0);
  }

  request(nowMs: number): ReturnType<NodeRates["decide"]> {
    const states = this.rates.find(scope, nowMs) ?? [];
    const decision = this.rates.decide(states, nowMs);
    if (decision.kind === "taken") this.takenAtMs.push(nowMs);
    if (decision.kind === "ask") {
      this.waiting.push(states);
      this.rates.wait(states, decision.buckets, nowMs);
    }
    return decision;
  }

  send(nowMs: number): Flight | null {
    if (this.flight !== null || this.rates.nextDueMs > nowMs) return null;
    this.flight = { asks: this.rates.asks(nowMs), sentMs: nowMs };
    return this.flight;
  }

  receive(answers: Parameters<NodeRates["answered"]>[1], nowMs: number): void {
    if (this.flight === null) return;
    const { asks, sentMs } = this.flight;
    this.flight = null;
    this.rates.answered(asks, answers, { sentMs, nowMs });
    this.decideWaiting(nowMs);
  }

  lose(nowMs: number): void {
    if (this.flight === null) return;
    const { asks } = this.flight;
    this.flight = null;
    this.rates.failed(asks, nowMs + 500);
    this.decideWaiting(nowMs);
  }

  decideWaiting(nowMs: number): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const states of waiting) {
      for (const { buckets } of states) {
        const bucket = buckets.get("requests");
        if (bucket) bucket.waiting = 0;
      }
    }
    for (let i = 0; i < waiting.length; i++) this.request(nowMs);
  }
}

/** No window of the moments has more of them than the limit promises. */
function findBrokenWindow(takenAtMs: readonly number[], perMinute: number) {
  const sorted = takenAtMs.toSorted((a, b) => a - b);
  for (let from = 0; from < sorted.length; from++) {
    for (let to = from; to < sorted.length; to++) {
      const windowMs = (sorted[to] ?? 0) - (sorted[from] ?? 0);
      const requests = to - from + 1;
      if (requests > mostRequestsIn(windowMs, perMinute) + ROUNDING) return { windowMs, requests };
    }
  }
  return null;
}

const step = fc.record({
  node: fc.nat(2),
  passMs: fc.oneof(fc.nat(40), fc.nat(3_000)),
  what: fc.constantFrom("request", "request", "request", "burst", "ask", "ask", "answer", "answer"),
});

describe("requests", () => {
  test("all nodes together never send more than the bucket and its refill, in any window", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 7, 30, 60, 600, 6_000),
        fc.array(step, { minLength: 20, maxLength: 200 }),
        // What the answer of a question takes on its way there and back, and the jumps of the database's clock.
        fc.infiniteStream(
          fc.record({ thereMs: fc.nat(300), jumpMs: fc.integer({ min: -2_000, max: 0 }) }),
        ),
        (perMinute, steps, times) => {
          const limit = limitOf({ requests: perMinute });
          const shared = new SharedBuckets(limit);
          const nodes = [new Node(limit), new Node(limit), new Node(limit)];
          const answers = new Map<Node, Parameters<NodeRates["answered"]>[1]>();
          let nowMs = 0;
          let jumpedMs = 0;
          for (const { node: which, passMs, what } of steps) {
            nowMs += passMs;
            const node = nodes[which] ?? new Node(limit);
            const answer = answers.get(node);
            if (what === "request") node.request(nowMs);
            else if (what === "burst") for (let i = 0; i < 20; i++) node.request(nowMs);
            else if (what === "ask") {
              const flight = node.send(nowMs);
              if (flight === null) continue;
              const { value: time } = times.next();
              nowMs += time.thereMs;
              jumpedMs += time.jumpMs;
              answers.set(
                node,
                flight.asks.map(({ ask }) => shared.answer(ask, nowMs + jumpedMs)),
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

  test("whoever comes again when it was told to is let through, if nobody was faster", () => {
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
            if (node.request(nowMs).kind === "ask") ask(node, shared, nowMs);
            expect(node.takenAtMs.length).toBe(before + 1);
          } else if (decision.kind === "ask") ask(node, shared, nowMs);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("a node asks ahead of its traffic, and what it does not use is gone after two seconds", () => {
    const limit = limitOf({ requests: 60_000 });
    const shared = new SharedBuckets(limit);
    const node = new Node(limit);
    let questions = 0;
    let waited = 0;
    for (let nowMs = 0; nowMs < 5_000; nowMs++) {
      if (node.request(nowMs).kind === "ask") waited += 1;
      if (node.rates.nextDueMs > nowMs) continue;
      questions += 1;
      ask(node, shared, nowMs);
    }
    expect(node.takenAtMs).toHaveLength(5_000);
    // In the first quarter of a second it does not know its traffic yet; from then on no request waits.
    expect(waited).toBeLessThanOrEqual(300);
    expect(questions - waited).toBeLessThan(30);
    const states = node.rates.find(scope, 5_000) ?? [];
    const [state] = states;
    const held = () => state?.buckets.get("requests")?.room(5_000 + GRANT_LIFE_MS, false);
    expect(held()).toBe("ask");
  });

  test("what was granted under a limit that is replaced is not used", () => {
    const limit = limitOf({ requests: 6_000 });
    const shared = new SharedBuckets(limit);
    const node = new Node(limit);
    for (let nowMs = 0; nowMs < 1_000; nowMs += 20) {
      node.request(nowMs);
      if (node.rates.nextDueMs <= nowMs) ask(node, shared, nowMs);
    }
    node.rates.replaceLimits([limitOf({ requests: 1 }, { revision: 2n })], 1_000);
    expect(node.request(1_000).kind).toBe("ask");
    // The answer of before the change gives nothing any more.
    ask(node, shared, 1_000);
    expect(node.request(1_001).kind).toBe("ask");
    node.rates.replaceLimits([], 1_001);
    expect(node.rates.find(scope, 1_001)).toBeNull();
  });
});

describe("tokens", () => {
  test("what is used beyond the bucket is waited for, and a full bucket takes a request of any size", () => {
    const limit = limitOf({ input_tokens: 60_000 });
    const node = new Node(limit);
    const states = node.rates.find(scope, 0) ?? [];
    expect(node.rates.decide(states, 0).kind).toBe("taken");
    node.rates.use(states, { input: 65_000, output: 9 }, 0);
    // 5,000 were there; 60,001 at 1,000 a second.
    expect(node.rates.decide(states, 0)).toMatchObject({
      kind: "refused",
      rateKind: "input_tokens",
      retryAfterMs: 60_001,
    });
    expect(node.rates.decide(states, 60_000).kind).toBe("refused");
    expect(node.rates.decide(states, 60_001).kind).toBe("taken");
  });

  test("each node's use arrives once, whatever is under way; a node never refuses what the bucket has room for", () => {
    const use = fc.record({
      node: fc.nat(1),
      passMs: fc.nat(2_000),
      what: fc.constantFrom("use", "use", "ask", "answer", "lose"),
      tokens: fc.integer({ min: 1, max: 20_000 }),
    });
    fc.assert(
      fc.property(fc.array(use, { maxLength: 120 }), (steps) => {
        const perMinute = 60_000;
        const limit = limitOf({ output_tokens: perMinute });
        const shared = new SharedBuckets(limit);
        const nodes = [new Node(limit), new Node(limit)];
        const answers = new Map<Node, Parameters<NodeRates["answered"]>[1]>();
        let nowMs = 0;
        for (const { node: which, passMs, what, tokens } of steps) {
          nowMs += passMs;
          const node = nodes[which];
          if (node === undefined) continue;
          const states = node.rates.find(scope, nowMs) ?? [];
          const answer = answers.get(node);
          if (what === "use") node.rates.use(states, { input: 0, output: tokens }, nowMs);
          else if (what === "ask") {
            const flight = node.send(nowMs);
            if (flight !== null) {
              answers.set(
                node,
                flight.asks.map(({ ask }) => shared.answer(ask, nowMs)),
              );
            }
          } else if (what === "answer" && answer !== undefined) {
            answers.delete(node);
            node.receive(answer, nowMs);
          } else if (what === "lose" && answer === undefined && node.flight === null) {
            // A question that never arrived.
            if (node.send(nowMs) !== null) node.lose(nowMs);
          }
        }
        // Everything is told at last: then all know the same, and it is what the bucket has.
        nowMs += 600;
        for (let round = 0; round < 2; round++) {
          for (const node of nodes) {
            const pending = answers.get(node);
            answers.delete(node);
            if (pending !== undefined) node.receive(pending, nowMs);
            const states = node.rates.find(scope, nowMs) ?? [];
            node.rates.use(states, { input: 0, output: 1 }, nowMs);
            nowMs += 600;
            ask(node, shared, nowMs);
          }
        }
        const level = shared.answer(
          { limitId: limit.id, kind: "output_tokens", wanted: 0, used: 0 },
          nowMs,
        ).level;
        for (const node of nodes) {
          const [state] = node.rates.find(scope, nowMs) ?? [];
          const known = state?.buckets.get("output_tokens")?.remaining(nowMs) ?? Number.NaN;
          // The other node's last token is all that this one may not know of.
          expect(known).toBeGreaterThanOrEqual(level - 1e-3);
          expect(known - level).toBeLessThanOrEqual(1 + 1e-3);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("a node without its database", () => {
  test("goes on at the configured rate, and tells what it used when it is heard again", () => {
    const limit = limitOf({ requests: 60 });
    const shared = new SharedBuckets(limit);
    const node = new Node(limit);
    expect(node.request(0).kind).toBe("ask");
    node.send(0);
    node.lose(1_000);
    const sent = () => node.takenAtMs.length;
    expect(sent()).toBe(1);
    for (let nowMs = 1_000; nowMs < 61_000; nowMs += 100) node.request(nowMs);
    // Three seconds of refill in the bucket, and a minute of it.
    expect(sent()).toBeGreaterThanOrEqual(62);
    expect(sent()).toBeLessThanOrEqual(63);
    // Had it not told, the bucket would be full: three of them at once.
    const before = sent();
    for (let nowMs = 61_000; nowMs < 61_500; nowMs += 10) {
      node.request(nowMs);
      if (node.rates.nextDueMs <= nowMs) ask(node, shared, nowMs);
    }
    expect(sent() - before).toBeLessThanOrEqual(1);
  });
});

describe("which limits apply", () => {
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
    return rates.find({ ...scope, modelGroup }, 0)?.map(({ limit }) => limit.id);
  };

  test("those of the key, the workspace and the organization, for the model's group and for all", () => {
    expect(idsFor("sonnet_5")).toEqual(["key", "workspace", "all"]);
    expect(idsFor("haiku_4_5")).toEqual(["key", "all"]);
  });

  test("the counting of tokens has its own, and no other", () => {
    expect(idsFor("token_count")).toEqual(["counting"]);
  });

  test("all must have room: where one has none, nothing is taken of the others", () => {
    const rates = new NodeRates();
    const wide = limitOf({ requests: 600 }, { id: "wide" });
    const narrow = limitOf(
      { output_tokens: 60 },
      { id: "narrow", scopeType: "api_key", scopeId: "apikey" },
    );
    rates.replaceLimits([wide, narrow], 0);
    const states = rates.find(scope, 0) ?? [];
    rates.use(states, { input: 0, output: 100 }, 0);
    expect(rates.decide(states, 0)).toMatchObject({ kind: "refused", limit: { id: "narrow" } });
    const [, wideState] = states;
    expect(wideState?.limit.id).toBe("wide");
    expect(wideState?.buckets.get("requests")?.remaining(0)).toBe(30);
  });
});

function ask(node: Node, shared: SharedBuckets, nowMs: number): void {
  const flight = node.send(nowMs);
  if (flight === null) throw new Error("the node has something to ask");
  node.receive(
    flight.asks.map(({ ask: question }) => shared.answer(question, nowMs)),
    nowMs,
  );
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { makeLeaseNodes } from "#test/harness/lease-nodes.ts";
import { beginRecord } from "#test/harness/request-records.ts";
import type { NodeLeases } from "./node-leases.ts";

// Streams of two nodes in any order of steps. After each one, the leases have exactly the holds and reserves of the running
// requests. Spend and holds together are within each limit that was not changed.

const { organizationId, workspaceId, apiKeyId } = beginRecord();
const scope = { organizationId, workspaceId, apiKeyId };
const LIMITS = [
  { organizationId, scopeType: "workspace", scopeId: workspaceId },
  { organizationId, scopeType: "api_key", scopeId: apiKeyId },
] as const;

const small = fc.bigInt(0n, 60n);
const at = fc.nat({ max: 5 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("stream"), at, worst: small, first: small, usual: small }),
  fc.record({ kind: fc.constant("request"), at, worst: small }),
  fc.record({ kind: fc.constant("resize"), at, nanoUsd: small }),
  fc.record({ kind: fc.constant("resize"), at, nanoUsd: small }),
  fc.record({ kind: fc.constant("end"), at, cost: small }),
  fc.record({ kind: fc.constant("speak"), at }),
  fc.record({ kind: fc.constant("speak"), at }),
  fc.record({ kind: fc.constant("pass"), ms: fc.nat({ max: 300 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer Kind> ? Kind : never;
const change = fc.record({
  kind: fc.constant("limit"),
  at: fc.nat({ max: 1 }),
  amount: fc.option(fc.bigInt(0n, 150n)),
  hold: fc.constantFrom("steps", "whole"),
});
type Change = typeof change extends fc.Arbitrary<infer Kind> ? Kind : never;

interface Running {
  node: NodeLeases;
  worst: bigint;
  usual: bigint;
  isStepped: boolean;
}

/** Two nodes under two limits, and the truth about their requests. */
class Run {
  readonly world = makeLeaseNodes();
  readonly running = new Map<string, Running>();
  readonly waiting = new Map<string, Omit<Running, "isStepped">>();
  readonly nodes: NodeLeases[] = [];
  #made = 0;
  spent = 0n;

  async start(): Promise<void> {
    for (const limit of LIMITS) {
      await this.world.setLimit({ ...limit, amountNanoUsd: 100n, hold: "steps" });
    }
    for (const id of ["node_1", "node_2"]) this.nodes.push(await this.world.startNode(id));
  }

  async take(step: Step | Change): Promise<void> {
    const { world } = this;
    if (step.kind === "pass" && "ms" in step) {
      world.now.nowMs += step.ms;
      return;
    }
    if (step.kind === "limit" && "hold" in step) return await this.#change(step);
    const node = this.nodes["at" in step ? step.at % this.nodes.length : 0];
    if (node === undefined) return;
    if (step.kind === "speak") {
      const message = node.nextMessage(world.now);
      if (message === null) return;
      const answer = await world.store.sync(message, world.now.atMs);
      return this.#resolve(node.applyAnswer(answer, world.now));
    }
    if ("first" in step) this.#start(node, step);
    else if ("worst" in step) this.#start(node, { ...step, first: null, usual: 0n });
    else if ("nanoUsd" in step) this.#resize(step);
    else if ("cost" in step) this.#end(step);
    for (const each of this.nodes) this.#resolve(each.resolveWaiting(world.now));
  }

  #start(
    node: NodeLeases,
    { worst, first, usual }: { worst: bigint; first: bigint | null; usual: bigint },
  ): void {
    this.#made += 1;
    const requestId = `req_${this.#made}`;
    const least = first === null || first > worst ? worst : first;
    const stream = first === null ? undefined : { firstNanoUsd: least, usualNanoUsd: usual };
    const request = { requestId, scope, amountNanoUsd: worst, stream };
    const decision = node.hold(request, this.world.now);
    const made = { node, worst, usual: usual < worst ? usual : worst };
    if (decision.kind === "waiting") this.waiting.set(requestId, made);
    if (decision.kind !== "held") return;
    this.running.set(requestId, { ...made, isStepped: decision.isStepped });
    if (stream === undefined && worst > 0n) expectReserve(node);
  }

  #resolve(resolved: ReturnType<NodeLeases["resolveWaiting"]>): void {
    for (const { requestId, decision } of resolved) {
      const made = this.waiting.get(requestId);
      this.waiting.delete(requestId);
      if (made === undefined || decision.kind !== "held") continue;
      this.running.set(requestId, { ...made, isStepped: decision.isStepped });
    }
  }

  #pick(index: number): [string, Running] | undefined {
    return [...this.running][index % Math.max(1, this.running.size)];
  }

  #resize({ at: index, nanoUsd }: { at: number; nanoUsd: bigint }): void {
    const [requestId, running] = this.#pick(index) ?? [];
    if (requestId === undefined || running === undefined) return;
    const before = running.node.findStreamHold(requestId)?.currentNanoUsd ?? null;
    const decision = running.node.resizeHold(requestId, nanoUsd, this.world.now);
    if (before === null || nanoUsd <= before) expect(decision).toBe("held");
  }

  /** The request costs at most what it holds in each limit. */
  #end({ at: index, cost }: { at: number; cost: bigint }): void {
    const [requestId, running] = this.#pick(index) ?? [];
    if (requestId === undefined || running === undefined) return;
    const hold = running.node.findStreamHold(requestId)?.currentNanoUsd ?? running.worst;
    const costNanoUsd = [cost, hold, running.worst].reduce((a, b) => (a < b ? a : b));
    this.running.delete(requestId);
    this.spent += costNanoUsd;
    const origin = { ...scope, startedAtMs: this.world.now.atMs };
    running.node.recordEnd(requestId, origin, { costNanoUsd, unresolvedNanoUsd: 0n });
  }

  async #change({ at: index, amount, hold }: Change): Promise<void> {
    const limit = LIMITS[index];
    if (limit === undefined) return;
    if (amount === null) await this.world.removeLimit({ ...limit, amountNanoUsd: 0n });
    else await this.world.setLimit({ ...limit, amountNanoUsd: amount, hold });
  }

  /** Sums of the running requests of a node, in steps and whole. */
  sum(node: NodeLeases): { held: bigint; reserved: bigint } {
    const sum = { held: 0n, reserved: 0n };
    for (const [requestId, each] of this.running) {
      if (each.node !== node) continue;
      const current = node.findStreamHold(requestId)?.currentNanoUsd ?? null;
      sum.held += current ?? each.worst;
      if (current !== null && each.usual > current) sum.reserved += each.usual - current;
    }
    return sum;
  }
}

/** A request that is held whole leaves the reserve of all streams. */
function expectReserve(node: NodeLeases): void {
  for (const { limit, granted, drawn, held, reserved } of node.view().states) {
    if (limit !== null) expect(granted - drawn - held >= reserved).toBe(true);
  }
}

const RUNS = { numRuns: 100 };
const LENGTH = { maxLength: 60, size: "max" } as const;

test("leases have the holds and reserves of their streams, and all nodes together stay within the limits", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, LENGTH), async (steps) => {
      const run = new Run();
      await run.start();
      for (const each of steps) {
        await run.take(each);
        let held = run.spent;
        for (const node of run.nodes) {
          const sum = run.sum(node);
          held += sum.held;
          for (const state of node.view().states) {
            expect({ held: state.held, reserved: state.reserved }).toEqual(sum);
            expect(state.drawn + state.held <= state.granted).toBe(true);
          }
        }
        expect(held <= 100n).toBe(true);
      }
    }),
    RUNS,
  );
});

test("limits that change between steps and whole amounts are never exceeded by their holds", async () => {
  const flip = fc.record({
    kind: fc.constant("limit"),
    at: fc.nat({ max: 1 }),
    amount: fc.constant(100n),
    hold: fc.constantFrom("steps", "whole"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(step, step, flip), LENGTH), async (steps) => {
      const run = new Run();
      await run.start();
      for (const each of steps) {
        await run.take(each);
        for (const { scopeType } of LIMITS) {
          const states = run.nodes.flatMap((node) =>
            node.view().states.filter(({ key }) => key.scopeType === scopeType),
          );
          const held = states.reduce((sum, state) => sum + state.held, run.spent);
          expect(held <= 100n).toBe(true);
          for (const { drawn, held, granted } of states) {
            expect(drawn + held <= granted).toBe(true);
          }
        }
      }
    }),
    RUNS,
  );
});

test("no order of changed limits and ends leaves a hold, a reserve or a wish behind", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(step, change), LENGTH), async (steps) => {
      const run = new Run();
      await run.start();
      for (const each of steps) {
        await run.take(each);
        for (const node of run.nodes) {
          for (const { held, reserved } of node.view().states) {
            expect(held >= 0n && reserved >= 0n).toBe(true);
          }
        }
      }
      for (const [requestId, { node }] of run.waiting) node.drop(requestId);
      for (const [requestId, { node }] of run.running) node.drop(requestId);
      for (const node of run.nodes) {
        expect(node.isWaiting).toBe(false);
        for (const state of node.view().states) {
          expect([state.held, state.reserved]).toEqual([0n, 0n]);
        }
      }
    }),
    RUNS,
  );
});

test("a larger hold within a third of the unused limit is granted once the other requests end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, LENGTH), small, async (steps, wished) => {
      const run = new Run();
      await run.start();
      const [node] = run.nodes;
      if (node === undefined) throw new Error("two nodes run");
      const stream = { firstNanoUsd: 1n, usualNanoUsd: 0n };
      node.hold({ requestId: "req_s", scope, amountNanoUsd: 60n, stream }, run.world.now);
      await run.world.speakAll(node);
      for (const each of steps) await run.take(each);
      node.resizeHold("req_s", wished, run.world.now);
      for (const [requestId, { node: its }] of [...run.running, ...run.waiting]) {
        its.drop(requestId);
      }
      for (let round = 0; round < 6; round++) {
        run.world.now.nowMs += 250;
        for (const each of run.nodes.toReversed()) await run.world.speakAll(each);
      }
      // The other node may keep budget in advance: a third of the unused budget is for exact grants.
      const isPossible = 3n * wished <= 100n - run.spent;
      const current = node.findStreamHold("req_s")?.currentNanoUsd;
      if (isPossible && wished > 0n) expect(current).toBe(wished);
    }),
    RUNS,
  );
});

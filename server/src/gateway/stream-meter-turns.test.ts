import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { findModelSpeed } from "#src/domain/model-speeds.ts";
import { firstHold } from "#src/domain/stream-bound.ts";
import { findStreamTerms } from "#src/domain/stream-terms.ts";
import { computeWorstCost } from "#src/domain/worst-case.ts";
import type { NodeLeases } from "#src/spend/ledger/node-leases.ts";
import { atMs, book, requestOf } from "#test/harness/hold-requests.ts";
import { makeLeaseNodes } from "#test/harness/lease-nodes.ts";
import { scope } from "#test/harness/lease-streams.ts";
import { MeteredStream } from "./metered-stream.ts";
import type { CutDecision } from "./stream-cut.ts";
import { type RunningStream, StreamMeter } from "./stream-meter.ts";
import { type LiveUsage, nothingSeen } from "./usage-seen.ts";

// Several streams of one limit that has nothing left for all of them, over the ledger of a node.

const TICK_MS = 250;
const OUTPUT = 25_000n;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

interface Cut {
  requestId: string;
  afterMs: number;
  decision: CutDecision;
}

/** Starts streams at once under a limit that has room for their first holds only. */
async function startStreams(count: number) {
  const world = makeLeaseNodes();
  const request = requestOf({
    model: "claude-opus-5",
    maxTokens: 128_000,
    inferenceGeo: "global",
  });
  const limits = { findSpeed: findModelSpeed, isExcludedTool: () => false };
  const terms = findStreamTerms(request, computeWorstCost(request, book, atMs), limits);
  if (terms === null) throw new Error("the request is held whole");
  const firstNanoUsd = firstHold(terms);
  const limitNanoUsd = BigInt(count) * firstNanoUsd;
  const { organizationId, workspaceId: scopeId } = scope;
  await world.setLimit({ organizationId, scopeId, amountNanoUsd: limitNanoUsd, hold: "steps" });
  const node = await world.startNode("node_1");
  const meter = new StreamMeter({
    leases: {
      resizeHold: (id, nanoUsd) => node.resizeHold(id, nanoUsd, world.now),
      findStreamHold: (id) => node.findStreamHold(id),
      findLack: (id) => node.findLack(id, world.now),
    },
    clock: { monotonicMs: () => world.now.nowMs },
    metrics: { observeStep: () => undefined },
  });
  const startedMs = world.now.nowMs;
  const cuts: Cut[] = [];
  const faults: unknown[] = [];
  /** Sum of all settled costs, nano-USD. */
  let settledNanoUsd = 0n;
  const settle = (requestId: string, costNanoUsd: bigint) => {
    settledNanoUsd += costNanoUsd;
    endHold(node, requestId, costNanoUsd, world.now);
  };
  const streams = new Map<string, RunningStream>();
  for (let at = 0; at < count; at++) {
    const requestId = `req_${at}`;
    const stream = { firstNanoUsd, usualNanoUsd: 0n };
    node.hold({ requestId, scope, amountNanoUsd: 10n ** 12n, stream }, world.now);
    await world.speakAll(node);
    const metered = new MeteredStream({ requestId, terms, book, pricedAtMs: atMs }, startedMs);
    const live: LiveUsage = { seen: { ...nothingSeen() }, onToolResult: null };
    metered.follow(live, () => world.now.nowMs);
    const running: RunningStream = {
      stream: metered,
      canEnd: () => true,
      cut(decision) {
        meter.remove(running);
        cuts.push({ requestId, afterMs: world.now.nowMs - startedMs, decision });
        settle(requestId, metered.boundAt(world.now.nowMs));
      },
      fail: (error) => void faults.push(error),
    };
    streams.set(requestId, running);
  }
  for (const running of streams.values()) meter.add(running);
  return {
    node,
    cuts,
    faults,
    limitNanoUsd,
    settled: () => settledNanoUsd,
    /** Ends a stream with its exact cost. */
    end(requestId: string, costNanoUsd: bigint) {
      const running = streams.get(requestId);
      if (running !== undefined) meter.remove(running);
      settle(requestId, costNanoUsd);
    },
    async pass(ms: number) {
      for (let passed = 0; passed < ms; passed += TICK_MS) {
        world.now.nowMs += TICK_MS;
        world.now.atMs += TICK_MS;
        meter.tick();
        await world.speakAll(node);
      }
    },
  };
}

function endHold(
  node: NodeLeases,
  requestId: string,
  costNanoUsd: bigint,
  now: { nowMs: number; atMs: number },
): void {
  const origin = { ...scope, startedAtMs: now.atMs };
  node.recordEnd(requestId, origin, { costNanoUsd, unresolvedNanoUsd: 0n });
  node.resolveFreed(now);
}

describe("streams that need more than their limit has", () => {
  test("are cut one after another, and the others use what the cut one held", async () => {
    const { cuts, faults, pass, node } = await startStreams(3);
    await pass(2_250);
    expect(cuts).toEqual([]);
    await pass(500);
    expect(cuts).toMatchObject([{ requestId: "req_0", afterMs: 2_500 }]);
    const heldNanoUsd = cuts[0]?.decision.heldNanoUsd ?? 0n;
    const holds = ["req_1", "req_2"].map((id) => node.findStreamHold(id)?.currentNanoUsd ?? 0n);
    expect(holds.filter((nanoUsd) => nanoUsd > heldNanoUsd)).toHaveLength(2);
    expect(faults).toEqual([]);
  });

  test("are not cut if one of them ends in time", async () => {
    const { cuts, pass, end } = await startStreams(3);
    await pass(2_250);
    end("req_1", 100n * OUTPUT);
    await pass(1_500);
    expect(cuts).toEqual([]);
  });

  test.each([
    { count: 1, share: 0.83 },
    { count: 3, share: 0.94 },
    { count: 20, share: 0.99 },
  ])("use at least $share of it, and never more, if $count run", async ({ count, share }) => {
    const { cuts, pass, settled, limitNanoUsd } = await startStreams(count);
    await pass(60_000);
    expect(cuts).toHaveLength(count);
    expect(settled()).toBeLessThanOrEqual(limitNanoUsd);
    expect(Number(settled()) / Number(limitNanoUsd)).toBeGreaterThan(share);
    const firstTurns = cuts.slice(0, 4).map(({ afterMs }) => afterMs);
    expect(new Set(firstTurns).size).toBe(firstTurns.length);
  });
});

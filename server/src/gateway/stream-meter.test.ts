import { afterEach, describe, expect, test, vi } from "vitest";
import { findModelSpeed } from "#src/domain/model-speeds.ts";
import { firstHold } from "#src/domain/stream-bound.ts";
import { findStreamTerms } from "#src/domain/stream-terms.ts";
import { computeWorstCost } from "#src/domain/worst-case.ts";
import { atMs, book, requestOf } from "#test/harness/hold-requests.ts";
import { largest, makeSteppedLeases } from "#test/harness/stepped-leases.ts";
import { MeteredStream } from "./metered-stream.ts";
import type { CutDecision } from "./stream-cut.ts";
import { type RunningStream, StreamMeter } from "./stream-meter.ts";
import { type LiveUsage, nothingSeen } from "./usage-seen.ts";

const OUTPUT = 25_000n;
const INPUT = 3_048n * 5_000n;

afterEach(() => {
  vi.useRealTimers();
});

/** Adds a stream of Opus to a meter, whose clock the test moves. */
function startStream(tools: readonly string[] = []) {
  vi.useFakeTimers();
  const clock = { atMs: 0 };
  const serverTools = tools.map((type) => ({ type, maxUses: null, model: null }));
  const request = requestOf({
    model: "claude-opus-5",
    maxTokens: 128_000,
    inferenceGeo: "global",
    serverTools,
  });
  const limits = { findSpeed: findModelSpeed, isExcludedTool: () => false };
  const terms = findStreamTerms(request, computeWorstCost(request, book, atMs), limits);
  if (terms === null) throw new Error("the request is held whole");
  const ledger = makeSteppedLeases();
  const scope = { organizationId: "o", workspaceId: "w", apiKeyId: "k" };
  const firstNanoUsd = firstHold(terms);
  const stepped = { firstNanoUsd, usualNanoUsd: 0n };
  void ledger.leases.hold({ requestId: "req_1", scope, amountNanoUsd: 9n, stream: stepped });
  const steps: string[] = [];
  const meter = new StreamMeter({
    leases: ledger.leases,
    clock: { monotonicMs: () => clock.atMs },
    metrics: { observeStep: (outcome) => void steps.push(outcome) },
  });
  const stream = new MeteredStream({ requestId: "req_1", terms, book, pricedAtMs: atMs }, 0);
  const live: LiveUsage = { seen: { ...nothingSeen() }, onToolResult: null };
  stream.follow(live, () => clock.atMs);
  const cuts: CutDecision[] = [];
  const faults: unknown[] = [];
  const running: RunningStream & { isAtBoundary: boolean } = {
    stream,
    isAtBoundary: true,
    canEnd: () => running.isAtBoundary,
    cut(decision) {
      cuts.push(decision);
      meter.remove(running);
    },
    fail(error) {
      faults.push(error);
      meter.remove(running);
    },
  };
  meter.add(running);
  /** Moves the clock tick by tick. */
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.atMs += 250;
      vi.advanceTimersByTime(250);
    }
  };
  return { clock, ledger, meter, stream, live, running, cuts, faults, steps, pass };
}

describe("the meter of streams in steps", () => {
  test("runs no timer without a stream", () => {
    const { meter, running } = startStream();
    expect(vi.getTimerCount()).toBe(1);
    meter.remove(running);
    meter.remove(running);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("grows the hold by a second of output, four seconds ahead", () => {
    const { ledger, steps, pass } = startStream();
    pass(1_000);
    expect(ledger.holds).toEqual([INPUT + 600n * OUTPUT]);
    pass(250);
    expect(ledger.holds.at(-1)).toBe(INPUT + 725n * OUTPUT);
    expect(steps).toEqual(["granted"]);
  });

  test("uses the rest of a limit in small steps, and cuts when the hold ends two seconds before its bound", () => {
    const { ledger, cuts, pass } = startStream();
    ledger.budgetNanoUsd = INPUT + 700n * OUTPUT;
    pass(2_750);
    expect(cuts).toEqual([]);
    expect(largest(ledger.holds)).toBeGreaterThan(INPUT + 670n * OUTPUT);
    pass(750);
    expect(cuts).toEqual([]);
    pass(250);
    expect(cuts).toMatchObject([{ heldNanoUsd: largest(ledger.holds), pausedMs: 0 }]);
  });

  test("cuts at once after a pause, and names its time", () => {
    const { clock, ledger, cuts, pass } = startStream();
    ledger.budgetNanoUsd = 0n;
    clock.atMs += 30_000;
    pass(250);
    expect(cuts).toMatchObject([{ pausedMs: 30_000 }]);
  });

  test("names no pause in a cut two seconds later", () => {
    const { clock, ledger, cuts, pass } = startStream();
    clock.atMs += 30_000;
    pass(2_000);
    ledger.budgetNanoUsd = 0n;
    pass(5_000);
    expect(cuts).toMatchObject([{ pausedMs: 0 }]);
  });

  test("cuts a use of a tool without budget before its call can start", () => {
    const { clock, ledger, live, cuts, pass } = startStream(["web_search_20250305"]);
    ledger.budgetNanoUsd = INPUT + 900n * OUTPUT;
    Object.assign(live.seen, { serverToolUses: 1, webSearches: 1 });
    const readMs = clock.atMs;
    while (cuts.length === 0 && clock.atMs < 5_000) pass(250);
    expect(clock.atMs - readMs).toBeLessThanOrEqual(1_000);
    expect(cuts).toHaveLength(1);
  });

  test("waits one tick for the end of an event, and then cuts anyway with the pause before it", () => {
    const { clock, ledger, running, cuts, pass } = startStream();
    ledger.budgetNanoUsd = 0n;
    running.isAtBoundary = false;
    clock.atMs += 30_000;
    pass(250);
    expect(cuts).toEqual([]);
    pass(250);
    expect(cuts).toMatchObject([{ pausedMs: 30_000 }]);
  });

  test("does not wait for the end of an event after a late tick, because a call can start", () => {
    const { clock, ledger, running, live, cuts, pass } = startStream(["web_search_20250305"]);
    pass(250);
    ledger.budgetNanoUsd = largest(ledger.holds);
    running.isAtBoundary = false;
    Object.assign(live.seen, { serverToolUses: 1, webSearches: 1 });
    pass(250);
    expect(cuts).toEqual([]);
    clock.atMs += 250;
    pass(250);
    expect(cuts).toHaveLength(1);
  });

  test("ends a stream whose facts cannot be read, and goes on with the others", () => {
    const { live, faults, pass } = startStream(["web_search_20250305"]);
    Object.defineProperty(live.seen, "usage", {
      get: () => {
        throw new Error("a bug");
      },
    });
    live.onToolResult?.({ kind: "text", bytes: 5 });
    pass(250);
    expect(faults).toMatchObject([{ message: "a bug" }]);
  });

  test("ends a stream that lacks budget without a limit that explains it", () => {
    const { clock, ledger, faults, pass } = startStream();
    ledger.budgetNanoUsd = 0n;
    ledger.leases.findLack = () => null;
    clock.atMs += 30_000;
    pass(250);
    expect(faults).toMatchObject([{ code: "database_unavailable" }]);
  });

  test("lets clients read later up to a bound for each stream and for all", () => {
    const { meter } = startStream();
    expect(meter.takeUnread(0, 256 * 1024)).toBe(true);
    expect(meter.takeUnread(256 * 1024, 1)).toBe(false);
    for (let other = 1; other < 256; other++) meter.takeUnread(0, 256 * 1024);
    expect(meter.takeUnread(0, 1)).toBe(false);
    meter.releaseUnread(256 * 1024);
    expect(meter.takeUnread(0, 1)).toBe(true);
  });
});

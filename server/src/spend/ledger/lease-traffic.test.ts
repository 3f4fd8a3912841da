import { describe, expect, test } from "vitest";
import { LeaseTraffic } from "./lease-traffic.ts";

const COVER_MS = 120_000;
const TICK_MS = 250;

/** Traffic on a clock that each call of `pass` moves by one tick. */
function start() {
  const traffic = new LeaseTraffic();
  let nowMs = 0;
  const pass = (ms: number, { held = 0n, draw = 0n, canRest = false } = {}) => {
    for (const until = nowMs + ms; nowMs < until; ) {
      nowMs += TICK_MS;
      if (draw > 0n) traffic.addDraw(draw);
      traffic.measure(held, { nowMs, elapsedMs: TICK_MS, coverMs: COVER_MS, canRest });
    }
  };
  return { traffic, pass, need: () => traffic.findNeed(COVER_MS) };
}

test("needs nothing without a request", () => {
  const { pass, need } = start();
  pass(1_000);
  expect(need()).toBe(0n);
});

test("needs one and a half times the highest held amount, and the spend of the covered time", () => {
  const { traffic, pass, need } = start();
  traffic.addRequest(100n, 400n);
  pass(60_000, { held: 400n, draw: 5n });
  const spentInCover = 5n * BigInt(COVER_MS / TICK_MS);
  expect(need()).toBe(600n + spentInCover);
});

test("knows the rate of spend soon after the first requests", () => {
  const { traffic, pass, need } = start();
  traffic.addRequest(100n, 100n);
  pass(6_000, { held: 100n, draw: 5n });
  expect(need()).toBe(150n + 5n * BigInt(COVER_MS / TICK_MS));
});

test("does not see one response as a stream of responses", () => {
  const { traffic, pass, need } = start();
  traffic.addRequest(100n, 100n);
  pass(TICK_MS, { draw: 50n });
  expect(need()).toBeLessThan(150n + (50n * BigInt(COVER_MS)) / 5_000n);
});

test("needs the amount of its largest request after fifteen seconds without one, and nothing after a minute", () => {
  const { traffic, pass, need } = start();
  traffic.addRequest(100n, 100n);
  traffic.addRequest(30n, 130n);
  pass(10_000, { held: 130n, draw: 5n });
  expect(need()).toBeGreaterThan(500n);
  pass(15_000);
  expect(need()).toBeGreaterThan(500n);
  pass(TICK_MS);
  expect([need(), traffic.smallest]).toEqual([100n, 30n]);
  pass(5_000);
  expect(need()).toBe(100n);
  pass(30_000);
  expect([need(), traffic.smallest]).toEqual([0n, 0n]);
});

test("needs the held amount of a long request as long as it runs", () => {
  const { traffic, pass, need } = start();
  traffic.addRequest(100n, 100n);
  pass(600_000, { held: 100n });
  expect(need()).toBe(150n);
});

describe("under a limit with much more room", () => {
  const busy = () => {
    const of = start();
    of.traffic.addRequest(100n, 400n);
    of.pass(10_000, { held: 400n, draw: 5n });
    return of;
  };

  test("busy traffic keeps its need for ten minutes without a request, then loses it", () => {
    const { traffic, pass, need } = busy();
    pass(16_000, { canRest: true });
    const resting = need();
    expect(resting).toBeGreaterThan(600n);
    expect(traffic.isResting).toBe(true);
    pass(580_000, { canRest: true });
    expect(need()).toBe(resting);
    pass(10_000, { canRest: true });
    expect([need(), traffic.isResting]).toEqual([100n, false]);
    pass(60_000, { canRest: true });
    expect([need(), traffic.isNone]).toEqual([0n, true]);
  });

  test("the need ends at once when the room is gone, and goes on with the next request", () => {
    const gone = busy();
    gone.pass(30_000, { canRest: true });
    gone.pass(TICK_MS);
    expect([gone.need(), gone.traffic.isResting]).toEqual([100n, false]);
    const back = busy();
    back.pass(300_000, { canRest: true });
    back.traffic.addRequest(100n, 100n);
    expect(back.traffic.isResting).toBe(false);
    back.pass(TICK_MS, { held: 100n, canRest: true });
    expect(back.need()).toBeGreaterThan(600n);
  });

  test("a few requests in a minute do not rest", () => {
    const { traffic, pass, need } = start();
    traffic.addRequest(100n, 100n);
    pass(1_000, { held: 100n });
    pass(16_000, { canRest: true });
    expect([need(), traffic.isResting]).toEqual([100n, false]);
  });
});

import { describe, expect, test } from "vitest";
import { makeClock, systemClock } from "./clock.ts";

const HOUR_MS = 3_600_000;

/** A machine whose clocks the test moves. `uptimeStepMs`: resolution of its time since boot. Null: it has none. */
function makeMachine({ uptimeStepMs = 10 }: { uptimeStepMs?: number | null } = {}) {
  const machine = {
    realMs: 5_000,
    suspendedMs: 0,
    wallOffsetMs: Date.UTC(2026, 10, 28),
    uptimeReads: 0,
    pass(ms: number) {
      machine.realMs += ms;
    },
    suspend(ms: number) {
      machine.realMs += ms;
      machine.suspendedMs += ms;
    },
  };
  const clock = makeClock({
    wallMs: () => Math.floor(machine.realMs + machine.wallOffsetMs),
    steadyMs: () => machine.realMs - machine.suspendedMs,
    uptimeMs: () => {
      machine.uptimeReads += 1;
      return uptimeStepMs === null
        ? null
        : Math.floor((machine.realMs + 77) / uptimeStepMs) * uptimeStepMs;
    },
  });
  const startedMs = clock.monotonicMs();
  return Object.assign(machine, { clock, passedMs: () => clock.monotonicMs() - startedMs });
}

describe("with a time since boot", () => {
  test("the first reading after a wake-up includes the suspension", () => {
    const machine = makeMachine();
    machine.pass(50);
    machine.suspend(HOUR_MS);
    expect(machine.passedMs()).toBe(HOUR_MS + 50);
  });

  test("suspensions add up", () => {
    const machine = makeMachine();
    for (let round = 0; round < 5; round++) {
      machine.suspend(90_000);
      machine.pass(20);
      expect(machine.passedMs()).toBe((round + 1) * 90_020);
    }
  });

  test("a suspension that lies between two steps of the time since boot is known to within one step", () => {
    const machine = makeMachine();
    machine.suspend(60_004.5);
    expect(Math.abs(machine.passedMs() - 60_004.5)).toBeLessThanOrEqual(10);
  });

  test.each([
    ["ahead", HOUR_MS],
    ["back", -HOUR_MS],
  ])("a wall clock that is set %s changes nothing", (_, stepMs) => {
    const machine = makeMachine();
    machine.wallOffsetMs += stepMs;
    machine.pass(40);
    expect(machine.passedMs()).toBe(40);
  });

  test("the wall clock is set back during a suspension: the first reading includes the suspension", () => {
    const machine = makeMachine();
    machine.suspend(60_000);
    machine.wallOffsetMs -= HOUR_MS;
    expect(machine.passedMs()).toBe(60_000);
  });

  test("a wall clock that hides a suspension does so for a second", () => {
    const machine = makeMachine();
    machine.suspend(60_000);
    machine.wallOffsetMs -= 60_000;
    expect(machine.passedMs()).toBe(0);
    machine.pass(1_000);
    expect(machine.passedMs()).toBe(61_000);
  });

  test("short suspensions add up", () => {
    const machine = makeMachine();
    for (let round = 0; round < 100; round++) {
      machine.suspend(300);
      machine.pass(1_000);
    }
    expect(machine.passedMs()).toBe(130_000);
  });

  test("a slewed wall clock changes nothing, and the time since boot is read once a second", () => {
    const machine = makeMachine();
    machine.uptimeReads = 0;
    for (let ms = 0; ms < 600_000; ms += 50) {
      machine.pass(50);
      machine.wallOffsetMs += 0.05;
      machine.clock.monotonicMs();
    }
    expect(machine.passedMs()).toBe(600_000);
    expect(machine.uptimeReads).toBeLessThanOrEqual(601);
  });
});

describe("without a time since boot", () => {
  test("the first reading after a wake-up includes the suspension", () => {
    const machine = makeMachine({ uptimeStepMs: null });
    machine.suspend(HOUR_MS);
    expect(machine.passedMs()).toBe(HOUR_MS);
  });

  test("a wall clock that is set ahead counts as a suspension", () => {
    const machine = makeMachine({ uptimeStepMs: null });
    machine.wallOffsetMs += 5_000;
    machine.pass(40);
    expect(machine.passedMs()).toBe(5_040);
  });

  test("a wall clock that is set back changes nothing, and later suspensions are included", () => {
    const machine = makeMachine({ uptimeStepMs: null });
    machine.wallOffsetMs -= HOUR_MS;
    machine.pass(40);
    expect(machine.passedMs()).toBe(40);
    machine.suspend(2_000);
    expect(machine.passedMs()).toBe(2_040);
  });

  test("a slewed wall clock adds up to no suspension", () => {
    const machine = makeMachine({ uptimeStepMs: null });
    for (let ms = 0; ms < 4 * HOUR_MS; ms += 1_000) {
      machine.pass(1_000);
      machine.wallOffsetMs += 0.5;
      machine.clock.monotonicMs();
    }
    expect(machine.passedMs()).toBe(4 * HOUR_MS);
  });
});

test("the time never goes back, whatever the sources do", () => {
  const machine = makeMachine();
  let lastMs = machine.clock.monotonicMs();
  for (let round = 0; round < 1_000; round++) {
    const ms = (round * 7_919) % 3_000;
    if (round % 3 === 0) machine.suspend(ms);
    else machine.pass(ms);
    machine.wallOffsetMs += ((round * 104_729) % 10_000) - 5_000;
    const nextMs = machine.clock.monotonicMs();
    expect(nextMs).toBeGreaterThanOrEqual(lastMs);
    lastMs = nextMs;
  }
});

test("the machine's clock runs with the wall clock", async () => {
  const before = { nowMs: systemClock.nowMs(), monotonicMs: systemClock.monotonicMs() };
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(systemClock.nowMs()).toBeGreaterThan(before.nowMs);
  expect(systemClock.monotonicMs()).toBeGreaterThan(before.monotonicMs);
});

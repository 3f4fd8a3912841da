import { uptime } from "node:os";

/** A point in time that rules receive from rows, since they have no clock. */
export type Instant = Date;

/** Time as an argument. No other source file reads the machine's clock. */
export interface Clock {
  /** Wall clock, whole milliseconds since the epoch. */
  nowMs(): number;
  /** Monotonic time, milliseconds. Includes time in which the machine was suspended. Only differences are meaningful. */
  monotonicMs(): number;
}

/** Clocks of the machine, milliseconds. */
export interface ClockSources {
  wallMs(): number;
  /** Never goes back. On Linux it stands still while the machine is suspended. */
  steadyMs(): number;
  /** Time since boot, with suspensions. Null: this system has none that can be trusted. */
  uptimeMs(): number | null;
}

/** Smaller differences between clocks come from their resolution, and from preemption between two readings. */
const LEAST_SUSPENSION_MS = 250;
/** Longest time between two readings of the time since boot. A wall clock that is set hides a suspension for so long. */
const UPTIME_EVERY_MS = 1_000;

/**
 * Creates a clock whose monotonic time includes suspensions. Each reading compares the wall clock with the steady clock,
 * so the first reading after a wake-up is correct. Without a time since boot, each jump ahead of the wall clock counts as a
 * suspension: leases then expire too early, and never too late.
 */
export function makeClock(sources: ClockSources): Clock {
  const bootGapMs = readBootGapMs(sources);
  let missedMs = 0;
  let gapMs = sources.wallMs() - sources.steadyMs();
  let nextUptimeMs = Number.NEGATIVE_INFINITY;

  function addSuspension(wallMovedMs: number, steadyMs: number): void {
    nextUptimeMs = steadyMs + UPTIME_EVERY_MS;
    const nowGapMs = bootGapMs === null ? null : readBootGapMs(sources);
    if (bootGapMs !== null && nowGapMs !== null) {
      const totalMs = nowGapMs - bootGapMs;
      if (totalMs - missedMs >= LEAST_SUSPENSION_MS) missedMs = totalMs;
    } else if (wallMovedMs >= LEAST_SUSPENSION_MS) missedMs += wallMovedMs;
  }

  return {
    nowMs: () => sources.wallMs(),
    monotonicMs: () => {
      const wallMs = sources.wallMs();
      const steadyMs = sources.steadyMs();
      const movedMs = wallMs - steadyMs - gapMs;
      gapMs = wallMs - steadyMs;
      const hasJumped = movedMs >= LEAST_SUSPENSION_MS || movedMs <= -LEAST_SUSPENSION_MS;
      if (hasJumped || steadyMs >= nextUptimeMs) addSuspension(movedMs, steadyMs);
      return steadyMs + missedMs;
    },
  };
}

/**
 * Returns the time since boot minus the steady clock, or null. The steady clock is read last: a pause in between makes the
 * difference smaller, and the next reading corrects it.
 */
function readBootGapMs(sources: ClockSources): number | null {
  const uptimeMs = sources.uptimeMs();
  return uptimeMs === null ? null : uptimeMs - sources.steadyMs();
}

/** Linux counts suspensions in its time since boot, with a resolution of 10 ms. A read takes 3 µs. */
function readUptimeMs(): number | null {
  if (process.platform !== "linux") return null;
  try {
    return uptime() * 1_000;
  } catch {
    return null;
  }
}

export const systemClock: Clock = makeClock({
  wallMs: () => Date.now(),
  steadyMs: () => performance.now(),
  uptimeMs: readUptimeMs,
});

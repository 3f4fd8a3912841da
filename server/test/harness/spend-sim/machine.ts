import { type Clock, makeClock } from "#src/lib/clock.ts";

/** Clocks of a node's machine. */
export interface MachineClock {
  /** Start of the steady clock, milliseconds. Differs between machines. */
  steadyOffsetMs: number;
  /** False: the system has no time since boot. */
  hasUptime: boolean;
  /** True: nodes read the steady clock, which stands still during a suspension. Shows that the rule is needed. */
  isSteadyOnly: boolean;
}

/** Resolution of the time since boot, milliseconds. */
const UPTIME_STEP_MS = 10;

/** Machine of a node, which can be suspended with its clocks. */
export class Machine {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly #times = { realMs: 0, suspendedMs: 0, wallOffsetMs: 0 };
  /** Real time at which the machine was suspended. Null: it runs. */
  #suspendedAtMs: number | null = null;

  constructor({ steadyOffsetMs, hasUptime, isSteadyOnly }: MachineClock) {
    const times = this.#times;
    const steadyMs = () =>
      (this.#suspendedAtMs ?? times.realMs) - times.suspendedMs + steadyOffsetMs;
    const uptimeMs = () => Math.floor(times.realMs / UPTIME_STEP_MS) * UPTIME_STEP_MS;
    const clock = {
      wallMs: () => times.realMs + times.wallOffsetMs,
      steadyMs,
      uptimeMs: hasUptime ? uptimeMs : () => null,
    };
    this.clock = isSteadyOnly ? { monotonicMs: steadyMs } : makeClock(clock);
  }

  get realMs(): number {
    return this.#times.realMs;
  }

  /** Sets the real time. */
  advance(realMs: number): void {
    this.#times.realMs = realMs;
  }

  suspend(realMs: number): void {
    this.#suspendedAtMs ??= realMs;
  }

  /** Continues after a suspension. */
  resume(): void {
    if (this.#suspendedAtMs === null) return;
    this.#times.suspendedMs += this.#times.realMs - this.#suspendedAtMs;
    this.#suspendedAtMs = null;
  }

  moveWallClock(ms: number): void {
    this.#times.wallOffsetMs += ms;
  }
}

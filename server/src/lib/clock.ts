/** Time as an argument. No other source file reads the machine's clock. */
export interface Clock {
  /** Wall clock, whole milliseconds since the epoch. */
  nowMs(): number;
  /** Monotonic time, milliseconds. Only differences are meaningful. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

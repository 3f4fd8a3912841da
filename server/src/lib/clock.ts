/** Time as an argument: nothing else in the sources reads the machine's clock. */
export interface Clock {
  /** Wall clock, whole milliseconds since the epoch. */
  nowMs(): number;
  /** Never goes back; only differences mean anything. Milliseconds. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

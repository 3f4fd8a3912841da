import type { StreamPacing } from "./prompts.ts";

/** One kind of request, at a fixed rate and at full load. */
export interface Scenario {
  name: string;
  promptBytes: number;
  stream: StreamPacing | null;
  /** Requests per second of the open-loop run. Far below the capacity of any target. */
  ratePerSecond: number;
  /** Connections of the closed-loop run. */
  connections: number;
}

export const scenarios: readonly Scenario[] = [
  { name: "JSON, 2 KB", promptBytes: 2_048, stream: null, ratePerSecond: 1_000, connections: 64 },
  { name: "JSON, 20 KB", promptBytes: 20_480, stream: null, ratePerSecond: 500, connections: 64 },
  {
    name: "stream, 2 KB",
    promptBytes: 2_048,
    stream: { deltas: 40, intervalMs: 10 },
    ratePerSecond: 100,
    connections: 512,
  },
];

export interface Durations {
  warmUpMs: number;
  fixedRateMs: number;
  fullLoadMs: number;
  /** Pause before each run. Pending writes of an earlier run finish in it. */
  settleMs: number;
  slowStreams: { count: number; openedPerSecond: number; pacing: StreamPacing };
}

export const defaultDurations: Durations = {
  warmUpMs: 2_000,
  fixedRateMs: 10_000,
  fullLoadMs: 6_000,
  settleMs: 1_500,
  slowStreams: { count: 2_000, openedPerSecond: 500, pacing: { deltas: 20, intervalMs: 500 } },
};

/** Short durations that show that everything works, without meaningful numbers. */
export const quickDurations: Durations = {
  warmUpMs: 300,
  fixedRateMs: 1_000,
  fullLoadMs: 500,
  settleMs: 300,
  slowStreams: { count: 200, openedPerSecond: 400, pacing: { deltas: 4, intervalMs: 250 } },
};

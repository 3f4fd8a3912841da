import { parentPort, workerData } from "node:worker_threads";
import { monotonicMs } from "./monotonic.ts";

// Keeps the schedule of an open-loop run. A timer of Node's event loop is good to about one millisecond, many times
// what a proxy adds; a thread that sleeps on a futex is good to a few dozen microseconds and costs no core.

export interface Schedule {
  /** When the first request is due, on the monotonic clock of the machine. */
  startMs: number;
  intervalMs: number;
  count: number;
}

const { startMs, intervalMs, count } = workerData as Schedule;
const never = new Int32Array(new SharedArrayBuffer(4));

for (let due = 0; due < count; ) {
  const waitMs = startMs + due * intervalMs - monotonicMs();
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
  due = Math.min(count, Math.floor((monotonicMs() - startMs) / intervalMs) + 1);
  parentPort?.postMessage(due);
}

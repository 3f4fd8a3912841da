import { once } from "node:events";
import { parentPort } from "node:worker_threads";
import { monotonicMs } from "./monotonic.ts";

// Keeps the schedule of an open-loop run. A timer of Node's event loop is accurate to about one millisecond, many
// times the overhead of a proxy. A thread that sleeps on a futex is accurate to a few dozen microseconds and costs no
// core. The first message is 0, when the thread has started. Then the schedule arrives, and further messages are numbers of
// due requests.

export interface Schedule {
  /** Due time of the first request, on the monotonic clock. */
  startMs: number;
  intervalMs: number;
  count: number;
}

if (parentPort === null) throw new Error("the pacer is a thread of the load generator");
parentPort.postMessage(0);
const [{ startMs, intervalMs, count }] = (await once(parentPort, "message")) as [Schedule];
const never = new Int32Array(new SharedArrayBuffer(4));

for (let due = 0; due < count; ) {
  const waitMs = startMs + due * intervalMs - monotonicMs();
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
  due = Math.min(count, Math.floor((monotonicMs() - startMs) / intervalMs) + 1);
  parentPort.postMessage(due);
}

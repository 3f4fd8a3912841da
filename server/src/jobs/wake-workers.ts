import { setTimeout as delay } from "node:timers/promises";
import type { WaitingJobs } from "#src/db/job-queue.ts";
import type { Notifications } from "#src/db/notifications.ts";

// The queue's workers notice new jobs by notifications. Delayed jobs and retries become due without one. Each worker
// would poll for them by itself, which was half of an idle node's transactions. One statement for all workers of a
// runner finds the next time instead.

export interface WakeOptions {
  countWaiting: () => Promise<WaitingJobs>;
  /** Makes this number of idle workers look for a job. Throws if a worker has ended. */
  nudge: (workers: number) => void;
  notifications: Pick<Notifications, "subscribe" | "isListening"> | undefined;
  signal: AbortSignal;
}

export interface Waking {
  /** Looks again soon, because a job failed and has a new time. */
  lookSoon(): void;
  /** Resolves after the signal. */
  ended: Promise<void>;
}

/** Longest wait while notifications arrive: jobs of a node that is gone, and retries of other nodes. */
const SLOW_MS = 10_000;
/** Longest wait while notifications do not arrive, or while due jobs wait for a free worker. */
const FAST_MS = 2_000;
/** Time for the workers to start a new job, and for the queue to store a retry. */
const SETTLE_MS = 200;

/** Wakes idle workers at the times of waiting jobs until the signal aborts. A failed look is repeated. */
export function wakeWorkers(options: WakeOptions): Waking {
  const { notifications, signal } = options;
  let waking = new AbortController();
  let soon: NodeJS.Timeout | undefined;

  function lookSoon(): void {
    soon ??= setTimeout(() => {
      soon = undefined;
      waking.abort();
    }, SETTLE_MS);
  }

  async function look(): Promise<number> {
    const longestMs = notifications?.isListening() ? SLOW_MS : FAST_MS;
    try {
      const { due, nextInMs } = await options.countWaiting();
      if (signal.aborted) return 0;
      if (due > 0) options.nudge(due);
      return Math.min(due > 0 ? FAST_MS : longestMs, Math.ceil(nextInMs ?? longestMs));
    } catch {
      // The runner reports a database that is away, and workers that ended.
      return FAST_MS;
    }
  }

  async function run(): Promise<void> {
    const unsubscribe = notifications?.subscribe("job", lookSoon);
    while (!signal.aborted) {
      const waitMs = await look();
      const either = AbortSignal.any([signal, waking.signal]);
      await delay(waitMs, undefined, { signal: either }).catch(() => undefined);
      waking = new AbortController();
    }
    unsubscribe?.();
    clearTimeout(soon);
  }

  return { lookSoon, ended: run() };
}

import { setTimeout as delay } from "node:timers/promises";

/** Returns the promise's value. Throws an Error with `what` after `boundMs`. */
export async function withinBound<T>(
  promise: Promise<T>,
  boundMs: number,
  what: string,
): Promise<T> {
  const abort = new AbortController();
  const tooLate = delay(boundMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`timed out after ${boundMs} ms: ${what}`);
  });
  tooLate.catch(() => undefined);
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    abort.abort();
  }
}

const SHORTEST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 250;
/** Pause as a share of the time waited so far. Frequent queries in a long wait cost processor time. */
const PAUSE_SHARE = 0.1;

/** Calls `ask` until the result is not null. The pauses grow with the time waited. Throws after `boundMs`. */
export async function eventually<T>(
  boundMs: number,
  what: string,
  ask: () => Promise<T | null>,
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    const found = await ask();
    if (found !== null) return found;
    const waitedMs = performance.now() - startedMs;
    if (waitedMs > boundMs) throw new Error(`timed out after ${boundMs} ms: ${what}`);
    const pauseMs = Math.max(SHORTEST_PAUSE_MS, waitedMs * PAUSE_SHARE);
    await delay(Math.min(pauseMs, LONGEST_PAUSE_MS));
  }
}

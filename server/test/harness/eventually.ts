import { setTimeout as delay } from "node:timers/promises";

/** The promise's value, or an Error that names what was awaited. */
export async function withinBound<T>(
  promise: Promise<T>,
  boundMs: number,
  what: string,
): Promise<T> {
  const abort = new AbortController();
  const tooLate = delay(boundMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`waited ${boundMs} ms in vain for ${what}`);
  });
  tooLate.catch(() => undefined);
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    abort.abort();
  }
}

/** Asks again until the answer is not null. For what becomes visible later, within a promised time. */
export async function eventually<T>(
  boundMs: number,
  what: string,
  ask: () => Promise<T | null>,
): Promise<T> {
  const deadline = performance.now() + boundMs;
  for (;;) {
    const found = await ask();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`waited ${boundMs} ms in vain for ${what}`);
    await delay(25);
  }
}

import { setTimeout as delay } from "node:timers/promises";
import { callAdmin, type ServerProcess } from "./server-process.ts";

// Measures durations that the product promises, on a machine that other tests load. A node does within a quarter of a
// second everything that it promises within a second, plus a query or two. So a second here has four quarters, and
// each quarter includes a query through every node to its database. On an idle machine it is a real second. Under
// load it grows with the waits of the nodes.

export interface NodeClock {
  /** Seconds between two times of `performance.now()`, milliseconds. */
  secondsBetween(fromMs: number, toMs: number): number;
  stop(): Promise<void>;
}

const QUARTERS = 4;
const QUARTER_MS = 250;

/**
 * Starts a clock that ticks until stopped. `stop` throws when a node did not respond. The nodes share a database and
 * the admin key of the first one. The key exists before, because a node that creates one polls for changes at once.
 */
export async function startNodeClock(nodes: readonly ServerProcess[]): Promise<NodeClock> {
  const key = (await nodes[0]?.adminKey()) ?? "";
  const tickedAtMs: number[] = [];
  const stopping = new AbortController();
  const { signal } = stopping;
  const tick = async () => {
    await delay(QUARTER_MS, undefined, { signal });
    await Promise.all(nodes.map(({ url }) => askDatabase(url, key)));
    tickedAtMs.push(performance.now());
  };
  const ticking = (async () => {
    while (!signal.aborted) await tick();
  })();
  const stopped = ticking.catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  stopped.catch(() => undefined); // `stop` reports the error
  return {
    secondsBetween: (fromMs, toMs) =>
      tickedAtMs.filter((atMs) => atMs > fromMs && atMs <= toMs).length / QUARTERS,
    stop: async () => {
      stopping.abort();
      await stopped;
    },
  };
}

async function askDatabase(url: string, adminKey: string): Promise<void> {
  const { status } = await callAdmin(url, adminKey, "GET", "/v1/organizations/me");
  if (status !== 200) throw new Error(`the clock's query was answered with ${status}`);
}

/** Like `eventually`, with a deadline in seconds of these nodes' clock. */
export async function withinSeconds<T>(
  seconds: number,
  nodes: readonly ServerProcess[],
  what: string,
  ask: () => Promise<T | null>,
): Promise<T> {
  const clock = await startNodeClock(nodes);
  const startedMs = performance.now();
  try {
    for (;;) {
      const sentMs = performance.now();
      const found = await ask();
      if (found !== null) return found;
      if (clock.secondsBetween(startedMs, sentMs) >= seconds) {
        throw new Error(`timed out after ${seconds} s: ${what}`);
      }
      await delay(25);
    }
  } finally {
    await clock.stop();
  }
}

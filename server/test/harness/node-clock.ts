import { setTimeout as delay } from "node:timers/promises";
import { callAdmin, type ServerProcess } from "./server-process.ts";

// Promises of the product about time, on a machine that other tests keep busy. What a node promises to do within a second
// takes it a quarter of one, and a question to the database or two. So a second here is four quarters of a second, each of
// which also has to take a question through every node to its database: it is the clock's second where there is nothing
// else to do, and grows with what the nodes have to wait for.

export interface NodeClock {
  /** Seconds that passed from one moment to the other, both in milliseconds of `performance.now()`. */
  secondsBetween(fromMs: number, toMs: number): number;
  stop(): Promise<void>;
}

const QUARTERS = 4;
const QUARTER_MS = 250;

/**
 * Ticks until it is stopped. Throws at its stop when a node did not answer. The nodes share a database, and the admin key
 * of the first: it is there already, since a node at which one is made looks for changes at once.
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
  stopped.catch(() => undefined); // whoever stops it hears of it
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
  if (status !== 200) throw new Error(`the clock's question was answered with ${status}`);
}

/** As `eventually`, for what holds so many seconds of these nodes' clock after this call. */
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
        throw new Error(`waited ${seconds} s in vain for ${what}`);
      }
      await delay(25);
    }
  } finally {
    await clock.stop();
  }
}

import { setTimeout as delay } from "node:timers/promises";

/** Longer than a test run takes: the test files of one process call this once. */
const NEAR_MS = 20 * 60_000;

/**
 * Spend counts by the month of the real clock: what a test spends and what it then reads must be of the same one. Just
 * before a month ends (UTC) this waits until the next one has begun.
 */
export async function passMonthEnd(): Promise<void> {
  const now = new Date();
  const endMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  const leftMs = endMs - now.getTime();
  if (leftMs < NEAR_MS) await delay(leftMs + 1_000);
}

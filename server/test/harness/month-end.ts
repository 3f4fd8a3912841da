import { setTimeout as delay } from "node:timers/promises";

/** Longer than a test run. All test files of one process call this once. */
const NEAR_MS = 20 * 60_000;

/**
 * Waits until the next month (UTC) when the current one ends soon. Spend counts by the month of the real clock, and a
 * test must write and read in the same one.
 */
export async function passMonthEnd(): Promise<void> {
  const now = new Date();
  const endMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  const leftMs = endMs - now.getTime();
  if (leftMs < NEAR_MS) await delay(leftMs + 1_000);
}

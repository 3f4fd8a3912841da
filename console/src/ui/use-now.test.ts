import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { now, TICK_MS, watchNow } from "./use-now.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the first reader after a pause gets the current time at once", () => {
  watchNow()();
  vi.advanceTimersByTime(3_600_000);
  const stop = watchNow();
  expect(now.get()).toBe(Date.now());
  vi.advanceTimersByTime(TICK_MS);
  expect(now.get()).toBe(Date.now());
  stop();
});

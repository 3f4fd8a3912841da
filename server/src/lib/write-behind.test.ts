import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeLogger } from "./logger.ts";
import { makeWriteBehind } from "./write-behind.ts";

const INTERVAL_MS = 5_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function makeBuffer(save: (notes: readonly string[]) => Promise<void>) {
  return makeWriteBehind<string>({
    placeOf: (note) => note,
    merge: (_, note) => note,
    save,
    failure: "cannot save",
    intervalMs: INTERVAL_MS,
    maxWaiting: 10,
    logger: makeLogger("silent"),
  });
}

test("saves a value one interval after it was added, and has no timer without values", async () => {
  const saved: (readonly string[])[] = [];
  const buffer = makeBuffer(async (notes) => void saved.push(notes));
  expect(vi.getTimerCount()).toBe(0);
  buffer.add("a");
  await vi.advanceTimersByTimeAsync(INTERVAL_MS - 1);
  buffer.add("b");
  expect(saved).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect([saved, vi.getTimerCount()]).toEqual([[["a", "b"]], 0]);
  buffer.add("c");
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect([saved, vi.getTimerCount()]).toEqual([[["a", "b"], ["c"]], 0]);
});

test("saves values that were added during a long save", async () => {
  const saved: (readonly string[])[] = [];
  const long = Promise.withResolvers<void>();
  const buffer = makeBuffer(async (notes) => {
    saved.push(notes);
    if (saved.length === 1) await long.promise;
  });
  buffer.add("a");
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  buffer.add("b");
  await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
  long.resolve();
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(saved).toEqual([["a"], ["b"]]);
});

test("saves the values of a failed save again after an interval", async () => {
  const saved: (readonly string[])[] = [];
  const buffer = makeBuffer(async (notes) => {
    saved.push(notes);
    if (saved.length === 1) throw new Error("connection refused");
  });
  buffer.add("a");
  await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
  expect([saved, vi.getTimerCount()]).toEqual([[["a"], ["a"]], 0]);
});

test("has no timer after its stop, also after a failed save", async () => {
  const buffer = makeBuffer(() => Promise.reject(new Error("connection refused")));
  buffer.add("a");
  await buffer.stop();
  expect(vi.getTimerCount()).toBe(0);
});

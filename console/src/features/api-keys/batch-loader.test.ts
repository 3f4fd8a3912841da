import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeBatchLoader } from "./batch-loader.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("loads keys of one moment together, each once, in parts of the maximum", async () => {
  const load = vi.fn((keys: readonly string[]) =>
    Promise.resolve(new Map(keys.filter((key) => key !== "c").map((key) => [key, `of ${key}`]))),
  );
  const loadOne = makeBatchLoader({ maxKeys: 2, waitMs: 10, load });
  const loaded = Promise.all(["a", "b", "a", "c"].map(loadOne));
  await vi.advanceTimersByTimeAsync(10);
  expect(await loaded).toEqual(["of a", "of b", "of a", null]);
  expect(load.mock.calls).toEqual([[["a", "b"]], [["c"]]]);
});

test("rejects all keys of a failed load, and loads them again later", async () => {
  const load = vi.fn((_: readonly string[]) => Promise.resolve(new Map([["a", 1]])));
  load.mockRejectedValueOnce(new Error("away"));
  const loadOne = makeBatchLoader({ maxKeys: 9, waitMs: 10, load });
  const failed = Promise.allSettled([loadOne("a"), loadOne("b")]);
  await vi.advanceTimersByTimeAsync(10);
  expect((await failed).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  const again = loadOne("a");
  await vi.advanceTimersByTimeAsync(10);
  expect(await again).toBe(1);
});

import { expect, test } from "vitest";
import { makeReloadedSource } from "./reloaded-source.ts";

test("makes the source once for calls that succeed", async () => {
  let made = 0;
  const load = makeReloadedSource({
    make: () => Promise.resolve(++made),
    use: (source, call: string) => Promise.resolve(`${call}${source}`),
  });
  expect(await Promise.all([load("a"), load("b")])).toEqual(["a1", "b1"]);
  expect(await load("c")).toBe("c1");
});

test("makes the source again after a failure, and reports the reason", async () => {
  let made = 0;
  const load = makeReloadedSource({
    make: () => Promise.resolve(++made),
    use: (source) =>
      source === 1 ? Promise.reject(new Error("expired")) : Promise.resolve("loaded"),
  });
  await expect(load()).rejects.toThrow("expired");
  expect(await load()).toBe("loaded");
  expect(made).toBe(2);
});

test("a source that never answers ends its calls in time, and stops no later call", async () => {
  let made = 0;
  const load = makeReloadedSource({
    make: () => Promise.resolve(++made),
    use: (source) => (source === 1 ? new Promise<string>(() => undefined) : Promise.resolve("ok")),
    withinMs: 20,
  });
  const late = await Promise.allSettled([load(), load()]);
  expect(late.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await load()).toBe("ok");
  expect(made).toBe(2);
});

import { setTimeout as delay } from "node:timers/promises";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { addRuntimeMetrics } from "./event-loop-metrics.ts";

const BLOCK_MS = 60;

test("a blocked turn of the event loop is the maximum until the next scrape", async () => {
  const registry = new Registry();
  addRuntimeMetrics(registry);
  await delay(5);
  await registry.metrics();
  const until = performance.now() + BLOCK_MS;
  while (performance.now() < until);
  await delay(5);
  const { max = 0, min, p99 = 0 } = await readLag(registry);
  expect(max).toBeGreaterThanOrEqual(BLOCK_MS / 1_000);
  expect(min).toBeLessThan(p99);
  await delay(5);
  const next = await readLag(registry);
  expect(next.max).toBeLessThan(max);
});

test("each metric has one value, and the others of the runtime remain", async () => {
  const registry = new Registry();
  addRuntimeMetrics(registry);
  expect(Object.keys(await readLag(registry)).sort()).toEqual(
    ["max", "mean", "min", "p50", "p90", "p99", "stddev"].sort(),
  );
  const text = await registry.metrics();
  for (const name of ["nodejs_eventloop_lag_seconds", "nodejs_heap_size_used_bytes"]) {
    expect(text).toMatch(new RegExp(`^${name} `, "m"));
  }
});

async function readLag(registry: Registry): Promise<{ min?: number; max?: number; p99?: number }> {
  const lines = (await registry.metrics()).matchAll(/^nodejs_eventloop_lag_(\w+)_seconds (\S+)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
}

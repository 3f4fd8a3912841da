import { expect, test } from "vitest";
import { UsualCosts } from "./usual-cost.ts";

const KEY = "apikey_1";
const MODEL = "claude-opus-5";

function addAll(costs: UsualCosts, nanoUsd: readonly number[], key = KEY): void {
  for (const each of nanoUsd) costs.add(key, MODEL, BigInt(each));
}

test("is unknown below five streams, and for another key or model", () => {
  const costs = new UsualCosts();
  addAll(costs, [1e9, 1e9, 1e9, 1e9]);
  expect(costs.find(KEY, MODEL)).toBe(0n);
  addAll(costs, [1e9]);
  expect(costs.find(KEY, MODEL)).toBeGreaterThanOrEqual(1_000_000_000n);
  expect(costs.find("apikey_2", MODEL)).toBe(0n);
  expect(costs.find(KEY, "claude-haiku-4-5")).toBe(0n);
});

test("is the 90th percentile, rounded up by a quarter at most", () => {
  const costs = new UsualCosts();
  addAll(costs, [...Array<number>(18).fill(1e8), 2e10, 2e10]);
  const usual = Number(costs.find(KEY, MODEL));
  expect(usual).toBeGreaterThanOrEqual(1e8);
  expect(usual).toBeLessThanOrEqual(1.25e8);
});

test("follows recent streams", () => {
  const costs = new UsualCosts();
  addAll(costs, Array<number>(128).fill(1e10));
  addAll(costs, Array<number>(900).fill(1e8));
  expect(Number(costs.find(KEY, MODEL))).toBeLessThanOrEqual(1.25e8);
});

test("forgets the key that was used longest ago beyond its bound", () => {
  const costs = new UsualCosts();
  addAll(costs, Array<number>(5).fill(1e8));
  for (let other = 0; other < 4_096; other++) addAll(costs, [1e8], `apikey_other_${other}`);
  expect(costs.find(KEY, MODEL)).toBe(0n);
});

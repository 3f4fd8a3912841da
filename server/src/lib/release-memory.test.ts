import { expect, test } from "vitest";
import { allocateOwned, joinOwned, releaseMemory } from "./release-memory.ts";

test("frees memory that belongs to one buffer", () => {
  const bytes = Buffer.alloc(64 * 1024, "a");
  releaseMemory(bytes);
  expect(bytes.length).toBe(0);
});

test("frees the memory of most bytes of a read", () => {
  const read = Buffer.alloc(64 * 1024, "a");
  const body = read.subarray(500);
  releaseMemory(body);
  expect(body.length).toBe(0);
});

test("keeps memory that is shared or small", () => {
  const pooled = Array.from({ length: 8 }, (_, n) => Buffer.from("x".repeat(1_000 * n + 1)));
  const largest = Buffer.allocUnsafe((Buffer.poolSize >>> 1) - 1);
  const small = Buffer.alloc(1_000);
  const kept = [...pooled, largest, small, Buffer.alloc(0)];
  const lengths = kept.map(({ length }) => length);
  kept.forEach(releaseMemory);
  expect(kept.map(({ length }) => length)).toEqual(lengths);
  expect(pooled[1]?.toString()).toBe("x".repeat(1_001));
});

test("frees allocated memory of each size from 16 KB on", () => {
  const lengths = [16_384, 20_000, 40_000, 70_000, 300_000];
  const all = lengths.map(allocateOwned);
  expect(all.map(({ length }) => length)).toEqual(lengths);
  all.forEach(releaseMemory);
  expect(all.map(({ length }) => length)).toEqual([0, 0, 0, 0, 0]);
  const small = allocateOwned(16_383);
  releaseMemory(small);
  expect(small.length).toBe(16_383);
});

test("joins parts of one read and of several reads, and frees them", () => {
  const first = Buffer.alloc(40_000, "a");
  const second = Buffer.alloc(40_000, "b");
  const parts = [first.subarray(0, 30_000), first.subarray(30_000), second];
  const whole = joinOwned(parts);
  expect(whole.toString()).toBe("a".repeat(40_000) + "b".repeat(40_000));
  expect([first.length, second.length]).toEqual([0, 0]);
  expect(joinOwned([whole])).toBe(whole);
});

import { expect, test } from "vitest";
import { steadyDays } from "./steady-days.ts";

const MIDNIGHT = Date.UTC(2026, 11, 1);

test("follows a clock that jumps back within a day, and waits for one that jumps back over midnight", () => {
  let atMs = MIDNIGHT - 2_000;
  const nowMs = steadyDays(() => atMs);
  expect(nowMs()).toBe(MIDNIGHT - 2_000);
  atMs = MIDNIGHT - 5_000;
  expect(nowMs()).toBe(MIDNIGHT - 5_000);
  atMs = MIDNIGHT + 3_000;
  expect(nowMs()).toBe(MIDNIGHT + 3_000);
  atMs = MIDNIGHT + 1_000;
  expect(nowMs()).toBe(MIDNIGHT + 1_000);
  atMs = MIDNIGHT - 1;
  expect(nowMs()).toBe(MIDNIGHT + 3_000);
  atMs = MIDNIGHT;
  expect(nowMs()).toBe(MIDNIGHT);
});

import { expect, test } from "vitest";
import { steadyDays } from "./steady-days.ts";

const MIDNIGHT = Date.UTC(2026, 11, 1);

test("a clock that jumps back within a day is followed, over midnight it is not until it has caught up", () => {
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

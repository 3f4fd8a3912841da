import { describe, expect, test } from "vitest";
import { findRefusedWindows } from "./replay-refusals.rule.ts";

const hours = (requests: Record<number, number>) =>
  Object.entries(requests).map(([hour, count]) => ({ hour: Number(hour), requests: count }));
const ends = (requests: Record<number, number>, rule: { count: number; windowHours: number }) =>
  findRefusedWindows(hours(requests), rule).map(({ end }) => end);

describe("windows of refused requests", () => {
  test("of an hour fire once until an hour is below the count", () => {
    const rule = { count: 10, windowHours: 1 };
    expect(ends({ 5: 10, 6: 12, 7: 3, 8: 10 }, rule)).toEqual([6, 9]);
    expect(ends({ 5: 9, 6: 9 }, rule)).toEqual([]);
  });

  test("of several hours sum them, and skip hours without refusals", () => {
    const rule = { count: 10, windowHours: 3 };
    expect(ends({ 5: 4, 7: 6 }, rule)).toEqual([8]);
    expect(ends({ 5: 4, 8: 6 }, rule)).toEqual([]);
  });

  test("fire again only after a whole window without the condition", () => {
    const rule = { count: 10, windowHours: 2 };
    expect(ends({ 5: 10, 8: 10 }, rule)).toEqual([6, 9]);
    expect(ends({ 5: 10, 7: 10 }, rule)).toEqual([6]);
  });

  test("have the refusals of the window", () => {
    expect(findRefusedWindows(hours({ 5: 4, 6: 7 }), { count: 10, windowHours: 2 })).toEqual([
      { end: 7, requests: 11 },
    ]);
  });
});

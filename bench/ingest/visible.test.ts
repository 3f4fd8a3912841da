import { expect, test } from "vitest";
import { measureDelays } from "./visible.ts";

test("a probe is visible at the first sighting that counts it", () => {
  const sightings = [
    { atMs: 100, counts: [0, 0] },
    { atMs: 200, counts: [2, 0] },
    { atMs: 300, counts: [3, 1] },
  ];
  const probes = [[50, 90, 210], [20]];
  expect(measureDelays(probes, sightings)).toEqual({
    delaysMs: [150, 110, 90, 280],
    unseen: 0,
  });
});

test("probes that no sighting counts are unseen", () => {
  const sightings = [{ atMs: 100, counts: [1] }];
  expect(measureDelays([[50, 60, 70]], sightings)).toEqual({ delaysMs: [50], unseen: 2 });
  expect(measureDelays([[50]], [])).toEqual({ delaysMs: [], unseen: 1 });
});

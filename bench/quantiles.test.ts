import { expect, test } from "vitest";
import { computeQuantiles } from "./quantiles.ts";

test("quantiles are measured samples, by nearest rank", () => {
  const samples = Float64Array.from({ length: 200 }, (_, i) => 200 - i);
  expect(computeQuantiles(samples, 200)).toEqual({ p50: 100, p90: 180, p99: 198, max: 200 });
});

test("ignores unused capacity after the samples", () => {
  expect(computeQuantiles(Float64Array.of(3, 1, 2, 0, 0), 3)).toEqual({
    p50: 2,
    p90: 3,
    p99: 3,
    max: 3,
  });
});

test("one sample is every quantile, and no sample is zero", () => {
  expect(computeQuantiles(Float64Array.of(7), 1)).toEqual({ p50: 7, p90: 7, p99: 7, max: 7 });
  expect(computeQuantiles(new Float64Array(4), 0)).toEqual({ p50: 0, p90: 0, p99: 0, max: 0 });
});

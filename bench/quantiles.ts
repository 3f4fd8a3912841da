export interface Quantiles {
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/** Exact nearest-rank quantiles of the first `count` samples. Sorts `samples` in place. All zero without samples. */
export function computeQuantiles(samples: Float64Array, count: number): Quantiles {
  const sorted = samples.subarray(0, count).sort();
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * count) - 1)] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

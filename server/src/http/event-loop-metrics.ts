import { monitorEventLoopDelay } from "node:perf_hooks";
import { collectDefaultMetrics, Gauge, type Registry } from "prom-client";

// Metrics of Node.js itself, with the names of prom-client. Its own histogram of the event loop needs a timer of 10 ms,
// which took half of the CPU time of an idle server. This one is filled by each turn of the loop, and needs no timer.

type Lag = ReturnType<typeof monitorEventLoopDelay>;

/** Values of the histogram by the middle of the metric's name. */
const values: Readonly<Record<string, (histogram: Lag) => number>> = {
  min: ({ min }) => min,
  max: ({ max }) => max,
  mean: ({ mean }) => mean,
  stddev: ({ stddev }) => stddev,
  p50: (histogram) => histogram.percentile(50),
  p90: (histogram) => histogram.percentile(90),
  p99: (histogram) => histogram.percentile(99),
};
/** The longest timer. prom-client has no setting without one. */
const NEVER_MS = 2 ** 31 - 1;
const NANOSECONDS = 1e9;

/** Adds the metrics of Node.js. The lag of the event loop is the time of one turn, since the last scrape. */
export function addRuntimeMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  // Node.js 24 does not know the first option, and samples by a timer.
  const histogram = monitorEventLoopDelay({ samplePerIteration: true });
  histogram.enable();
  const gauges: [Gauge, (histogram: Lag) => number][] = [];
  for (const [name, read] of Object.entries(values)) {
    const fullName = `nodejs_eventloop_lag_${name}_seconds`;
    registry.removeSingleMetric(fullName);
    const isFirst = gauges.length === 0;
    const gauge = new Gauge({
      name: fullName,
      help: `Time of one turn of the event loop since the last scrape: ${name}.`,
      registers: [registry],
      // A scrape reads all values before it resets the histogram. The first gauge is collected first.
      ...(isFirst && { collect: readAll }),
    });
    gauges.push([gauge, read]);
  }

  function readAll(): void {
    for (const [gauge, read] of gauges) {
      gauge.set(histogram.count === 0 ? 0 : read(histogram) / NANOSECONDS);
    }
    histogram.reset();
  }
}

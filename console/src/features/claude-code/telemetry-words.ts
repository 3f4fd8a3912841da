import type { Signal } from "./telemetry-queries.ts";

export const signalWords: Readonly<Record<Signal, string>> = {
  metrics: "Metrics",
  logs: "Logs",
  traces: "Traces",
};

/** Kinds of telemetry, as in the paths of OTLP over HTTP. */
export const telemetrySignals = ["metrics", "logs", "traces"] as const;
export type TelemetrySignal = (typeof telemetrySignals)[number];

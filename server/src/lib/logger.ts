import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger };

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Paths that could ever carry a secret. Requests are logged by id, never by header or body. */
const redact = [
  "authorization",
  "cookie",
  "password",
  "secret",
  "credential",
  "*.authorization",
  "*.cookie",
  "*.password",
  "*.secret",
  "*.credential",
  '["x-api-key"]',
  '*["x-api-key"]',
];

/** One JSON line per event on standard output. */
export function makeLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = { level, redact, base: null };
  return destination ? pino(options, destination) : pino(options);
}

import picocolors from "picocolors";
import { type DestinationStream, type Logger, pino } from "pino";
import { formatLogLine } from "./format-log-line.ts";

export type { Logger };

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ["auto", "pretty", "json"] as const;
export type LogFormat = (typeof logFormats)[number];

/** Paths that may contain a secret. Requests are logged by id, never by header or body. */
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

/** Creates the logger of a process on standard output. Colours need a terminal, and no NO_COLOR. */
export function makeProcessLogger(level: LogLevel, format: LogFormat): Logger {
  const { stdout } = process;
  if (chooseLogFormat(format, stdout.isTTY) === "json") return makeLogger(level);
  const isColoured = stdout.isTTY === true && picocolors.isColorSupported;
  return makeLogger(level, {
    write: (line) => void stdout.write(formatLogLine(line, isColoured)),
  });
}

/** Resolves the format `auto`: readable lines on a terminal, otherwise JSON. */
export function chooseLogFormat(format: LogFormat, isTerminal: boolean): "pretty" | "json" {
  if (format !== "auto") return format;
  return isTerminal ? "pretty" : "json";
}

/** Creates a logger that writes one JSON line per event, on standard output by default. */
export function makeLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = { level, redact, base: null };
  return destination ? pino(options, destination) : pino(options);
}

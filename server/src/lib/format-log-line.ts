import picocolors from "picocolors";

// Formats a JSON log line for a terminal.

const MAX_VALUE_LENGTH = 120;
/** Maximum length of a value within an object. */
const MAX_INNER_LENGTH = 40;
const ERROR = 50;
const levelNames: Readonly<Record<number, string>> = {
  10: "TRACE",
  20: "DEBUG",
  30: "INFO",
  40: "WARN",
  50: "ERROR",
  60: "FATAL",
};

/**
 * Formats time of day, level, message and fields. Objects show only short values. Errors show their message, from level
 * error also their stack. Control characters are escaped.
 */
export function formatLogLine(json: string, isColoured: boolean): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json) as LogLine;
  const colours = picocolors.createColors(isColoured);
  const name = (levelNames[level] ?? String(level)).padEnd(5);
  const paint = level >= ERROR ? colours.red : level > 30 ? colours.yellow : colours.green;
  const pairs = Object.entries(fields).flatMap(([key, value]) => formatField(key, value));
  if (err?.message !== undefined) pairs.unshift(`error=${formatValue(err.message)}`);
  const parts = [colours.dim(formatTime(time)), paint(name), escapeControls(msg ?? "")];
  if (pairs.length > 0) parts.push(colours.dim(pairs.join(" ")));
  const stack = level >= ERROR ? formatStack(err?.stack) : "";
  return `${parts.join(" ")}\n${stack === "" ? "" : colours.dim(stack)}`;
}

interface LogLine {
  level: number;
  /** Milliseconds since the epoch. */
  time: number;
  msg?: string;
  err?: { message?: string; stack?: string };
  [field: string]: unknown;
}

/** Local time of day, HH:MM:SS. */
function formatTime(ms: number): string {
  const at = new Date(ms);
  const pad = (part: number) => String(part).padStart(2, "0");
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

/** Formats `key=value`. Objects show only short values, because long ones are usually hashes. */
function formatField(key: string, value: unknown): string[] {
  const text = formatValue(value);
  if (text !== null) return [`${key}=${text}`];
  return Object.entries(value ?? {}).flatMap(([name, inner]) => {
    const innerText = formatValue(inner) ?? "";
    const isShown = innerText !== "" && innerText.length <= MAX_INNER_LENGTH;
    return isShown ? [`${key}.${name}=${innerText}`] : [];
  });
}

/** Null for an object, and for null. */
function formatValue(value: unknown): string | null {
  if (Array.isArray(value)) {
    const items = value.map(formatValue);
    return items.includes(null) ? null : shorten(items.join(","));
  }
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return null;
  return shorten(/^[!-~]+$/.test(value) ? value : JSON.stringify(escapeControls(value)));
}

/** The frames of a stack, without its first line, which repeats the message. */
function formatStack(stack: string | undefined): string {
  const frames = (stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return frames.map((line) => `${escapeControls(line)}\n`).join("");
}

/** Escapes control characters, because log texts can come from clients and would control the terminal. */
function escapeControls(text: string): string {
  return text.replaceAll(
    /\p{C}/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`,
  );
}

function shorten(text: string): string {
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

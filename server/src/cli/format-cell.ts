import picocolors from "picocolors";
import { replaceControlCharacters } from "./terminal.ts";

// Formats response values for a terminal.

export interface Cell {
  text: string;
  isNumber: boolean;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const DECIMAL = /^-?\d+(\.\d+)?$/;

/** Formats a value on one line. `path` is its place in the response. */
export function toCell(path: string, value: unknown): Cell {
  if (/_usd(\.|$)/.test(path) && (typeof value === "number" || isDecimal(value))) {
    return { text: formatMoney(String(value)), isNumber: true };
  }
  if (typeof value === "number") return { text: value.toLocaleString("en"), isNumber: true };
  return {
    text: replaceControlCharacters(formatValue(value)).replaceAll(/\s+/g, " "),
    isNumber: false,
  };
}

function isDecimal(value: unknown): boolean {
  return typeof value === "string" && DECIMAL.test(value);
}

/** Exact decimal: `1234.5` becomes `1,234.50`. */
function formatMoney(decimal: string): string {
  const [whole = "0", fraction = ""] = decimal.split(".");
  return `${whole.replaceAll(/\B(?=(\d{3})+$)/g, ",")}.${fraction.padEnd(2, "0")}`;
}

function formatValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return INSTANT.test(value) ? formatMinute(value) : value;
  if (Array.isArray(value)) return value.map(formatValue).join(", ");
  if (typeof value === "object") return formatName(value as Record<string, unknown>);
  return String(value);
}

/** `2026-11-20 12:00Z`. */
function formatMinute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)}Z`;
}

/** Label of a nested object: its address, its name, or its values. */
function formatName(thing: Record<string, unknown>): string {
  const called = thing["email"] ?? thing["name"];
  if (typeof called === "string") return called;
  const values = Object.values(thing).filter(
    (value) => value === null || typeof value !== "object",
  );
  return values.map(formatValue).join(" ").trim();
}

/** `spent_usd`: `spent $`. `scope.type`: `scope`. */
export function toHeading(path: string): string {
  const name =
    path
      .replace(/\.type$/, "")
      .split(".")
      .at(-1) ?? path;
  return replaceControlCharacters(name)
    .replace(/_usd$/, " $")
    .replace(/_(at|id)$/, "")
    .replaceAll("_", " ");
}

const good = new Set(["active", "accepted", "sent", "invited", "ready", "ok"]);
const over = new Set(["archived", "revoked", "expired", "removed", "withdrawn", "retired"]);
const bad = new Set(["failed", "invalid", "inactive", "deactivated"]);

/** Colours a status. The text stays unchanged. */
export function colorStatus(path: string, text: string): string {
  if (!/(^|\.|_)(status|result|lifecycle)$/.test(path)) return text;
  const word = text.trim();
  if (good.has(word)) return picocolors.green(text);
  if (bad.has(word)) return picocolors.red(text);
  return over.has(word) ? picocolors.dim(text) : picocolors.yellow(text);
}

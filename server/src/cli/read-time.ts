import { CommandError, exitCodes } from "./command-error.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Examples for `--help`. */
export const timeForms = "2027-01-01T00:00:00Z, 2027-01-01, now, -7d or +90d";

/**
 * Converts a written time to RFC 3339. A day means its start in UTC. `-7d` and `+90d` are relative to `nowMs`, in
 * minutes, hours, days or weeks. Other forms are returned unchanged and the server validates them.
 */
export function readTime(text: string, nowMs: number): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text}T00:00:00Z`;
  if (text === "now") return toInstant(nowMs, text);
  const relative = /^([+-])(\d{1,9})([mhdw])$/.exec(text);
  if (!relative) return text;
  const [, sign, amount, unit = ""] = relative;
  const distanceMs = Number(amount) * (UNIT_MS[unit] ?? 0);
  return toInstant(sign === "-" ? nowMs - distanceMs : nowMs + distanceMs, text);
}

function toInstant(ms: number, written: string): string {
  // RFC 3339 has years of four digits.
  if (ms < Date.UTC(0, 0, 1) || ms >= Date.UTC(10_000, 0, 1)) {
    throw new CommandError(`${written} is out of range.`, exitCodes.usage);
  }
  return new Date(ms).toISOString();
}

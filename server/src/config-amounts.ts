import { z } from "zod";

// Durations, sizes and retentions of settings: how they are written, and how they are shown.

/** Longest duration. Timers are limited to 24.8 days, and a longer one would fire at once. */
const LONGEST_MS = 24 * 3_600_000;
const expectedDuration = "expected a duration such as 500ms, 30s, 5m or 1h, at most 24h";
export const duration = z
  .string()
  .regex(/^\d{1,10}(ms|s|m|h)?$/, expectedDuration)
  .transform((text) => {
    const unit = text.replace(/^\d+/, "");
    const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, "": 1_000 }[unit] ?? 1_000;
    return Number.parseInt(text, 10) * factor;
  })
  .refine((ms) => ms <= LONGEST_MS, expectedDuration);
/** Duration for settings in which zero would be an outage, or (in undici) no limit. */
export const lastingDuration = duration.refine((ms) => ms >= 1_000, "expected at least 1s");
const sizeUnits = {
  "": 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
} as const;
const expectedSize = "expected a size such as 500MB, 20GB or 16GiB, at most 1000TB";
const LARGEST_BYTES = 1e15;
export const size = z
  .string()
  .regex(/^\d{1,15}(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$/, expectedSize)
  .transform((written) => {
    const unit = written.replace(/^\d+/, "") as keyof typeof sizeUnits;
    return Number.parseInt(written, 10) * sizeUnits[unit];
  })
  .refine((bytes) => bytes <= LARGEST_BYTES, expectedSize);
/** Days, or Infinity for "forever". Shorter than `least` would delete what limits, alerts and reports still read. */
export const retention = (least: number) => {
  const expected = `expected a number of days from ${least}d to 36500d, or forever`;
  return z
    .string()
    .regex(/^(\d{1,5}d|forever)$/, expected)
    .transform((written) => (written === "forever" ? Infinity : Number.parseInt(written, 10)))
    .refine((days) => days >= least && (days <= 36_500 || days === Infinity), expected);
};

/** Formats a duration in the largest exact unit, so that it can be set again unchanged. */
export function writeDuration(ms: number): string {
  for (const [factor, unit] of [
    [3_600_000, "h"],
    [60_000, "m"],
    [1_000, "s"],
  ] as const) {
    if (ms >= factor && ms % factor === 0) return `${ms / factor}${unit}`;
  }
  return `${ms}ms`;
}

/** Formats a size in the largest exact unit. */
export function writeSize(bytes: number): string {
  const units = Object.entries(sizeUnits).sort(([, a], [, b]) => b - a);
  const [unit, factor] = units.find(([, each]) => bytes >= each && bytes % each === 0) ?? ["", 1];
  return `${bytes / factor}${unit}`;
}

export function writeRetention(days: number): string {
  return days === Infinity ? "forever" : `${days}d`;
}

// Numbers and times for display. Money arrives as exact decimal text and is rounded before it becomes a double, so that
// the sum of a column is exact.

const NANO_DIGITS = 9;
const NANO_PER_USD = 10n ** BigInt(NANO_DIGITS);
const NANO_PER_CENT = NANO_PER_USD / 100n;

/** Returns the nano-dollars of decimal text such as "12.5". Throws for other text. */
export function toNanoUsd(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) throw new Error(`not an amount: ${text}`);
  const [, sign, whole = "0", fraction = ""] = match;
  const nano = BigInt(whole) * NANO_PER_USD + BigInt(fraction.padEnd(NANO_DIGITS, "0"));
  return sign === "-" ? -nano : nano;
}

/** Returns decimal text, in the API's format. `nano` must not be negative. */
export function nanoToUsdText(nano: bigint): string {
  return `${nano / NANO_PER_USD}.${(nano % NANO_PER_USD).toString().padStart(NANO_DIGITS, "0")}`;
}

/** Returns decimal text of an amount that the API sends as a number. Exact, because it has at most 15 digits. */
export function toUsdText(usd: number): string {
  const text = String(usd);
  return text.includes("e") ? usd.toFixed(NANO_DIGITS) : text;
}

/** `$1,234.56`. Rounds half cents up. A positive amount below one cent is `<$0.01`. */
export function formatUsd(text: string): string {
  const nano = toNanoUsd(text);
  const size = nano < 0n ? -nano : nano;
  if (size > 0n && size < NANO_PER_CENT) return nano < 0n ? "-<$0.01" : "<$0.01";
  const cents = (size + NANO_PER_CENT / 2n) / NANO_PER_CENT;
  const whole = wholeFormat.format(cents / 100n);
  return `${nano < 0n ? "-" : ""}$${whole}.${(cents % 100n).toString().padStart(2, "0")}`;
}

/** `$12.3k` for axes. */
export function formatUsdShort(usd: number): string {
  if (usd === 0) return "$0";
  const digits = Math.abs(usd) < 1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 1 };
  return `$${new Intl.NumberFormat("en-US", { notation: "compact", ...digits }).format(usd)}`;
}

/** `12.4M` */
export function formatCountShort(count: number): string {
  return shortFormat.format(count);
}

/** `12,400,000` */
export function formatCount(count: number): string {
  return wholeFormat.format(count);
}

/** `1 key`, `3 keys` */
export function formatPlural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Ratio of `part` to `whole`, which can exceed 1. For a zero `whole`: 0 for a zero part, else 1. */
export function shareOf(part: string, whole: string): number {
  const nanoWhole = toNanoUsd(whole);
  const nanoPart = toNanoUsd(part);
  if (nanoWhole <= 0n) return nanoPart > 0n ? 1 : 0;
  return Number((nanoPart * 10_000n) / nanoWhole) / 10_000;
}

const units: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

// Created once, because a formatter costs more to create than to use, and every row of a table uses several.
const relativeFormat = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const wholeFormat = new Intl.NumberFormat("en-US");
const shortFormat = new Intl.NumberFormat("en-US", {
  notation: "compact",
  maximumFractionDigits: 1,
});

/** `nowMs` is updated every 15 seconds, so something that has just happened can be later. */
const AHEAD_S = 15;

/** `3 days ago`, `in 2 hours`, `just now`. */
export function formatRelative(instant: string, nowMs: number): string {
  const seconds = (Date.parse(instant) - nowMs) / 1000;
  const found = units.find(([, size]) => Math.abs(seconds) >= size);
  if (!found)
    return seconds < -10 ? "a moment ago" : seconds <= AHEAD_S ? "just now" : "in a moment";
  const [unit, size] = found;
  return relativeFormat.format(Math.trunc(seconds / size), unit);
}

/** `2026-11-24 18:03:12 UTC` */
export function formatUtc(instant: string): string {
  return `${new Date(instant).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `24 Nov 2026`, the day in UTC. */
export function formatDay(instant: string): string {
  return new Date(instant).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
}

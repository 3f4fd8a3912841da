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

/**
 * `$1,234.56`. Rounds half cents up. A positive amount below one cent is `<$0.01`. A negative one above minus one cent is
 * `-$0.00`, whose sign and digits align with the other amounts of a column.
 */
export function formatUsd(text: string): string {
  const nano = toNanoUsd(text);
  const size = nano < 0n ? -nano : nano;
  if (size > 0n && size < NANO_PER_CENT) return nano < 0n ? "-$0.00" : "<$0.01";
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

/** `82%`, rounded down, so that 100% means that the limit is reached. */
export function formatShare(share: number): string {
  return `${formatCount(Math.floor(share * 100))}%`;
}

/**
 * Units of relative times. Two weeks, months or years are the least of these units, because one of them is imprecise.
 * A day is 24 hours, so "1 day ago" is right and "yesterday" can be wrong.
 */
const units: [unit: Intl.RelativeTimeFormatUnit, seconds: number, least: number][] = [
  ["year", 31_536_000, 2],
  ["month", 2_592_000, 2],
  ["week", 604_800, 2],
  ["day", 86_400, 1],
  ["hour", 3600, 1],
  ["minute", 60, 1],
];

// Created once, because a formatter costs more to create than to use, and every row of a table uses several.
const relativeFormat = new Intl.RelativeTimeFormat("en", { numeric: "always" });
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
  const found = units.find(([, size, least]) => Math.abs(seconds) >= size * least);
  if (!found)
    return seconds < -10 ? "a moment ago" : seconds <= AHEAD_S ? "just now" : "in a moment";
  const [unit, size] = found;
  return relativeFormat.format(Math.trunc(seconds / size), unit);
}

/** Order of the parts of a day: `27 Nov 2026`, `Nov 27, 2026` or `2026-11-27`. */
export type DateFormat = "day_month_year" | "month_day_year" | "year_month_day";

interface TimeDisplay {
  /** Name in the IANA database. Null: the browser's zone. */
  timeZone: string | null;
  dateFormat: DateFormat | null;
}

/** Zone and format of the person. The session sets both before a page shows a time. */
let display: TimeDisplay = { timeZone: null, dateFormat: null };
let readClock = makeClock(null);
const readUtcClock = makeClock("UTC");

/** Sets zone and format of all times that are formatted later. An unknown zone is the browser's. */
export function setTimeDisplay(next: TimeDisplay): void {
  if (next.timeZone !== display.timeZone) readClock = makeClock(next.timeZone);
  display = next;
}

/** Date and time of day in one zone, each part as text with all its digits. */
interface ClockParts {
  year: string;
  month: number;
  day: number;
  time: string;
  milliseconds: string;
  /** `UTC`, `UTC+1` or `UTC-3:30`. */
  zone: string;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function makeClock(timeZone: string | null): (instant: string) => ClockParts {
  const format = makeClockFormat(timeZone) ?? makeClockFormat(null);
  return (instant) => {
    const date = new Date(instant);
    const found = new Map(format?.formatToParts(date).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes) => found.get(type) ?? "";
    return {
      year: part("year"),
      month: Number(part("month")),
      day: Number(part("day")),
      time: `${part("hour")}:${part("minute")}:${part("second")}`,
      milliseconds: String(date.getUTCMilliseconds()).padStart(3, "0"),
      zone: part("timeZoneName")
        .replace("GMT", "UTC")
        .replace(/^UTC\+0$/, "UTC"),
    };
  };
}

/** Null: the browser does not know the zone. */
function makeClockFormat(timeZone: string | null): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat("en-GB", {
      ...(timeZone !== null && { timeZone }),
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      timeZoneName: "shortOffset",
    });
  } catch {
    return null;
  }
}

/** `24 Nov 2026, 19:03:12 UTC+1`. The zone is always named. */
export function formatTime(instant: string): string {
  const parts = readClock(instant);
  return `${joinDay(parts)}, ${parts.time} ${parts.zone}`;
}

/** `24 Nov 2026, 19:03:12.417 UTC+1` */
export function formatExactTime(instant: string): string {
  const parts = readClock(instant);
  return `${joinDay(parts)}, ${parts.time}.${parts.milliseconds} ${parts.zone}`;
}

/** `24 Nov 19:03:12`, or with the year for old records, for a column whose heading names the zone. */
export function formatMoment(instant: string, hasYear = false): string {
  const parts = readClock(instant);
  return `${joinDay(parts, hasYear)} ${parts.time}`;
}

/** `UTC`, or the place of the person's zone, such as `Berlin`. Offsets change within a year, and the place does not. */
export function nameTimeZone(): string {
  const { timeZone } = display;
  const name = timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name.split("/").at(-1)?.replaceAll("_", " ") ?? name;
}

/** `24 Nov 2026`, the day of an instant in the person's zone. */
export function formatDay(instant: string): string {
  return joinDay(readClock(instant));
}

/** `24 Nov 2026 (UTC)`. For bounds of money periods, and for days that the server counts. */
export function formatUtcDay(instant: string): string {
  return `${joinDay(readUtcClock(instant))} (UTC)`;
}

/** `24 Nov 2026` for the day `2026-11-24`, which belongs to no zone. */
export function formatIsoDay(day: string): string {
  return joinDay(readUtcClock(`${day}T00:00:00Z`));
}

/** Replaces days such as `2026-11-24` in a text of the server by the person's format. */
export function formatDaysIn(text: string): string {
  return text.replace(/\b\d{4}-\d{2}-\d{2}\b/g, formatIsoDay);
}

/** `Tue 24 Nov`, the day of an instant in UTC without its year, for charts. */
export function formatWeekday(instant: string): string {
  const weekday = weekdays[new Date(instant).getUTCDay()];
  return `${weekday} ${joinDay(readUtcClock(instant), false)}`;
}

/** `24 Nov`, the day of an instant in UTC without its year, for axes. */
export function formatShortDay(instant: string): string {
  return joinDay(readUtcClock(instant), false);
}

/** `November 2026`, the month of an instant in UTC. */
export function formatMonth(instant: string): string {
  return monthFormat.format(new Date(instant));
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const monthFormat = new Intl.DateTimeFormat("en-GB", {
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});

function joinDay({ year, month, day }: ClockParts, hasYear = true): string {
  const name = months[month - 1] ?? "";
  switch (display.dateFormat) {
    case "year_month_day": {
      const short = `${twoDigits(month)}-${twoDigits(day)}`;
      return hasYear ? `${year}-${short}` : short;
    }
    case "month_day_year":
      return hasYear ? `${name} ${day}, ${year}` : `${name} ${day}`;
    default:
      return hasYear ? `${day} ${name} ${year}` : `${day} ${name}`;
  }
}

const twoDigits = (value: number) => String(value).padStart(2, "0");

/** Example of a day in the person's format, for hints. */
export const exampleDay = () => formatIsoDay("2026-11-27");

/**
 * Returns the day `2026-11-27` that a person wrote: `2026-11-27`, `27 Nov 2026`, `Nov 27, 2026` or `27.11.2026`. Null: another
 * text, or a day that does not exist. Slashes are ambiguous between countries, so they are not read.
 */
export function parseDay(text: string): string | null {
  const trimmed = text.trim();
  const iso = /^(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})$/.exec(trimmed);
  const dots = /^(?<day>\d{1,2})\.\s?(?<month>\d{1,2})\.\s?(?<year>\d{4})$/.exec(trimmed);
  const dayFirst = /^(?<day>\d{1,2})\.?\s+(?<month>[a-z]+)\.?,?\s+(?<year>\d{4})$/i.exec(trimmed);
  const monthFirst = /^(?<month>[a-z]+)\.?\s+(?<day>\d{1,2}),?\s+(?<year>\d{4})$/i.exec(trimmed);
  const found = (iso ?? dots ?? dayFirst ?? monthFirst)?.groups;
  if (!found) return null;
  const month = readMonth(found["month"] ?? "");
  const day = Number(found["day"]);
  const date = new Date(Date.UTC(Number(found["year"]), month - 1, day));
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? date.toISOString().slice(0, 10) : null;
}

/** Number of a month from its digits or its English name, with at least three letters. 0: another text. */
function readMonth(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const name = text.toLowerCase();
  if (name.length < 3) return 0;
  return 1 + monthNames.findIndex((month) => month.startsWith(name));
}

const monthNames = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];

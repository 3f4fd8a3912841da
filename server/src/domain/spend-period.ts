import { assert } from "#src/lib/assert.ts";

// Calendar periods in UTC, by integer arithmetic on the proleptic Gregorian calendar, without time zone or clock.

export type PeriodName = "daily" | "weekly" | "monthly";
export const periodNames = ["daily", "weekly", "monthly"] as const satisfies PeriodName[];

export interface SpendPeriod {
  /** First day, "YYYY-MM-DD". Part of a balance's key, with scope and name. */
  start: string;
  /** Milliseconds since the epoch. The end is exclusive: the start of the next period. */
  startMs: number;
  endMs: number;
}

const DAY_MS = 86_400_000;
const DAYS_OF_400_YEARS = 146_097;
/** Days from Monday to the epoch, 1970-01-01, a Thursday. */
const EPOCH_SINCE_MONDAY = 3;
/** Years 0000 to 9999, which ISO dates write with four digits. */
const MIN_MS = -62_167_219_200_000;
const MAX_MS = 253_402_300_799_999;

/** Period that contains `atMs`, milliseconds since the epoch. Weeks start on Monday. */
export function periodOf(name: PeriodName, atMs: number): SpendPeriod {
  const day = dayOf(atMs);
  if (name === "daily") return periodOfDays(day, day + 1);
  if (name === "weekly") {
    const monday = day - modulo(day + EPOCH_SINCE_MONDAY, 7);
    return periodOfDays(monday, monday + 7);
  }
  const { year, month } = dateOfDay(day);
  const next = month === 12 ? { year: year + 1, month: 1 } : { year, month: month + 1 };
  return periodOfDays(dayOfDate({ year, month, day: 1 }), dayOfDate({ ...next, day: 1 }));
}

/** Time of regained access in the official words: "2026-12-01 at 00:00 UTC". */
export function formatRegainAccess(endMs: number): string {
  return `${isoFromMs(endMs).slice(0, 10)} at ${isoFromMs(endMs).slice(11, 16)} UTC`;
}

/** RFC 3339 in UTC with milliseconds, like `Date.toISOString`. */
export function isoFromMs(atMs: number): string {
  const day = dayOf(atMs);
  const ms = Math.floor(atMs) - day * DAY_MS;
  const hour = pad(Math.floor(ms / 3_600_000), 2);
  const minute = pad(Math.floor(ms / 60_000) % 60, 2);
  const second = pad(Math.floor(ms / 1000) % 60, 2);
  return `${isoOfDay(day)}T${hour}:${minute}:${second}.${pad(ms % 1000, 3)}Z`;
}

/** Milliseconds since the epoch at 00:00 UTC of an existing date "YYYY-MM-DD". */
export function msFromIsoDate(isoDate: string): number {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(isoDate);
  assert(match, "a date is written YYYY-MM-DD");
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  const ms = dayOfDate({ year, month, day }) * DAY_MS;
  assert(isoFromMs(ms).startsWith(isoDate), "a date exists in the calendar");
  return ms;
}

interface CalendarDate {
  year: number;
  month: number;
  day: number;
}

function periodOfDays(start: number, end: number): SpendPeriod {
  return { start: isoOfDay(start), startMs: start * DAY_MS, endMs: end * DAY_MS };
}

function dayOf(atMs: number): number {
  assert(atMs >= MIN_MS && atMs <= MAX_MS, "a time lies in the years 0000 to 9999");
  return Math.floor(atMs / DAY_MS);
}

function isoOfDay(dayNumber: number): string {
  const { year, month, day } = dateOfDay(dayNumber);
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

// Both directions count years from 1 March, so the leap day is a year's last day and month lengths repeat every five
// months (153 days). The epoch is 719,468 days after 0000-03-01.
const DAYS_TO_EPOCH = 719_468;

function dateOfDay(dayNumber: number): CalendarDate {
  const sinceMarch = dayNumber + DAYS_TO_EPOCH;
  const era = Math.floor(sinceMarch / DAYS_OF_400_YEARS);
  const dayOfEra = sinceMarch - era * DAYS_OF_400_YEARS;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - daysOfYears(yearOfEra);
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - daysOfMonths(marchMonth) + 1,
  };
}

function dayOfDate({ year, month, day }: CalendarDate): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const dayOfYear = daysOfMonths(month > 2 ? month - 3 : month + 9) + day - 1;
  const dayOfEra = daysOfYears(marchYear - era * 400) + dayOfYear;
  return era * DAYS_OF_400_YEARS + dayOfEra - DAYS_TO_EPOCH;
}

function daysOfYears(years: number): number {
  return years * 365 + Math.floor(years / 4) - Math.floor(years / 100);
}

function daysOfMonths(marchMonths: number): number {
  return Math.floor((153 * marchMonths + 2) / 5);
}

/** Remainder from 0, also of a negative value. */
export function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

import { formatShortDay, formatWeekday } from "../../ui/format.ts";
import type { Range } from "./range.ts";
import type { ReportSearch } from "./search.ts";
import { readSelectedTime } from "./search-range.ts";

// Drill-down from a day to its hours, from an hour to its minutes and from a minute to its requests, and back.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const sizes = { "1m": MINUTE_MS, "1h": HOUR_MS, "1d": DAY_MS } as const;

export const bucketMs = (bucket: Range["bucket"]) => sizes[bucket];

/** Time that a press on a bar selects: `2026-11-24` for a day, `2026-11-24T13` for an hour. */
export function toDetailTime(startingAt: string, bucket: Range["bucket"]): string {
  return startingAt.slice(0, bucket === "1d" ? 10 : bucket === "1h" ? 13 : 16);
}

export interface Crumb {
  label: string;
  /** Undefined: the range before the drill-down. */
  at: string | undefined;
}

/** Breadcrumbs from the range to the selected time, which is the last one. */
export function listCrumbs({ at }: ReportSearch, rangeLabel: string): Crumb[] {
  if (at === undefined || readSelectedTime(at) === null) return [];
  const crumbs: Crumb[] = [{ label: rangeLabel, at: undefined }];
  crumbs.push({ label: dayWords(at), at: at.slice(0, 10) });
  if (at.length >= 13) crumbs.push({ label: `${at.slice(11, 13)}:00`, at: at.slice(0, 13) });
  if (at.length >= 16) crumbs.push({ label: at.slice(11, 16), at });
  return crumbs;
}

function dayWords(at: string): string {
  return formatWeekday(`${at.slice(0, 10)}T00:00:00Z`);
}

/** `Tue 24 Nov`. Shorter buckets have the time too. */
export function bucketWords(startingAt: string, bucket: Range["bucket"]): string {
  const day = dayWords(startingAt);
  return bucket === "1d" ? day : `${day}, ${startingAt.slice(11, 16)} UTC`;
}

/** Short label for an axis. */
export function tickWords(startingAt: string, bucket: Range["bucket"]): string {
  if (bucket !== "1d") return startingAt.slice(11, 16);
  return formatShortDay(startingAt);
}

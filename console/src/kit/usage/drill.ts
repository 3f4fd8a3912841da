import { formatShortDay, formatWeekday } from "../../ui/format.ts";
import { type Range, resolveRange } from "./range.ts";
import type { ReportSearch } from "./search.ts";

// Drill-down from a day to its hours, from an hour to its minutes and from a minute to its requests, and back.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const sizes = { "1m": MINUTE_MS, "1h": HOUR_MS, "1d": DAY_MS } as const;

export const bucketMs = (bucket: Range["bucket"]) => sizes[bucket];

/** Range of the address: its selected day, hour or minute, else its named range. */
export function resolveSearchRange(search: ReportSearch, nowMs: number): Range {
  const close = search.at === undefined ? null : readAt(search.at);
  if (close) return close;
  if (search.live) return resolveRange("1h", nowMs);
  return resolveRange(search.range ?? "7d", nowMs, search);
}

/** Range of a day in hours, or of an hour or minute in minutes. Null: the time does not exist. */
function readAt(at: string): Range | null {
  const startMs = Date.parse(`${at}${"0000-00-00T00:00".slice(at.length)}:00Z`);
  if (Number.isNaN(startMs)) return null;
  const size = at.length === 10 ? DAY_MS : at.length === 13 ? HOUR_MS : MINUTE_MS;
  return {
    startingAt: new Date(startMs).toISOString(),
    endingAt: new Date(startMs + size).toISOString(),
    bucket: size === DAY_MS ? "1h" : "1m",
  };
}

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
  if (at === undefined || readAt(at) === null) return [];
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

/** True for a range of whole hours, which sums without buckets need. */
export function isOfWholeHours({ startingAt, endingAt }: Range): boolean {
  return Date.parse(startingAt) % HOUR_MS === 0 && Date.parse(endingAt) % HOUR_MS === 0;
}

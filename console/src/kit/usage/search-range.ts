import { type Range, resolveRange } from "./range.ts";
import type { ReportSearch } from "./search.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Range of the address: its selected day, hour or minute, else its named range. */
export function resolveSearchRange(search: ReportSearch, nowMs: number): Range {
  const close = search.at === undefined ? null : readSelectedTime(search.at);
  if (close) return close;
  if (search.live) return resolveRange("1h", nowMs);
  return resolveRange(search.range ?? "7d", nowMs, search);
}

/** Range of a day in hours, or of an hour or minute in minutes. Null: the time does not exist. */
export function readSelectedTime(at: string): Range | null {
  const startMs = Date.parse(`${at}${"0000-00-00T00:00".slice(at.length)}:00Z`);
  if (Number.isNaN(startMs)) return null;
  const size = at.length === 10 ? DAY_MS : at.length === 13 ? HOUR_MS : MINUTE_MS;
  return {
    startingAt: new Date(startMs).toISOString(),
    endingAt: new Date(startMs + size).toISOString(),
    bucket: size === DAY_MS ? "1h" : "1m",
  };
}

/** True for a range of whole hours, which sums without buckets need. */
export function isOfWholeHours({ startingAt, endingAt }: Range): boolean {
  return Date.parse(startingAt) % HOUR_MS === 0 && Date.parse(endingAt) % HOUR_MS === 0;
}

import { ApiError } from "./api-error.ts";
import { periodOf } from "./spend-period.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const buckets = {
  "1m": { ms: MINUTE_MS, maxMs: DAY_MS, maxText: "24 hours" },
  "1h": { ms: HOUR_MS, maxMs: 31 * DAY_MS, maxText: "31 days" },
  "1d": { ms: DAY_MS, maxMs: 366 * DAY_MS, maxText: "366 days" },
  // One row for the whole range, which is widened to whole hours.
  none: { ms: HOUR_MS, maxMs: 366 * DAY_MS, maxText: "366 days" },
} as const;

export type BucketName = keyof typeof buckets;

/** Both in milliseconds since the epoch, the end exclusive. */
export interface TimeRange {
  startMs: number;
  endMs: number;
}

/** Length of a bucket, milliseconds; of "none", that of what the range is widened to. */
export function bucketMs(bucket: BucketName): number {
  return buckets[bucket].ms;
}

// Years that requests can be of: beyond them is a typing mistake, or a bucket whose end RFC 3339 cannot write.
const FIRST_MOMENT_MS = 946_684_800_000; // 2000-01-01T00:00:00Z
const LAST_MOMENT_MS = 7_258_118_400_000; // 2200-01-01T00:00:00Z

/**
 * The range of a report widened to whole buckets in UTC. Throws a 400 for one that is empty, longer than its bucket
 * allows, or of another age.
 */
export function reportRange(
  bucket: BucketName,
  startingAtMs: number,
  endingAtMs: number,
): TimeRange {
  checkYear("starting_at", startingAtMs);
  checkYear("ending_at", endingAtMs);
  if (!(startingAtMs < endingAtMs)) {
    throw new ApiError(
      "invalid_request",
      "starting_at: expected a time before ending_at, which is now where it is omitted.",
    );
  }
  const { ms, maxMs, maxText } = buckets[bucket];
  const startMs = Math.floor(startingAtMs / ms) * ms;
  const endMs = Math.ceil(endingAtMs / ms) * ms;
  // A range of the full length that does not begin on an edge touches one bucket more.
  if (endMs - startMs > maxMs + ms || endingAtMs - startingAtMs > maxMs) {
    throw new ApiError(
      "invalid_request",
      `ending_at: with bucket ${bucket} a range spans at most ${maxText}. Ask for less, or for larger buckets.`,
    );
  }
  return { startMs, endMs };
}

export function checkYear(field: string, ms: number): void {
  if (ms >= FIRST_MOMENT_MS && ms < LAST_MOMENT_MS) return;
  throw new ApiError("invalid_request", `${field}: expected a time in the years 2000 to 2199.`);
}

export type SumUnit = "minute" | "hour" | "day" | "week" | "month";

/** A part of a range that begins and ends on edges of its unit. */
export interface RangePart extends TimeRange {
  unit: SumUnit;
}

/**
 * The range cut into the largest whole units there are: months in the middle; weeks, days and hours around them. The range
 * begins and ends on edges of the first unit; `units` stand finest first. There are weeks only up to `weeksEndMs`, which is
 * an edge of them.
 */
export function cutRange(
  range: TimeRange,
  units: readonly SumUnit[],
  weeksEndMs: number,
): RangePart[] {
  const [finest = "hour", ...coarser] = units;
  const parts = cut(range, coarser.toReversed(), weeksEndMs);
  return parts.map((part) => ({ ...part, unit: part.unit ?? finest }));
}

function cut(
  range: TimeRange,
  coarsestFirst: readonly SumUnit[],
  weeksEndMs: number,
): (TimeRange & { unit: SumUnit | null })[] {
  if (range.startMs >= range.endMs) return [];
  const [unit, ...finer] = coarsestFirst;
  if (unit === undefined) return [{ ...range, unit: null }];
  const startMs = edgeAtOrAfter(unit, range.startMs);
  const thereMs = unit === "week" ? Math.min(range.endMs, weeksEndMs) : range.endMs;
  const endMs = edgeAtOrBefore(unit, thereMs);
  if (startMs >= endMs) return cut(range, finer, weeksEndMs);
  return [
    ...cut({ startMs: range.startMs, endMs: startMs }, finer, weeksEndMs),
    { startMs, endMs, unit },
    ...cut({ startMs: endMs, endMs: range.endMs }, finer, weeksEndMs),
  ];
}

function edgeAtOrBefore(unit: SumUnit, ms: number): number {
  switch (unit) {
    case "minute":
      return Math.floor(ms / MINUTE_MS) * MINUTE_MS;
    case "hour":
      return Math.floor(ms / HOUR_MS) * HOUR_MS;
    case "day":
      return Math.floor(ms / DAY_MS) * DAY_MS;
    case "week":
      return periodOf("weekly", ms).startMs;
    case "month":
      return periodOf("monthly", ms).startMs;
  }
}

function edgeAtOrAfter(unit: SumUnit, ms: number): number {
  const before = edgeAtOrBefore(unit, ms);
  return before === ms ? ms : nextEdge(unit, before);
}

/** The beginning of the unit after the one that begins at `ms`. */
export function nextEdge(unit: SumUnit, ms: number): number {
  switch (unit) {
    case "minute":
      return ms + MINUTE_MS;
    case "hour":
      return ms + HOUR_MS;
    case "day":
      return ms + DAY_MS;
    case "week":
      return periodOf("weekly", ms).endMs;
    case "month":
      return periodOf("monthly", ms).endMs;
  }
}

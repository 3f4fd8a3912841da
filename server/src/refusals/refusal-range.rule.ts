import type { ReportBucket } from "@bursar/contract/admin/report-fields.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { reportRange, type TimeRange } from "#src/usage/reports/report-range.rule.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Age up to which counts by minute are complete, milliseconds. */
export const REFUSAL_MINUTES_MS = 7 * DAY_MS;

/** A part of a range that one table counts. */
export interface RefusalPart extends TimeRange {
  unit: "minute" | "hour";
}

export interface RefusalRange extends TimeRange {
  /** In order of time, without gaps. */
  parts: RefusalPart[];
}

/**
 * Widens a range to whole buckets, UTC. Default: the last 24 hours. Without buckets, a start within the age of the minutes
 * is widened to a whole minute only. Throws a 400 for an empty or too long range, and for minutes that are deleted.
 */
export function findRefusalRange(
  bucket: ReportBucket,
  given: { startMs: number | null; endMs: number | null },
  nowMs: number,
): RefusalRange {
  // The end is exclusive.
  const endMs = given.endMs ?? nowMs + 1;
  const startMs = given.startMs ?? endMs - DAY_MS;
  const range = reportRange(bucket, startMs, endMs);
  const hasMinutes = startMs >= nowMs - REFUSAL_MINUTES_MS;
  if (bucket === "1m") {
    if (!hasMinutes) {
      throw refuseField("starting_at", "refusals by minute are kept for 7 days. Use bucket 1h.");
    }
    return { ...range, parts: [{ unit: "minute", ...range }] };
  }
  if (bucket !== "none" || !hasMinutes) return { ...range, parts: [{ unit: "hour", ...range }] };
  return cutToMinutes(startMs, endMs, nowMs);
}

/** Cuts a range into whole hours between minutes. Later than now there is nothing, so the running hour is whole. */
function cutToMinutes(givenStartMs: number, givenEndMs: number, nowMs: number): RefusalRange {
  const startMs = Math.floor(givenStartMs / MINUTE_MS) * MINUTE_MS;
  const endMs = Math.ceil(givenEndMs / MINUTE_MS) * MINUTE_MS;
  const firstHourMs = Math.min(endMs, Math.ceil(startMs / HOUR_MS) * HOUR_MS);
  const isOpenEnded = endMs > nowMs;
  const lastHourMs = Math.max(
    firstHourMs,
    isOpenEnded ? endMs : Math.floor(endMs / HOUR_MS) * HOUR_MS,
  );
  const parts: RefusalPart[] = [
    { unit: "minute", startMs, endMs: firstHourMs },
    { unit: "hour", startMs: firstHourMs, endMs: lastHourMs },
    { unit: "minute", startMs: lastHourMs, endMs },
  ];
  return { startMs, endMs, parts: parts.filter((part) => part.startMs < part.endMs) };
}

/** Length of a bucket, milliseconds. Null: the whole range. */
export const refusalBucketMs: Readonly<Record<ReportBucket, number | null>> = {
  "1m": MINUTE_MS,
  "1h": HOUR_MS,
  "1d": DAY_MS,
  none: null,
};

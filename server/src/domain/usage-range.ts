import { ApiError } from "./api-error.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const buckets = {
  "1m": { ms: MINUTE_MS, maxMs: DAY_MS, maxText: "24 hours" },
  "1h": { ms: HOUR_MS, maxMs: 31 * DAY_MS, maxText: "31 days" },
  "1d": { ms: DAY_MS, maxMs: 366 * DAY_MS, maxText: "366 days" },
} as const;

export type BucketName = keyof typeof buckets;

/** Length of a bucket, milliseconds. */
export function bucketMs(bucket: BucketName): number {
  return buckets[bucket].ms;
}

// Years that requests can be of: beyond them is a typing mistake, or a bucket whose end RFC 3339 cannot write.
const FIRST_MOMENT_MS = 946_684_800_000; // 2000-01-01T00:00:00Z
const LAST_MOMENT_MS = 7_258_118_400_000; // 2200-01-01T00:00:00Z

/**
 * The range of a report widened to whole buckets in UTC, the end exclusive; milliseconds since the epoch. Throws a 400 for
 * one that is empty, longer than its bucket allows, or of another age.
 */
export function usageRange(
  bucket: BucketName,
  startingAtMs: number,
  endingAtMs: number,
): { startMs: number; endMs: number } {
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

function checkYear(field: string, ms: number): void {
  if (ms >= FIRST_MOMENT_MS && ms < LAST_MOMENT_MS) return;
  throw new ApiError("invalid_request", `${field}: expected a time in the years 2000 to 2199.`);
}

// Ranges of the reports. Days and months are in UTC, as on the bill.

export const rangeNames = ["1h", "24h", "7d", "30d", "month", "last_month", "custom"] as const;
export type RangeName = (typeof rangeNames)[number];

export interface Range {
  startingAt: string;
  endingAt: string;
  bucket: "1m" | "1h" | "1d";
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Bounds of a named range at `nowMs`. `from` and `to` are days such as 2026-11-24, and `to` is included. */
export function resolveRange(
  name: RangeName,
  nowMs: number,
  custom: { from?: string | undefined; to?: string | undefined } = {},
): Range {
  const now = new Date(nowMs);
  // Ends with the running bucket, so that the query stays the same within a bucket.
  const endOfHour = Math.ceil(nowMs / HOUR_MS) * HOUR_MS;
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const month = (offset: number) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1);
  switch (name) {
    case "1h": {
      const endOfMinute = Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS;
      return toRange(endOfMinute - HOUR_MS, endOfMinute, "1m");
    }
    case "24h":
      return toRange(endOfHour - DAY_MS, endOfHour, "1h");
    case "7d":
      return toRange(today - 6 * DAY_MS, today + DAY_MS, "1d");
    case "30d":
      return toRange(today - 29 * DAY_MS, today + DAY_MS, "1d");
    case "month":
      return toRange(month(0), today + DAY_MS, "1d");
    case "last_month":
      return toRange(month(-1), month(0), "1d");
    case "custom":
      return customRange(today, custom);
  }
}

function customRange(
  today: number,
  { from, to }: { from?: string | undefined; to?: string | undefined },
): Range {
  const start = from ? Date.parse(`${from}T00:00:00Z`) : Number.NaN;
  const end = to ? Date.parse(`${to}T00:00:00Z`) : Number.NaN;
  const last = Number.isNaN(end) ? today : end;
  const first = Number.isNaN(start) || start > last ? last - 6 * DAY_MS : start;
  const longest = Math.max(first, last - 365 * DAY_MS);
  return toRange(longest, last + DAY_MS, last - longest < 2 * DAY_MS ? "1h" : "1d");
}

function toRange(startMs: number, endMs: number, bucket: Range["bucket"]): Range {
  return {
    startingAt: new Date(startMs).toISOString(),
    endingAt: new Date(endMs).toISOString(),
    bucket,
  };
}

/** Starts of all buckets of the range, also of buckets without requests. */
export function bucketsOf({ startingAt, endingAt, bucket }: Range): string[] {
  const size = bucket === "1m" ? MINUTE_MS : bucket === "1h" ? HOUR_MS : DAY_MS;
  const buckets: string[] = [];
  for (let at = Date.parse(startingAt); at < Date.parse(endingAt); at += size) {
    buckets.push(new Date(at).toISOString());
  }
  return buckets;
}

import { refuseField } from "#src/domain/refuse-field.ts";
import { periodOf } from "#src/domain/spend-period.ts";

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
 * The range of a report widened to whole buckets in UTC. Without a start it begins with the month in which it ends.
 * Throws a 400 for one that is empty, longer than its bucket allows, or of another age.
 */
export function reportRange(
  bucket: BucketName,
  givenStartMs: number | null,
  endingAtMs: number,
): TimeRange {
  if (givenStartMs !== null) checkYear("starting_at", givenStartMs);
  checkYear("ending_at", endingAtMs);
  // The end is exclusive: a range that ends with a month covers that month.
  const startingAtMs = givenStartMs ?? periodOf("monthly", endingAtMs - 1).startMs;
  if (!(startingAtMs < endingAtMs)) {
    throw refuseField(
      "starting_at",
      "expected a time before ending_at, which is now where it is omitted.",
    );
  }
  const { ms, maxMs, maxText } = buckets[bucket];
  const startMs = Math.floor(startingAtMs / ms) * ms;
  const endMs = Math.ceil(endingAtMs / ms) * ms;
  // A range of the full length that does not begin on an edge touches one bucket more.
  if (endMs - startMs > maxMs + ms || endingAtMs - startingAtMs > maxMs) {
    throw refuseField(
      givenStartMs === null ? "starting_at" : "ending_at",
      `with bucket ${bucket} a range spans at most ${maxText}. Ask for less, or for larger buckets.`,
    );
  }
  return { startMs, endMs };
}

export function checkYear(field: string, ms: number): void {
  if (ms >= FIRST_MOMENT_MS && ms < LAST_MOMENT_MS) return;
  throw refuseField(field, "expected a time in the years 2000 to 2199.");
}

export type SumUnit = "minute" | "hour" | "day" | "week" | "month";

/** A part of a range that begins and ends on edges of its unit. */
export interface RangePart extends TimeRange {
  unit: SumUnit;
  /** What is in this part is subtracted: a day of which an hour is not asked for is read as the day less that hour. */
  isSubtracted?: true;
}

/** About how many rows a rollup has for one bucket of the unit; of minutes, which have no rollup, a bucket's events. */
const bucketRows: Readonly<Record<SumUnit, number>> = {
  minute: 1,
  hour: 1,
  day: 3,
  week: 4,
  month: 6,
};

/**
 * The range as the sums and differences of whole units that have the fewest rows to read, in order of time. The range
 * begins and ends on edges of the first unit; `units` stand finest first. There are weeks only up to `weeksEndMs`, which
 * is an edge of them. `isOpenEnded`: nothing lies beyond the range, so its last day and month can be read as wholes.
 */
export function cutRange(
  range: TimeRange,
  units: readonly SumUnit[],
  { weeksEndMs, isOpenEnded }: { weeksEndMs: number; isOpenEnded: boolean },
): RangePart[] {
  const [finest = "hour", ...coarser] = units;
  const coarsestFirst = coarser.toReversed();
  const nothingFromMs = isOpenEnded ? range.endMs : Infinity;
  const endMs = isOpenEnded ? edgeAtOrAfter("month", range.endMs) : range.endMs;
  return inRuns(cut({ ...range, endMs }, { finest, coarsestFirst, weeksEndMs, nothingFromMs }));
}

/** One bucket of its unit, so many times; subtracted where that is below zero. */
interface Bucket {
  unit: SumUnit;
  startMs: number;
  times: number;
}

interface Cutting {
  finest: SumUnit;
  coarsestFirst: readonly SumUnit[];
  weeksEndMs: number;
  nothingFromMs: number;
}

function cut(range: TimeRange, cutting: Cutting): Bucket[] {
  const { startMs, endMs } = range;
  if (startMs >= endMs) return [];
  const [unit, ...coarsestFirst] = cutting.coarsestFirst;
  if (unit === undefined) return bucketsOf(range, cutting.finest, cutting);
  const finer = { ...cutting, coarsestFirst };
  // There are no whole units of a kind that is not summed up yet.
  const thereMs = unit === "week" ? Math.min(endMs, cutting.weeksEndMs) : endMs;
  const firstMs = edgeAtOrAfter(unit, startMs);
  const lastMs = edgeAtOrBefore(unit, thereMs);
  if (firstMs > lastMs) return cutPiece(range, unit, finer);
  const pieces = [
    ...cutPiece({ startMs, endMs: firstMs }, unit, finer),
    ...bucketsOf({ startMs: firstMs, endMs: lastMs }, unit, cutting),
    ...(thereMs < endMs
      ? cut({ startMs: lastMs, endMs }, finer)
      : cutPiece({ startMs: lastMs, endMs }, unit, finer)),
  ];
  // Without a whole one in the middle, its edge need not be one of the parts: a week may lie across.
  return firstMs < lastMs ? pieces : fewerRows(pieces, cut(range, finer));
}

/** A piece that lies within one bucket of the unit: in finer ones, or as the bucket less what is not asked for. */
function cutPiece(piece: TimeRange, unit: SumUnit, finer: Cutting): Bucket[] {
  const direct = cut(piece, finer);
  const startMs = edgeAtOrBefore(unit, piece.startMs);
  const endMs = nextEdge(unit, startMs);
  if (direct.length === 0 || (unit === "week" && endMs > finer.weeksEndMs)) return direct;
  const rest = [
    ...cut({ startMs, endMs: piece.startMs }, finer),
    ...cut({ startMs: piece.endMs, endMs }, finer),
  ].map((bucket) => ({ ...bucket, times: -bucket.times }));
  return fewerRows(direct, [{ unit, startMs, times: 1 }, ...rest]);
}

function bucketsOf(
  { startMs, endMs }: TimeRange,
  unit: SumUnit,
  { nothingFromMs }: Cutting,
): Bucket[] {
  const buckets: Bucket[] = [];
  for (let ms = startMs; ms < Math.min(endMs, nothingFromMs); ms = nextEdge(unit, ms)) {
    buckets.push({ unit, startMs: ms, times: 1 });
  }
  return buckets;
}

function fewerRows(one: Bucket[], other: Bucket[]): Bucket[] {
  const rows = (buckets: readonly Bucket[]) =>
    buckets.reduce((sum, { unit }) => sum + bucketRows[unit], 0);
  return rows(other) < rows(one) ? other : one;
}

/** Those that follow each other as one part; what is both added and subtracted is neither. */
function inRuns(buckets: readonly Bucket[]): RangePart[] {
  const counted = new Map<string, Bucket>();
  for (const bucket of buckets) {
    const key = `${bucket.unit} ${bucket.startMs}`;
    counted.set(key, { ...bucket, times: bucket.times + (counted.get(key)?.times ?? 0) });
  }
  const parts: RangePart[] = [];
  const inOrder = [...counted.values()].sort((a, b) => a.startMs - b.startMs);
  for (const { unit, startMs, times } of inOrder) {
    const endMs = nextEdge(unit, startMs);
    const sign = times < 0 ? { isSubtracted: true as const } : {};
    for (let i = 0; i < Math.abs(times); i++) {
      const before = parts.find(
        (part) =>
          part.unit === unit && part.endMs === startMs && part.isSubtracted === sign.isSubtracted,
      );
      if (before) before.endMs = endMs;
      else parts.push({ unit, startMs, endMs, ...sign });
    }
  }
  return parts;
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

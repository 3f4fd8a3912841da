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

/** Milliseconds since the epoch. The end is exclusive. */
export interface TimeRange {
  startMs: number;
  endMs: number;
}

/** Returns the length of a bucket, milliseconds. For "none", one hour. */
export function bucketMs(bucket: BucketName): number {
  return buckets[bucket].ms;
}

// Years of requests. Other years are typing mistakes, or have buckets whose end RFC 3339 cannot represent.
const FIRST_MOMENT_MS = 946_684_800_000; // 2000-01-01T00:00:00Z
const LAST_MOMENT_MS = 7_258_118_400_000; // 2200-01-01T00:00:00Z

/**
 * Widens the range of a report to whole buckets, UTC. Without a start the range begins with the month of its end. Throws a
 * 400 for an empty range, a range longer than its bucket allows, and years outside 2000 to 2199.
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
    throw refuseField("starting_at", "expected a time before ending_at, whose default is now.");
  }
  const { ms, maxMs, maxText } = buckets[bucket];
  const startMs = Math.floor(startingAtMs / ms) * ms;
  const endMs = Math.ceil(endingAtMs / ms) * ms;
  // A range of full length that begins inside a bucket touches one bucket more.
  if (endMs - startMs > maxMs + ms || endingAtMs - startingAtMs > maxMs) {
    throw refuseField(
      givenStartMs === null ? "starting_at" : "ending_at",
      `with bucket ${bucket} a range spans at most ${maxText}. Use a shorter range or larger buckets.`,
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
  /** True: this part is subtracted. A day without one hour is read as the day minus that hour. */
  isSubtracted?: true;
}

/** Approximate rows of a rollup per bucket. Minutes have no rollup, so their value is for events. */
const bucketRows: Readonly<Record<SumUnit, number>> = {
  minute: 1,
  hour: 1,
  day: 3,
  week: 4,
  month: 6,
};

/**
 * Cuts a range into sums and differences of whole units with the fewest rows to read, in order of time. The range begins
 * and ends on edges of the first unit. `units` are sorted, finest first. Weeks exist up to `weeksEndMs`, an edge of a week.
 * `isOpenEnded`: the range ends now or later, so its last day and month can be read as whole units.
 */
export function cutRange(
  range: TimeRange,
  units: readonly SumUnit[],
  { weeksEndMs, isOpenEnded }: { weeksEndMs: number; isOpenEnded: boolean },
): RangePart[] {
  const [finest = "hour", ...coarser] = units;
  const coarsestFirst = coarser.toReversed();
  const emptyFromMs = isOpenEnded ? range.endMs : Infinity;
  const endMs = isOpenEnded ? ceilToUnit("month", range.endMs) : range.endMs;
  return joinRuns(
    cutIntoUnits({ ...range, endMs }, { finest, coarsestFirst, weeksEndMs, emptyFromMs }),
  );
}

/** Bucket of a unit that is counted `times` times. Negative: subtracted. */
interface Bucket {
  unit: SumUnit;
  startMs: number;
  times: number;
}

interface Cutting {
  finest: SumUnit;
  coarsestFirst: readonly SumUnit[];
  weeksEndMs: number;
  emptyFromMs: number;
}

function cutIntoUnits(range: TimeRange, cutting: Cutting): Bucket[] {
  const { startMs, endMs } = range;
  if (startMs >= endMs) return [];
  const [unit, ...coarsestFirst] = cutting.coarsestFirst;
  if (unit === undefined) return listBuckets(range, cutting.finest, cutting);
  const finer = { ...cutting, coarsestFirst };
  // The last weeks have no rollup yet.
  const availableEndMs = unit === "week" ? Math.min(endMs, cutting.weeksEndMs) : endMs;
  const firstMs = ceilToUnit(unit, startMs);
  const lastMs = floorToUnit(unit, availableEndMs);
  if (firstMs > lastMs) return cutPiece(range, unit, finer);
  const pieces = [
    ...cutPiece({ startMs, endMs: firstMs }, unit, finer),
    ...listBuckets({ startMs: firstMs, endMs: lastMs }, unit, cutting),
    ...(availableEndMs < endMs
      ? cutIntoUnits({ startMs: lastMs, endMs }, finer)
      : cutPiece({ startMs: lastMs, endMs }, unit, finer)),
  ];
  // Without a whole unit in the middle, a cut at its edge is optional, because a week can span the edge.
  return firstMs < lastMs ? pieces : pickFewerRows(pieces, cutIntoUnits(range, finer));
}

/** Cuts a piece within one bucket of the unit into finer units, or into the bucket minus the rest. */
function cutPiece(piece: TimeRange, unit: SumUnit, finer: Cutting): Bucket[] {
  const direct = cutIntoUnits(piece, finer);
  const startMs = floorToUnit(unit, piece.startMs);
  const endMs = nextEdge(unit, startMs);
  if (direct.length === 0 || (unit === "week" && endMs > finer.weeksEndMs)) return direct;
  const rest = [
    ...cutIntoUnits({ startMs, endMs: piece.startMs }, finer),
    ...cutIntoUnits({ startMs: piece.endMs, endMs }, finer),
  ].map((bucket) => ({ ...bucket, times: -bucket.times }));
  return pickFewerRows(direct, [{ unit, startMs, times: 1 }, ...rest]);
}

function listBuckets(
  { startMs, endMs }: TimeRange,
  unit: SumUnit,
  { emptyFromMs }: Cutting,
): Bucket[] {
  const buckets: Bucket[] = [];
  for (let ms = startMs; ms < Math.min(endMs, emptyFromMs); ms = nextEdge(unit, ms)) {
    buckets.push({ unit, startMs: ms, times: 1 });
  }
  return buckets;
}

function pickFewerRows(one: Bucket[], other: Bucket[]): Bucket[] {
  const rows = (buckets: readonly Bucket[]) =>
    buckets.reduce((sum, { unit }) => sum + bucketRows[unit], 0);
  return rows(other) < rows(one) ? other : one;
}

/** Joins adjacent buckets into parts. Removes buckets that are both added and subtracted. */
function joinRuns(buckets: readonly Bucket[]): RangePart[] {
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

function floorToUnit(unit: SumUnit, ms: number): number {
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

function ceilToUnit(unit: SumUnit, ms: number): number {
  const before = floorToUnit(unit, ms);
  return before === ms ? ms : nextEdge(unit, before);
}

/** Returns the start of the next unit after the one that starts at `ms`. */
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

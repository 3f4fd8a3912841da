import type { Tx } from "#src/db/pool.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findRetentionMarks } from "#src/recording/retention.sql.ts";
import type { BucketName, RangePart, TimeRange } from "./report-range.rule.ts";
import type { ReportFilter } from "./report-tables.ts";

// Sums by hour, day and week are deleted by age. A report refuses a range that needs deleted sums, so that no total is too
// small. Usage by month is always there.

/** Adds the retention to the filter. Throws a 400 if buckets of the range were deleted. */
export async function addRetention<
  Page extends { filter: ReportFilter; bucket: BucketName; range: TimeRange },
>(tx: Tx, page: Page): Promise<Page> {
  const marks = await findRetentionMarks(tx);
  const hoursFromMs = marks.hoursBefore?.getTime() ?? -Infinity;
  const daysFromMs = marks.daysBefore?.getTime() ?? -Infinity;
  const { startMs } = page.range;
  if (page.bucket === "1h" && startMs < hoursFromMs) {
    throw refuseDeleted("hour", hoursFromMs, "Use bucket 1d.");
  }
  if (page.bucket === "1d" && startMs < daysFromMs) {
    throw refuseDeleted("day", daysFromMs, "Use bucket none and whole months.");
  }
  const needsMonths = startMs < daysFromMs;
  return { ...page, filter: { ...page.filter, hoursFromMs, daysFromMs, needsMonths } };
}

/** Throws a 400 if usage of one of the parts was deleted by now. */
export async function refuseDeletedRange(tx: Tx, parts: readonly RangePart[]): Promise<void> {
  const marks = await findRetentionMarks(tx);
  const hoursFromMs = marks.hoursBefore?.getTime() ?? -Infinity;
  const daysFromMs = marks.daysBefore?.getTime() ?? -Infinity;
  refuseDeletedParts({ hoursFromMs, daysFromMs }, parts);
}

/** Throws a 400 if one of the parts was deleted. */
export function refuseDeletedParts(
  { hoursFromMs = -Infinity, daysFromMs = -Infinity }: Partial<ReportFilter>,
  parts: readonly RangePart[],
): void {
  for (const { unit, startMs } of parts) {
    if (unit === "hour" && startMs < hoursFromMs) {
      throw refuseDeleted("hour", hoursFromMs, "Use times at 00:00 UTC.");
    }
    if ((unit === "day" || unit === "week") && startMs < daysFromMs) {
      throw refuseDeleted("day", daysFromMs, "Use whole months, UTC.");
    }
  }
}

function refuseDeleted(unit: "hour" | "day", beforeMs: number, remedy: string) {
  const before = new Date(beforeMs).toISOString();
  return refuseField("starting_at", `usage by ${unit} before ${before} was deleted. ${remedy}`);
}

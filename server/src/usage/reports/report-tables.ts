import { type LabelColumn, labelColumns } from "@bursar/contract/usage-shape.ts";
import type { OpenHours } from "#src/recording/open-hours.sql.ts";
import {
  type RollupLabel,
  type RollupTable,
  type RollupUnit,
  rollupTables,
} from "#src/recording/rollup-tables.ts";
import type { VisibleUsage } from "#src/usage/visible-usage.ts";
import type { RangePart, SumUnit, TimeRange } from "./report-range.rule.ts";

// The tables of a report: the smallest rollup that has its labels, and the hours that this rollup does not have yet.

/** Columns that a report can group by: labels, and columns derived from them. */
export type ReportColumn = LabelColumn | keyof typeof derived;

interface Derived {
  from: readonly LabelColumn[];
  text: string;
}
export const derived = {
  /** The key's owner, else the key. */
  actor: {
    from: ["member_id", "api_key_id"],
    text: "CASE WHEN member_id = '' THEN api_key_id ELSE member_id END",
  },
  actor_type: {
    from: ["member_id"],
    text: "CASE WHEN member_id = '' THEN 'api_actor' ELSE 'user_actor' END",
  },
  product: {
    from: ["service_tier", "client"],
    text: `CASE WHEN service_tier = 'batch' THEN 'message_batches_api'
      WHEN client = 'claude-code' THEN 'claude_code' ELSE 'messages_api' END`,
  },
} as const satisfies Record<string, Derived>;

export interface ReportFilter {
  organizationId: string;
  visible: VisibleUsage;
  /** Values to include, by column. An omitted column is not filtered. */
  values: Readonly<Partial<Record<ReportColumn, readonly string[]>>>;
  /** Groups to include, each with one value per column. */
  groups?: { columns: readonly ReportColumn[]; rows: readonly (readonly string[])[] };
  /** Start of the rollup per minute, milliseconds since the epoch. Earlier minutes are counted from events. */
  minutesFromMs?: number;
  /** Omits the usage of removed members. */
  withoutRemovedMembers?: boolean;
  /** Start of the kept hours and days, milliseconds since the epoch. */
  hoursFromMs?: number;
  daysFromMs?: number;
  /** True: days of the range were deleted. Only rollups with months have it. */
  needsMonths?: boolean;
}

const levels = [
  {
    minute: "usage_organization_minute",
    hour: "usage_organization_hour",
    day: "usage_organization_day",
  },
  { hour: "usage_workspace_hour", day: "usage_workspace_day" },
  { hour: "usage_member_hour", day: "usage_member_day", week: "usage_member_week" },
  // Hours per key and model would have about as many rows as hours with all labels.
  { hour: "usage_hour", day: "usage_key_day", week: "usage_key_week", month: "usage_key_month" },
  { hour: "usage_hour", day: "usage_day", week: "usage_week", month: "usage_month" },
] as const satisfies Level[];
export type Level = Partial<Record<RollupUnit, RollupTable>> & { day: RollupTable };

/** Finds the smallest rollups that have all labels of the report. */
export function findLevel(query: ReportFilter & { columns: readonly ReportColumn[] }): Level {
  const filtered = Object.keys(query.values) as ReportColumn[];
  const grouped = query.groups?.columns ?? [];
  const needed = new Set([...query.columns, ...filtered, ...grouped].flatMap(labelsOf));
  if (query.visible.workspaceIds !== null) needed.add("workspace_id");
  if (query.visible.own !== null) needed.add("api_key_id");
  if (query.withoutRemovedMembers) needed.add("member_id");
  const level: Level | undefined = levels.find((each: Level) => {
    if (query.needsMonths && each.month === undefined) return false;
    const labels: readonly RollupLabel[] = rollupTables[each.day].labels;
    return [...needed].every((label) => labels.includes(label));
  });
  return level ?? levels[4];
}

/**
 * Finds the column of the groups whose own sums are in smaller rollups. Null: there is none. A key's sum is an upper
 * bound for each of its groups, and so is a workspace's.
 */
export function findLeader(
  query: ReportFilter & { columns: readonly ReportColumn[] },
): "api_key_id" | "workspace_id" | null {
  const { columns } = query;
  const leader = (["api_key_id", "workspace_id"] as const).find((each) => columns.includes(each));
  if (leader === undefined || findLevel(query) !== levels[4]) return null;
  return findLevel({ ...query, columns: [leader] }) === levels[4] ? null : leader;
}

export function labelsOf(column: ReportColumn): readonly LabelColumn[] {
  return isLabel(column) ? [column] : derived[column].from;
}

export function isLabel(column: ReportColumn): column is LabelColumn {
  return (labelColumns as readonly ReportColumn[]).includes(column);
}

export function textOf(column: ReportColumn): string {
  return isLabel(column) ? column : `(${derived[column].text})`;
}

/** Time range of one table. */
export interface Source extends TimeRange {
  table: RollupTable | "recorded_request";
  /** Unit of the table's buckets. Events: minutes. */
  unit: SumUnit;
  /** Unit of the report's part. Rows of finer buckets are added up. */
  bucketUnit: SumUnit;
  isSubtracted: boolean;
  /** True: only rows after the position up to which hours are closed. */
  isMissing: boolean;
  /** True: the range has open hours, so other rollups lack some of its rows. */
  isOpen: boolean;
}

/**
 * Finds the tables of a part. Open hours are read from the rollup per hour with all labels, or, for the organization, from
 * the one per minute, which has fewer rows. Both have every request. Weeks have no open hours.
 */
export function listSources(
  query: ReportFilter & { columns: readonly ReportColumn[] },
  part: RangePart,
  openHours: OpenHours | null,
): Source[] {
  const table = findTable(query, part);
  const { unit, startMs, endMs, isSubtracted = false } = part;
  const whole = { table, unit, bucketUnit: unit, startMs, endMs, isSubtracted };
  const closed: Source = { ...whole, isMissing: false, isOpen: false };
  const hasOpenHours = openHours !== null && openHours.startMs < endMs && openHours.endMs > startMs;
  if (!hasOpenHours || unit === "minute" || unit === "week") return [closed];
  const isByMinute = openHours.hasMinutes && isOrganizationTable(table);
  const open: Source = {
    ...whole,
    table: isByMinute ? "usage_organization_minute" : "usage_hour",
    unit: isByMinute ? "minute" : "hour",
    startMs: Math.max(startMs, openHours.startMs),
    endMs: Math.min(endMs, openHours.endMs),
    isMissing: !isByMinute && table !== "usage_hour",
    isOpen: true,
  };
  if (table !== "usage_hour") return [closed, open];
  return open.startMs === startMs ? [open] : [{ ...closed, endMs: open.startMs }, open];
}

function isOrganizationTable(table: Source["table"]): boolean {
  return Object.values<Source["table"]>(levels[0]).includes(table);
}

function findTable(
  query: ReportFilter & { columns: readonly ReportColumn[] },
  { unit, startMs }: RangePart,
): RollupTable | "recorded_request" {
  const table = findLevel(query)[unit];
  if (unit === "minute") {
    return table !== undefined && startMs >= (query.minutesFromMs ?? Infinity)
      ? table
      : "recorded_request";
  }
  if (table === undefined) throw new Error(`no rollup per ${unit} has these labels`);
  return table;
}

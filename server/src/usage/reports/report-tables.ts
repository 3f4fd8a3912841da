import {
  type AttributionLabel,
  attributionLabels,
  type LabelColumn,
  labelColumns,
} from "@bursar/contract/usage-shape.ts";
import type { OpenHours } from "#src/recording/open-hours.sql.ts";
import {
  findHourRollup,
  type RollupLabel,
  type RollupTable,
  type RollupUnit,
  rollupTables,
} from "#src/recording/rollup-tables.ts";
import { type AttributionFilter, matchesNone } from "#src/usage/attribution.sql.ts";
import type { VisibleUsage } from "#src/usage/visible-usage.ts";
import type { RangePart, SumUnit, TimeRange } from "./report-range.rule.ts";

// The tables of a report: the smallest rollup that has its labels, and the hours that this rollup does not have yet.

/** Columns that a report can group by: labels, and columns derived from them. */
export type ReportColumn = LabelColumn | AttributionLabel | keyof typeof derived;

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
  attribution?: AttributionFilter | null;
  /** Name of the tags that the column `tag_id` has. Omitted: all tags. */
  tagName?: string | undefined;
  /** Start of the rollup per minute, milliseconds since the epoch. Earlier minutes are counted from events. */
  minutesFromMs?: number;
  /** Omits the usage of removed members. */
  withoutRemovedMembers?: boolean;
  /** Start of the kept hours and days, milliseconds since the epoch. */
  hoursFromMs?: number;
  daysFromMs?: number;
  /** True: days of the range were deleted. Only rollups with months have it. */
  needsMonths?: boolean;
  /** True: the simulated part of each cost is summed too. Only rollups with the service tier have it. */
  hasSimulated?: boolean;
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

export function isAttribution(column: ReportColumn): column is AttributionLabel {
  return attributionLabels.some((label) => label.column === column);
}

type Grouped = ReportFilter & {
  columns: readonly ReportColumn[];
  /** Further columns of which a request counts once for each value. */
  countedBy?: readonly ReportColumn[];
};

/** Columns of groups and tags of which a request counts once for each value. */
export function listCountedBy({ columns, countedBy = [] }: Grouped): AttributionLabel[] {
  return [...new Set([...columns, ...countedBy].filter(isAttribution))];
}

/** True if the report needs groups or tags of requests. */
export function needsAttribution(query: Grouped): boolean {
  const hasFilter = query.attribution !== undefined && query.attribution !== null;
  return hasFilter || listCountedBy(query).length > 0;
}

/** True if the report includes usage without groups and tags. */
export function includesUnattributed({ attribution, values }: ReportFilter): boolean {
  const isExcluded = attributionLabels.some(({ column }) => values[column]?.includes("") === false);
  return !isExcluded && matchesNone(attribution ?? {});
}

/**
 * Finds the smallest rollups that have all labels of the report. Usage without groups and tags is in the other rollups, and
 * has no week in those of groups and tags.
 */
export function findLevel(query: Grouped): Level {
  const level = findLabelLevel(query);
  if (!needsAttribution(query)) return level;
  const { week: _, ...units } = level;
  return units;
}

function findLabelLevel(query: Grouped): Level {
  const filtered = Object.keys(query.values) as ReportColumn[];
  const grouped = query.groups?.columns ?? [];
  const needed = new Set([...query.columns, ...filtered, ...grouped].flatMap(labelsOf));
  if (query.visible.workspaceIds !== null) needed.add("workspace_id");
  if (query.visible.own !== null) needed.add("api_key_id");
  if (query.withoutRemovedMembers) needed.add("member_id");
  if (query.hasSimulated) needed.add("service_tier");
  const level = levels.find((each: Level) => {
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

/** Labels of the rollups from which the column is computed. Groups and tags have a table of their own. */
export function labelsOf(column: ReportColumn): readonly LabelColumn[] {
  if (isAttribution(column)) return [];
  return isLabel(column) ? [column] : derived[column].from;
}

export function isLabel(column: ReportColumn): column is LabelColumn {
  return (labelColumns as readonly ReportColumn[]).includes(column);
}

export function textOf(column: ReportColumn): string {
  return isLabel(column) || isAttribution(column) ? column : `(${derived[column].text})`;
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
  /** `own`: rows have their groups and tags. `none`: rows count as usage without them. Null: the report has none. */
  attribution: "own" | "none" | null;
}

/**
 * Finds the tables of a part. Usage without groups and tags is all usage minus that of the rollups with them.
 */
export function listSources(
  query: Grouped,
  part: RangePart,
  openHours: OpenHours | null,
): Source[] {
  const table = findTable(query, part);
  if (!needsAttribution(query)) return listTables(table, part, openHours);
  const withAttribution = (sources: Source[], attribution: Source["attribution"]) =>
    sources.map((source) => ({ ...source, attribution }));
  if (table === "recorded_request") {
    return withAttribution(listTables(table, part, openHours), "own");
  }
  const own = listTables(findAttributedRollup(part), part, openHours);
  if (!includesUnattributed(query)) return withAttribution(own, "own");
  const subtracted = own.map((source) => ({ ...source, isSubtracted: !source.isSubtracted }));
  return [
    ...withAttribution(listTables(table, part, openHours), "none"),
    ...withAttribution(own, "own"),
    ...withAttribution(subtracted, "none"),
  ];
}

function findAttributedRollup({ unit }: RangePart): RollupTable {
  if (unit === "minute" || unit === "week") throw new Error(`no rollup per ${unit} has groups`);
  return `usage_attributed_${unit}`;
}

/**
 * Lists a table with its open hours. The rollup per hour with all labels has every request. For the organization, the one
 * per minute has them too, in fewer rows. Weeks have no open hours.
 */
function listTables(
  table: RollupTable | "recorded_request",
  part: RangePart,
  openHours: OpenHours | null,
): Source[] {
  const { unit, startMs, endMs, isSubtracted = false } = part;
  const attribution = null;
  const whole = { table, unit, bucketUnit: unit, startMs, endMs, isSubtracted, attribution };
  const closed: Source = { ...whole, isMissing: false, isOpen: false };
  const hasOpenHours = openHours !== null && openHours.startMs < endMs && openHours.endMs > startMs;
  if (!hasOpenHours || unit === "minute" || unit === "week") return [closed];
  const isByMinute = openHours.hasMinutes && isOrganizationTable(table);
  const hours = table === "recorded_request" ? "usage_hour" : findHourRollup(table);
  const open: Source = {
    ...whole,
    table: isByMinute ? "usage_organization_minute" : hours,
    unit: isByMinute ? "minute" : "hour",
    startMs: Math.max(startMs, openHours.startMs),
    endMs: Math.min(endMs, openHours.endMs),
    isMissing: !isByMinute && table !== hours,
    isOpen: true,
  };
  if (table !== hours) return [closed, open];
  return open.startMs === startMs ? [open] : [{ ...closed, endMs: open.startMs }, open];
}

function isOrganizationTable(table: Source["table"]): boolean {
  return Object.values<Source["table"]>(levels[0]).includes(table);
}

function findTable(query: Grouped, { unit, startMs }: RangePart): RollupTable | "recorded_request" {
  const table = findLevel(query)[unit];
  if (unit === "minute") {
    // Minutes have no groups and tags.
    if (needsAttribution(query)) return "recorded_request";
    return table !== undefined && startMs >= (query.minutesFromMs ?? Infinity)
      ? table
      : "recorded_request";
  }
  if (table === undefined) throw new Error(`no rollup per ${unit} has these labels`);
  return table;
}

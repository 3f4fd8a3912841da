import { type CountColumn, type LabelColumn, labelColumns } from "@bursar/contract/usage-shape.ts";
import type { Tables } from "#src/db/tables.ts";

// The sums over recorded_request that reports read. Each request is in one row of each rollup, with three exceptions. Minutes are
// deleted after some days. Weeks are summed when they are over. Most others get the requests of an hour when it is closed.

const memberLabels = labelColumns.filter(
  (column) => column !== "workspace_id" && column !== "api_key_id",
);
const modelLabels = memberLabels.filter((column) => column !== "member_id");
const keyLabels = [
  "workspace_id",
  "api_key_id",
  "member_id",
  "model",
] as const satisfies LabelColumn[];

/** `attribution_id`: see usage_attribution. */
export type RollupLabel = LabelColumn | "attribution_id";
const attributedLabels: readonly RollupLabel[] = ["attribution_id", ...labelColumns];

export type RollupUnit = "minute" | "hour" | "day" | "week" | "month";
export interface RollupShape {
  unit: RollupUnit;
  labels: readonly RollupLabel[];
}

/** Every writer uses this order, so that two of them wait for each other and never deadlock. */
export const rollupTables = {
  usage_hour: { unit: "hour", labels: labelColumns },
  usage_day: { unit: "day", labels: labelColumns },
  usage_week: { unit: "week", labels: labelColumns },
  usage_month: { unit: "month", labels: labelColumns },
  usage_key_day: { unit: "day", labels: keyLabels },
  usage_key_week: { unit: "week", labels: keyLabels },
  usage_key_month: { unit: "month", labels: keyLabels },
  usage_member_hour: { unit: "hour", labels: memberLabels },
  usage_member_day: { unit: "day", labels: memberLabels },
  usage_member_week: { unit: "week", labels: memberLabels },
  usage_workspace_hour: { unit: "hour", labels: ["workspace_id"] },
  usage_workspace_day: { unit: "day", labels: ["workspace_id"] },
  usage_organization_minute: { unit: "minute", labels: modelLabels },
  usage_organization_hour: { unit: "hour", labels: modelLabels },
  usage_organization_day: { unit: "day", labels: modelLabels },
  // Requests with a group or a tag only. Version 0.1 writes the others by their primary keys, so those get no label.
  usage_attributed_hour: { unit: "hour", labels: attributedLabels },
  usage_attributed_day: { unit: "day", labels: attributedLabels },
  usage_attributed_month: { unit: "month", labels: attributedLabels },
} as const satisfies Partial<Record<keyof Tables, RollupShape>>;

export type RollupTable = keyof typeof rollupTables;
export const rollupTableNames = Object.keys(rollupTables) as RollupTable[];

export type AttributedRollup = Extract<RollupTable, `usage_attributed_${string}`>;

export function isAttributedRollup(table: RollupTable): table is AttributedRollup {
  return table.startsWith("usage_attributed_");
}

/** Rollups per hour with all labels. Open hours are read from them. */
export type HourRollup = "usage_hour" | "usage_attributed_hour";

export function findHourRollup(table: RollupTable): HourRollup {
  return isAttributedRollup(table) ? "usage_attributed_hour" : "usage_hour";
}

/** Rollups that the fold adds every request to. */
type CompleteRollup = HourRollup | "usage_organization_minute";

/** Rollups without the requests of open hours. Weeks have their own progress (weeks.sql.ts). */
export const closedRollups = rollupTableNames.filter(isClosedRollup);

export function isClosedRollup(table: RollupTable): table is Exclude<RollupTable, CompleteRollup> {
  return table !== findHourRollup(table) && !["minute", "week"].includes(rollupTables[table].unit);
}

/** `requestStatus` of domain/request-status.ts, over the columns of recorded_request. */
export const EVENT_STATUS = `CASE WHEN outcome <> 'refused' THEN outcome WHEN http_status = 429 THEN 'rate_limited'
  WHEN http_status BETWEEN 400 AND 499 THEN 'client_error' ELSE 'server_error' END`;

/** SQL of the counts of one event, by column. Rollups are sums of these. */
export const EVENT_COUNTS: Readonly<Partial<Record<CountColumn, string>>> = {
  requests: "1",
  errors: "(outcome NOT IN ('answered', 'aborted'))::int",
  estimated_requests: "is_estimated::int",
  unpriced_requests: "is_unpriced::int",
  partly_unbilled_requests: "has_unbilled_parts::int",
};

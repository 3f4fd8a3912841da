import { type CountColumn, type LabelColumn, labelColumns } from "@bursar/contract/usage-shape.ts";
import type { Tables } from "#src/db/tables.ts";

// The sums over recorded_request that reports read. Every event is in one row of each of them, so each adds up to the same;
// but for minutes, which go after some days, and weeks, which are summed up when they are over.

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

export type RollupUnit = "minute" | "hour" | "day" | "week" | "month";
export interface RollupShape {
  unit: RollupUnit;
  labels: readonly LabelColumn[];
}

/**
 * Written in this order, the same on every node: two flushes wait for each other and never deadlock. Those per week are
 * summed up when the week is over (sum-weeks.ts); a flush writes to them only what comes later than that.
 */
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
} as const satisfies Partial<Record<keyof Tables, RollupShape>>;

export type RollupTable = keyof typeof rollupTables;
export const rollupTableNames = Object.keys(rollupTables) as RollupTable[];

/** `requestStatus` of domain/request-status.ts, over the columns of recorded_request. */
export const EVENT_STATUS = `CASE WHEN outcome <> 'refused' THEN outcome WHEN http_status = 429 THEN 'rate_limited'
  WHEN http_status BETWEEN 400 AND 499 THEN 'client_error' ELSE 'server_error' END`;

/** An event as a row of which the rollups are the sums: its counts, by column. */
export const EVENT_COUNTS: Readonly<Partial<Record<CountColumn, string>>> = {
  requests: "1",
  errors: "(outcome NOT IN ('answered', 'aborted'))::int",
  estimated_requests: "is_estimated::int",
  unpriced_requests: "is_unpriced::int",
};

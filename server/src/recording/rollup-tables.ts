import type { Tables } from "#src/db/tables.ts";

// The sums over usage_event that reports read. Every event is in one row of each of them, so each adds up to the same;
// but for minutes, which go after some days, and weeks, which are summed up when they are over.

/** What a row of the widest rollups is told apart by, besides its organization and its time. */
export const allLabels = [
  "workspace_id",
  "api_key_id",
  "member_id",
  "model",
  "service_tier",
  "context_window",
  "inference_geo",
  "speed",
  "client",
  "status",
] as const;
export type UsageLabel = (typeof allLabels)[number];

const modelLabels = [
  "model",
  "service_tier",
  "context_window",
  "inference_geo",
  "speed",
  "client",
  "status",
] as const satisfies UsageLabel[];

const memberLabels = ["member_id", ...modelLabels] as const satisfies UsageLabel[];

const keyLabels = [
  "workspace_id",
  "api_key_id",
  "member_id",
  "model",
] as const satisfies UsageLabel[];

export const countColumns = [
  "requests",
  "errors",
  "estimated_requests",
  "unpriced_requests",
  "input_tokens",
  "cache_write_5m_tokens",
  "cache_write_1h_tokens",
  "cache_read_tokens",
  "output_tokens",
  "web_searches",
  "input_cost_nano_usd",
  "cache_write_5m_cost_nano_usd",
  "cache_write_1h_cost_nano_usd",
  "cache_read_cost_nano_usd",
  "output_cost_nano_usd",
  "web_search_cost_nano_usd",
  "cost_nano_usd",
] as const;
export type CountColumn = (typeof countColumns)[number];

export type RollupUnit = "minute" | "hour" | "day" | "week" | "month";
export interface RollupShape {
  unit: RollupUnit;
  labels: readonly UsageLabel[];
}

/**
 * Written in this order, the same on every node: two flushes wait for each other and never deadlock. Those per week are
 * summed up when the week is over (sum-weeks.ts); a flush writes to them only what comes later than that.
 */
export const rollupTables = {
  usage_hour: { unit: "hour", labels: allLabels },
  usage_day: { unit: "day", labels: allLabels },
  usage_week: { unit: "week", labels: allLabels },
  usage_month: { unit: "month", labels: allLabels },
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

/** `requestStatus` of domain/request-status.ts, over the columns of usage_event. */
export const EVENT_STATUS = `CASE WHEN outcome <> 'refused' THEN outcome WHEN http_status = 429 THEN 'rate_limited'
  WHEN http_status BETWEEN 400 AND 499 THEN 'client_error' ELSE 'server_error' END`;

/** An event as a row of which the rollups are the sums: its counts, by column. */
export const EVENT_COUNTS: Readonly<Partial<Record<CountColumn, string>>> = {
  requests: "1",
  errors: "(outcome NOT IN ('answered', 'aborted'))::int",
  estimated_requests: "is_estimated::int",
  unpriced_requests: "is_unpriced::int",
};

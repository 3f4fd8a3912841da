import { billedMeasures, costParts } from "@bursar/contract/usage-shape.ts";

// Labels and amounts of statements. Money is nano-USD.

/** Labels of a line. They decide the price of its usage and where it belongs. */
export const lineLabels = [
  "workspace_id",
  "api_key_id",
  "member_id",
  "group_ids",
  "tag_ids",
  "model",
  "service_tier",
  "context_window",
  "inference_geo",
  "speed",
] as const;
export type LineLabel = (typeof lineLabels)[number];

export const lineCounts = [
  "requests",
  "unpriced_requests",
  "partly_unbilled_requests",
  ...billedMeasures.map(({ column }) => column),
  ...costParts.map(({ column }) => column),
  "cost_nano_usd",
] as const;
export type LineCount = (typeof lineCounts)[number];

export type LineKind = "usage" | "simulated" | "adjustment";

export interface LineRow extends Record<LineLabel, string>, Record<LineCount, bigint> {
  kind: LineKind;
  /** First day of the month in which the requests started. */
  for_month: string;
  /** "": usage. */
  adjustment_id: string;
  discount_nano_usd: bigint;
}

/** Labels that decide the price of a model. */
export const priceLabels = [
  "model",
  "service_tier",
  "context_window",
  "inference_geo",
  "speed",
] as const;
export type PriceLabel = (typeof priceLabels)[number];

/** Sums of the lines with one kind, one month and one price. */
export type ProductRow = Omit<LineRow, Exclude<LineLabel, PriceLabel> | "adjustment_id">;

/** Amounts of a statement or of a part of it. */
export interface StatementAmounts {
  /** Requests of the month. */
  list_cost_nano_usd: bigint;
  /** Adjustments of requests of the month. */
  adjustments_nano_usd: bigint;
  /** Requests and adjustments of earlier months. */
  earlier_nano_usd: bigint;
  discount_nano_usd: bigint;
  requests: bigint;
  unpriced_requests: bigint;
  partly_unbilled_requests: bigint;
}

export interface StatementTotals extends StatementAmounts {
  simulated_requests: bigint;
  simulated_cost_nano_usd: bigint;
}

/** Names by id: of today for a month that is open, as of the closing for a closed one. Tags never change. */
export interface StatementNames {
  workspaces: ReadonlyMap<string, string>;
  apiKeys: ReadonlyMap<string, string>;
  members: ReadonlyMap<string, { name: string; email: string }>;
  groups: ReadonlyMap<string, string>;
  tags: ReadonlyMap<string, { name: string; value: string }>;
}

import { billedMeasures, type LabelName, labelNames } from "@bursar/contract/usage-shape.ts";
import { type RangeName, rangeNames } from "./range.ts";

export const groupNames = [...labelNames, "token_type"] as const;
export type GroupName = (typeof groupNames)[number];

/** The address calls an API key `key`. */
export const toFilterName = <Name extends LabelName>(name: Name) =>
  (name === "api_key" ? "key" : name) as Name extends "api_key" ? "key" : Name;

export const filterNames = labelNames.map(toFilterName);
export type FilterName = (typeof filterNames)[number];

export const seriesNames = [...new Set(billedMeasures.map(({ series }) => series))].filter(
  (name) => name !== null,
);

export const metricNames = ["cost", "tokens", ...seriesNames, "requests", "errors"] as const;
export type Metric = (typeof metricNames)[number];

/** What reports and the request log narrow by: any of the values of each. */
export type ReportFilters = { [F in FilterName]?: string[] };

/** What of a report, or of the request log, stands in the address. Everything may be absent. */
export interface ReportSearch extends ReportFilters {
  range?: RangeName;
  /** Days of a range of one's own, the last one included. */
  from?: string;
  to?: string;
  /** One day, hour or minute that is looked at closely: `2026-11-24`, `2026-11-24T13`, `2026-11-24T13:05`. */
  at?: string | undefined;
  by?: GroupName | "none";
  metric?: Metric;
  /** How many groups are drawn apart. */
  top?: number;
  live?: true | undefined;
  view?: "bars" | "running" | "table";
  /** Of the log: the beginning of a request's id, the upstream's id, the least cost, and the request that is open. */
  request?: string;
  upstream?: string;
  cost?: string;
  open?: string;
}

const choices = {
  range: rangeNames,
  by: [...groupNames, "none"],
  metric: metricNames,
  top: [3, 5, 8],
  live: [true],
  view: ["bars", "running", "table"],
} as const;

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const texts: Record<string, RegExp> = {
  from: DAY,
  to: DAY,
  at: /^\d{4}-\d{2}-\d{2}(T\d{2}(:\d{2})?)?$/,
  request: /^[!-~]{1,100}$/,
  upstream: /^[!-~]{1,100}$/,
  cost: /^\d{1,9}(\.\d{1,9})?$/,
  open: /^req_\w{1,96}$/,
};
const MAX_VALUES = 100;
const MAX_VALUE_LENGTH = 256;

/** Reads the address; what makes no sense is as if it were not there. */
export function readReportSearch(raw: Record<string, unknown>): ReportSearch {
  const found: Record<string, unknown> = {};
  for (const [name, values] of Object.entries(choices)) {
    const value = (values as readonly unknown[]).find((each) => each === raw[name]);
    if (value !== undefined) found[name] = value;
  }
  for (const [name, pattern] of Object.entries(texts)) {
    // What looks like a number is one by the time it comes here.
    const value = typeof raw[name] === "number" ? String(raw[name]) : raw[name];
    if (typeof value !== "string" || !pattern.test(value)) continue;
    if (pattern === DAY && Number.isNaN(Date.parse(value))) continue;
    found[name] = value;
  }
  for (const name of filterNames) {
    const values = raw[name];
    if (!Array.isArray(values)) continue;
    const kept = values
      .filter((value) => typeof value === "string" && value.length <= MAX_VALUE_LENGTH)
      .slice(0, MAX_VALUES);
    if (kept.length > 0) found[name] = kept;
  }
  return found;
}

import { billedMeasures, type ReportGroup, reportGroups } from "@bursar/contract/usage-shape.ts";
import { day, makeSearchReader, matching, oneOf, texts } from "../../search-fields.ts";
import { viewFields } from "../tables/view-fields.ts";
import { rangeNames } from "./range.ts";

export const groupNames = [...reportGroups, "token_type"] as const;
export type GroupName = (typeof groupNames)[number];

/** The address calls an API key `key`. */
export const toFilterName = <Name extends ReportGroup>(name: Name) =>
  (name === "api_key" ? "key" : name) as Name extends "api_key" ? "key" : Name;

export const filterNames = reportGroups.map(toFilterName);
export type FilterName = (typeof filterNames)[number];

export const seriesNames = [...new Set(billedMeasures.map(({ series }) => series))].filter(
  (name) => name !== null,
);

export const metricNames = ["cost", "tokens", ...seriesNames, "requests", "errors"] as const;
export type Metric = (typeof metricNames)[number];

/** Values of each filter of reports and of the request log. */
export type ReportFilters = { [F in FilterName]?: string[] | undefined } & {
  /** Name of a tag that requests lack. */
  without?: string | undefined;
};

const filters = Object.fromEntries(filterNames.map((name) => [name, texts])) as {
  [F in FilterName]: typeof texts;
};

const nameOfTag = matching(/^[^,:=]{1,64}$/);

/** Reads the address of a report, or of the request log. */
export const readReportSearch = makeSearchReader({
  ...filters,
  /** Name of a tag that requests lack. */
  without: nameOfTag,
  range: oneOf(rangeNames),
  /** First day of a custom range. */
  from: day,
  /** Last day of a custom range, included. */
  to: day,
  /** Selected day, hour or minute: `2026-11-24`, `2026-11-24T13`, `2026-11-24T13:05`. */
  at: matching(/^\d{4}-\d{2}-\d{2}(T\d{2}(:\d{2})?)?$/),
  by: oneOf([...groupNames, "none"] as const),
  /** Name of the tags that the report is grouped by. */
  tagName: nameOfTag,
  metric: oneOf(metricNames),
  /** Number of groups in the chart. */
  top: oneOf([3, 5, 8]),
  live: oneOf([true] as const),
  view: oneOf(["bars", "running", "table"] as const),
  /** Start of a request id. */
  request: matching(/^[!-~]{1,100}$/),
  /** Upstreams that requests were sent to. */
  served: texts,
  /** Request id of the upstream. */
  upstream: matching(/^[!-~]{1,100}$/),
  /** Agent session and prompt that the client claims. */
  session: matching(/^[!-~]{1,64}$/),
  prompt: matching(/^[!-~]{1,64}$/),
  /** Minimum cost, US dollars. */
  cost: matching(/^\d{1,9}(\.\d{1,9})?$/),
  /** Requests with a doubtful cost. `open`: without a decision about it. */
  doubt: oneOf(["open", "all"] as const),
  /** Requests with parts that no cost includes. */
  unbilled: oneOf([true] as const),
  /** Streams that a spend limit ended. */
  cut: oneOf([true] as const),
  /** Shows refused requests, which were not sent. */
  refused: oneOf([true] as const),
  /** Error codes of refused requests. */
  code: texts,
  /** Request that is open. */
  open: matching(/^req_\w{1,96}$/),
  ...viewFields,
});
export type ReportSearch = ReturnType<typeof readReportSearch>;

import { toRecord, usageLabels } from "@bursar/contract/usage-shape.ts";
import { useQuery } from "@tanstack/react-query";
import { type Answer, call, type Input } from "../../api-client.ts";
import { isOfWholeHours, rangeOf } from "./drill.ts";
import type { Range } from "./range.ts";
import {
  type GroupName,
  type Metric,
  type ReportFilters,
  type ReportSearch,
  toFilterName,
} from "./search.ts";

/** Which report: both count the same requests; cost is also split by what was billed. */
export type ReportKind = "usage" | "cost";

type UsageAnswer = Answer<"getUsage">;
type CostAnswer = Answer<"getCost">;
export type Row = UsageAnswer["data"][number] | CostAnswer["data"][number];
export type Totals = UsageAnswer["totals"] | CostAnswer["totals"];

export interface ReportAsked {
  kind: ReportKind;
  /** Only what says which times: of the rest of the address the answer does not depend. */
  times: Pick<ReportSearch, "range" | "from" | "to" | "at" | "live">;
  groupBy: GroupName | null;
  metric: Metric;
  top: number;
  filters: FilterQuery;
}

export interface Report {
  range: Range;
  /** By bucket and group, those beyond `top` in one. */
  rows: Row[];
  /** By group, of the whole range, the largest first. */
  groups: Row[];
  /** There are more groups than `groups` has. */
  areGroupsCut: boolean;
  totals: Totals;
  refreshedAt: string;
}

export const MAX_GROUPS = 1_000;
const PAGE_SIZE = 1_000;
/** 31 days of hours by six token types are fewer. */
const MAX_PAGES = 20;
/** Where sums without buckets are not to be had, the table has as many groups as the server draws apart. */
const TOP_BY_MINUTE = 50;
export const LIVE_MS = 5_000;
const CALM_MS = 30_000;

/** The filters of the API, from those of the address; on the page of one workspace or key, only that one. */
export function toFilterQuery(search: ReportFilters, { workspaceId, apiKeyId }: Within = {}) {
  const filters = toRecord(usageLabels, "column", ({ name }) => search[toFilterName(name)]);
  return {
    ...filters,
    ...(workspaceId !== undefined && { workspace_id: [workspaceId] }),
    ...(apiKeyId !== undefined && { api_key_id: [apiKeyId] }),
    // The server knows the states, and says so where one of an address is none.
    status: filters.status as NonNullable<Input<"getUsage">["query"]>["status"],
  };
}
export type FilterQuery = ReturnType<typeof toFilterQuery>;

export interface Within {
  workspaceId?: string | undefined;
  apiKeyId?: string | undefined;
}

/**
 * A report of the times that the address names, as of each moment it is asked again: the query is the same while the
 * clock moves on, so that what was loaded last stays when a refresh fails.
 */
export function useReport(asked: ReportAsked) {
  const isPast = Date.parse(rangeOf(asked.times, Date.now()).endingAt) <= Date.now();
  return useQuery<Report, Error>({
    queryKey: [asked.kind === "usage" ? "getUsage" : "getCost", "report", asked],
    queryFn: ({ signal }) => loadReport(asked, rangeOf(asked.times, Date.now()), signal),
    placeholderData: (previous) => previous,
    refetchInterval: asked.times.live ? LIVE_MS : isPast ? false : CALM_MS,
  });
}

async function loadReport(asked: ReportAsked, range: Range, signal: AbortSignal): Promise<Report> {
  const query = { ...toQuery(asked, range), order_by: orderOf(asked) };
  const isSummed = isOfWholeHours(range);
  // Without labels there is nothing to rank, and token types are few.
  const isRanked = asked.groupBy !== null && asked.groupBy !== "token_type";
  const top = isSummed ? asked.top : TOP_BY_MINUTE;
  const [drawn, sums] = await Promise.all([
    loadAll(
      asked.kind,
      {
        ...query,
        order_by: "time",
        bucket: range.bucket,
        ...(isRanked && { top, order_by: query.order_by }),
      },
      signal,
    ),
    isSummed
      ? ask(asked.kind, { ...query, bucket: "none", limit: MAX_GROUPS }, signal)
      : Promise.resolve(null),
  ]);
  return {
    range,
    rows: drawn.rows,
    groups: sums?.data ?? [],
    areGroupsCut: sums?.next_page != null,
    totals: sums?.totals ?? drawn.totals,
    refreshedAt: drawn.refreshedAt,
  };
}

type Query = NonNullable<Input<"getUsage">["query"]>;

/** What is asked of a report and of its file alike. */
export function toQuery({ kind, groupBy, filters }: ReportAsked, range: Range) {
  return {
    ...filters,
    starting_at: range.startingAt,
    ending_at: range.endingAt,
    // `token_type` is asked of cost alone: see `groupsFor`.
    ...(groupBy !== null && { group_by: [groupBy] as Query["group_by"] }),
    ...(kind === "cost" && groupBy === "token_type" && { group_by: ["token_type"] as never }),
  };
}

function orderOf({ metric }: ReportAsked): Query["order_by"] {
  switch (metric) {
    case "cost":
    case "tokens":
    case "requests":
    case "errors":
      return metric;
    case "output":
      return "output_tokens";
    default:
      return "tokens";
  }
}

function ask(
  kind: ReportKind,
  query: Query,
  signal: AbortSignal,
): Promise<UsageAnswer | CostAnswer> {
  return kind === "usage"
    ? call("getUsage", { query }, { signal })
    : call("getCost", { query }, { signal });
}

async function loadAll(kind: ReportKind, query: Query, signal: AbortSignal) {
  const first = await ask(kind, { ...query, limit: PAGE_SIZE }, signal);
  const rows: Row[] = [...first.data];
  let page = first.next_page;
  for (let count = 1; page !== null && count < MAX_PAGES; count += 1) {
    const next = await ask(kind, { ...query, limit: PAGE_SIZE, page }, signal);
    rows.push(...next.data);
    page = next.next_page;
  }
  return { rows, totals: first.totals, refreshedAt: first.data_refreshed_at };
}

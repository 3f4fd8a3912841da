import { toRecord, usageLabels } from "@bursar/contract/usage-shape.ts";
import { useQuery } from "@tanstack/react-query";
import { type Answer, call, type Input } from "../../api-client.ts";
import { isOfWholeHours, resolveSearchRange } from "./drill.ts";
import type { Range } from "./range.ts";
import {
  type GroupName,
  type Metric,
  type ReportFilters,
  type ReportSearch,
  toFilterName,
} from "./search.ts";

/** Kind of report. Both count the same requests. The cost report can also group by token type. */
export type ReportKind = "usage" | "cost";

type UsageAnswer = Answer<"getUsage">;
type CostAnswer = Answer<"getCost">;
export type Row = UsageAnswer["data"][number] | CostAnswer["data"][number];
export type Totals = UsageAnswer["totals"] | CostAnswer["totals"];

export interface ReportInput {
  kind: ReportKind;
  /** Parameters of the address that select the times. The answer does not depend on the others. */
  times: Pick<ReportSearch, "range" | "from" | "to" | "at" | "live">;
  groupBy: GroupName | null;
  /** Name of the tags to group by. Undefined: all tags. */
  tagName?: string | undefined;
  metric: Metric;
  top: number;
  filters: FilterQuery;
}

export interface Report {
  range: Range;
  /** Rows by bucket and group. Groups beyond `top` share one row. */
  rows: Row[];
  /** Sums of the whole range by group, the largest first. */
  groups: Row[];
  /** `groups` is incomplete. */
  areGroupsCut: boolean;
  totals: Totals;
  /** A request can be in several groups. */
  hasOverlappingRows: boolean;
  refreshedAt: string;
}

export const MAX_GROUPS = 1_000;
const PAGE_SIZE = 1_000;
/** More than enough for 31 days in hours by six token types. */
const MAX_PAGES = 20;
/** Number of groups in the table if the server has no sums without buckets. */
const TOP_BY_MINUTE = 50;
export const LIVE_MS = 5_000;
const CALM_MS = 30_000;

/** Filters for the API, from the address. The page of a workspace or key adds its own. */
export function toFilterQuery(search: ReportFilters, { workspaceId, apiKeyId }: Within = {}) {
  const filters = toRecord(usageLabels, "column", ({ name }) => search[toFilterName(name)]);
  return {
    ...filters,
    group_id: search.group,
    tag_id: search.tag,
    without_tag: search.without,
    ...(workspaceId !== undefined && { workspace_id: [workspaceId] }),
    ...(apiKeyId !== undefined && { api_key_id: [apiKeyId] }),
    // The server refuses an unknown state of the address.
    status: filters.status as NonNullable<Input<"getUsage">["query"]>["status"],
  };
}
export type FilterQuery = ReturnType<typeof toFilterQuery>;

export interface Within {
  workspaceId?: string | undefined;
  apiKeyId?: string | undefined;
}

/**
 * Loads the report of the address. Each refresh computes the times again, under the same query key, so that the last
 * data stays if a refresh fails.
 */
export function useReport(asked: ReportInput) {
  const isPast = Date.parse(resolveSearchRange(asked.times, Date.now()).endingAt) <= Date.now();
  return useQuery<Report, Error>({
    queryKey: [asked.kind === "usage" ? "getUsage" : "getCost", "report", asked],
    queryFn: ({ signal }) => loadReport(asked, resolveSearchRange(asked.times, Date.now()), signal),
    placeholderData: (previous) => previous,
    refetchInterval: asked.times.live ? LIVE_MS : isPast ? false : CALM_MS,
  });
}

async function loadReport(asked: ReportInput, range: Range, signal: AbortSignal): Promise<Report> {
  const query = { ...toQuery(asked, range), order_by: orderOf(asked) };
  const isSummed = isOfWholeHours(range);
  // A report without groups needs no ranking, and token types are few.
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
    hasOverlappingRows: drawn.hasOverlappingRows,
    refreshedAt: drawn.refreshedAt,
  };
}

type Query = NonNullable<Input<"getUsage">["query"]>;

/** Query of a report and of its file. */
export function toQuery({ kind, groupBy, tagName, filters }: ReportInput, range: Range) {
  return {
    ...filters,
    starting_at: range.startingAt,
    ending_at: range.endingAt,
    ...(groupBy === "tag" && tagName !== undefined && { tag_name: tagName }),
    // Only the cost report has `token_type`, see `listGroupChoices`.
    ...(groupBy !== null && { group_by: [groupBy] as Query["group_by"] }),
    ...(kind === "cost" && groupBy === "token_type" && { group_by: ["token_type"] as never }),
  };
}

function orderOf({ metric }: ReportInput): Query["order_by"] {
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
  return {
    rows,
    totals: first.totals,
    hasOverlappingRows: first.has_overlapping_rows,
    refreshedAt: first.data_refreshed_at,
  };
}

import { toRecord, usageLabels } from "@bursar/contract/usage-shape.ts";
import type { Input } from "../../api-client.ts";
import type { Range } from "./range.ts";
import {
  type GroupName,
  groupNames,
  type Metric,
  type ReportFilters,
  type ReportSearch,
  toFilterName,
} from "./search.ts";
import { isOfWholeHours } from "./search-range.ts";

// Queries of a report, from the address of its page. early.ts sends them before the page has loaded.

/** Kind of report. Both count the same requests. The cost report can also group by token type. */
export type ReportKind = "usage" | "cost";

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

export const MAX_GROUPS = 1_000;
const PAGE_SIZE = 1_000;
/** Number of groups in the table if the server has no sums without buckets. */
const TOP_BY_MINUTE = 50;

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

/** The report that an address asks for. */
export function toReportInput(kind: ReportKind, search: ReportSearch, within: Within): ReportInput {
  const { range, from, to, at, live, by, tagName, top = 8 } = search;
  const groups = listGroupChoices(kind, within);
  const group = groups.find((name) => name === by) ?? groups[0] ?? "model";
  const metric: Metric = kind === "cost" ? "cost" : (search.metric ?? "tokens");
  return {
    kind,
    times: { range, from, to, at, live } as ReportInput["times"],
    groupBy: by === "none" ? null : group,
    ...(by === "tag" && { tagName }),
    metric,
    top,
    filters: toFilterQuery(search, within),
  };
}

/** Labels to group by. The first one is the default. A report within one key or workspace leaves out its label. */
export function listGroupChoices(kind: ReportKind, { workspaceId, apiKeyId }: Within): GroupName[] {
  const first: GroupName = apiKeyId ? "model" : workspaceId ? "api_key" : "workspace";
  const others = groupNames.filter(
    (name) =>
      name !== first &&
      !(name === "token_type" && kind === "usage") &&
      !(name === "workspace" && (workspaceId || apiKeyId)) &&
      !((name === "api_key" || name === "member") && apiKeyId),
  );
  return [first, ...others];
}

export type Query = NonNullable<Input<"getUsage">["query"]>;

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

/** Queries of a report: its rows by bucket, and the sums of the whole range. */
export interface ReportQueries {
  drawn: Query;
  /** Null: the server has no sums of this range. */
  sums: Query | null;
}

export function listReportQueries(asked: ReportInput, range: Range): ReportQueries {
  const query = { ...toQuery(asked, range), order_by: orderOf(asked) };
  const isSummed = isOfWholeHours(range);
  // A report without groups needs no ranking, and token types are few.
  const isRanked = asked.groupBy !== null && asked.groupBy !== "token_type";
  return {
    drawn: {
      ...query,
      order_by: isRanked ? query.order_by : "time",
      bucket: range.bucket,
      ...(isRanked && { top: isSummed ? asked.top : TOP_BY_MINUTE }),
      limit: PAGE_SIZE,
    },
    sums: isSummed ? { ...query, bucket: "none", limit: MAX_GROUPS } : null,
  };
}

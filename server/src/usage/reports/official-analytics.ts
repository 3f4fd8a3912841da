import type { AnalyticsGroup } from "@bursar/contract/admin/official-reports.ts";
import type { ReportCall } from "#src/access/call.ts";
import { readCursor, readCursorAmount, readCursorTime } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { findUsageNames, type UsageNames } from "#src/recording/usage-names.sql.ts";
import { findVisibleUsage } from "#src/usage/visible-usage.ts";
import { listPage, type ReportPage } from "./read-report.ts";
import { inReport, type ReportOrder, type ReportRow } from "./report.sql.ts";
import { type BucketName, bucketMs, reportRange, type TimeRange } from "./report-range.rule.ts";
import type { ReportColumn, ReportFilter } from "./report-tables.ts";
import { removeUndefined, type UsageDeps, withMinutes } from "./usage.ts";

// The official flat reports: one row per group, in a chosen order.

export interface AnalyticsQuery {
  starting_at: string;
  ending_at?: string | undefined;
  time_bucket_width?: "1m" | "1h" | "1d" | undefined;
  limit?: number | undefined;
  page?: string | undefined;
  order?: "asc" | "desc" | undefined;
  group_by?: AnalyticsGroup[] | undefined;
  exclude_deleted_users?: boolean | undefined;
  actor_ids?: string[] | undefined;
  actor_types?: string[] | undefined;
  api_key_ids?: string[] | undefined;
  context_windows?: string[] | undefined;
  inference_geos?: string[] | undefined;
  models?: string[] | undefined;
  organization_ids?: string[] | undefined;
  products?: string[] | undefined;
  service_tiers?: string[] | undefined;
  speeds?: string[] | undefined;
  workspace_ids?: string[] | undefined;
  agent_ids?: string[] | undefined;
  claude_tag_categories?: string[] | undefined;
  claude_tag_user_ids?: string[] | undefined;
  deployment_ids?: string[] | undefined;
  environment_ids?: string[] | undefined;
  rbac_group_ids?: string[] | undefined;
  session_ids?: string[] | undefined;
  slack_channel_ids?: string[] | undefined;
  user_profile_ids?: string[] | undefined;
}

export interface AnalyticsReport {
  rows: ReportRow[];
  groupBy: readonly AnalyticsGroup[];
  bucket: BucketName;
  range: TimeRange;
  names: UsageNames;
  nextPage: string | null;
  dataAsOfMs: number;
}

/** Groups that Bursar records. Other groups are null. */
const columnsOf: Readonly<Partial<Record<AnalyticsGroup, readonly ReportColumn[]>>> = {
  actor: ["actor", "actor_type"],
  actor_type: ["actor_type"],
  api_key_id: ["api_key_id"],
  context_window: ["context_window"],
  inference_geo: ["inference_geo"],
  model: ["model"],
  product: ["product"],
  rbac_group_id: ["group_id"],
  service_tier: ["service_tier"],
  speed: ["speed"],
  workspace_id: ["workspace_id"],
};

const MAX_GROUPS = 5;
const DEFAULT_ROWS = 20;
const DEFAULT_SPAN_MS = 31 * 86_400_000;
/** Most lines of a split row. */
const COST_PARTS = 6;

/** Returns a page of the flat report. The route splits its rows. */
export async function listAnalytics(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  query: AnalyticsQuery,
  by: ReportOrder["by"],
): Promise<AnalyticsReport> {
  const { page: cursor, limit = DEFAULT_ROWS, ...filters } = query;
  const groupBy = [...new Set(query.group_by)];
  checkGroups(groupBy, query);
  const isSplit = groupBy.some((group) => group === "cost_type" || group === "token_type");
  const rowLimit = isSplit ? Math.max(1, Math.floor(limit / COST_PARTS)) : limit;
  const columns = [...new Set(groupBy.flatMap((group) => columnsOf[group] ?? []))];
  const bucket = query.time_bucket_width ?? "none";
  const order = { by, isDescending: query.order !== "asc" };
  const range = readRange(deps, query, bucket);
  const cursorFilters = { ...filters, report: by };
  const visible = await findVisibleUsage(deps.database, caller);
  const page: ReportPage = {
    filter: withMinutes(deps, toFilter(caller.organizationId, query, visible)),
    columns,
    bucket,
    range,
    isOpenEnded: range.endMs >= deps.nowMs(),
    order,
    after:
      cursor === undefined ? null : readPosition(cursor, cursorFilters, { columns, bucket, order }),
    limit: rowLimit + 1,
  };
  return inReport(reader, async (tx) => {
    const found = range.startMs < range.endMs ? await listPage(tx, page) : [];
    const rows = found.slice(0, rowLimit);
    const last = found.length > rowLimit ? rows.at(-1) : undefined;
    return {
      rows,
      groupBy,
      bucket,
      range,
      names: await findUsageNames(tx, caller.organizationId, rows.map(toIds)),
      nextPage: last
        ? encodeCursor(
            [
              String(last.order_value ?? ""),
              last.bucket_at?.getTime() ?? 0,
              ...columns.map((column) => last[column] ?? ""),
            ],
            cursorFilters,
          )
        : null,
      dataAsOfMs: reader.dataAsOfMs(),
    };
  });
}

function toIds(row: ReportRow) {
  return row.actor_type === "user_actor" && row.actor !== undefined ? { member_id: row.actor } : {};
}

function checkGroups(groupBy: readonly AnalyticsGroup[], query: AnalyticsQuery): void {
  const counted = groupBy.filter((group) => group !== "cost_type" && group !== "token_type");
  if (counted.length > MAX_GROUPS) {
    throw refuseField("group_by", `expected at most ${MAX_GROUPS} groups.`);
  }
  if (query.exclude_deleted_users === true && !groupBy.includes("actor")) {
    throw refuseField("exclude_deleted_users", "allowed only with group_by actor.");
  }
}

function readRange(deps: UsageDeps, query: AnalyticsQuery, bucket: BucketName): TimeRange {
  if (query.ending_at === undefined && query.time_bucket_width !== undefined) {
    throw refuseField("ending_at", "this field is required with time_bucket_width.");
  }
  const startingAtMs = Date.parse(query.starting_at);
  const endingAtMs =
    query.ending_at === undefined
      ? Math.min(deps.nowMs(), startingAtMs + DEFAULT_SPAN_MS)
      : Date.parse(query.ending_at);
  const range = reportRange(bucket, startingAtMs, endingAtMs);
  if (bucket !== "none") return range;
  const hourMs = bucketMs("1h");
  return { ...range, endMs: Math.floor(endingAtMs / hourMs) * hourMs };
}

function toFilter(
  organizationId: string,
  query: AnalyticsQuery,
  visible: ReportFilter["visible"],
): ReportFilter {
  const values = removeUndefined({
    actor: query.actor_ids,
    actor_type: query.actor_types,
    api_key_id: query.api_key_ids,
    context_window: query.context_windows,
    inference_geo: query.inference_geos,
    model: query.models,
    product: query.products,
    service_tier: query.service_tiers,
    speed: query.speeds,
    workspace_id: query.workspace_ids,
  });
  const isEmpty = hasUnsupportedFilter(organizationId, query);
  return {
    organizationId,
    visible,
    values: isEmpty ? { ...values, model: [] } : values,
    withoutRemovedMembers: query.exclude_deleted_users === true,
    attribution: query.rbac_group_ids === undefined ? null : { groupIds: query.rbac_group_ids },
  };
}

/** True for a filter by a label that Bursar does not record. */
function hasUnsupportedFilter(organizationId: string, query: AnalyticsQuery): boolean {
  const absent = [
    query.agent_ids,
    query.claude_tag_categories,
    query.claude_tag_user_ids,
    query.deployment_ids,
    query.environment_ids,
    query.session_ids,
    query.slack_channel_ids,
    query.user_profile_ids,
  ];
  const isForeign = query.organization_ids?.includes(organizationId) === false;
  return isForeign || absent.some((ids) => ids !== undefined && ids.length > 0);
}

function readPosition(
  cursor: string,
  cursorFilters: unknown,
  shape: Pick<ReportPage, "columns" | "bucket" | "order">,
): ReportPage["after"] {
  const kinds = ["string", "number", ...shape.columns.map(() => "string" as const)] as const;
  const [value = "", bucketAt, ...columns] = readCursor(cursor, cursorFilters, kinds);
  return {
    value: shape.order.by === "time" ? null : readCursorAmount(String(value)),
    bucketAtMs: shape.bucket === "none" ? null : readCursorTime(bucketAt),
    columns: columns.map(String),
  };
}

import type { refusal, refusalRoutes, refusalRow } from "@bursar/contract/admin/refusals.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { ReportCall } from "#src/access/call.ts";
import type { UsageNames } from "#src/recording/usage-names.sql.ts";
import type { RecentRefusalRow, RefusalLabels, RefusalRow } from "./list-refusals.sql.ts";
import {
  getRefusals,
  listRecentRefusals,
  type RefusalDeps,
  type RefusalReport,
} from "./list-refusals.ts";
import { refusalBucketMs } from "./refusal-range.rule.ts";

export function makeRefusalHandlers(
  deps: RefusalDeps,
): HandlersFor<(typeof refusalRoutes)[number], never, never, ReportCall> {
  return {
    getRefusals: async (call, { query }) => {
      const report = await getRefusals(deps, call, query);
      const bucketMs = refusalBucketMs[query.bucket];
      return {
        data: report.rows.map((row) => toRow(row, report, bucketMs)),
        totals: { requests: Number(report.total) },
        next_page: report.nextPage,
        bucket: query.bucket,
        starting_at: toIso(report.range.startMs),
        ending_at: toIso(report.range.endMs),
      };
    },
    listRecentRefusals: async (call, { query }) => {
      const { rows, names, nextPage } = await listRecentRefusals(deps, call, query);
      return { data: rows.map((row) => toRefusal(row, names)), next_page: nextPage };
    },
  };
}

function toRow(
  row: RefusalRow,
  { names, range, columns }: RefusalReport,
  bucketMs: number | null,
): z.input<typeof refusalRow> {
  const startMs = bucketMs === null ? range.startMs : Number(row.bucket_ms);
  return {
    starting_at: toIso(startMs),
    ending_at: toIso(bucketMs === null ? range.endMs : startMs + bucketMs),
    ...toKey(row, names),
    is_unknown_key: columns.includes("workspace_id") && row.workspace_id === "",
    error_code: row.error_code === "" ? null : row.error_code,
    model: row.model === "" ? null : row.model,
    requests: Number(row.requests),
  };
}

function toRefusal(row: RecentRefusalRow, names: UsageNames): z.input<typeof refusal> {
  return {
    id: row.request_id,
    type: "refusal",
    refused_at: row.refused_at.toISOString(),
    ...toKey(row, names),
    is_unknown_key: row.api_key_id === "",
    error_code: row.error_code,
    http_status: row.http_status,
    model: row.model === "" ? null : row.model,
    address: row.address,
    facts: row.facts,
  };
}

function toKey(
  { workspace_id: workspaceId, api_key_id: apiKeyId }: RefusalLabels,
  names: UsageNames,
) {
  return {
    workspace_id: workspaceId === "" ? null : workspaceId,
    workspace_name: names.workspaces.get(workspaceId) ?? null,
    api_key_id: apiKeyId === "" ? null : apiKeyId,
    api_key_name: names.apiKeys.get(apiKeyId) ?? null,
    is_playground: names.playgroundKeys.has(apiKeyId),
  };
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

import {
  loggedRequest,
  type loggedRequestDetail,
  type requestLogSettings,
  type requestRoutes,
} from "@bursar/contract/admin/requests.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call, ReportCall } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { formatUsd } from "#src/domain/money.ts";
import { type CsvColumns, mediaTypeOf, pickColumns, toFile } from "#src/lib/csv.ts";
import { SLICE_ITEMS } from "#src/lib/slices.ts";
import { splitIds, type UsageNames } from "#src/recording/usage-names.sql.ts";
import { toCostBreakdown, toUsedCounts } from "#src/usage/used-counts.ts";
import type { RequestLogSettings } from "./request-log-settings.sql.ts";
import { getRequestLogSettings, updateRequestLogSettings } from "./request-log-settings.ts";
import type { RequestDetailRow, RequestRow } from "./requests.sql.ts";
import { getRequest, listRequests, type NamedRequests, openRequestExport } from "./requests.ts";

type LoggedRequest = z.input<typeof loggedRequest>;

export function makeRequestHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof requestRoutes)[number], Call, never, ReportCall> {
  return {
    listRequests: async (call, { query }) => {
      const { rows, names, nextPage } = await listRequests(deps, call, query);
      return { data: rows.map((row) => toWire(row, names)), next_page: nextPage };
    },
    exportRequests: async (call, { query: { format, ...query } }) => {
      const pages = await openRequestExport(deps, call, query);
      const day = new Date(deps.nowMs()).toISOString().slice(0, 10);
      return {
        mediaType: mediaTypeOf(format),
        fileName: `requests-${day}.${format}`,
        pieces: toFile(format, columns, toLines(pages)),
      };
    },
    getRequest: async (call, { params }) => {
      const { row, names } = await getRequest(deps, call, params.request_id);
      return toDetail(row, names);
    },
    getRequestLogSettings: async (call) => toSettings(await getRequestLogSettings(deps, call)),
    updateRequestLogSettings: async (call, { body }) =>
      toSettings(await updateRequestLogSettings(deps, call, body.retention_days)),
  };
}

async function* toLines(pages: AsyncIterable<NamedRequests>): AsyncGenerator<LoggedRequest[]> {
  for await (const { rows, names } of pages) {
    for (let start = 0; start < rows.length; start += SLICE_ITEMS) {
      yield rows.slice(start, start + SLICE_ITEMS).map((row) => toWire(row, names));
    }
  }
}

function toSettings(settings: RequestLogSettings): z.input<typeof requestLogSettings> {
  return {
    type: "request_log_settings",
    retention_days: settings.retentionDays,
    pruned_before: settings.prunedBefore?.toISOString() ?? null,
  };
}

function toWire(row: RequestRow, names: UsageNames): LoggedRequest {
  const member = names.members.get(row.member_id);
  const latencyMs = Math.max(0, row.ended_at.getTime() - row.started_at.getTime());
  return {
    id: row.request_id,
    type: "request",
    started_at: row.started_at.toISOString(),
    ended_at: row.ended_at.toISOString(),
    workspace_id: row.workspace_id,
    workspace_name: names.workspaces.get(row.workspace_id) ?? null,
    api_key_id: row.api_key_id,
    api_key_name: names.apiKeys.get(row.api_key_id) ?? null,
    is_playground: names.playgroundKeys.has(row.api_key_id),
    member_id: row.member_id === "" ? null : row.member_id,
    member_name: member?.name ?? null,
    member_email: member?.email ?? null,
    requested_model: row.requested_model,
    model: row.model,
    status: row.status,
    outcome: row.outcome,
    http_status: row.http_status,
    is_stream: row.is_stream,
    is_estimated: row.is_estimated,
    is_unpriced: row.is_unpriced,
    service_tier: row.service_tier,
    context_window: row.context_window,
    inference_geo: row.inference_geo,
    speed: row.speed,
    client: row.client,
    ...toUsedCounts(row),
    cost_usd: formatUsd(row.cost_nano_usd),
    latency_ms: latencyMs,
    // Older entries measured the first byte from an earlier start.
    first_byte_ms: row.first_byte_ms === null ? null : Math.min(row.first_byte_ms, latencyMs),
    upstream_request_id: row.upstream_request_id,
    doubt: row.doubt,
    has_unbilled_parts: row.has_unbilled_parts,
    adjustment_usd: row.adjustment_nano_usd === null ? null : formatUsd(row.adjustment_nano_usd),
    groups: splitIds(row.group_ids).map((id) => ({ id, name: names.groups.get(id) ?? null })),
    tags: Object.fromEntries(
      splitIds(row.tag_ids).flatMap((id) => {
        const tag = names.tags.get(id);
        return tag === undefined ? [] : [[tag.name, tag.value]];
      }),
    ),
    claimed: toClaimed(row),
  };
}

function toClaimed(row: RequestRow): LoggedRequest["claimed"] {
  const { agent_session_id, prompt_id, agent_id, parent_agent_id, request_class } = row;
  if (agent_session_id === null) return null;
  return { agent_session_id, prompt_id, agent_id, parent_agent_id, request_class };
}

function toDetail(row: RequestDetailRow, names: UsageNames): z.input<typeof loggedRequestDetail> {
  return {
    ...toWire(row, names),
    cost_breakdown_usd: toCostBreakdown(row),
    prices: row.prices as z.input<typeof loggedRequestDetail>["prices"],
    node_id: row.node_id,
  };
}

const {
  id: _id,
  type: _type,
  started_at,
  ended_at,
  groups: _groups,
  tags: _tags,
  claimed: _claimed,
  ...otherFields
} = loggedRequest.shape;

const columns: CsvColumns<LoggedRequest> = {
  ...pickColumns({ started_at, ended_at }),
  request_id: (row) => row.id,
  ...pickColumns(otherFields),
  groups: (row) => row.groups.map(({ id, name }) => name ?? id).join("; "),
  tags: (row) =>
    Object.entries(row.tags)
      .map(([name, value]) => `${name}=${value}`)
      .join("; "),
  claimed_agent_session_id: (row) => row.claimed?.agent_session_id ?? null,
  claimed_prompt_id: (row) => row.claimed?.prompt_id ?? null,
  claimed_agent_id: (row) => row.claimed?.agent_id ?? null,
  claimed_parent_agent_id: (row) => row.claimed?.parent_agent_id ?? null,
  claimed_request_class: (row) => row.claimed?.request_class ?? null,
};

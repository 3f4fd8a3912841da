import {
  loggedRequest,
  type loggedRequestDetail,
  type requestLogSettings,
  type requestRoutes,
} from "@bursar/contract/admin/requests.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import type { z } from "zod";
import type { Call, ReportCall } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { formatUsd } from "#src/domain/money.ts";
import { scopeIdOf, toWireScope } from "#src/domain/wire-scope.ts";
import { type CsvColumns, mediaTypeOf, pickColumns, toFile } from "#src/lib/csv.ts";
import { SLICE_ITEMS } from "#src/lib/slices.ts";
import type { StoredCut } from "#src/recording/stored-cut.ts";
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
    upstream_id: row.upstream_id,
    failover: row.failover,
    cut: row.cut && toCut(row.cut, row.cut_limit_id, names),
  };
}

function toCut(cut: StoredCut, limitId: string | null, names: UsageNames): LoggedRequest["cut"] {
  const { balance } = cut;
  const scope = toWireScope({ scopeType: cut.scope_type, scopeId: cut.scope_id });
  return {
    reason: cut.reason,
    scope,
    scope_name: findScopeName(scope, names),
    period: cut.period,
    spend_limit_id: limitId,
    held_usd: formatUsd(BigInt(cut.held_nano_usd)),
    seen_output_tokens: cut.seen_output_tokens,
    bound_output_tokens: cut.bound_output_tokens,
    paused_ms: cut.paused_ms,
    balance: balance && {
      limit_usd: formatUsd(BigInt(balance.limit_nano_usd)),
      spent_usd: formatUsd(BigInt(balance.settled_nano_usd)),
      held_usd: formatUsd(BigInt(balance.leased_nano_usd)),
      unresolved_usd: formatUsd(BigInt(balance.unresolved_nano_usd)),
    },
  };
}

function findScopeName(scope: WireScope, names: UsageNames): string | null {
  switch (scope.type) {
    case "organization":
      return null;
    case "workspace":
      return names.workspaces.get(scope.workspace_id) ?? null;
    case "api_key":
      return names.apiKeys.get(scope.api_key_id) ?? null;
    case "member": {
      const member = names.members.get(scope.member_id);
      return member?.name || member?.email || null;
    }
    case "tag": {
      const tag = names.tags.get(scope.tag_id);
      return tag === undefined ? null : `${tag.name}=${tag.value}`;
    }
    default:
      return names.groups.get(scope.group_id) ?? null;
  }
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
  cut: _cut,
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
  cut_reason: (row) => row.cut?.reason ?? null,
  cut_scope_type: (row) => row.cut?.scope.type ?? null,
  cut_scope_id: (row) => (row.cut === null ? null : scopeIdOf(row.cut.scope)),
  cut_scope_name: (row) => row.cut?.scope_name ?? null,
  cut_period: (row) => row.cut?.period ?? null,
  cut_spend_limit_id: (row) => row.cut?.spend_limit_id ?? null,
  cut_held_usd: (row) => row.cut?.held_usd ?? null,
  cut_seen_output_tokens: (row) => row.cut?.seen_output_tokens ?? null,
  cut_bound_output_tokens: (row) => row.cut?.bound_output_tokens ?? null,
  cut_paused_ms: (row) => row.cut?.paused_ms ?? null,
  cut_limit_usd: (row) => row.cut?.balance?.limit_usd ?? null,
  cut_limit_spent_usd: (row) => row.cut?.balance?.spent_usd ?? null,
  cut_limit_held_usd: (row) => row.cut?.balance?.held_usd ?? null,
  cut_limit_unresolved_usd: (row) => row.cut?.balance?.unresolved_usd ?? null,
};

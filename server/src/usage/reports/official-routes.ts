import type {
  getOfficialClaudeCodeReport,
  getOfficialCostReport,
  getOfficialUsageReport,
  listAnalyticsCost,
  listAnalyticsUsage,
  officialReportRoutes,
} from "@bursar/contract/admin/official-reports.ts";
import type { HandlersFor, RouteOutput } from "@bursar/contract/route.ts";
import { billedMeasures, toRecord } from "@bursar/contract/usage-shape.ts";
import type { ReportCall } from "#src/access/call.ts";
import { formatCents } from "#src/domain/money.ts";
import { totalTokens } from "#src/usage/used-counts.ts";
import { type ClaudeCodeReport, getClaudeCodeReport } from "./claude-code-report.ts";
import { modelDisplayName } from "./model-display-name.rule.ts";
import { type AnalyticsReport, listAnalytics } from "./official-analytics.ts";
import {
  type Bucket,
  type BucketReport,
  getCostReport,
  getUsageReport,
} from "./official-reports.ts";
import { rowEndMs } from "./read-report.ts";
import type { ReportRow, UsageCounts } from "./report.sql.ts";
import type { ReportColumn } from "./report-tables.ts";
import { splitByTokenType } from "./to-wire.ts";
import type { UsageDeps } from "./usage.ts";

type UsageBucketWire = RouteOutput<typeof getOfficialUsageReport>["data"][number];
type CostBucketWire = RouteOutput<typeof getOfficialCostReport>["data"][number];
type CostResult = CostBucketWire["results"][number];
type ClaudeCodeWire = RouteOutput<typeof getOfficialClaudeCodeReport>["data"][number];
type AnalyticsUsageWire = RouteOutput<typeof listAnalyticsUsage>["data"][number];
type AnalyticsCostWire = RouteOutput<typeof listAnalyticsCost>["data"][number];

const usageOrders = {
  total_tokens: "tokens",
  output_tokens: "output_tokens",
  requests: "requests",
  uncached_input_tokens: "input_tokens",
  time: "time",
} as const;

export function makeOfficialReportHandlers(
  deps: UsageDeps,
): HandlersFor<(typeof officialReportRoutes)[number], never, never, ReportCall> {
  return {
    getOfficialUsageReport: async (call, { query }) => {
      const report = await getUsageReport(deps, call, query);
      return {
        data: report.buckets.map((bucket) => toUsageBucket(bucket, report)),
        ...toPaging(report),
      };
    },
    getOfficialCostReport: async (call, { query }) => {
      const report = await getCostReport(deps, call, query);
      const isDescribed = query.group_by?.includes("description") ?? false;
      const data = report.buckets.map((bucket) => toCostBucket(bucket, report, isDescribed));
      return { data, ...toPaging(report) };
    },
    getOfficialClaudeCodeReport: async (call, { query }) => {
      const report = await getClaudeCodeReport(deps, call, query);
      return { data: toClaudeCode(report, call.caller.organizationId), ...toPaging(report) };
    },
    listAnalyticsUsage: async (call, { query }) => {
      const by = usageOrders[query.order_by ?? "total_tokens"];
      const report = await listAnalytics(deps, call, query, by);
      const { organizationId } = call.caller;
      return {
        data: report.rows.map((row) => toAnalyticsUsage(row, report, organizationId)),
        ...toPaging(report),
        data_refreshed_at: new Date(report.dataAsOfMs).toISOString(),
      };
    },
    listAnalyticsCost: async (call, { query }) => {
      const by = query.order_by === "time" ? "time" : "cost";
      const report = await listAnalytics(deps, call, query, by);
      const { organizationId } = call.caller;
      return {
        data: report.rows.flatMap((row) => toAnalyticsCosts(row, report, organizationId)),
        ...toPaging(report),
        data_refreshed_at: new Date(report.dataAsOfMs).toISOString(),
      };
    },
  };
}

function toPaging({ nextPage }: { nextPage: string | null }) {
  return { has_more: nextPage !== null, next_page: nextPage };
}

function toTimes({ startMs, endMs }: { startMs: number; endMs: number }) {
  return {
    starting_at: new Date(startMs).toISOString(),
    ending_at: new Date(endMs).toISOString(),
  };
}

function toTokens(row: UsageCounts) {
  return {
    uncached_input_tokens: Number(row.input_tokens),
    cache_creation: {
      ephemeral_1h_input_tokens: Number(row.cache_write_1h_tokens),
      ephemeral_5m_input_tokens: Number(row.cache_write_5m_tokens),
    },
    cache_read_input_tokens: Number(row.cache_read_tokens),
    output_tokens: Number(row.output_tokens),
    server_tool_use: { web_search_requests: Number(row.web_searches) },
  };
}

/** Returns null for an empty label, and if the report is not grouped by it. */
function readLabel(row: ReportRow, column: ReportColumn): string | null {
  const text = row[column];
  return text === undefined || text === "" ? null : text;
}

/** The default workspace has no id in the bucketed reports. */
function workspaceOf(row: ReportRow, { defaultWorkspaceId }: BucketReport): string | null {
  const id = readLabel(row, "workspace_id");
  return id === defaultWorkspaceId ? null : id;
}

function toUsageBucket(bucket: Bucket, report: BucketReport): UsageBucketWire {
  return {
    ...toTimes(bucket),
    results: bucket.rows.map((row) => ({
      ...toTokens(row),
      api_key_id: readLabel(row, "api_key_id"),
      workspace_id: workspaceOf(row, report),
      model: readLabel(row, "model"),
      service_tier: readLabel(row, "service_tier"),
      context_window: readLabel(row, "context_window"),
      inference_geo: readLabel(row, "inference_geo"),
      speed: readLabel(row, "speed"),
      account_id: readLabel(row, "member_id"),
      service_account_id: null,
    })),
  };
}

function toCostBucket(bucket: Bucket, report: BucketReport, isDescribed: boolean): CostBucketWire {
  const rows = bucket.rows.filter((row) => row.cost_nano_usd !== 0n);
  const results = isDescribed
    ? [...Map.groupBy(rows, (row) => workspaceOf(row, report))].flatMap(([workspaceId, own]) =>
        describeCosts(own, workspaceId),
      )
    : rows.map((row) => toCostResult(row.cost_nano_usd, workspaceOf(row, report)));
  return { ...toTimes(bucket), results };
}

function toCostResult(nanoUsd: bigint, workspaceId: string | null): CostResult {
  return {
    amount: formatCents(nanoUsd),
    currency: "USD",
    workspace_id: workspaceId,
    description: null,
    cost_type: null,
    model: null,
    service_tier: null,
    token_type: null,
    context_window: null,
    inference_geo: null,
  };
}

const officialCosts = toRecord(billedMeasures, "part", ({ official }) => official);
type OfficialCost = (typeof officialCosts)[keyof typeof officialCosts];

/** Returns one result per model and token type. Uses of a tool are one result for all models. */
function describeCosts(rows: readonly ReportRow[], workspaceId: string | null): CostResult[] {
  const results: CostResult[] = [];
  const uses = new Map<OfficialCost, bigint>();
  for (const row of rows) {
    for (const { type, nanoUsd } of splitByTokenType(row)) {
      if (nanoUsd === 0n) continue;
      const cost = officialCosts[type];
      if (cost.costType !== "tokens") uses.set(cost, (uses.get(cost) ?? 0n) + nanoUsd);
      else results.push(describeTokens(row, { ...cost, nanoUsd }, workspaceId));
    }
  }
  for (const [{ words, costType }, nanoUsd] of uses) {
    results.push({
      ...toCostResult(nanoUsd, workspaceId),
      description: words,
      cost_type: costType,
    });
  }
  return results;
}

function describeTokens(
  row: ReportRow,
  { nanoUsd, tokenType, words }: OfficialCost & { nanoUsd: bigint },
  workspaceId: string | null,
): CostResult {
  const model = row.model ?? "";
  return {
    ...toCostResult(nanoUsd, workspaceId),
    description: `${modelDisplayName(model)} Usage - ${words}`,
    cost_type: "tokens",
    model,
    service_tier: readLabel(row, "service_tier"),
    token_type: tokenType,
    context_window: readLabel(row, "context_window"),
    inference_geo: readLabel(row, "inference_geo"),
  };
}

const NANO_USD_PER_CENT = 10_000_000;
const unknownTool = { accepted: null, rejected: null };

function toClaudeCode(report: ClaudeCodeReport, organizationId: string): ClaudeCodeWire[] {
  const { dayMs, actors, names } = report;
  return actors.map(({ id, isMember, models }) => ({
    date: new Date(dayMs).toISOString(),
    actor: isMember
      ? { type: "user_actor", email_address: names.members.get(id)?.email ?? id }
      : { type: "api_actor", api_key_name: names.apiKeys.get(id) ?? id },
    organization_id: organizationId,
    customer_type: "api",
    subscription_type: null,
    terminal_type: null,
    core_metrics: {
      num_sessions: null,
      lines_of_code: { added: null, removed: null },
      commits_by_claude_code: null,
      pull_requests_by_claude_code: null,
    },
    tool_actions: {
      edit_tool: unknownTool,
      multi_edit_tool: unknownTool,
      write_tool: unknownTool,
      notebook_edit_tool: unknownTool,
    },
    model_breakdown: models.map((row) => ({
      model: row.model ?? "",
      tokens: {
        input: Number(row.input_tokens),
        output: Number(row.output_tokens),
        cache_read: Number(row.cache_read_tokens),
        cache_creation: Number(row.cache_write_5m_tokens + row.cache_write_1h_tokens),
      },
      estimated_cost: {
        amount: Number(row.cost_nano_usd) / NANO_USD_PER_CENT,
        currency: "USD",
      },
    })),
  }));
}

function toAnalyticsGroup(
  row: ReportRow,
  { groupBy, names }: AnalyticsReport,
  organizationId: string,
): AnalyticsUsageWire["group"] {
  const isGrouped = (group: AnalyticsReport["groupBy"][number]) => groupBy.includes(group);
  const id = row.actor ?? "";
  const member = names.members.get(id);
  const actorType = row.actor_type === "user_actor" ? "user_actor" : "api_actor";
  const userActor = {
    type: "user_actor",
    user_id: id,
    name: member?.name ?? null,
    email_address: member?.email ?? null,
    deleted: member?.isRemoved ?? true,
  } as const;
  const apiActor = { type: "api_actor", api_key_id: id } as const;
  return {
    actor: isGrouped("actor") ? (actorType === "user_actor" ? userActor : apiActor) : null,
    actor_type: isGrouped("actor_type") ? actorType : null,
    agent_id: null,
    api_key_id: readLabel(row, "api_key_id"),
    claude_tag_category: null,
    claude_tag_user_id: null,
    context_window: readLabel(
      row,
      "context_window",
    ) as AnalyticsUsageWire["group"]["context_window"],
    deployment_id: null,
    environment_id: null,
    inference_geo: (row.inference_geo === "not_available"
      ? null
      : readLabel(row, "inference_geo")) as AnalyticsUsageWire["group"]["inference_geo"],
    model: readLabel(row, "model"),
    organization_id: isGrouped("organization_id") ? organizationId : null,
    product: readLabel(row, "product"),
    rbac_group_id: readLabel(row, "group_id"),
    service_tier: readLabel(row, "service_tier") as AnalyticsUsageWire["group"]["service_tier"],
    session_id: null,
    slack_channel_id: null,
    speed: readLabel(row, "speed") as AnalyticsUsageWire["group"]["speed"],
    user_profile_id: null,
    workspace_id: readLabel(row, "workspace_id"),
  };
}

function analyticsTimes(row: ReportRow, { range, bucket }: AnalyticsReport) {
  return toTimes({
    startMs: row.bucket_at?.getTime() ?? range.startMs,
    endMs: rowEndMs(row, bucket) ?? range.endMs,
  });
}

function toAnalyticsUsage(
  row: ReportRow,
  report: AnalyticsReport,
  organizationId: string,
): AnalyticsUsageWire {
  return {
    ...analyticsTimes(row, report),
    group: toAnalyticsGroup(row, report, organizationId),
    usage: {
      ...toTokens(row),
      total_tokens: Number(totalTokens(row)),
      requests: Number(row.requests),
    },
  };
}

/** Returns one row, or one per cost type or token type if grouped by it. */
function toAnalyticsCosts(
  row: ReportRow,
  report: AnalyticsReport,
  organizationId: string,
): AnalyticsCostWire[] {
  const isByKind = report.groupBy.includes("cost_type");
  const isByToken = report.groupBy.includes("token_type");
  const place = analyticsTimes(row, report);
  const group = toAnalyticsGroup(row, report, organizationId);
  const line = (
    nanoUsd: bigint,
    kinds: Pick<AnalyticsCostWire["group"], "cost_type" | "token_type">,
    requests: number | null,
  ): AnalyticsCostWire => {
    // Bursar has no discounts, so both amounts are equal.
    const amount = formatCents(nanoUsd);
    const cost = { amount, list_amount: amount, currency: "USD", requests } as const;
    return { ...place, group: { ...group, ...kinds }, cost };
  };
  if (!isByKind && !isByToken) {
    const kinds = { cost_type: null, token_type: null };
    return [line(row.cost_nano_usd, kinds, Number(row.requests))];
  }
  const byKinds = new Map<string, { kinds: Parameters<typeof line>[1]; nanoUsd: bigint }>();
  for (const part of splitByTokenType(row)) {
    const { costType, tokenType } = officialCosts[part.type];
    const kinds = {
      cost_type: isByKind ? costType : null,
      token_type: isByToken ? tokenType : null,
    };
    const key = `${kinds.cost_type} ${kinds.token_type}`;
    const known = byKinds.get(key) ?? { kinds, nanoUsd: 0n };
    byKinds.set(key, { kinds, nanoUsd: known.nanoUsd + part.nanoUsd });
  }
  return [...byKinds.values()].map(({ kinds, nanoUsd }) => line(nanoUsd, kinds, null));
}

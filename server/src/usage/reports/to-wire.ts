import type { costRow, TokenType } from "@bursar/contract/admin/cost.ts";
import type { RequestStatusName, UsageGroup } from "@bursar/contract/admin/report-fields.ts";
import type { usageRow, usageTotals } from "@bursar/contract/admin/usage.ts";
import type { z } from "zod";
import { formatUsd } from "#src/domain/money.ts";
import type { UsageNames } from "#src/recording/usage-names.sql.ts";
import { rowEndMs } from "./read-report.ts";
import type { UsageCounts } from "./report.sql.ts";
import type { BucketName, TimeRange } from "./report-range.rule.ts";
import type { ShownRow } from "./usage.ts";

export interface RowContext {
  bucket: BucketName;
  range: TimeRange;
  groupBy: readonly UsageGroup[];
  names: UsageNames;
}

export function toUsageRow(row: ShownRow, context: RowContext): z.input<typeof usageRow> {
  return { ...toPlace(row, context), ...toMeasures(row) };
}

/** One line, or one for each type that something was billed or counted for. */
export function toCostRows(
  row: ShownRow,
  context: RowContext,
  isSplit: boolean,
): z.input<typeof costRow>[] {
  const place = toPlace(row, context);
  const unpriced_requests = Number(row.unpriced_requests);
  if (!isSplit) {
    return [
      {
        ...place,
        token_type: null,
        units: null,
        cost_usd: formatUsd(row.cost_nano_usd),
        requests: Number(row.requests),
        unpriced_requests,
      },
    ];
  }
  return splitByTokenType(row).map(({ type, units, nanoUsd }) => ({
    ...place,
    token_type: type,
    units: Number(units),
    cost_usd: formatUsd(nanoUsd),
    requests: null,
    unpriced_requests,
  }));
}

export interface TokenTypePart {
  type: TokenType;
  units: bigint;
  nanoUsd: bigint;
}

/** The parts of a cost; those that are nothing are left out. */
export function splitByTokenType(row: UsageCounts): TokenTypePart[] {
  const parts: TokenTypePart[] = [
    { type: "input", units: row.input_tokens, nanoUsd: row.input_cost_nano_usd },
    {
      type: "cache_write_5m",
      units: row.cache_write_5m_tokens,
      nanoUsd: row.cache_write_5m_cost_nano_usd,
    },
    {
      type: "cache_write_1h",
      units: row.cache_write_1h_tokens,
      nanoUsd: row.cache_write_1h_cost_nano_usd,
    },
    { type: "cache_read", units: row.cache_read_tokens, nanoUsd: row.cache_read_cost_nano_usd },
    { type: "output", units: row.output_tokens, nanoUsd: row.output_cost_nano_usd },
    { type: "web_search", units: row.web_searches, nanoUsd: row.web_search_cost_nano_usd },
  ];
  return parts.filter(({ units, nanoUsd }) => units !== 0n || nanoUsd !== 0n);
}

/** When the row is of, and of what. */
function toPlace(row: ShownRow, { bucket, range, groupBy, names }: RowContext) {
  const startMs = row.bucket_at?.getTime() ?? range.startMs;
  const endMs = rowEndMs(row, bucket) ?? range.endMs;
  const label = (group: UsageGroup, text: string | undefined) =>
    groupBy.includes(group) && text !== undefined && text !== "" ? text : null;
  const workspaceId = label("workspace", row.workspace_id);
  const apiKeyId = label("api_key", row.api_key_id);
  const memberId = label("member", row.member_id);
  const member = memberId === null ? undefined : names.members.get(memberId);
  return {
    starting_at: new Date(startMs).toISOString(),
    ending_at: new Date(endMs).toISOString(),
    workspace_id: workspaceId,
    workspace_name: (workspaceId && names.workspaces.get(workspaceId)) ?? null,
    api_key_id: apiKeyId,
    api_key_name: (apiKeyId && names.apiKeys.get(apiKeyId)) ?? null,
    member_id: memberId,
    member_name: member?.name ?? null,
    member_email: member?.email ?? null,
    model: label("model", row.model),
    service_tier: label("service_tier", row.service_tier),
    context_window: label("context_window", row.context_window),
    inference_geo: label("inference_geo", row.inference_geo),
    speed: label("speed", row.speed),
    client: label("client", row.client),
    status: label("status", row.status) as RequestStatusName | null,
    is_other: row.isOther,
  };
}

export function toMeasures(counts: UsageCounts): z.input<typeof usageTotals> {
  return {
    requests: Number(counts.requests),
    errors: Number(counts.errors),
    estimated_requests: Number(counts.estimated_requests),
    unpriced_requests: Number(counts.unpriced_requests),
    input_tokens: Number(counts.input_tokens),
    cache_write_5m_tokens: Number(counts.cache_write_5m_tokens),
    cache_write_1h_tokens: Number(counts.cache_write_1h_tokens),
    cache_read_tokens: Number(counts.cache_read_tokens),
    output_tokens: Number(counts.output_tokens),
    total_tokens: Number(totalTokens(counts)),
    web_searches: Number(counts.web_searches),
    cost_usd: formatUsd(counts.cost_nano_usd),
    cost_breakdown_usd: {
      input: formatUsd(counts.input_cost_nano_usd),
      cache_write_5m: formatUsd(counts.cache_write_5m_cost_nano_usd),
      cache_write_1h: formatUsd(counts.cache_write_1h_cost_nano_usd),
      cache_read: formatUsd(counts.cache_read_cost_nano_usd),
      output: formatUsd(counts.output_cost_nano_usd),
      web_search: formatUsd(counts.web_search_cost_nano_usd),
    },
  };
}

export function totalTokens(counts: UsageCounts): bigint {
  return (
    counts.input_tokens +
    counts.cache_write_5m_tokens +
    counts.cache_write_1h_tokens +
    counts.cache_read_tokens +
    counts.output_tokens
  );
}

import type { costRow } from "@bursar/contract/admin/cost.ts";
import type { RequestStatusName } from "@bursar/contract/admin/report-fields.ts";
import type { usageRow, usageTotals } from "@bursar/contract/admin/usage.ts";
import {
  type CostPart,
  costParts,
  type ReportGroup,
  textLabels,
  toRecord,
} from "@bursar/contract/usage-shape.ts";
import type { z } from "zod";
import { formatUsd } from "#src/domain/money.ts";
import type { UsageNames } from "#src/recording/usage-names.sql.ts";
import { toCostBreakdown, toUsedCounts } from "#src/usage/used-counts.ts";
import { rowEndMs } from "./read-report.ts";
import { simulatedOf, type UsageCounts } from "./report.sql.ts";
import type { BucketName, TimeRange } from "./report-range.rule.ts";
import type { ShownRow } from "./usage.ts";

export interface RowContext {
  bucket: BucketName;
  range: TimeRange;
  groupBy: readonly ReportGroup[];
  names: UsageNames;
}

export function toUsageRow(row: ShownRow, context: RowContext): z.input<typeof usageRow> {
  return { ...toPlace(row, context), ...toMeasures(row), ...toAttribution(row, context.names) };
}

/** Returns one line, or one for each token type with units or cost. */
export function toCostRows(
  row: ShownRow,
  context: RowContext,
  isSplit: boolean,
): z.input<typeof costRow>[] {
  const place = { ...toPlace(row, context), ...toAttribution(row, context.names) };
  const counts = {
    unpriced_requests: Number(row.unpriced_requests),
    partly_unbilled_requests: Number(row.partly_unbilled_requests),
  };
  if (!isSplit) {
    return [
      {
        ...place,
        token_type: null,
        units: null,
        cost_usd: formatUsd(row.cost_nano_usd),
        simulated_cost_usd: formatUsd(simulatedOf(row)),
        requests: Number(row.requests),
        ...counts,
      },
    ];
  }
  return splitByTokenType(row).map(({ type, units, nanoUsd, simulatedNanoUsd }) => ({
    ...place,
    token_type: type,
    units: Number(units),
    cost_usd: formatUsd(nanoUsd),
    simulated_cost_usd: formatUsd(simulatedNanoUsd),
    requests: null,
    ...counts,
  }));
}

interface TokenTypePart {
  type: CostPart;
  units: bigint;
  nanoUsd: bigint;
  simulatedNanoUsd: bigint;
}

/** Returns the parts of a cost without empty ones. */
export function splitByTokenType(row: UsageCounts): TokenTypePart[] {
  const parts = costParts.map(({ part, units, column }) => {
    const simulatedNanoUsd = simulatedOf(row, column);
    return { type: part, units: row[units], nanoUsd: row[column], simulatedNanoUsd };
  });
  return parts.filter(({ units, nanoUsd }) => units !== 0n || nanoUsd !== 0n);
}

/** Returns the time and the labels of a row. */
function toPlace(row: ShownRow, { bucket, range, groupBy, names }: RowContext) {
  const startMs = row.bucket_at?.getTime() ?? range.startMs;
  const endMs = rowEndMs(row, bucket) ?? range.endMs;
  const label = (group: ReportGroup, text: string | undefined) =>
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
    ...toRecord(textLabels, "column", ({ name, column }) => label(name, row[column])),
    status: label("status", row.status) as RequestStatusName | null,
    is_other: row.isOther,
  };
}

/** Returns the group and the tag of a row. */
function toAttribution(row: ShownRow, { groups, tags }: UsageNames) {
  const { group_id: groupId = "", tag_id: tagId = "" } = row;
  const tag = tags.get(tagId);
  return {
    group_id: groupId === "" ? null : groupId,
    group_name: groups.get(groupId) ?? null,
    tag_id: tagId === "" ? null : tagId,
    tag_name: tag?.name ?? null,
    tag_value: tag?.value ?? null,
  };
}

export function toMeasures(counts: UsageCounts): z.input<typeof usageTotals> {
  return {
    requests: Number(counts.requests),
    errors: Number(counts.errors),
    estimated_requests: Number(counts.estimated_requests),
    unpriced_requests: Number(counts.unpriced_requests),
    partly_unbilled_requests: Number(counts.partly_unbilled_requests),
    ...toUsedCounts(counts),
    cost_usd: formatUsd(counts.cost_nano_usd),
    cost_breakdown_usd: toCostBreakdown(counts),
    simulated_cost_usd: formatUsd(simulatedOf(counts)),
  };
}

import {
  type AmountColumn,
  type AttributionColumn,
  type ClaimedColumn,
  type CountColumn,
  countColumns,
  type EventLabel,
  type FailoverReason,
  mapKeys,
} from "@bursar/contract/usage-shape.ts";
import type { Doubt, EndRecord, Outcome } from "#src/domain/request-record.ts";
import { requestStatus } from "#src/domain/request-status.ts";
import { MAX_ITERATIONS, MAX_TOKENS } from "#src/domain/usage-fields.ts";
import { assert } from "#src/lib/assert.ts";
import { forEachInSlices } from "#src/lib/slices.ts";
import { joinIds } from "./join-ids.ts";
import { MAX_TEXT_CHARS } from "./journal-record.ts";
import { type StoredCut, toStoredCut } from "./stored-cut.ts";

// Converts ended requests to rows: one event each, and sums per minute. Pure. The columns are written out, because a
// loop over the table of usage costs 1.1 µs a request instead of 0.2 µs. The types require every column of the table.

export interface UsageLabels extends Record<EventLabel | AttributionColumn, string> {
  organization_id: string;
}

/** Texts of a request that many others share. */
export interface UsageTexts extends UsageLabels {
  node_id: string;
  prices: string;
}

/** Requests of one node, to record. */
export interface EndedRequests {
  nodeId: string;
  records: readonly EndRecord[];
}

export interface UsageEventRow
  extends UsageTexts,
    Record<AmountColumn, bigint>,
    Record<ClaimedColumn, string | null> {
  request_id: string;
  started_at: Date;
  ended_at: Date;
  outcome: Outcome;
  http_status: number | null;
  is_stream: boolean;
  is_estimated: boolean;
  doubt: Doubt | null;
  cut: StoredCut | null;
  is_unpriced: boolean;
  has_unbilled_parts: boolean;
  requested_model: string;
  upstream_request_id: string | null;
  hold_nano_usd: bigint | null;
  first_byte_ms: number | null;
  /** Stored upstream. Null: none. */
  upstream_id: string | null;
  failover: FailoverReason | null;
}

/** A request that the upstream refused ran nothing. */
function hasUnbilledParts({ hasUnbilledParts: canRun, outcome }: EndRecord): boolean {
  return canRun === true && outcome !== "refused" && outcome !== "unreached";
}

/** Requests of one minute that have all labels in common. */
export interface MinuteRow extends Record<CountColumn, bigint> {
  bucket_at: Date;
  labels_id: bigint;
  status: string;
}

const MINUTE_MS = 60_000;
/** Highest count that the readers of usage return. Ten million such requests still fit into a `bigint`. */
const MAX_COUNT = MAX_TOKENS * MAX_ITERATIONS;
const MAX_INT4 = 2_147_483_647;

/** Returns the shared texts of a record, as `toUsageEvent` does. */
export function toUsageTexts(record: EndRecord, nodeId: string): UsageTexts {
  return {
    node_id: nodeId,
    organization_id: record.organizationId,
    workspace_id: record.workspaceId,
    api_key_id: record.apiKeyId,
    member_id: record.memberId ?? "",
    model: toText(record.model),
    service_tier: toText(record.serviceTier),
    context_window: record.contextWindow,
    inference_geo: toText(record.inferenceGeo),
    speed: toText(record.speed),
    client: toText(record.client),
    group_ids: record.groupIds === undefined ? "" : joinIds(record.groupIds),
    tag_ids: record.tagIds === undefined ? "" : joinIds(record.tagIds),
    prices: record.prices,
  };
}

/**
 * Converts a record to its event. Values that a column cannot hold are limited: no value may stop a flush. The shared texts
 * are written out, because V8 adds each field after a spread alone.
 */
export function toUsageEvent(record: EndRecord, nodeId: string): UsageEventRow {
  const { usage, cost, claimed } = record;
  return {
    request_id: record.requestId,
    started_at: new Date(record.startedAtMs),
    ended_at: new Date(record.endedAtMs),
    node_id: nodeId,
    organization_id: record.organizationId,
    workspace_id: record.workspaceId,
    api_key_id: record.apiKeyId,
    member_id: record.memberId ?? "",
    model: toText(record.model),
    service_tier: toText(record.serviceTier),
    context_window: record.contextWindow,
    inference_geo: toText(record.inferenceGeo),
    speed: toText(record.speed),
    client: toText(record.client),
    group_ids: record.groupIds === undefined ? "" : joinIds(record.groupIds),
    tag_ids: record.tagIds === undefined ? "" : joinIds(record.tagIds),
    prices: record.prices,
    outcome: record.outcome,
    http_status: toInt4(record.httpStatus),
    is_stream: record.isStream,
    is_estimated: record.isEstimated,
    doubt: record.doubt ?? null,
    cut: record.cut === undefined ? null : toStoredCut(record.cut),
    is_unpriced: record.isUnpriced,
    has_unbilled_parts: hasUnbilledParts(record),
    requested_model: toText(record.requestedModel),
    input_tokens: toCount(usage.inputTokens),
    cache_write_5m_tokens: toCount(usage.cacheWrite5mTokens),
    cache_write_1h_tokens: toCount(usage.cacheWrite1hTokens),
    cache_read_tokens: toCount(usage.cacheReadTokens),
    output_tokens: toCount(usage.outputTokens),
    web_searches: toCount(usage.webSearches),
    input_cost_nano_usd: cost.input,
    cache_write_5m_cost_nano_usd: cost.cacheWrite5m,
    cache_write_1h_cost_nano_usd: cost.cacheWrite1h,
    cache_read_cost_nano_usd: cost.cacheRead,
    output_cost_nano_usd: cost.output,
    web_search_cost_nano_usd: cost.webSearch,
    cost_nano_usd: cost.total,
    upstream_request_id:
      record.upstreamRequestId === null ? null : toText(record.upstreamRequestId),
    hold_nano_usd: record.holdNanoUsd ?? null,
    first_byte_ms: toInt4(record.firstByteMs),
    upstream_id: record.upstreamId ?? null,
    failover: record.failover ?? null,
    agent_session_id: claimed?.agentSessionId ?? null,
    prompt_id: claimed?.promptId ?? null,
    agent_id: claimed?.agentId ?? null,
    parent_agent_id: claimed?.parentAgentId ?? null,
    request_class: claimed?.requestClass ?? null,
  };
}

/**
 * Sums the batch per minute (UTC, by the start of each request), labels and status, in the order of the first requests. Runs
 * in slices. `labels` has those of each record: the same object for equal labels.
 */
export async function sumMinutes(
  records: readonly EndRecord[],
  labels: readonly { readonly id: bigint }[],
): Promise<MinuteRow[]> {
  const rows: MinuteRow[] = [];
  const rowsOfLabels = new Map<object, MinuteRow[]>();
  await forEachInSlices(records, (record, index) => {
    const own = labels[index];
    assert(own !== undefined, "each record has labels");
    let similar = rowsOfLabels.get(own);
    if (similar === undefined) {
      similar = [];
      rowsOfLabels.set(own, similar);
    }
    const bucketAtMs = Math.floor(record.startedAtMs / MINUTE_MS) * MINUTE_MS;
    const status = requestStatus(record.outcome, record.httpStatus);
    let row = similar.find(
      (each) => each.bucket_at.getTime() === bucketAtMs && each.status === status,
    );
    if (row === undefined) {
      row = { bucket_at: new Date(bucketAtMs), labels_id: own.id, status, ...nothing };
      similar.push(row);
      rows.push(row);
    }
    addRecord(row, record);
  });
  return rows;
}

const nothing = mapKeys(countColumns, () => 0n);

function addRecord(row: MinuteRow, record: EndRecord): void {
  row.requests += 1n;
  if (isError(record.outcome)) row.errors += 1n;
  if (record.isEstimated) row.estimated_requests += 1n;
  if (record.isUnpriced) row.unpriced_requests += 1n;
  if (hasUnbilledParts(record)) row.partly_unbilled_requests += 1n;
  const { usage, cost } = record;
  row.input_tokens += toCount(usage.inputTokens);
  row.cache_write_5m_tokens += toCount(usage.cacheWrite5mTokens);
  row.cache_write_1h_tokens += toCount(usage.cacheWrite1hTokens);
  row.cache_read_tokens += toCount(usage.cacheReadTokens);
  row.output_tokens += toCount(usage.outputTokens);
  row.web_searches += toCount(usage.webSearches);
  row.input_cost_nano_usd += cost.input;
  row.cache_write_5m_cost_nano_usd += cost.cacheWrite5m;
  row.cache_write_1h_cost_nano_usd += cost.cacheWrite1h;
  row.cache_read_cost_nano_usd += cost.cacheRead;
  row.output_cost_nano_usd += cost.output;
  row.web_search_cost_nano_usd += cost.webSearch;
  row.cost_nano_usd += cost.total;
}

function isError(outcome: Outcome): boolean {
  switch (outcome) {
    case "answered":
    case "aborted":
      return false;
    case "refused":
    case "unreached":
    case "interrupted":
      return true;
  }
}

/** Rounds a fraction of an estimate up, as its cost is. */
function toCount(count: number): bigint {
  return count > 0 ? BigInt(Math.ceil(Math.min(count, MAX_COUNT))) : 0n;
}

function toInt4(value: number | null): number | null {
  if (value === null || !Number.isFinite(value)) return null;
  return Math.min(Math.max(Math.round(value), 0), MAX_INT4);
}

/** Limits the length, and replaces NUL: PostgreSQL's text has none, but a client can send one in a model name. */
function toText(text: string): string {
  if (text.length <= MAX_TEXT_CHARS && !text.includes("\u0000")) return text;
  return text.slice(0, MAX_TEXT_CHARS).replaceAll("\u0000", "\ufffd");
}

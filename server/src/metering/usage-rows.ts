import type { EndRecord, Outcome } from "#src/domain/request-record.ts";
import { MAX_ITERATIONS, MAX_TOKENS } from "#src/domain/usage-fields.ts";
import { MAX_TEXT_CHARS } from "./journal-record.ts";

// Ended requests as rows: one event each, and what a batch of them adds to the rollups. Pure.

/** What is counted, by column. The rollups add exactly these up. */
export interface UsageAmounts {
  input_tokens: bigint;
  cache_write_5m_tokens: bigint;
  cache_write_1h_tokens: bigint;
  cache_read_tokens: bigint;
  output_tokens: bigint;
  web_searches: bigint;
  input_cost_nano_usd: bigint;
  cache_write_5m_cost_nano_usd: bigint;
  cache_write_1h_cost_nano_usd: bigint;
  cache_read_cost_nano_usd: bigint;
  output_cost_nano_usd: bigint;
  web_search_cost_nano_usd: bigint;
  cost_nano_usd: bigint;
}

export interface UsageLabels {
  organization_id: string;
  workspace_id: string;
  api_key_id: string;
  model: string;
  service_tier: string;
  context_window: string;
  inference_geo: string;
  speed: string;
  client: string;
}

export interface UsageEventRow extends UsageLabels, UsageAmounts {
  request_id: string;
  started_at: Date;
  ended_at: Date;
  node_id: string;
  outcome: Outcome;
  http_status: number | null;
  is_stream: boolean;
  is_estimated: boolean;
  is_unpriced: boolean;
  requested_model: string;
  prices: string;
  upstream_request_id: string | null;
  first_byte_ms: number | null;
}

export interface RollupRow extends UsageLabels, UsageAmounts {
  bucket_at: Date;
  requests: bigint;
  errors: bigint;
  estimated_requests: bigint;
  unpriced_requests: bigint;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What the readers of usage let through at most; ten million such requests still add up inside an int8. */
const MAX_COUNT = MAX_TOKENS * MAX_ITERATIONS;
const MAX_INT4 = 2_147_483_647;

/** The columns of the event. What a column could not take is made to fit: a bad value must not stop the flush. */
export function toUsageEvent(record: EndRecord, nodeId: string): UsageEventRow {
  return {
    request_id: record.requestId,
    started_at: new Date(record.startedAtMs),
    ended_at: new Date(record.endedAtMs),
    node_id: nodeId,
    ...labelsOf(record),
    outcome: record.outcome,
    http_status: toInt4(record.httpStatus),
    is_stream: record.isStream,
    is_estimated: record.isEstimated,
    is_unpriced: record.isUnpriced,
    requested_model: toText(record.requestedModel),
    ...amountsOf(record),
    prices: record.prices,
    upstream_request_id:
      record.upstreamRequestId === null ? null : toText(record.upstreamRequestId),
    first_byte_ms: toInt4(record.firstByteMs),
  };
}

/** What the batch adds per hour and per day (UTC, by the start of each request), each in key order. */
export function toRollups(records: readonly EndRecord[]): {
  hours: RollupRow[];
  days: RollupRow[];
} {
  return { hours: rollUp(records, HOUR_MS), days: rollUp(records, DAY_MS) };
}

/** Key order is the order in which rows are locked, the same on every node: flushes wait, and never deadlock. */
function rollUp(records: readonly EndRecord[], bucketMs: number): RollupRow[] {
  const rows = new Map<string, RollupRow>();
  for (const record of records) {
    const bucketAtMs = Math.floor(record.startedAtMs / bucketMs) * bucketMs;
    const labels = labelsOf(record);
    const key = `${bucketAtMs}\n${Object.values(labels).join("\n")}`;
    const row = rows.get(key);
    const amounts = amountsOf(record);
    if (row === undefined) {
      rows.set(key, {
        bucket_at: new Date(bucketAtMs),
        ...labels,
        ...countsOf(record),
        ...amounts,
      });
    } else {
      addTo(row, { ...countsOf(record), ...amounts });
    }
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

type RollupCounts = Omit<RollupRow, keyof UsageLabels | "bucket_at">;

function addTo(row: RollupRow, counts: RollupCounts): void {
  for (const column of Object.keys(counts) as (keyof RollupCounts)[]) row[column] += counts[column];
}

function countsOf(record: EndRecord): Omit<RollupCounts, keyof UsageAmounts> {
  return {
    requests: 1n,
    errors: isError(record.outcome) ? 1n : 0n,
    estimated_requests: record.isEstimated ? 1n : 0n,
    unpriced_requests: record.isUnpriced ? 1n : 0n,
  };
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

function labelsOf(record: EndRecord): UsageLabels {
  return {
    organization_id: record.organizationId,
    workspace_id: record.workspaceId,
    api_key_id: record.apiKeyId,
    model: toText(record.model),
    service_tier: toText(record.serviceTier),
    context_window: record.contextWindow,
    inference_geo: toText(record.inferenceGeo),
    speed: toText(record.speed),
    client: toText(record.client),
  };
}

function amountsOf({ usage, cost }: EndRecord): UsageAmounts {
  return {
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
  };
}

/** An estimate may be a fraction; it is rounded up, as its cost is. */
function toCount(count: number): bigint {
  return count > 0 ? BigInt(Math.ceil(Math.min(count, MAX_COUNT))) : 0n;
}

function toInt4(value: number | null): number | null {
  if (value === null || !Number.isFinite(value)) return null;
  return Math.min(Math.max(Math.round(value), 0), MAX_INT4);
}

/** PostgreSQL's text has no NUL, and a client can write one into a model name. */
function toText(text: string): string {
  return text.slice(0, MAX_TEXT_CHARS).replaceAll("\u0000", "\ufffd");
}

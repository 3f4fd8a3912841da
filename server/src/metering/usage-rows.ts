import type { EndRecord, Outcome } from "#src/domain/request-record.ts";
import { requestStatus } from "#src/domain/request-status.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { MAX_ITERATIONS, MAX_TOKENS } from "#src/domain/usage-fields.ts";
import { MAX_TEXT_CHARS } from "./journal-record.ts";
import {
  type CountColumn,
  countColumns,
  type RollupTable,
  type RollupUnit,
  rollupTables,
} from "./rollup-tables.ts";

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
  member_id: string;
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
  hold_nano_usd: bigint | null;
  first_byte_ms: number | null;
}

/** A row of a rollup. Labels that its table has no column for are those of one of the requests in it. */
export interface RollupRow extends UsageLabels, Record<CountColumn, bigint> {
  bucket_at: Date;
  status: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
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
    hold_nano_usd: record.holdNanoUsd ?? null,
    first_byte_ms: toInt4(record.firstByteMs),
  };
}

/**
 * What the batch adds to each rollup (UTC, by the start of each request), in key order. Of weeks, only those that began
 * before `weeksBeforeMs`, which have been summed up already; milliseconds since the epoch.
 */
export function toRollups(
  records: readonly EndRecord[],
  weeksBeforeMs: number,
): Record<RollupTable, RollupRow[]> {
  const minutes = rollUpMinutes(records);
  const hours = rollUp(minutes, rollupTables.usage_hour);
  const days = rollUp(hours, rollupTables.usage_day);
  const lateDays = days.filter(({ bucket_at }) => bucket_at.getTime() < weeksBeforeMs);
  const organizationHours = rollUp(hours, rollupTables.usage_organization_hour);
  const keyDays = rollUp(days, rollupTables.usage_key_day);
  const memberHours = rollUp(hours, rollupTables.usage_member_hour);
  const workspaceHours = rollUp(hours, rollupTables.usage_workspace_hour);
  return {
    usage_hour: hours,
    usage_day: days,
    usage_week: rollUp(lateDays, rollupTables.usage_week),
    usage_month: rollUp(days, rollupTables.usage_month),
    usage_key_day: keyDays,
    usage_key_week: rollUp(lateDays, rollupTables.usage_key_week),
    usage_key_month: rollUp(keyDays, rollupTables.usage_key_month),
    usage_member_hour: memberHours,
    usage_member_day: rollUp(memberHours, rollupTables.usage_member_day),
    usage_member_week: rollUp(lateDays, rollupTables.usage_member_week),
    usage_workspace_hour: workspaceHours,
    usage_workspace_day: rollUp(workspaceHours, rollupTables.usage_workspace_day),
    usage_organization_minute: rollUp(minutes, rollupTables.usage_organization_minute),
    usage_organization_hour: organizationHours,
    usage_organization_day: rollUp(organizationHours, rollupTables.usage_organization_day),
  };
}

/** Of one key of a workspace there are few rows: comparing them costs less than making the text of a key per record. */
function rollUpMinutes(records: readonly EndRecord[]): RollupRow[] {
  const rows: RollupRow[] = [];
  const rowsOfKeys = new Map<string, RollupRow[]>();
  for (const record of records) {
    const bucketAtMs = floorTo(record.startedAtMs, MINUTE_MS);
    let rowsOfKey = rowsOfKeys.get(record.apiKeyId);
    if (rowsOfKey === undefined) {
      rowsOfKey = [];
      rowsOfKeys.set(record.apiKeyId, rowsOfKey);
    }
    const status = requestStatus(record.outcome, record.httpStatus);
    let row = rowsOfKey.find((each) => isRowOf(each, record, status, bucketAtMs));
    if (row === undefined) {
      row = { bucket_at: new Date(bucketAtMs), ...labelsOf(record), status, ...nothing };
      rowsOfKey.push(row);
      rows.push(row);
    }
    addRecord(row, record);
  }
  return rows;
}

/**
 * Sums of finer rows, in key order: of minutes for hours, of days for months, of rows with more labels for those with fewer.
 */
function rollUp(
  rows: readonly RollupRow[],
  { unit, labels }: { unit: RollupUnit; labels: readonly (keyof RollupRow)[] },
): RollupRow[] {
  const sums = new Map<string, RollupRow>();
  for (const row of rows) {
    const bucketAtMs = bucketStartMs(unit, row.bucket_at.getTime());
    const key = keyOf(bucketAtMs, row, labels);
    const known = sums.get(key);
    if (known === undefined) sums.set(key, { ...row, bucket_at: new Date(bucketAtMs) });
    else for (const column of countColumns) known[column] += row[column];
  }
  return inOrderOf([...sums]);
}

function bucketStartMs(unit: RollupUnit, ms: number): number {
  switch (unit) {
    case "minute":
      return floorTo(ms, MINUTE_MS);
    case "hour":
      return floorTo(ms, HOUR_MS);
    case "day":
      return floorTo(ms, DAY_MS);
    case "week":
      return periodOf("weekly", ms).startMs;
    case "month":
      return periodOf("monthly", ms).startMs;
  }
}

function floorTo(ms: number, bucketMs: number): number {
  return Math.floor(ms / bucketMs) * bucketMs;
}

/** Key order is the order in which rows are locked, the same on every node: flushes wait, and never deadlock. */
function inOrderOf(keyed: [string, RollupRow][]): RollupRow[] {
  return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function keyOf(bucketAtMs: number, row: RollupRow, labels: readonly (keyof RollupRow)[]): string {
  let key = `${bucketAtMs}\n${row.organization_id}`;
  for (const label of labels) key += `\n${String(row[label])}`;
  return key;
}

function isRowOf(row: RollupRow, record: EndRecord, status: string, bucketAtMs: number): boolean {
  return (
    row.bucket_at.getTime() === bucketAtMs &&
    row.organization_id === record.organizationId &&
    row.workspace_id === record.workspaceId &&
    row.member_id === (record.memberId ?? "") &&
    row.status === status &&
    row.model === toText(record.model) &&
    row.service_tier === toText(record.serviceTier) &&
    row.context_window === record.contextWindow &&
    row.inference_geo === toText(record.inferenceGeo) &&
    row.speed === toText(record.speed) &&
    row.client === toText(record.client)
  );
}

const nothing: Record<CountColumn, bigint> = {
  requests: 0n,
  errors: 0n,
  estimated_requests: 0n,
  unpriced_requests: 0n,
  input_tokens: 0n,
  cache_write_5m_tokens: 0n,
  cache_write_1h_tokens: 0n,
  cache_read_tokens: 0n,
  output_tokens: 0n,
  web_searches: 0n,
  input_cost_nano_usd: 0n,
  cache_write_5m_cost_nano_usd: 0n,
  cache_write_1h_cost_nano_usd: 0n,
  cache_read_cost_nano_usd: 0n,
  output_cost_nano_usd: 0n,
  web_search_cost_nano_usd: 0n,
  cost_nano_usd: 0n,
};

function addRecord(row: RollupRow, record: EndRecord): void {
  row.requests += 1n;
  if (isError(record.outcome)) row.errors += 1n;
  if (record.isEstimated) row.estimated_requests += 1n;
  if (record.isUnpriced) row.unpriced_requests += 1n;
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

function labelsOf(record: EndRecord): UsageLabels {
  return {
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
  if (text.length <= MAX_TEXT_CHARS && !text.includes("\u0000")) return text;
  return text.slice(0, MAX_TEXT_CHARS).replaceAll("\u0000", "\ufffd");
}

import {
  type AmountColumn,
  amountColumns,
  billedMeasures,
  type CountColumn,
  costParts,
  countColumns,
  type EventLabel,
  mapKeys,
} from "@bursar/contract/usage-shape.ts";
import type { EndRecord, Outcome } from "#src/domain/request-record.ts";
import { requestStatus } from "#src/domain/request-status.ts";
import { MAX_ITERATIONS, MAX_TOKENS } from "#src/domain/usage-fields.ts";
import { MAX_TEXT_CHARS } from "./journal-record.ts";

// Ended requests as rows: one event each, and a batch of them summed up per minute. Pure.

interface UsageLabels extends Record<EventLabel, string> {
  organization_id: string;
}

export interface UsageEventRow extends UsageLabels, Record<AmountColumn, bigint> {
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

/** Requests of one minute that have all labels in common. */
export interface MinuteRow extends UsageLabels, Record<CountColumn, bigint> {
  bucket_at: Date;
  status: string;
}

const MINUTE_MS = 60_000;
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
 * The batch summed up per minute (UTC, by the start of each request) and all labels, in the order of the first requests.
 * Of one key there are few rows: comparing them costs less than making the text of a key per record.
 */
export function sumMinutes(records: readonly EndRecord[]): MinuteRow[] {
  const rows: MinuteRow[] = [];
  const rowsOfKeys = new Map<string, MinuteRow[]>();
  for (const record of records) {
    const bucketAtMs = Math.floor(record.startedAtMs / MINUTE_MS) * MINUTE_MS;
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

function isRowOf(row: MinuteRow, record: EndRecord, status: string, bucketAtMs: number): boolean {
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

const nothing = mapKeys(countColumns, () => 0n);

function addRecord(row: MinuteRow, record: EndRecord): void {
  row.requests += 1n;
  if (isError(record.outcome)) row.errors += 1n;
  if (record.isEstimated) row.estimated_requests += 1n;
  if (record.isUnpriced) row.unpriced_requests += 1n;
  const { usage, cost } = record;
  for (const { column, name } of billedMeasures) {
    if (usage[name] > 0) row[column] += toCount(usage[name]);
  }
  for (const part of costParts) {
    if (cost[part.cost] !== 0n) row[part.column] += cost[part.cost];
  }
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

/** Most amounts of a request are zero: the others are filled into a copy. */
const noAmounts: Readonly<Record<AmountColumn, bigint>> = mapKeys(amountColumns, () => 0n);

function amountsOf({ usage, cost }: EndRecord): Record<AmountColumn, bigint> {
  const amounts = { ...noAmounts };
  for (const { column, name } of billedMeasures) {
    if (usage[name] > 0) amounts[column] = toCount(usage[name]);
  }
  for (const part of costParts) {
    if (cost[part.cost] !== 0n) amounts[part.column] = cost[part.cost];
  }
  amounts.cost_nano_usd = cost.total;
  return amounts;
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

import { requestDoubts } from "@bursar/contract/usage-shape.ts";
import type { Tables } from "#src/db/tables.ts";
import type { Doubt, Outcome } from "#src/domain/request-record.ts";
import type { EventRefs } from "./usage-dictionary.ts";
import type { UsageEventRow } from "./usage-rows.ts";

/** Row of usage_record. An amount of zero is null: it takes a bit instead of eight bytes. */
export type UsageRecordRow = Tables["usage_record"];

/** Outcomes in the order of their codes in usage_record. From the third outcome on, the request failed. */
export const outcomes = [
  "answered",
  "aborted",
  "refused",
  "unreached",
  "interrupted",
] as const satisfies Outcome[];

/** Doubts in the order of their codes in usage_record, from 1 on. */
export const doubts: readonly Doubt[] = requestDoubts;

const MAX_INT2 = 32_767;
const MAX_INT4 = 2_147_483_647;

/** Converts an event to its compact row. Values that a column cannot hold are limited: no value may stop a flush. */
export function toUsageRecord(event: UsageEventRow, refs: EventRefs): UsageRecordRow {
  const durationMs = event.ended_at.getTime() - event.started_at.getTime();
  return {
    started_at: event.started_at,
    labels_id: refs.labels.id,
    prices_id: refs.prices.id,
    usage_node_id: refs.node.id,
    hold_nano_usd: event.hold_nano_usd,
    input_tokens: orNull(event.input_tokens),
    cache_write_5m_tokens: orNull(event.cache_write_5m_tokens),
    cache_write_1h_tokens: orNull(event.cache_write_1h_tokens),
    cache_read_tokens: orNull(event.cache_read_tokens),
    output_tokens: orNull(event.output_tokens),
    web_searches: orNull(event.web_searches),
    input_cost_nano_usd: orNull(event.input_cost_nano_usd),
    cache_write_5m_cost_nano_usd: orNull(event.cache_write_5m_cost_nano_usd),
    cache_write_1h_cost_nano_usd: orNull(event.cache_write_1h_cost_nano_usd),
    cache_read_cost_nano_usd: orNull(event.cache_read_cost_nano_usd),
    output_cost_nano_usd: orNull(event.output_cost_nano_usd),
    web_search_cost_nano_usd: orNull(event.web_search_cost_nano_usd),
    cost_nano_usd: orNull(event.cost_nano_usd),
    duration_ms: Math.min(Math.max(durationMs, -MAX_INT4), MAX_INT4),
    first_byte_ms: event.first_byte_ms,
    http_status: event.http_status === null ? null : Math.min(event.http_status, MAX_INT2),
    outcome_code: outcomes.indexOf(event.outcome),
    is_stream: event.is_stream,
    is_estimated: event.is_estimated,
    is_unpriced: event.is_unpriced,
    doubt_code: event.doubt === null ? null : doubts.indexOf(event.doubt) + 1,
    has_unbilled_parts: event.has_unbilled_parts ? true : null,
    request_id: event.request_id,
    upstream_request_id: event.upstream_request_id,
    requested_model: event.requested_model === event.model ? null : event.requested_model,
    agent_session_id: event.agent_session_id,
    prompt_id: event.prompt_id,
    agent_id: event.agent_id,
    parent_agent_id: event.parent_agent_id,
    request_class: event.request_class,
    cut: event.cut === null ? null : JSON.stringify(event.cut),
    served_by: servedBy(event),
  };
}

/** Stored upstream, with the reason of a failover behind a space. Null: none. */
function servedBy({ upstream_id, failover }: UsageEventRow): string | null {
  if (upstream_id === null || failover === null) return upstream_id;
  return `${upstream_id} ${failover}`;
}

function orNull(amount: bigint): bigint | null {
  return amount === 0n ? null : amount;
}

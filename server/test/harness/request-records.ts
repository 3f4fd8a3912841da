import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { type Cost, noCost, noTokens } from "#src/domain/usage.ts";
import type { UsageEventRow } from "#src/recording/usage-rows.ts";

/** Tuesday 2026-11-24 10:30 UTC. */
export const SOME_TIME_MS = Date.UTC(2026, 10, 24, 10, 30);

let made = 0;

/** A begin record with an id of its own. */
export function beginRecord(overrides: Partial<BeginRecord> = {}): BeginRecord {
  made += 1;
  return {
    requestId: `req_${String(made).padStart(24, "0")}`,
    startedAtMs: SOME_TIME_MS,
    organizationId: "00000000-0000-4000-8000-000000000001",
    workspaceId: "wksp_1",
    apiKeyId: "apikey_1",
    requestedModel: "claude-sonnet-5",
    isStream: false,
    client: "other",
    ...overrides,
  };
}

/** End record of `begin`: answered, one output token, at a cost of `nanoUsd`. */
export function endRecord(
  begin: BeginRecord,
  nanoUsd: bigint,
  overrides: Partial<EndRecord> = {},
): EndRecord {
  return {
    ...begin,
    endedAtMs: begin.startedAtMs + 1_000,
    outcome: "answered",
    httpStatus: 200,
    isEstimated: false,
    isUnpriced: false,
    model: begin.requestedModel,
    serviceTier: "standard",
    contextWindow: "0-200k",
    inferenceGeo: "not_available",
    speed: "standard",
    usage: { ...noTokens, inputTokens: 10, outputTokens: 1 },
    cost: costOf(nanoUsd),
    prices: "{}",
    upstreamRequestId: "req_upstream",
    firstByteMs: 12,
    ...overrides,
  };
}

function costOf(nanoUsd: bigint): Cost {
  const input = nanoUsd / 3n;
  return { ...noCost, input, output: nanoUsd - input, total: nanoUsd };
}

/** Row of usage_event that a node of version 0.1 writes. */
export function toOldEvent(event: UsageEventRow) {
  const { doubt: _, has_unbilled_parts: __, group_ids: ___, tag_ids: ____, ...known } = event;
  const {
    agent_session_id: _session,
    prompt_id: _prompt,
    agent_id: _agent,
    parent_agent_id: _parent,
    request_class: _class,
    cut: _cut,
    upstream_id: _upstream,
    failover: _failover,
    ...rest
  } = known;
  return rest;
}

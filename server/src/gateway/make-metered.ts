import { findTimeBilled } from "#src/domain/request-reach.ts";
import type { BeginRecord } from "#src/domain/request-record.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { Held } from "#src/spend/ledger/hold-decision.ts";
import { readClaimedLabels } from "./claimed-labels.rule.ts";
import { findClientFamily } from "./client-family.rule.ts";
import type { Exchange } from "./exchange.ts";
import type { ParsedMessage } from "./parse-message.ts";
import type { Metered } from "./settle.ts";

/** Request that may be sent. */
interface Admitted {
  message: ParsedMessage;
  key: FoundKey;
  startedAtMs: number;
  hold?: Held;
}

/** Returns the facts of an admitted request for its record. */
export function makeMetered(
  exchange: Exchange,
  { message, key, startedAtMs, hold }: Admitted,
): Metered {
  const begin: BeginRecord = {
    requestId: exchange.requestId,
    startedAtMs,
    organizationId: key.organizationId,
    workspaceId: key.workspaceId,
    apiKeyId: key.id,
    requestedModel: message.model,
    isStream: message.isStream,
    client: findClientFamily(exchange.call.fields.find("user-agent")),
  };
  const claimed = readClaimedLabels(exchange.call.fields);
  if (claimed !== undefined) begin.claimed = claimed;
  if (key.ownerMemberId !== null) begin.memberId = key.ownerMemberId;
  if (key.groupIds.length > 0) begin.groupIds = key.groupIds;
  if (key.tagIds.length > 0) begin.tagIds = key.tagIds;
  const holdNanoUsd = hold?.holdNanoUsd ?? null;
  if (holdNanoUsd !== null) begin.holdNanoUsd = holdNanoUsd;
  if (hold?.smallerHolds) begin.smallerHolds = hold.smallerHolds;
  if (findTimeBilled(message) !== null) begin.hasUnbilledParts = true;
  return {
    begin,
    message,
    bound: null,
    upstream: null,
    failover: null,
    isSimulated: false,
    stream: null,
  };
}

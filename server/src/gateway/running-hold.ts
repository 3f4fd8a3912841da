import type { BeginRecord } from "#src/domain/request-record.ts";
import type { RunningHold } from "#src/spend/ledger/lease-table.ts";
import type { UpstreamOrder } from "#src/upstreams/upstream.ts";
import { findHighestCost } from "./highest-cost.ts";
import type { ParsedMessage } from "./parse-message.ts";
import type { SettleDeps } from "./settle.ts";
import { scopeOfBegin } from "./spend-scope.ts";

interface RunningHoldDeps {
  prices: SettleDeps["prices"];
  meter: { amendBegin(record: BeginRecord): void };
}

/** Adds a hold to a running request. The journal stores it, for the case that the outcome stays unknown. */
export function toRunningHold(
  deps: RunningHoldDeps,
  { begin, message, order }: { begin: BeginRecord; message: ParsedMessage; order: UpstreamOrder },
): RunningHold {
  const { requestId, organizationId, startedAtMs } = begin;
  const question = { organizationId, message, order, atMs: startedAtMs };
  const { kind, nanoUsd: amountNanoUsd } = findHighestCost(deps, question).worstCase;
  begin.holdNanoUsd = amountNanoUsd;
  deps.meter.amendBegin(begin);
  return {
    ...scopeOfBegin(begin),
    requestId,
    startedAtMs,
    amountNanoUsd,
    isOpenEnded: kind !== "closed",
  };
}

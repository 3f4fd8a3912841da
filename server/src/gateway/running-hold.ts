import type { BeginRecord } from "#src/domain/request-record.ts";
import { computeWorstCost } from "#src/domain/worst-case.ts";
import type { RunningHold } from "#src/spend/ledger/lease-table.ts";
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
  begin: BeginRecord,
  message: ParsedMessage,
): RunningHold {
  const { requestId, organizationId, startedAtMs } = begin;
  const book = deps.prices.get(organizationId);
  const { kind, nanoUsd: amountNanoUsd } = computeWorstCost(message, book, startedAtMs);
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

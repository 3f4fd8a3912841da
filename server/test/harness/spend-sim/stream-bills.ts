import { boundCall } from "#src/domain/worst-case.ts";
import type { MeteredStream } from "#src/gateway/metered-stream.ts";
import type { LimitHolds } from "#src/spend/ledger/hold-decision.ts";
import type { RunningStream } from "./simulated-streams.ts";
import { priceBound, priceCounts } from "./stream-rules.ts";

// Costs of one stream: by the provider's bill, by what was read, and by its bound.

/** Ways in which the record of a stream ends before its run at the provider does. */
export type EarlyEnd = "cut" | "left" | "broken";

/** Cost that the provider bills, if nothing changes after this time. Infinity: the last bill. */
export function bill(
  { connection, dispatchedRealMs, planned, begin }: RunningStream,
  realMs: number,
): bigint {
  const counts = connection.billedAt(realMs - dispatchedRealMs);
  return priceCounts(planned, counts, begin.startedAtMs);
}

/** Cost of all that the node has read. */
export function readCost({ planned, reader, begin }: RunningStream): bigint {
  return priceCounts(planned, reader.counts, begin.startedAtMs);
}

/** Cost of a stream that every limit holds whole and that was not read to its end: see `estimateUsage` of the gateway. */
export function wholeCost({ planned, reader, begin }: RunningStream): bigint {
  const { request } = planned.plan;
  const { counts, seen } = reader;
  const most = boundCall(request).outputTokens;
  const isHidden = request.thinking === "on" || seen.hasHiddenThinking;
  const outputTokens = Math.max(
    counts.outputTokens,
    isHidden ? most : Math.min(counts.visibleBytes, most),
  );
  return priceCounts(planned, { ...counts, outputTokens }, begin.startedAtMs);
}

export function boundCost(
  { planned, begin }: RunningStream,
  metered: MeteredStream,
  nowMs: number,
): bigint {
  const { started } = metered;
  return priceBound(planned, { bound: metered.boundTokensAt(nowMs), started }, begin.startedAtMs);
}

/** Cost of a stream that its client ends: what it got and one second of output, or the bound. */
export function leftCost(
  { planned, begin }: RunningStream,
  metered: MeteredStream,
  nowMs: number,
): bigint {
  const { started } = metered;
  const bound = metered.boundTokensAt(nowMs);
  bound.outputTokens = Math.min(bound.outputTokens, metered.estimateOutputAt(nowMs));
  return priceBound(planned, { bound, started }, begin.startedAtMs);
}

export function toHolds({ holdNanoUsd, smallerHolds }: LimitHolds) {
  return {
    ...(holdNanoUsd !== null && { holdNanoUsd }),
    ...(smallerHolds !== null && { smallerHolds }),
  };
}

export function describe({ planned, metered, reader }: RunningStream): string {
  const { plan, firstNanoUsd } = planned;
  const { model, serverTools, thinking = "off" } = plan.request;
  const { outputs } = plan;
  const request = { model, outputs, serverTools, thinking, firstNanoUsd };
  const facts = { ...request, seen: metered?.seen, read: reader.counts };
  return JSON.stringify(facts, (_, value: unknown) => {
    return typeof value === "bigint" ? String(value) : value;
  });
}

import { type PricedUsage, priceUsage } from "#src/domain/cost.ts";
import type { ModelLabels } from "#src/domain/model-labels.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import type { BeginRecord, EndRecord, Outcome } from "#src/domain/request-record.ts";
import { type BilledUsage, noCost, noTokens } from "#src/domain/usage.ts";
import { toDimensions } from "#src/domain/usage-fields.ts";
import type { Logger } from "#src/lib/logger.ts";
import { overrunOf } from "#src/spend/ledger/charges.ts";

export interface SettleDeps {
  /** `end` never throws. */
  meter: { end(record: EndRecord): void };
  /** Prices of an organization, from memory. */
  prices: { get(organizationId: string): PriceBook };
  labels: ModelLabels;
  metrics: { observeOverrun(nanoUsd: bigint): void };
  logger: Logger;
}

/** End of a request, as the relay observed it. */
export interface Ending {
  outcome: Outcome;
  /** Status of the response. Null: the client got none. */
  httpStatus: number | null;
  /** Null: no usage is known, and the cost is 0. */
  usage: BilledUsage | null;
  isEstimated: boolean;
  /** Milliseconds since the epoch on the database's clock. */
  endedAtMs: number;
  upstreamRequestId: string | null;
  /** First byte on the same clock, milliseconds. Null: no byte arrived. */
  firstByteAtMs: number | null;
}

/** Ends the record of a request. Only this function computes the cost. Never throws. */
export function settle(deps: SettleDeps, begin: BeginRecord, ending: Ending): void {
  const record = toEndRecord(deps, begin, ending);
  const overrunNanoUsd = overrunOf(record);
  if (overrunNanoUsd > 0n) {
    deps.metrics.observeOverrun(overrunNanoUsd);
    const { requestId, model, holdNanoUsd } = record;
    deps.logger.warn(
      {
        requestId,
        model,
        holdNanoUsd: String(holdNanoUsd),
        overrunNanoUsd: String(overrunNanoUsd),
      },
      "a request has cost more than its hold",
    );
  }
  deps.meter.end(record);
}

function toEndRecord(deps: SettleDeps, begin: BeginRecord, ending: Ending): EndRecord {
  const usage = ending.usage ?? nothingUsed(begin.requestedModel);
  const priced = price(deps, begin, usage);
  const { serviceTier, inferenceGeo, speed } = toDimensions(usage);
  const { startedAtMs } = begin;
  const endedAtMs = Math.max(ending.endedAtMs, startedAtMs);
  return {
    ...begin,
    endedAtMs,
    outcome: ending.outcome,
    httpStatus: ending.httpStatus,
    isEstimated: ending.isEstimated || usage.isDoubtful === true,
    // Without usage, no price is missing.
    isUnpriced: ending.usage !== null && priced.isUnpriced,
    model: priced.model,
    serviceTier,
    contextWindow: priced.contextWindow,
    inferenceGeo,
    speed,
    usage: usage.total,
    cost: priced.cost,
    prices: priced.prices,
    upstreamRequestId: ending.upstreamRequestId,
    firstByteMs: firstByteOf(ending, { startedAtMs, endedAtMs }),
  };
}

/** Time from the start to the first byte, milliseconds. Stays between start and end if the clock was set in between. */
function firstByteOf(
  { firstByteAtMs }: Ending,
  { startedAtMs, endedAtMs }: Pick<EndRecord, "startedAtMs" | "endedAtMs">,
): number | null {
  if (firstByteAtMs === null) return null;
  return Math.min(Math.max(firstByteAtMs, startedAtMs), endedAtMs) - startedAtMs;
}

/** Prices the usage. After a bug, the record is kept with cost 0 and marked as unpriced, and the error is logged. */
function price(deps: SettleDeps, begin: BeginRecord, usage: BilledUsage): PricedUsage {
  try {
    const book = deps.prices.get(begin.organizationId);
    return priceUsage({ book, usage, atMs: begin.startedAtMs, labels: deps.labels });
  } catch (error) {
    deps.logger.error({ err: error, requestId: begin.requestId }, "a request could not be priced");
    return {
      cost: noCost,
      isUnpriced: true,
      contextWindow: "0-200k",
      model: "other",
      prices: "{}",
    };
  }
}

function nothingUsed(model: string): BilledUsage {
  return {
    model,
    total: noTokens,
    iterations: null,
    serviceTier: null,
    inferenceGeo: null,
    speed: null,
  };
}

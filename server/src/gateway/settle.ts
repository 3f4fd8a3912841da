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
  /** The prices of an organization, from memory. */
  prices: { get(organizationId: string): PriceBook };
  labels: ModelLabels;
  metrics: { observeOverrun(nanoUsd: bigint): void };
  logger: Logger;
}

/** How a request ended, as the relay saw it. */
export interface Ending {
  outcome: Outcome;
  /** Status the client got, or null. */
  httpStatus: number | null;
  /** Null where no usage was ever seen: the cost is then 0. */
  usage: BilledUsage | null;
  isEstimated: boolean;
  /** Milliseconds since the epoch on the database's clock. */
  endedAtMs: number;
  upstreamRequestId: string | null;
  /** On the same clock; null where nothing came. */
  firstByteAtMs: number | null;
}

/** Ends the record that `begin` opened, with its cost computed here and nowhere else. Never throws. */
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
      "a request has cost more than was held for it",
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
    // Where nothing was billed, no price was missing.
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

/** From the start and never after the end, also where the clock was set in between. */
function firstByteOf(
  { firstByteAtMs }: Ending,
  { startedAtMs, endedAtMs }: Pick<EndRecord, "startedAtMs" | "endedAtMs">,
): number | null {
  if (firstByteAtMs === null) return null;
  return Math.min(Math.max(firstByteAtMs, startedAtMs), endedAtMs) - startedAtMs;
}

/** A bug in pricing must not lose the record: it is kept with cost 0, marked `unpriced`, and an error is logged. */
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

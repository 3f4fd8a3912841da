import {
  type CutReason,
  type FailoverReason,
  SIMULATED_TIER,
} from "@bursar/contract/usage-shape.ts";
import { type PricedUsage, priceUsage } from "#src/domain/cost.ts";
import { findDoubt, findUsageLimits, limitUsage } from "#src/domain/doubtful-usage.ts";
import { chargeHold, tokensOfHold } from "#src/domain/hold-cost.ts";
import type { ModelLabels } from "#src/domain/model-labels.ts";
import { findPlatformBook } from "#src/domain/platform-prices.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import type { BeginRecord, Cut, Doubt, EndRecord, Outcome } from "#src/domain/request-record.ts";
import type { StreamTerms } from "#src/domain/stream-terms.ts";
import { type BilledUsage, noCost, noTokens, type TokenUsage } from "#src/domain/usage.ts";
import { toDimensions } from "#src/domain/usage-fields.ts";
import {
  boundCall,
  type CallBound,
  computeWorstCost,
  type WorstCase,
} from "#src/domain/worst-case.ts";
import { copyText } from "#src/lib/copy-text.ts";
import type { Logger } from "#src/lib/logger.ts";
import { overrunOf } from "#src/spend/ledger/charges.ts";
import type { LimitHolds } from "#src/spend/ledger/hold-decision.ts";
import type { Upstream } from "#src/upstreams/upstream.ts";
import type { ParsedMessage } from "./parse-message.ts";

export interface SettleDeps {
  /** `end` never throws. */
  meter: { end(record: EndRecord): void };
  /** Prices of an organization, from memory. */
  prices: { get(organizationId: string): PriceBook };
  labels: ModelLabels;
  metrics: {
    observeOverrun(nanoUsd: bigint): void;
    observeDoubt(doubt: Doubt): void;
    observeCut(reason: CutReason): void;
  };
  logger: Logger;
}

/** Facts of a metered request for its end. */
export interface Metered {
  begin: BeginRecord;
  message: ParsedMessage;
  /** Worst case at the start of the request, for its hold. Null: not computed. */
  bound: { worstCase: WorstCase; book: PriceBook } | null;
  /** Upstream that the request was sent to last. Null: not sent yet. */
  upstream: Upstream | null;
  /** Reason for which the first upstream of the order did not answer. Null: it did. */
  failover: FailoverReason | null;
  /** The simulator reports any usage that the model name asks for, so the request does not bound it. */
  isSimulated: boolean;
  /** Facts of a stream of which a limit holds steps, with its prices. Null: held whole, or not at all. */
  stream: { terms: StreamTerms; book: PriceBook } | null;
}

/** End of a request, as the relay observed it. */
export interface Ending {
  outcome: Outcome;
  /** Status of the response. Null: the client got none. */
  httpStatus: number | null;
  /** Null: no usage is known. The cost is 0, unless `isUsageMissing`. */
  usage: BilledUsage | null;
  /** The response arrived to its end, or its last counts did. */
  isFinal: boolean;
  /** The model declined to answer. */
  isRefusal: boolean;
  /** A success arrived at least in part, without usage and without an error. */
  isUsageMissing: boolean;
  /** Milliseconds since the epoch on the database's clock. */
  endedAtMs: number;
  upstreamRequestId: string | null;
  /** First byte on the same clock, milliseconds. Null: no byte arrived. */
  firstByteAtMs: number | null;
  /** Null: a limit holds no steps of the request. */
  stepped: SteppedEnding | null;
}

/** End of a stream of which a limit holds steps. */
export interface SteppedEnding {
  /** Largest holds that the stream had. Null: no limit holds it any more. */
  holds: LimitHolds | null;
  /** Largest hold after `message_start`, nano-USD. */
  peakNanoUsd: bigint;
  /** Most usage that the stream can have reached. */
  bound: BilledUsage;
  /** Null: no limit ended the stream. */
  cut: Cut | null;
}

/** Cost of an ended request, and its usage. */
interface Settled {
  costNanoUsd: bigint;
  /** Usage that rate limits count. Null: none is known. */
  rated: TokenUsage | null;
}

/** Ends the record of a request. Only this function computes the cost. Never throws. */
export function settle(deps: SettleDeps, metered: Metered, ending: Ending): Settled {
  const bill = billUsage(deps, metered, ending);
  const record = toEndRecord(metered, ending, bill);
  reportOverrun(deps, record);
  reportDoubt(deps, record, ending.usage);
  if (record.cut !== undefined) deps.metrics.observeCut(record.cut.reason);
  deps.meter.end(record);
  const isUnknown = ending.usage === null && bill.doubt === null;
  return { costNanoUsd: record.cost.total, rated: isUnknown ? null : bill.rated };
}

function reportOverrun(deps: SettleDeps, record: EndRecord): void {
  const overrunNanoUsd = overrunOf(record);
  if (overrunNanoUsd === 0n) return;
  deps.metrics.observeOverrun(overrunNanoUsd);
  const { requestId, model, holdNanoUsd } = record;
  deps.logger.warn(
    { requestId, model, holdNanoUsd: String(holdNanoUsd), overrunNanoUsd: String(overrunNanoUsd) },
    "a request has cost more than its hold",
  );
}

function reportDoubt(deps: SettleDeps, record: EndRecord, usage: BilledUsage | null): void {
  const { doubt, requestId, upstreamRequestId, cost } = record;
  if (doubt === undefined) return;
  deps.metrics.observeDoubt(doubt);
  deps.logger.warn(
    {
      requestId,
      upstreamRequestId,
      doubt,
      reportedModel: usage?.model ?? null,
      reportedUsage: usage?.total ?? null,
      unknownCounts: usage?.unknownCounts ?? null,
      costNanoUsd: String(cost.total),
    },
    "the cost of a request is doubtful",
  );
}

/** Cost of a request with the usage that it is for. */
interface Bill extends PricedUsage {
  doubt: Doubt | null;
  billed: BilledUsage;
  /** Usage of the record. */
  usage: TokenUsage;
  /** Usage that rate limits count. */
  rated: TokenUsage;
}

/** After a bug, the record is kept with cost 0 and marked as unpriced, and the error is logged. */
function billUsage(deps: SettleDeps, metered: Metered, ending: Ending): Bill {
  const { begin } = metered;
  const billed = ending.usage ?? nothingUsed(begin.requestedModel);
  try {
    return computeBill(deps, metered, ending);
  } catch (error) {
    deps.logger.error({ err: error, requestId: begin.requestId }, "a request could not be priced");
    return {
      cost: noCost,
      isUnpriced: true,
      contextWindow: "0-200k",
      model: "other",
      prices: "{}",
      doubt: null,
      billed,
      usage: billed.total,
      rated: billed.total,
    };
  }
}

function computeBill(deps: SettleDeps, metered: Metered, ending: Ending): Bill {
  const { begin, message } = metered;
  const { organizationId, startedAtMs: atMs, requestedModel } = begin;
  const terms = metered.upstream?.priceTerms ?? null;
  const book = findPlatformBook(deps.prices.get(organizationId), terms);
  const price = (usage: BilledUsage) => priceUsage({ book, usage, atMs, labels: deps.labels });
  if (ending.usage === null && !ending.isUsageMissing) {
    const nothing = nothingUsed(requestedModel);
    // Without usage, no price is missing.
    return toBill(nothing, { ...price(nothing), isUnpriced: false }, null);
  }
  const { bound } = metered;
  const isCurrent = bound !== null && bound.book === book;
  const worstCase = isCurrent ? bound.worstCase : computeWorstCost(message, book, atMs);
  const isHeld = begin.holdNanoUsd !== undefined;
  const limits = findUsageLimits(worstCase, { model: requestedModel, isHeld });
  let doubt: Doubt | null = "missing_usage";
  if (ending.usage !== null) {
    const { usage, isFinal, isRefusal, outcome } = ending;
    const priced = price(usage);
    const applied = metered.isSimulated ? null : limits;
    doubt = findDoubt({ usage, limits: applied, priced, isFinal, isRefusal });
    // A client that leaves a stream is no doubt about the upstream, and neither is a limit that cuts it.
    const isEnded = outcome === "aborted" || (ending.stepped?.cut ?? null) !== null;
    if (doubt === "incomplete_usage" && isEnded) doubt = null;
    if (doubt === null || doubt === "incomplete_usage") return toBill(usage, priced, doubt);
  }
  if (ending.stepped !== null && doubt === "impossible_usage") {
    const { bound: most } = ending.stepped;
    return toBill(most, price(most), doubt);
  }
  const call = boundHeldCall(message, worstCase, begin.holdNanoUsd);
  const limited = limitUsage({ usage: ending.usage, limits, call, requestedModel });
  const bill = toBill(limited, price(limited), doubt);
  if (doubt === "missing_usage" || begin.holdNanoUsd === undefined) return bill;
  return { ...bill, ...chargeHold(worstCase, begin.holdNanoUsd) };
}

/** Copies each field by name, which takes less memory than a spread. */
function toBill(billed: BilledUsage, priced: PricedUsage, doubt: Doubt | null): Bill {
  return {
    cost: priced.cost,
    isUnpriced: priced.isUnpriced,
    contextWindow: priced.contextWindow,
    model: priced.model,
    prices: priced.prices,
    doubt,
    billed,
    usage: billed.total,
    rated: billed.total,
  };
}

/** Bound of one call. If the upstream has counted the prompt for the hold, the count is the bound of a closed request. */
function boundHeldCall(
  message: ParsedMessage,
  worstCase: WorstCase,
  holdNanoUsd: bigint | undefined,
): CallBound {
  const call = boundCall(message);
  if (holdNanoUsd === undefined || worstCase.kind !== "closed") return call;
  const held = tokensOfHold(worstCase, holdNanoUsd);
  return { ...call, inputTokens: Math.min(call.inputTokens, held.inputTokens) };
}

/** Copies each field of the begin by name, because a spread takes more memory. */
function toEndRecord(metered: Metered, ending: Ending, bill: Bill): EndRecord {
  const { begin, isSimulated, upstream, failover } = metered;
  const { serviceTier, inferenceGeo, speed } = toDimensions(bill.billed);
  const { startedAtMs } = begin;
  const endedAtMs = Math.max(ending.endedAtMs, startedAtMs);
  const isPartial = ending.usage !== null && !ending.isFinal;
  const record: EndRecord = {
    requestId: begin.requestId,
    startedAtMs,
    organizationId: begin.organizationId,
    workspaceId: begin.workspaceId,
    apiKeyId: begin.apiKeyId,
    requestedModel: begin.requestedModel,
    isStream: begin.isStream,
    client: begin.client,
    endedAtMs,
    outcome: ending.outcome,
    httpStatus: ending.httpStatus,
    isEstimated: isPartial || bill.doubt !== null || bill.billed.isDoubtful === true,
    isUnpriced: bill.isUnpriced,
    model: bill.model,
    serviceTier: isSimulated ? SIMULATED_TIER : serviceTier,
    contextWindow: bill.contextWindow,
    inferenceGeo,
    speed,
    usage: bill.usage,
    cost: bill.cost,
    prices: bill.prices,
    upstreamRequestId: ending.upstreamRequestId && copyText(ending.upstreamRequestId),
    firstByteMs: firstByteOf(ending, { startedAtMs, endedAtMs }),
  };
  if (begin.memberId !== undefined) record.memberId = begin.memberId;
  if (begin.groupIds !== undefined) record.groupIds = begin.groupIds;
  if (begin.tagIds !== undefined) record.tagIds = begin.tagIds;
  if (begin.claimed !== undefined) record.claimed = begin.claimed;
  if (begin.holdNanoUsd !== undefined) record.holdNanoUsd = begin.holdNanoUsd;
  if (begin.smallerHolds !== undefined) record.smallerHolds = begin.smallerHolds;
  // Without usage, the whole hold of the begin stays unresolved, as after a crash.
  const isUnknown = ending.usage === null && ending.outcome === "interrupted";
  if (ending.stepped !== null && !isUnknown) addSteps(record, ending.stepped);
  if (upstream?.describe.source === "stored") record.upstreamId = upstream.id;
  if (failover !== null) record.failover = failover;
  if (begin.hasUnbilledParts) record.hasUnbilledParts = true;
  if (bill.doubt !== null) record.doubt = bill.doubt;
  return record;
}

/** The begin has the whole worst case as its hold, and the end what was held of it. */
function addSteps(record: EndRecord, { holds, cut }: SteppedEnding): void {
  if (cut !== null) record.cut = cut;
  if (holds === null || holds.holdNanoUsd === null) return;
  record.holdNanoUsd = holds.holdNanoUsd;
  if (holds.smallerHolds === null) delete record.smallerHolds;
  else record.smallerHolds = holds.smallerHolds;
}

/** Time from the start to the first byte, milliseconds. Stays between start and end if the clock was set in between. */
function firstByteOf(
  { firstByteAtMs }: Ending,
  { startedAtMs, endedAtMs }: Pick<EndRecord, "startedAtMs" | "endedAtMs">,
): number | null {
  if (firstByteAtMs === null) return null;
  return Math.min(Math.max(firstByteAtMs, startedAtMs), endedAtMs) - startedAtMs;
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

import { idPrefixes } from "@bursar/contract/ids.ts";
import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { type PricedUsage, priceUsage } from "#src/domain/cost.ts";
import { findDoubt, findUsageLimits, limitUsage } from "#src/domain/doubtful-usage.ts";
import { chargeHold } from "#src/domain/hold-cost.ts";
import type { ModelLabels } from "#src/domain/model-labels.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import type { Doubt, EndRecord } from "#src/domain/request-record.ts";
import { type BilledUsage, noTokens, type TokenUsage } from "#src/domain/usage.ts";
import { toDimensions } from "#src/domain/usage-fields.ts";
import {
  holdOfLine,
  listSmallerHolds,
  type OpenEndedHolds,
} from "#src/spend/ledger/open-ended-holds.ts";
import type { BatchLabels, MarkedLine } from "./batches.sql.ts";
import type { LineResult } from "./read-result.ts";
import { decodeWorstCase } from "./stored-worst-case.ts";

/** Tier of every line, whatever its response says. */
const BATCH_TIER = "batch";

export interface BillDeps {
  /** Prices at the time of the bill, for the start of the batch. */
  book: PriceBook;
  labels: ModelLabels;
}

export interface EndedLine {
  batch: BatchLabels;
  upstreamBatchId: string;
  line: MarkedLine;
  result: LineResult;
  openEnded: OpenEndedHolds;
  /** End of the batch, milliseconds since the epoch. */
  endedAtMs: number;
}

/** Makes the record of a line that ended. Null: a line that never ran, which has no record. */
export function billLine(deps: BillDeps, ended: EndedLine): EndRecord | null {
  const { batch, line, result, upstreamBatchId } = ended;
  if (result.type === "canceled" || result.type === "expired") return null;
  const holdNanoUsd = holdOfLine(line, ended.openEnded.mostNanoUsd);
  const bill =
    result.type === "succeeded" ? billUsage(deps, ended, holdNanoUsd) : billNothing(deps, ended);
  const { serviceTier, inferenceGeo, speed } = toDimensions(bill.billed);
  const startedAtMs = batch.startedAt.getTime();
  const record: EndRecord = {
    requestId: lineRequestId(batch.id, line.line),
    startedAtMs,
    organizationId: batch.organizationId,
    workspaceId: batch.workspaceId,
    apiKeyId: batch.apiKeyId,
    requestedModel: line.model,
    isStream: false,
    client: batch.client,
    holdNanoUsd,
    endedAtMs: Math.max(ended.endedAtMs, startedAtMs),
    outcome: result.type === "succeeded" ? "answered" : "refused",
    httpStatus: result.type === "succeeded" ? 200 : result.status,
    isEstimated: bill.doubt !== null || bill.billed.isDoubtful === true,
    isUnpriced: bill.priced.isUnpriced,
    model: bill.model,
    serviceTier: batch.isSimulated ? SIMULATED_TIER : serviceTier,
    contextWindow: bill.priced.contextWindow,
    inferenceGeo,
    speed,
    usage: bill.usage,
    cost: bill.priced.cost,
    prices: bill.priced.prices,
    upstreamRequestId: upstreamBatchId,
    firstByteMs: null,
  };
  if (batch.memberId !== null) record.memberId = batch.memberId;
  if (batch.groupIds.length > 0) record.groupIds = batch.groupIds;
  if (batch.tagIds.length > 0) record.tagIds = batch.tagIds;
  if (isStored(batch.upstreamId)) record.upstreamId = batch.upstreamId;
  if (batch.failover !== null) record.failover = batch.failover;
  const smallerHolds = listSmallerHolds(
    ended.openEnded,
    (highest) => holdOfLine(line, highest),
    holdNanoUsd,
  );
  if (smallerHolds.length > 0) record.smallerHolds = smallerHolds;
  if (line.hasUnbilledParts) record.hasUnbilledParts = true;
  if (bill.doubt !== null) record.doubt = bill.doubt;
  return record;
}

/** False for the upstream of the environment, and for the simulator. */
function isStored(upstreamId: string): boolean {
  return upstreamId.startsWith(idPrefixes.upstream);
}

/** Request id of a line: the same in each run. */
export function lineRequestId(batchId: string, line: number): string {
  return `${batchId}_${line}`;
}

interface Bill {
  priced: Omit<PricedUsage, "model">;
  model: string;
  billed: BilledUsage;
  usage: TokenUsage;
  doubt: Doubt | null;
}

function billNothing(deps: BillDeps, { batch, line }: EndedLine): Bill {
  const billed = { ...EMPTY, model: line.model };
  const atMs = batch.startedAt.getTime();
  const { model: _, ...priced } = priceUsage({ book: deps.book, usage: billed, atMs });
  const model = deps.labels.labelOf(line.model, deps.book, false);
  return {
    priced: { ...priced, isUnpriced: false },
    model,
    billed,
    usage: billed.total,
    doubt: null,
  };
}

/** Follows the rules of messages: usage that cannot be true costs its hold, and without usage the input is charged. */
function billUsage(
  { book, labels }: BillDeps,
  { batch, line, result }: EndedLine,
  holdNanoUsd: bigint,
): Bill {
  const atMs = batch.startedAt.getTime();
  const price = (usage: BilledUsage) => priceUsage({ book, usage, atMs, labels });
  const worstCase = decodeWorstCase(line.worstCase);
  const limits = findUsageLimits(worstCase, { model: line.model, isHeld: true });
  const reported = result.type === "succeeded" ? result.usage : null;
  let doubt: Doubt | null = "missing_usage";
  if (reported !== null) {
    const usage = { ...reported, serviceTier: BATCH_TIER };
    const priced = price(usage);
    const isRefusal = result.type === "succeeded" && result.isRefusal;
    const applied = batch.isSimulated ? null : limits;
    doubt = findDoubt({ usage, limits: applied, priced, isFinal: true, isRefusal });
    if (doubt === null) {
      return { priced, model: priced.model, billed: usage, usage: usage.total, doubt };
    }
  }
  const { inputTokens, outputTokens } = worstCase.drivers;
  const call = { inputTokens, outputTokens: doubt === "missing_usage" ? 0 : outputTokens };
  const limited = limitUsage({ usage: reported, limits, call, requestedModel: line.model });
  const billed = { ...limited, serviceTier: BATCH_TIER };
  const priced = price(billed);
  const bill = { priced, model: priced.model, billed, usage: billed.total, doubt };
  if (doubt === "missing_usage") return bill;
  const { usage, ...charged } = chargeHold(worstCase, holdNanoUsd);
  return { ...bill, priced: charged, usage };
}

const EMPTY: Omit<BilledUsage, "model"> = {
  total: noTokens,
  iterations: null,
  serviceTier: BATCH_TIER,
  inferenceGeo: null,
  speed: null,
};

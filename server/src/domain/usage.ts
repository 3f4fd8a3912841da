import {
  billedMeasures,
  type CostName,
  type MeasureName,
  toRecord,
} from "@bursar/contract/usage-shape.ts";

/**
 * Usage that a response reports, in counts that never overlap. `inputTokens` excludes cache tokens, as `input_tokens` of
 * the API does. `outputTokens` includes thinking.
 */
export type TokenUsage = Record<MeasureName, number>;

/**
 * Usage of one request for billing. `iterations` is present if the response splits its usage over several model calls
 * (compaction, advisor, fallback). Then they determine the price, and reports show their sum.
 */
export interface BilledUsage {
  /** Resolved model of the response, not the requested alias. */
  model: string;
  total: TokenUsage;
  iterations: readonly UsageIteration[] | null;
  serviceTier: string | null;
  inferenceGeo: string | null;
  speed: string | null;
  /** The response's own totals, if `total` is the sum of iterations. Later deltas are merged into them. */
  topLevel?: TokenUsage;
  /** True if a count was invalid (negative, text, fraction, too large): the record is then `estimated`. */
  isDoubtful?: boolean;
  /** Counts without a usable number. Absent: none. */
  unknownCounts?: UnknownCounts;
}

/** Counts that a response reports together: all prompt tokens, all output tokens, or web searches. */
export type CountGroup = "input" | "output" | "searches";

/** `missing`: not reported. `invalid`: negative, no number, or above `MAX_TOKENS`. */
export type UnknownCounts = Partial<Record<CountGroup, "missing" | "invalid">>;

export interface UsageIteration {
  /** Model of this call. Null: not in the response (compaction), so the response's model. */
  model: string | null;
  /** Web searches are 0, because a response counts them for the message, not for a call. */
  usage: TokenUsage;
  /** True for a compaction, which is billed but excluded from the response's own totals. */
  isCompaction?: boolean;
}

/** Cost of one request in integer nano-USD. The parts sum exactly to `total`. */
export type Cost = Record<CostName | "total", bigint>;

export const noTokens: TokenUsage = toRecord(billedMeasures, "name", () => 0);

export const noCost: Cost = { ...toRecord(billedMeasures, "cost", () => 0n), total: 0n };

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
 * Usage of one request as it is billed. `iterations` is present when the response splits its usage over several model
 * calls (compaction, advisor, fallback): the request is then priced by them and their sum is what is reported.
 */
export interface BilledUsage {
  /** Resolved model of the response, not the requested alias. */
  model: string;
  total: TokenUsage;
  iterations: readonly UsageIteration[] | null;
  serviceTier: string | null;
  inferenceGeo: string | null;
  speed: string | null;
  /** The response's own totals where `total` is the sum of iterations; later deltas are merged into these. */
  topLevel?: TokenUsage;
  /** True where a count could not be read (negative, text, absurd): the record is then `estimated`. */
  isDoubtful?: boolean;
}

export interface UsageIteration {
  /** Model of this call; null where the response names none (compaction): the response's model. */
  model: string | null;
  /** Web searches are 0 here: a response counts them for the message, not for a call. */
  usage: TokenUsage;
  /** A compaction is billed, yet stands outside the response's own totals. */
  isCompaction?: boolean;
}

/** Cost of one request in integer nano-USD. The parts sum to `total` exactly. */
export type Cost = Record<CostName | "total", bigint>;

export const noTokens: TokenUsage = toRecord(billedMeasures, "name", () => 0);

export const noCost: Cost = { ...toRecord(billedMeasures, "cost", () => 0n), total: 0n };

import type { EndRecord } from "./request-record.ts";

/** Amounts that a request takes out of its leases, nano-USD. */
export interface Spent {
  costNanoUsd: bigint;
  /** Hold of a request with unknown usage, without the cost that is charged. */
  unresolvedNanoUsd: bigint;
}

export function spentOf(record: EndRecord): Spent {
  const { cost, holdNanoUsd } = record;
  return { costNanoUsd: cost.total, unresolvedNanoUsd: findUnresolved(record, holdNanoUsd) };
}

/** The part of a hold whose fate is unknown, nano-USD. 0n for a request with known usage. */
export function findUnresolved(record: EndRecord, holdNanoUsd = 0n): bigint {
  const { cost, outcome, doubt } = record;
  const isUnknown = doubt === "missing_usage" || (outcome === "interrupted" && cost.total === 0n);
  return isUnknown && holdNanoUsd > cost.total ? holdNanoUsd - cost.total : 0n;
}

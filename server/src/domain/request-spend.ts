import type { EndRecord } from "./request-record.ts";

/** Amounts that a request takes out of its leases, nano-USD. */
export interface Spent {
  costNanoUsd: bigint;
  /** Hold of a request with unknown usage. */
  unresolvedNanoUsd: bigint;
}

export function spentOf(record: EndRecord): Spent {
  const { cost, outcome, holdNanoUsd = 0n } = record;
  const isUnknown = outcome === "interrupted" && cost.total === 0n;
  return { costNanoUsd: cost.total, unresolvedNanoUsd: isUnknown ? holdNanoUsd : 0n };
}

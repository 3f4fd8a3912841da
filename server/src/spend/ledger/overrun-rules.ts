// Spend beyond a strict limit. Pure. Amounts are integer nano-USD.

/** A balance under a strict limit before and after spend was added to it. */
export interface LimitedSpend {
  settledBeforeNanoUsd: bigint;
  settledNanoUsd: bigint;
  limitNanoUsd: bigint;
  /** Each change of the limit sets a new number. */
  limitRevision: bigint;
  /** The limit was not changed since the period began. */
  isWholePeriod: boolean;
  /** Settled spend at the last comparison, which was with the limit of `comparedRevision`. */
  comparedNanoUsd: bigint;
  comparedRevision: bigint;
}

export interface Overrun {
  /** Settled spend beyond the limit that is not recorded yet. */
  nanoUsd: bigint;
  comparedNanoUsd: bigint;
}

/**
 * Finds settled spend that exceeds the limit in force and is not recorded yet. Null: the limit is not exceeded. Spend
 * from before the limit was set is no overrun. Spend that a node of an older version settled since the last comparison
 * is included.
 */
export function findOverrun(spend: LimitedSpend): Overrun | null {
  const { settledNanoUsd, limitNanoUsd } = spend;
  if (settledNanoUsd <= limitNanoUsd) return null;
  const covered = larger(limitNanoUsd, coveredBefore(spend));
  const nanoUsd = settledNanoUsd > covered ? settledNanoUsd - covered : 0n;
  return { nanoUsd, comparedNanoUsd: settledNanoUsd };
}

/** Settled spend that exceeds the limit and is in no recorded overrun, nano-USD. */
export function findUnrecorded(spend: Omit<LimitedSpend, "settledBeforeNanoUsd">): bigint {
  const settledBeforeNanoUsd = spend.settledNanoUsd;
  return findOverrun({ ...spend, settledBeforeNanoUsd })?.nanoUsd ?? 0n;
}

function coveredBefore(spend: LimitedSpend): bigint {
  if (spend.comparedRevision === spend.limitRevision) return spend.comparedNanoUsd;
  return spend.isWholePeriod ? 0n : spend.settledBeforeNanoUsd;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

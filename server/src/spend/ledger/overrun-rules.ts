// Spend beyond a strict limit. Pure. Amounts are integer nano-USD.

/** A balance under a strict limit before and after spend was added to it. */
export interface LimitedSpend {
  settledBeforeNanoUsd: bigint;
  settledNanoUsd: bigint;
  limitNanoUsd: bigint;
  /** Another number after each change of the limit. */
  limitRevision: bigint;
  /** The limit was not changed since the period began. */
  isWholePeriod: boolean;
  /** Settled spend up to this amount was compared with the limit that had `comparedRevision`. */
  comparedNanoUsd: bigint;
  comparedRevision: bigint;
}

export interface Overrun {
  /** Settled beyond the limit and not recorded before. */
  nanoUsd: bigint;
  comparedNanoUsd: bigint;
}

/**
 * The part of what is settled that exceeds the limit in force and is not recorded yet. Null where nothing exceeds it. A
 * limit that was set below what was spent exceeds nothing by itself. Spend that an older node settled since the last
 * comparison is counted too.
 */
export function findOverrun(spend: LimitedSpend): Overrun | null {
  const { settledNanoUsd, limitNanoUsd } = spend;
  if (settledNanoUsd <= limitNanoUsd) return null;
  const covered = larger(limitNanoUsd, coveredBefore(spend));
  const nanoUsd = settledNanoUsd > covered ? settledNanoUsd - covered : 0n;
  return { nanoUsd, comparedNanoUsd: settledNanoUsd };
}

/** The part of what is settled that exceeds the limit and is in no recorded overrun. */
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

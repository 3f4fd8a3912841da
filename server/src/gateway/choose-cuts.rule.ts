// Order in which a limit without budget cuts its streams. Pure.

/** A stream that waits too long for a larger hold. */
export interface DueCut {
  /** Limit that lacks budget. */
  limitId: string;
  /** Cost of the stream if it is cut now, nano-USD. */
  sunkNanoUsd: bigint;
  /** The cut cannot wait for that of another stream. */
  isUrgent: boolean;
  /** The cut was chosen before, and only the end of an event delays it. */
  hasBegun: boolean;
  /** True if the hold covers the bound for this long, milliseconds. */
  isCoveredFor: (ms: number) => boolean;
}

/** Time between two cuts of a limit, milliseconds. Within it, the hold of a cut stream reaches the others. */
export const TURN_MS = 250;
/** A hold that does not cover its bound for this long ends at once, so that a node can stand still in the meantime. */
const LEAST_COVER_MS = 2_000;

/**
 * Chooses the streams to cut now, in their order: all urgent and begun ones, and otherwise at most one of each limit. A limit begins
 * when one cut in each turn is just in time for all its streams. Until then, streams that end by themselves may free
 * enough. The stream with the least cost is the first, because its cost is paid for an incomplete answer.
 */
export function chooseCuts<Due extends DueCut>(due: readonly Due[]): Due[] {
  if (due.length === 0) return [];
  const chosen: Due[] = [];
  for (const ofLimit of Map.groupBy(due, ({ limitId }) => limitId).values()) {
    const urgent = ofLimit.filter(({ isUrgent, hasBegun, isCoveredFor }) => {
      return isUrgent || hasBegun || !isCoveredFor(LEAST_COVER_MS);
    });
    const neededMs = LEAST_COVER_MS + TURN_MS * ofLimit.length;
    if (urgent.length > 0) chosen.push(...urgent.toSorted(compareSunk));
    else if (!ofLimit.every((each) => each.isCoveredFor(neededMs))) {
      chosen.push(...ofLimit.toSorted(compareSunk).slice(0, 1));
    }
  }
  return chosen;
}

function compareSunk(a: DueCut, b: DueCut): number {
  if (a.sunkNanoUsd === b.sunkNanoUsd) return 0;
  return a.sunkNanoUsd < b.sunkNanoUsd ? -1 : 1;
}

// Figures of one round of `step-faults.ts`, and what the rules allow.

/** Node of a stream during its life. */
export type Fate = "killed" | "stopped" | "running";

/** One stream that reached the upstream. */
export interface FaultStream {
  requestId: string;
  fate: Fate;
  /** True: the server ended it because its limit had nothing left. */
  isCut: boolean;
  billedNanoUsd: bigint;
  /** Billed until the server closed the connection. Null: the response was complete. */
  billedWhenLeftNanoUsd: bigint | null;
  /** Null: the request log has no entry with the upstream's id, as after `kill -9`. */
  recordedNanoUsd: bigint | null;
}

export interface FaultFigures {
  round: number;
  limitNanoUsd: bigint;
  stoppedMs: number;
  isFenced: boolean;
  streams: readonly FaultStream[];
  /** Statuses and codes of refusals. */
  refusals: string;
  billedNanoUsd: bigint;
  settledNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
  overrunNanoUsd: bigint;
  /** Spend by which requests exceeded their holds, also within the limit. */
  beyondHoldsNanoUsd: bigint;
  overrunFirings: number;
  billedAfterCutNanoUsd: bigint;
  /** Result of the ledger check: differences between balances and requests. */
  ledgerDifferences: number;
}

/** Returns what the rules do not allow. Empty: nothing. */
export function checkFaults(figures: FaultFigures): string[] {
  const { streams, limitNanoUsd, overrunNanoUsd } = figures;
  const faults = streams.flatMap(checkStream);
  if (figures.settledNanoUsd > limitNanoUsd + overrunNanoUsd) {
    faults.push("more was recorded than the limit and the recorded overruns");
  }
  if (overrunNanoUsd > 0n && figures.overrunFirings === 0) faults.push("an overrun has no alert");
  if (overrunNanoUsd === 0n && figures.overrunFirings > 0) faults.push("an alert has no overrun");
  const hadFaults = streams.some(({ fate }) => fate !== "running");
  if (overrunNanoUsd > 0n && !hadFaults) faults.push("an overrun without a stopped or killed node");
  const known = figures.settledNanoUsd + figures.unresolvedNanoUsd;
  if (figures.billedNanoUsd > known + figures.billedAfterCutNanoUsd) {
    faults.push("more was billed than recorded, unresolved and billed after cuts");
  }
  if (figures.ledgerDifferences > 0) faults.push("the balances differ from the requests");
  return faults;
}

/** The record of a stream is exact. That of a cut one covers what was billed until the cut. */
function checkStream(stream: FaultStream): string[] {
  const { requestId, fate, isCut, billedNanoUsd, billedWhenLeftNanoUsd, recordedNanoUsd } = stream;
  if (recordedNanoUsd === null) {
    return fate === "killed" ? [] : [`${requestId} has no record, and its node was not killed`];
  }
  const least = billedWhenLeftNanoUsd ?? billedNanoUsd;
  if (recordedNanoUsd < least && fate === "running") {
    return [`${requestId} is recorded with ${recordedNanoUsd}, and ${least} was billed`];
  }
  const isExact = billedWhenLeftNanoUsd !== null || recordedNanoUsd === billedNanoUsd;
  if (!isExact && !isCut) {
    return [`${requestId} is recorded with ${recordedNanoUsd}, and ${billedNanoUsd} was billed`];
  }
  return [];
}

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
  /** Null: the request log has no entry. */
  recordedNanoUsd: bigint | null;
  /** Hold of a record without a known outcome. Null: the outcome is known. */
  unresolvedNanoUsd: bigint | null;
}

/** A record without a known outcome. Its request may not have reached the upstream. */
export interface UnresolvedRecord {
  requestId: string;
  fate: Fate;
  nanoUsd: bigint;
}

/** One alert about an overrun. */
export interface OverrunFiring {
  /** Overrun of the limit at that time. */
  overrunNanoUsd: bigint;
  /** Requests that the alert names, the largest excess first. */
  requests: readonly NamedRequest[];
}

export interface NamedRequest {
  requestId: string;
  cause: string;
  /** Null: no request of the round. */
  fate: Fate | null;
}

export interface FaultFigures {
  round: number;
  seconds: number;
  limitNanoUsd: bigint;
  stoppedMs: number;
  /** The stop is long enough for spend beyond the holds of streams. */
  hasLongStop: boolean;
  isFenced: boolean;
  streams: readonly FaultStream[];
  /** Statuses and codes of refusals. */
  refusals: string;
  billedNanoUsd: bigint;
  settledNanoUsd: bigint;
  /** Unresolved amount of the limit. */
  unresolvedNanoUsd: bigint;
  unresolved: readonly UnresolvedRecord[];
  /** The upstream can bill this amount for the output of one request. */
  mostOutputNanoUsd: bigint;
  overrunNanoUsd: bigint;
  /** Overruns by minute, as the page of the limit lists them. */
  overruns: readonly bigint[];
  /** Spend by which requests exceeded their holds, also within the limit. */
  beyondHoldsNanoUsd: bigint;
  /** In the order of time. */
  firings: readonly OverrunFiring[];
  billedAfterCutNanoUsd: bigint;
  /** Result of the ledger check: differences between balances and requests. */
  ledgerDifferences: number;
}

/** Causes of an overrun that a stop, a kill or an upstream can have. */
const POSSIBLE_CAUSES = ["node_paused", "billed_after_cut", "above_hold", "settled_late"];

/** Returns what the rules do not allow. Empty: nothing. */
export function checkFaults(figures: FaultFigures): string[] {
  const faults = [
    ...figures.streams.flatMap(checkStream),
    ...checkOverrun(figures),
    ...checkUnresolved(figures),
  ];
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
  if (recordedNanoUsd === null) return [`${requestId} has no record`];
  // `checkUnresolved` compares the hold.
  if (stream.unresolvedNanoUsd !== null) return [];
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

function checkOverrun(figures: FaultFigures): string[] {
  const { streams, limitNanoUsd, overrunNanoUsd, overruns, firings } = figures;
  const faults: string[] = [];
  if (figures.settledNanoUsd > limitNanoUsd + overrunNanoUsd) {
    faults.push("more was recorded than the limit and the recorded overruns");
  }
  if (overruns.reduce((all, each) => all + each, 0n) !== overrunNanoUsd) {
    faults.push("the listed overruns are not the overrun of the limit");
  }
  if (overrunNanoUsd > 0n && firings.length === 0) faults.push("an overrun has no alert");
  if (overrunNanoUsd === 0n && firings.length > 0) faults.push("an alert has no overrun");
  const hadFaults = streams.some(({ fate }) => fate !== "running");
  if (overrunNanoUsd > 0n && !hadFaults) faults.push("an overrun without a stopped or killed node");
  return [...faults, ...firings.flatMap((firing, at) => checkFiring(firing, firings[at - 1]))];
}

/** An alert names requests of a stopped node first. The next one follows once the overrun has doubled. */
function checkFiring(
  { overrunNanoUsd, requests }: OverrunFiring,
  before: OverrunFiring | undefined,
): string[] {
  const faults: string[] = [];
  if (before !== undefined && overrunNanoUsd < 2n * before.overrunNanoUsd) {
    faults.push(`a second alert about ${overrunNanoUsd} after ${before.overrunNanoUsd}`);
  }
  const [first] = requests;
  if (first === undefined) return [...faults, "an alert names no request"];
  if (first.fate === "running" && first.cause !== "billed_after_cut") {
    faults.push(`an alert names ${first.requestId} first, whose node was never stopped`);
  }
  for (const { requestId, fate, cause } of requests) {
    if (fate === null) faults.push(`an alert names ${requestId}, which is of no client`);
    if (!POSSIBLE_CAUSES.includes(cause)) faults.push(`${requestId} has the cause ${cause}`);
  }
  return faults;
}

/** Only streams of a killed node are unresolved, each with its whole bound. */
function checkUnresolved(figures: FaultFigures): string[] {
  const { unresolved, unresolvedNanoUsd, mostOutputNanoUsd } = figures;
  const faults = unresolved.flatMap(({ requestId, fate, nanoUsd }) => {
    if (fate !== "killed") return [`${requestId} is unresolved, and its node was not killed`];
    if (nanoUsd < mostOutputNanoUsd) return [`${requestId} is unresolved with ${nanoUsd} only`];
    return [];
  });
  if (unresolved.reduce((all, { nanoUsd }) => all + nanoUsd, 0n) !== unresolvedNanoUsd) {
    faults.push("the unresolved amount is not that of the requests without an outcome");
  }
  return faults;
}

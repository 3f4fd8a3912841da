import type { BilledRequest } from "./billed-request.ts";
import type { LimitState, RecordedRequest } from "./bursar-target.ts";
import type { Attempt } from "./send-request.ts";
import type { SessionRequest } from "./session.ts";

// Figures of one run, from three sources: the clients, the stand-in and the request log.

/** Held budget at one time. */
export interface HeldSample {
  atMs: number;
  heldNanoUsd: bigint;
}

export interface Run {
  name: string;
  limitNanoUsd: bigint;
  seconds: number;
  requests: readonly SessionRequest[];
  bills: readonly BilledRequest[];
  /** Null: the target has no request log. */
  records: readonly RecordedRequest[] | null;
  limit: LimitState | null;
  overrunFirings: number | null;
  samples: readonly HeldSample[];
}

/** A stream asks for more about a second before its cut. A request that begins after that could have been refused instead. */
const BEFORE_CUT_MS = 1_500;

export function describeRun(run: Run): [string, string][] {
  const attempts = run.requests.flatMap((request) => request.attempts);
  const billed = sum(run.bills.map(({ nanoUsd }) => nanoUsd));
  const cuts = attempts.filter(isCut);
  return [
    ["time", `${Math.round(run.seconds)} s`],
    ["requests that the stand-in billed", String(run.bills.length)],
    ["billed", showShare(billed, run.limitNanoUsd)],
    ...describeLedger(run),
    ["cut streams", describeCuts(cuts)],
    [`requests admitted in the ${BEFORE_CUT_MS / 1_000} s before a cut`, countAdmitted(run, cuts)],
    ["streams that broke otherwise", String(attempts.filter(isBroken).length)],
    ["refusals that the client repeated", countCodes(listRetried(run.requests))],
    ["refusals that ended a conversation", countCodes(listFinal(run.requests))],
    ["wait before the upstream, ms: p50 / p95 / max", describeWaits(run)],
    ...describeHolds(run),
  ];
}

function describeLedger({ limit, limitNanoUsd, overrunFirings }: Run): [string, string][] {
  if (limit === null) return [];
  return [
    ["recorded", showShare(limit.spentNanoUsd, limitNanoUsd)],
    ["unresolved at the end", showUsd(limit.unresolvedNanoUsd)],
    ["overrun", `${showUsd(limit.overrunNanoUsd)}, ${overrunFirings ?? 0} alerts`],
  ];
}

/** Highest hold of each request by its cost, and the mean of all moments. */
function describeHolds({ records, samples }: Run): [string, string][] {
  if (records === null) return [];
  const ratios = listHoldRatios(records);
  const costTime = records.reduce(
    (all, { costNanoUsd, durationMs }) => all + Number(costNanoUsd) * durationMs,
    0,
  );
  const meanRatio = integrate(samples) / costTime;
  return [
    ["highest hold ÷ cost: p50 / p95", showQuantiles(ratios, [0.5, 0.95])],
    ["held budget ÷ cost, mean over time", meanRatio.toFixed(2)],
  ];
}

/** Highest hold of each answered request, divided by its cost. */
export function listHoldRatios(records: readonly RecordedRequest[]): number[] {
  return records.flatMap(({ holdNanoUsd, costNanoUsd, outcome }) => {
    const isKnown = outcome === "answered" && holdNanoUsd !== null && costNanoUsd > 0n;
    return isKnown ? [Number(holdNanoUsd) / Number(costNanoUsd)] : [];
  });
}

/** nano-USD × milliseconds. */
function integrate(samples: readonly HeldSample[]): number {
  let total = 0;
  for (const [at, { atMs, heldNanoUsd }] of samples.entries()) {
    const next = samples[at + 1];
    if (next !== undefined) total += Number(heldNanoUsd) * (next.atMs - atMs);
  }
  return total;
}

/** True: the server ended the stream with an error event. */
function isCut({ status, isComplete, errorType }: Attempt): boolean {
  return status === 200 && !isComplete && errorType !== null;
}

function isBroken({ status, isComplete, errorType }: Attempt): boolean {
  return status === 200 && !isComplete && errorType === null;
}

function describeCuts(cuts: readonly Attempt[]): string {
  return cuts.length === 0 ? "0" : `${cuts.length}: ${countCodes(cuts)}`;
}

function countAdmitted({ bills }: Run, cuts: readonly Attempt[]): string {
  const admitted = bills.filter(({ receivedAtMs }) =>
    cuts.some(
      ({ endedAtMs }) => receivedAtMs < endedAtMs && receivedAtMs > endedAtMs - BEFORE_CUT_MS,
    ),
  );
  return String(admitted.length);
}

function listRetried(requests: readonly SessionRequest[]): Attempt[] {
  return requests.flatMap(({ attempts }) => attempts.slice(0, -1));
}

function listFinal(requests: readonly SessionRequest[]): Attempt[] {
  return requests.flatMap(({ attempts }) =>
    attempts.slice(-1).filter(({ status }) => status !== 200),
  );
}

/** Statuses and codes of refusals and cuts, with their number. */
export function countCodes(attempts: readonly Attempt[]): string {
  const counts = new Map<string, number>();
  for (const { status, errorCode, errorType } of attempts) {
    const code = `${status ?? "no response"} ${errorCode ?? errorType ?? ""}`.trim();
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  if (counts.size === 0) return "0";
  return [...counts].map(([code, count]) => `${count} × ${code}`).join(", ");
}

/** Time from the client to the upstream of requests whose response has begun. */
function describeWaits({ requests, bills }: Run): string {
  const sentAtMs = new Map<string, number>();
  for (const { attempts } of requests) {
    for (const each of attempts)
      if (each.messageId !== null) sentAtMs.set(each.messageId, each.sentAtMs);
  }
  const waits = bills.flatMap(({ messageId, receivedAtMs }) => {
    const sent = sentAtMs.get(messageId);
    return sent === undefined ? [] : [receivedAtMs - sent];
  });
  return showQuantiles(waits, [0.5, 0.95, 1], 0);
}

export function showQuantiles(
  values: readonly number[],
  shares: readonly number[],
  digits = 2,
): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return shares.map((share) => at(share).toFixed(digits)).join(" / ");
}

export function showShare(nanoUsd: bigint, limitNanoUsd: bigint): string {
  const percent = (100 * Number(nanoUsd)) / Number(limitNanoUsd);
  return `${showUsd(nanoUsd)} (${percent.toFixed(1)} %)`;
}

export function showUsd(nanoUsd: bigint): string {
  return `$${(Number(nanoUsd) / 1e9).toFixed(3)}`;
}

export function sum(values: readonly bigint[]): bigint {
  return values.reduce((all, value) => all + value, 0n);
}

/** Prints runs side by side. All of them have the same rows. */
export function printTable(
  runs: readonly { name: string; rows: readonly [string, string][] }[],
): void {
  const titles = [...new Set(runs.flatMap(({ rows }) => rows.map(([title]) => title)))];
  console.log(
    `\n| | ${runs.map(({ name }) => name).join(" | ")} |\n|---|${"---|".repeat(runs.length)}`,
  );
  for (const title of titles) {
    const cells = runs.map(({ rows }) => rows.find(([each]) => each === title)?.[1] ?? "");
    console.log(`| ${title} | ${cells.join(" | ")} |`);
  }
}

import { expect, test } from "vitest";
import {
  checkFaults,
  type FaultFigures,
  type FaultStream,
  type NamedRequest,
  type OverrunFiring,
  type UnresolvedRecord,
} from "./check-faults.ts";

const stream: FaultStream = {
  requestId: "req_1",
  fate: "running",
  isCut: false,
  billedNanoUsd: 50n,
  billedWhenLeftNanoUsd: null,
  recordedNanoUsd: 50n,
  unresolvedNanoUsd: null,
};

const figures: FaultFigures = {
  round: 1,
  seconds: 30,
  limitNanoUsd: 100n,
  stoppedMs: 2_500,
  hasLongStop: false,
  isFenced: true,
  streams: [stream],
  refusals: "0",
  billedNanoUsd: 50n,
  settledNanoUsd: 50n,
  unresolvedNanoUsd: 0n,
  unresolved: [],
  mostOutputNanoUsd: 300n,
  overrunNanoUsd: 0n,
  overruns: [],
  beyondHoldsNanoUsd: 0n,
  firings: [],
  billedAfterCutNanoUsd: 0n,
  ledgerDifferences: 0,
};

function withStream(fields: Partial<FaultStream>): FaultFigures {
  return { ...figures, streams: [{ ...stream, ...fields }] };
}

/** A round whose stopped node exceeded the limit by 20. */
const overrun: FaultFigures = {
  ...withStream({ fate: "stopped" }),
  settledNanoUsd: 120n,
  overrunNanoUsd: 20n,
  overruns: [15n, 5n],
  firings: [firing(15n)],
};

function firing(overrunNanoUsd: bigint, named: Partial<NamedRequest> = {}): OverrunFiring {
  const request = { requestId: "req_1", cause: "node_paused", fate: "stopped" as const };
  return { overrunNanoUsd, requests: [{ ...request, ...named }] };
}

/** A round with one stream of a killed node. */
const killed: FaultFigures = {
  ...withStream({ fate: "killed", recordedNanoUsd: 0n, unresolvedNanoUsd: 310n }),
  settledNanoUsd: 0n,
  unresolvedNanoUsd: 310n,
  unresolved: [{ requestId: "req_1", fate: "killed", nanoUsd: 310n }],
};

function unresolved(fields: Partial<UnresolvedRecord>): FaultFigures {
  const one = { requestId: "req_1", fate: "killed" as const, nanoUsd: 310n, ...fields };
  return { ...killed, unresolved: [one], unresolvedNanoUsd: one.nanoUsd };
}

test("exact records within the limit are allowed", () => {
  expect(checkFaults(figures)).toEqual([]);
});

test.each<[string, FaultFigures]>([
  ["a record below the bill", withStream({ recordedNanoUsd: 49n })],
  ["a record above the bill", withStream({ recordedNanoUsd: 51n })],
  ["no record", withStream({ recordedNanoUsd: null })],
  ["no record of a killed node", withStream({ fate: "killed", recordedNanoUsd: null })],
  [
    "a cut record below the bill until the cut",
    withStream({ isCut: true, billedWhenLeftNanoUsd: 50n, recordedNanoUsd: 40n }),
  ],
  ["more recorded than limit and overrun", { ...overrun, settledNanoUsd: 121n }],
  ["an overrun without an alert", { ...overrun, firings: [] }],
  ["an overrun that no minute lists", { ...overrun, overruns: [15n] }],
  ["an overrun without a fault", { ...overrun, streams: [stream] }],
  ["an alert without an overrun", { ...figures, firings: [firing(1n)] }],
  ["an alert without a request", { ...overrun, firings: [{ ...firing(15n), requests: [] }] }],
  ["an alert about a node that ran", { ...overrun, firings: [firing(15n, { fate: "running" })] }],
  ["an alert about another round", { ...overrun, firings: [firing(15n, { fate: null })] }],
  [
    "an alert about a faster model",
    { ...overrun, firings: [firing(15n, { cause: "beyond_bound" })] },
  ],
  ["a second alert too early", { ...overrun, firings: [firing(15n), firing(20n)] }],
  ["a bill that nothing explains", { ...figures, billedNanoUsd: 51n }],
  ["an unresolved stream of a stopped node", unresolved({ fate: "stopped" })],
  ["an unresolved part of a bound", unresolved({ nanoUsd: 299n })],
  ["an unresolved amount without a request", { ...killed, unresolved: [] }],
  ["different balances", { ...figures, ledgerDifferences: 1 }],
])("%s is found", (_, round) => {
  expect(checkFaults(round)).toHaveLength(1);
});

test.each<[string, FaultFigures]>([
  ["a stream of a killed node, unresolved with its whole bound", killed],
  [
    "a cut record above the bill",
    withStream({ isCut: true, billedWhenLeftNanoUsd: 40n, recordedNanoUsd: 55n }),
  ],
  ["an overrun of a stopped node with its alert", overrun],
  ["a second alert after a doubled overrun", { ...overrun, firings: [firing(10n), firing(20n)] }],
  [
    "an alert about a cut stream of a running node",
    { ...overrun, firings: [firing(15n, { fate: "running", cause: "billed_after_cut" })] },
  ],
  ["a bill after a cut", { ...figures, billedNanoUsd: 60n, billedAfterCutNanoUsd: 10n }],
])("%s is allowed", (_, round) => {
  expect(checkFaults(round)).toEqual([]);
});

import { expect, test } from "vitest";
import { checkFaults, type FaultFigures, type FaultStream } from "./check-faults.ts";

const stream: FaultStream = {
  requestId: "req_1",
  fate: "running",
  isCut: false,
  billedNanoUsd: 50n,
  billedWhenLeftNanoUsd: null,
  recordedNanoUsd: 50n,
};

const figures: FaultFigures = {
  round: 1,
  limitNanoUsd: 100n,
  stoppedMs: 2_500,
  isFenced: true,
  streams: [stream],
  refusals: "0",
  billedNanoUsd: 50n,
  settledNanoUsd: 50n,
  unresolvedNanoUsd: 0n,
  overrunNanoUsd: 0n,
  beyondHoldsNanoUsd: 0n,
  overrunFirings: 0,
  billedAfterCutNanoUsd: 0n,
  ledgerDifferences: 0,
};

function withStream(fields: Partial<FaultStream>): FaultFigures {
  return { ...figures, streams: [{ ...stream, ...fields }] };
}

test("exact records within the limit are allowed", () => {
  expect(checkFaults(figures)).toEqual([]);
});

test.each<[string, FaultFigures]>([
  ["a record below the bill", withStream({ recordedNanoUsd: 49n })],
  ["a record above the bill", withStream({ recordedNanoUsd: 51n })],
  ["no record", withStream({ recordedNanoUsd: null })],
  [
    "a cut record below the bill until the cut",
    withStream({ isCut: true, billedWhenLeftNanoUsd: 50n, recordedNanoUsd: 40n }),
  ],
  ["more recorded than limit and overrun", { ...figures, settledNanoUsd: 101n }],
  ["an overrun without an alert", { ...withStream({ fate: "stopped" }), overrunNanoUsd: 1n }],
  ["an overrun without a fault", { ...figures, overrunNanoUsd: 1n, overrunFirings: 1 }],
  ["an alert without an overrun", { ...figures, overrunFirings: 1 }],
  ["a bill that nothing explains", { ...figures, billedNanoUsd: 51n }],
  ["different balances", { ...figures, ledgerDifferences: 1 }],
])("%s is found", (_, round) => {
  expect(checkFaults(round)).toHaveLength(1);
});

test.each<[string, FaultFigures]>([
  ["a killed node without a record", withStream({ fate: "killed", recordedNanoUsd: null })],
  [
    "a cut record above the bill",
    withStream({ isCut: true, billedWhenLeftNanoUsd: 40n, recordedNanoUsd: 55n }),
  ],
  [
    "an overrun of a stopped node with an alert",
    { ...withStream({ fate: "stopped" }), overrunNanoUsd: 1n, overrunFirings: 1 },
  ],
  ["a bill after a cut", { ...figures, billedNanoUsd: 60n, billedAfterCutNanoUsd: 10n }],
])("%s is allowed", (_, round) => {
  expect(checkFaults(round)).toEqual([]);
});

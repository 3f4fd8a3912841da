import { type CostName, costParts, toRecord } from "@bursar/contract/usage-shape.ts";
import type { BeginRecord, EndRecord, SmallerHold } from "#src/domain/request-record.ts";
import { type Cost, noTokens, type TokenUsage } from "#src/domain/usage.ts";
import type { JournalRecord, SegmentRecord } from "./journal-record.ts";

// Records of version 1, which release 0.1 wrote. This release only reads them.

/** Amounts are texts. */
interface WrittenHold {
  holdNanoUsd?: string;
  smallerHolds?: readonly (Omit<SmallerHold, "nanoUsd"> & { nanoUsd: string })[];
}
type WrittenBegin = Omit<BeginRecord, keyof WrittenHold> & WrittenHold;
type WrittenCost = Partial<Record<CostName, string>> & { total: string };
type WrittenEnd = Omit<EndRecord, keyof WrittenHold | "usage" | "cost"> &
  WrittenHold & { usage: Partial<TokenUsage>; cost: WrittenCost };

export type WireRecordOfV1 = { v: 1 } & (
  | { k: "begin"; s: number; r: WrittenBegin }
  | { k: "end"; s: number; r: WrittenEnd }
  | { k: "void"; s: number; r: string }
  | { k: "mark"; s: number }
  | { k: "segment"; r: Omit<SegmentRecord, "kind" | "carriedBegins"> }
);

/** Converts a record of version 1. Null: its kind is unknown. */
export function fromFirstVersion(wire: WireRecordOfV1): JournalRecord | null {
  switch (wire.k) {
    case "begin":
      return { kind: "begin", seq: wire.s, record: readHold(wire.r) };
    case "end": {
      const usage = { ...noTokens, ...wire.r.usage };
      const record = { ...readHold(wire.r), usage, cost: readCost(wire.r.cost) };
      return { kind: "endOfV1", seq: wire.s, record };
    }
    case "void":
      return { kind: "voidOfV1", seq: wire.s, requestId: wire.r };
    case "mark":
      return { kind: "mark", seq: wire.s };
    case "segment":
      return { kind: "segment", ...wire.r, carriedBegins: null };
    default:
      return null;
  }
}

function readHold<Written extends WrittenHold>(
  record: Written,
): Omit<Written, keyof WrittenHold> & Pick<BeginRecord, keyof WrittenHold> {
  const { holdNanoUsd, smallerHolds, ...rest } = record;
  if (holdNanoUsd === undefined) return rest;
  const held = { ...rest, holdNanoUsd: BigInt(holdNanoUsd) };
  if (smallerHolds === undefined) return held;
  const smaller = smallerHolds.map((hold) => ({ ...hold, nanoUsd: BigInt(hold.nanoUsd) }));
  return { ...held, smallerHolds: smaller };
}

/** Parts that came later are 0. */
function readCost(cost: WrittenCost): Cost {
  return {
    ...toRecord(costParts, "cost", (part) => BigInt(cost[part.cost] ?? 0)),
    total: BigInt(cost.total),
  };
}

import { expect, test } from "vitest";
import type { StrictLimit } from "./hold-refusal.ts";
import {
  findHighest,
  findOpenEndedHolds,
  holdOfLine,
  listSmallerHolds,
  sumLines,
  WORST_CASES,
} from "./open-ended-holds.ts";

function limitOf(scopeId: string, openEndedHoldNanoUsd: bigint | null): StrictLimit {
  return {
    id: `spl_${scopeId}`,
    organizationId: "org",
    scopeType: scopeId.startsWith("group") ? "group" : "workspace",
    scopeId,
    period: "monthly",
    amountNanoUsd: 1_000n,
    openEndedHoldNanoUsd,
  };
}

const keyOf = ({ scopeType, scopeId, period }: StrictLimit) => ({ scopeType, scopeId, period });
const open = { holdNanoUsd: 100n, isOpenEnded: true };
const closed = { holdNanoUsd: 100n, isOpenEnded: false };

test("without an amount of a limit every balance holds the worst case", () => {
  expect(findOpenEndedHolds([])).toBe(WORST_CASES);
  expect(findOpenEndedHolds([limitOf("workspace", null)])).toBe(WORST_CASES);
  expect(holdOfLine(open, findHighest(WORST_CASES, keyOf(limitOf("workspace", null))))).toBe(100n);
});

test("each limit holds its own amount of an open-ended request, and balances without a limit the largest", () => {
  const [small, large] = [limitOf("workspace", 10n), limitOf("group_1", 30n)];
  const holds = findOpenEndedHolds([small, large]);
  const other = { ...keyOf(small), period: "daily" as const };
  const amounts = [keyOf(small), keyOf(large), other].map((key) => findHighest(holds, key));
  expect(amounts).toEqual([10n, 30n, 30n]);
  expect(amounts.map((highest) => holdOfLine(open, highest))).toEqual([10n, 30n, 30n]);
  expect(amounts.map((highest) => holdOfLine(closed, highest))).toEqual([100n, 100n, 100n]);
  expect(sumLines([open, closed, open], 10n)).toBe(120n);
  expect(listSmallerHolds(holds, (highest) => holdOfLine(open, highest), 30n)).toEqual([
    { scopeType: "workspace", period: "monthly", nanoUsd: 10n },
  ]);
});

test("a limit without an amount holds the worst case beside one that has chosen one", () => {
  const [chosen, whole] = [limitOf("group_1", 10n), limitOf("workspace", null)];
  const holds = findOpenEndedHolds([chosen, whole]);
  expect(findHighest(holds, keyOf(chosen))).toBe(10n);
  expect(findHighest(holds, keyOf(whole))).toBeNull();
  expect(listSmallerHolds(holds, (highest) => holdOfLine(open, highest), 100n)).toEqual([
    { scopeType: "group", period: "monthly", nanoUsd: 10n, scopeId: "group_1" },
  ]);
});

test("an amount above the worst case changes nothing", () => {
  expect(holdOfLine(open, 101n)).toBe(100n);
});

import { expect, test } from "vitest";
import { beginRecord, SOME_TIME_MS } from "#test/harness/request-records.ts";
import { PendingSpend } from "./pending-spend.ts";

const { organizationId, workspaceId, apiKeyId } = beginRecord();
const origin = { organizationId, workspaceId, apiKeyId, startedAtMs: SOME_TIME_MS };
const month = { scopeId: workspaceId, startMs: 0, endMs: Number.POSITIVE_INFINITY };

function spend(costNanoUsd: bigint) {
  return { origin, spent: { costNanoUsd, unresolvedNanoUsd: 0n }, isCounted: true };
}

test("a rewind counts exactly the ends that are added again", () => {
  const pending = new PendingSpend();
  pending.enter(0);
  const ends = [spend(1n), spend(20n), spend(300n)];
  for (const { origin: of, spent } of ends) pending.end(of, spent);
  pending.append(ends.slice(0, 1), 1);
  pending.fold(1);
  pending.append(ends.slice(1, 2), 2);
  expect(pending.sum(month)).toBe(320n);

  // The database has lost the second end, and the journal still has it.
  pending.rewind(1);
  expect([pending.sum(month), pending.hasUnappended, pending.foldedSeq]).toEqual([300n, true, 1]);
  for (const { spent } of ends.slice(1, 2)) pending.end(origin, spent);
  pending.enter(1);
  expect(pending.sum(month)).toBe(320n);

  pending.append(ends.slice(1), 3);
  expect([pending.hasUnappended, pending.isKnownPosition(2)]).toEqual([false, false]);
  pending.fold(3);
  expect(pending.sum(month)).toBe(0n);
});

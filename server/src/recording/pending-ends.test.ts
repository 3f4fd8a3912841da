import { test as base, expect } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import type { Journal } from "./journal-contract.ts";
import { PendingEnds } from "./pending-ends.ts";

const test = base.extend("ends", () => {
  let nowMs = 1_000;
  let seq = 0;
  const pending = new PendingEnds({
    journal: {
      readFrom: () => expect.unreachable("all ends are in memory"),
    } as Partial<Journal> as Journal,
    clock: { nowMs: () => expect.unreachable(), monotonicMs: () => nowMs },
    logger: makeLogger("silent"),
    maxInMemory: 100,
  });
  return {
    pending,
    addAt: (atMs: number) => {
      nowMs = atMs;
      seq += 1;
      const record = endRecord(beginRecord(), 1n);
      pending.add({ seq, record, position: { ordinal: 1, offset: 0 } });
    },
    setTime: (atMs: number) => {
      nowMs = atMs;
    },
  };
});

test("no end waits at first, and none after all are removed", async ({ ends }) => {
  expect(ends.pending.oldestMs()).toBe(0);
  ends.addAt(1_000);
  await ends.pending.head(10);
  ends.pending.remove(1);
  ends.setTime(9_000);
  expect(ends.pending.oldestMs()).toBe(0);
  ends.addAt(10_000);
  ends.setTime(10_250);
  expect(ends.pending.oldestMs()).toBe(250);
});

test("the waiting time is that of the oldest end", ({ ends }) => {
  ends.addAt(1_000);
  ends.addAt(1_200);
  ends.setTime(1_250);
  expect(ends.pending.oldestMs()).toBe(250);
});

test("after a flush, the waiting time starts with that flush at the earliest", async ({ ends }) => {
  ends.addAt(1_000);
  ends.setTime(1_100);
  await ends.pending.head(10);
  ends.addAt(1_150);
  ends.setTime(1_200);
  ends.pending.remove(1);
  expect(ends.pending.oldestMs()).toBe(100);
});

test("an end that a flush left out keeps its waiting time", async ({ ends }) => {
  ends.addAt(1_000);
  ends.addAt(1_010);
  ends.setTime(2_000);
  await ends.pending.head(1);
  ends.pending.remove(1);
  expect(ends.pending.oldestMs()).toBe(1_000);
});

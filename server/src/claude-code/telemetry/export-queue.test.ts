import { setImmediate as nextTick } from "node:timers/promises";
import { expect, test } from "vitest";
import { ExportQueue } from "./export-queue.ts";

/** A queue whose items end only when a test ends them. */
function makeQueue(maxRunning: number) {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const queue = new ExportQueue<string>({
    maxBytes: 16,
    maxRunning,
    run: (item) => {
      started.push(item);
      return new Promise((done) => ends.push(done));
    },
  });
  const add = (item: string, memberId: string, bytes = 1) => queue.add(item, { memberId, bytes });
  const endNext = async () => {
    ends.shift()?.();
    await nextTick();
  };
  return { queue, started, add, endNext };
}

test("members take turns, each in the order of their exports", async () => {
  const { started, add, endNext } = makeQueue(1);
  for (const item of ["a1", "a2", "a3"]) add(item, "ann");
  for (const item of ["b1", "b2"]) add(item, "ben");
  for (let count = 0; count < 5; count++) await endNext();
  expect(started).toEqual(["a1", "a2", "b1", "a3", "b2"]);
});

test("a member holds at most half of what the others leave, until the work ends", async () => {
  const { queue, add, endNext } = makeQueue(2);
  expect([add("a1", "ann", 8), add("a2", "ann")]).toEqual([true, false]);
  expect([add("b1", "ben", 4), add("b2", "ben"), add("c1", "cleo", 2)]).toEqual([
    true,
    false,
    true,
  ]);
  await endNext();
  expect(add("a3", "ann", 5)).toBe(true);
  queue.clear();
  // The exports of Ben and Cleo still run.
  expect([add("a4", "ann", 6), add("a5", "ann")]).toEqual([false, true]);
});

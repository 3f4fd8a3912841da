import { expect, test } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { type KeyRefusalsOptions, makeKeyRefusals, type RefusedRequests } from "./key-refusals.ts";

const NEVER_MS = 1_000_000;
const NOON = Date.UTC(2026, 10, 20, 12);
const MINUTE_MS = 60_000;

const keyOf = (apiKeyId: string) => ({
  organizationId: "6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f",
  workspaceId: "wksp_1",
  apiKeyId,
});
const countOf = (apiKeyId: string, minuteMs: number, requests: number): RefusedRequests => ({
  ...keyOf(apiKeyId),
  minuteMs,
  requests,
});

function makeCounts(options: Partial<KeyRefusalsOptions> & Pick<KeyRefusalsOptions, "save">) {
  return makeKeyRefusals({ intervalMs: NEVER_MS, logger: makeLogger("silent"), ...options });
}

test("merges refusals of a key within a minute to one row", async () => {
  const saved: RefusedRequests[][] = [];
  const counts = makeCounts({ save: async (rows) => void saved.push([...rows]) });
  for (let i = 0; i < 1_000; i++) counts.add(keyOf(`key_${i % 2}`), NOON + i);
  counts.add(keyOf("key_0"), NOON + MINUTE_MS);
  await counts.flush();
  await counts.flush();
  await counts.stop();
  expect(saved).toEqual([
    [
      countOf("key_0", NOON, 500),
      countOf("key_1", NOON, 500),
      countOf("key_0", NOON + MINUTE_MS, 1),
    ],
  ]);
});

test("while the database is unavailable, counts wait up to a limit and grow", async () => {
  let isAway = true;
  const saved: RefusedRequests[] = [];
  const counts = makeCounts({
    maxWaiting: 2,
    save: async (rows) => {
      if (isAway) throw new Error("connection refused");
      saved.push(...rows);
    },
  });
  for (const id of ["key_1", "key_2", "key_3"]) counts.add(keyOf(id), NOON);
  await counts.flush();
  counts.add(keyOf("key_2"), NOON + 1);
  counts.add(keyOf("key_4"), NOON + 1);
  isAway = false;
  await counts.stop();
  expect(saved).toEqual([countOf("key_1", NOON, 1), countOf("key_2", NOON, 2)]);
});

test("stop writes counts added during a write", async () => {
  const first = Promise.withResolvers<void>();
  const saved: RefusedRequests[][] = [];
  const counts = makeCounts({
    save: async (rows) => {
      saved.push(rows.map((row) => ({ ...row })));
      await first.promise;
    },
  });
  counts.add(keyOf("key_1"), NOON);
  const running = counts.flush();
  counts.add(keyOf("key_1"), NOON);
  const stopped = counts.stop();
  first.resolve();
  await Promise.all([running, stopped]);
  expect(saved).toEqual([[countOf("key_1", NOON, 1)], [countOf("key_1", NOON, 1)]]);
});

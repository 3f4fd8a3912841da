import type { ErrorCode } from "@bursar/contract/errors.ts";
import { expect, test } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { makeRefusal } from "#test/harness/refusals.ts";
import {
  makeRefusalRecorder,
  type Refusal,
  type RefusalCount,
  type RefusalRecorderOptions,
} from "./record-refusals.ts";

const NEVER_MS = 1_000_000;
const NOON = Date.UTC(2026, 10, 20, 12);
const MINUTE_MS = 60_000;
const organizationId = "6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f";
const unknownKey = { organizationId, workspaceId: "", apiKeyId: "" };

const refusalOf = (apiKeyId: string, atMs: number, errorCode: ErrorCode = "rate_limited") =>
  makeRefusal({ organizationId, workspaceId: "wksp_1", apiKeyId, atMs, errorCode });

/** Starts a recorder that writes only when it stops, into lists. */
function startRecorder(options: Partial<RefusalRecorderOptions> = {}) {
  const counts: RefusalCount[] = [];
  const recent: Refusal[] = [];
  const recorder = makeRefusalRecorder({
    saveCounts: async (rows) => void counts.push(...rows),
    saveRecent: async (rows) => void recent.push(...rows),
    intervalMs: NEVER_MS,
    logger: makeLogger("silent"),
    ...options,
  });
  return { recorder, counts, recent };
}

const summary = (counts: readonly RefusalCount[]) =>
  counts.map(({ apiKeyId, errorCode, minuteMs, requests }) => [
    apiKeyId,
    errorCode,
    (minuteMs - NOON) / MINUTE_MS,
    requests,
  ]);

test("counts refusals by key, cause and minute", async () => {
  const { recorder, counts } = startRecorder();
  for (let i = 0; i < 1_000; i++) recorder.record(refusalOf(`key_${i % 2}`, NOON + i));
  recorder.record(refusalOf("key_0", NOON + MINUTE_MS));
  recorder.record(refusalOf("key_0", NOON, "overloaded"));
  await recorder.flush();
  await recorder.stop();
  expect(summary(counts)).toEqual([
    ["key_0", "rate_limited", 0, 500],
    ["key_1", "rate_limited", 0, 500],
    ["key_0", "rate_limited", 1, 1],
    ["key_0", "overloaded", 0, 1],
  ]);
});

test("keeps the last 100 refusals of each key", async () => {
  const { recorder, recent } = startRecorder();
  for (let i = 0; i < 250; i++) recorder.record(refusalOf("key_1", NOON + i));
  recorder.record(refusalOf("key_2", NOON));
  await recorder.stop();
  expect(recent.length).toBe(101);
  expect([recent[0]?.atMs, recent[99]?.atMs]).toEqual([NOON + 150, NOON + 249]);
});

test("a flood without a known key stays one count a minute and cause, and 100 refusals", async () => {
  const { recorder, counts, recent } = startRecorder();
  for (let i = 0; i < 36_000; i++) {
    recorder.record(makeRefusal({ ...unknownKey, model: "", atMs: NOON + Math.floor(i / 0.6) }));
  }
  await recorder.stop();
  expect([counts.length, recent.length]).toEqual([1, 100]);
  expect(counts[0]?.requests).toBe(36_000);
});

test("while the database is unavailable, counts and refusals wait up to their limits", async () => {
  let isAway = true;
  const refuseWhileAway = async () => {
    if (isAway) throw new Error("connection refused");
  };
  const counts: RefusalCount[] = [];
  const recent: Refusal[] = [];
  const { recorder } = startRecorder({
    maxCounts: 2,
    maxKeys: 1,
    saveCounts: async (rows) => {
      await refuseWhileAway();
      counts.push(...rows);
    },
    saveRecent: async (rows) => {
      await refuseWhileAway();
      recent.push(...rows);
    },
  });
  for (const id of ["key_1", "key_2", "key_3"]) recorder.record(refusalOf(id, NOON));
  await recorder.flush();
  recorder.record(refusalOf("key_2", NOON + 1));
  recorder.record(refusalOf("key_1", NOON + 2));
  isAway = false;
  await recorder.stop();
  expect(summary(counts)).toEqual([
    ["key_1", "rate_limited", 0, 2],
    ["key_2", "rate_limited", 0, 2],
  ]);
  expect(recent.map(({ apiKeyId, atMs }) => [apiKeyId, atMs - NOON])).toEqual([
    ["key_1", 0],
    ["key_1", 2],
  ]);
});

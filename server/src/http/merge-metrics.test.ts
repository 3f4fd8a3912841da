import { expect, test } from "vitest";
import { mergeMetrics } from "./merge-metrics.ts";
import { makeMetrics } from "./metrics.ts";

function metricsOf(process: number, requests: number) {
  const metrics = makeMetrics({
    inFlight: () => process,
    pendingRecords: () => 0,
    oldestPendingMs: () => 0,
    foldLagMs: () => 0,
    closingLagMs: () => 0,
    journal: () => null,
    diskFreeBytes: () => 0,
    databaseSilenceMs: () => 0,
    brokenAuditLogs: () => 0,
    unsignedRows: () => 0,
    incarnation: () => 0,
    failovers: () => 0,
    newestBackupMs: () => null,
    reports: () => null,
    waitingHolds: () => 0,
    streamHolds: () => ({ streams: 0, nanoUsd: 0n, waiting: 0 }),
    process,
  });
  for (let i = 0; i < requests; i++) {
    metrics.observeRequest({ status: 200, outcome: "answered", durationMs: 1 });
  }
  return metrics;
}

test("lists each family once, with the unchanged lines of every process", async () => {
  const texts = await Promise.all([metricsOf(1, 2).text(), metricsOf(2, 3).text()]);
  const merged = mergeMetrics(texts);
  const types = merged.match(/^# TYPE \S+/gm) ?? [];
  expect(new Set(types).size).toBe(types.length);
  expect(merged.split("\n").filter((line) => /^bursar_claude_requests_total/.test(line))).toEqual([
    'bursar_claude_requests_total{status="2xx",outcome="answered",process="1"} 2',
    'bursar_claude_requests_total{status="2xx",outcome="answered",process="2"} 3',
  ]);
  const samples = (text: string) => text.split("\n").filter((line) => /^[a-z]/.test(line));
  expect(samples(merged).sort()).toEqual(texts.flatMap(samples).sort());
});

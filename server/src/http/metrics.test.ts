import { expect, test } from "vitest";
import { type Gauges, makeMetrics } from "./metrics.ts";

const none = () => 0;

const gauges: Gauges = {
  inFlight: none,
  pendingRecords: none,
  oldestPendingMs: none,
  foldLagMs: none,
  closingLagMs: none,
  journal: () => null,
  diskFreeBytes: none,
  databaseSilenceMs: none,
  waitingHolds: none,
  streamHolds: () => ({ streams: 2, nanoUsd: 1_500_000_000n, waiting: 1 }),
  incarnation: none,
  failovers: none,
  brokenAuditLogs: none,
  unsignedRows: none,
  newestBackupMs: () => null,
  reports: () => null,
};

test("refusals by shares are counted by kind and owner, also between two scrapes", async () => {
  const metrics = makeMetrics(gauges);
  metrics.observeShareRefusal("body_bytes", "api_key");
  metrics.observeShareRefusal("body_bytes", "api_key");
  metrics.observeShareRefusal("key_lookups", "address");
  await metrics.text();
  metrics.observeShareRefusal("body_bytes", "api_key");
  const text = await metrics.text();
  expect(text).toContain('bursar_share_refusals_total{kind="body_bytes",scope="api_key"} 3');
  expect(text).toContain('bursar_share_refusals_total{kind="key_lookups",scope="address"} 1');
});

test("streams in steps have their holds, and cuts and steps are counted by reason and outcome", async () => {
  const metrics = makeMetrics(gauges);
  metrics.observeCut("limit_spent");
  metrics.observeCut("limit_spent");
  metrics.observeStep("granted");
  metrics.observeStep("waiting");
  const lines = (await metrics.text()).split("\n").filter((line) => /^bursar_stream/.test(line));
  expect(lines.toSorted()).toEqual([
    'bursar_stream_cuts_total{reason="limit_spent"} 2',
    "bursar_stream_hold_usd 1.5",
    'bursar_stream_steps_total{outcome="granted"} 1',
    'bursar_stream_steps_total{outcome="waiting"} 1',
    "bursar_stream_steps_waiting 1",
    "bursar_streams_in_steps 2",
  ]);
});

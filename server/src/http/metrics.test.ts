import { expect, test } from "vitest";
import { makeMetrics } from "./metrics.ts";

const none = () => 0;

test("refusals by shares are counted by kind and owner, also between two scrapes", async () => {
  const metrics = makeMetrics({
    inFlight: none,
    pendingRecords: none,
    oldestPendingMs: none,
    foldLagMs: none,
    closingLagMs: none,
    journal: () => null,
    diskFreeBytes: none,
    databaseSilenceMs: none,
    waitingHolds: none,
    incarnation: none,
    failovers: none,
    brokenAuditLogs: none,
    unsignedRows: none,
    newestBackupMs: () => null,
    reports: () => null,
  });
  metrics.observeShareRefusal("body_bytes", "api_key");
  metrics.observeShareRefusal("body_bytes", "api_key");
  metrics.observeShareRefusal("key_lookups", "address");
  await metrics.text();
  metrics.observeShareRefusal("body_bytes", "api_key");
  const text = await metrics.text();
  expect(text).toContain('bursar_share_refusals_total{kind="body_bytes",scope="api_key"} 3');
  expect(text).toContain('bursar_share_refusals_total{kind="key_lookups",scope="address"} 1');
});

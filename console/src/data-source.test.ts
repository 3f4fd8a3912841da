import { expect, test } from "vitest";
import { replicaLagSeconds, reportDataSource } from "./data-source.ts";

const asOf = { "bursar-data-as-of": "2026-11-20T12:00:00.000Z" };

test("keeps the lag of the newest report, and none after a report from the primary", () => {
  reportDataSource(new Headers({ ...asOf, "bursar-replica-lag-seconds": "3.2" }));
  expect(replicaLagSeconds.get()).toBe(3.2);
  reportDataSource(new Headers({ "request-id": "req_1" }));
  expect(replicaLagSeconds.get()).toBe(3.2);
  reportDataSource(new Headers(asOf));
  expect(replicaLagSeconds.get()).toBeNull();
});

import { expect, test } from "vitest";
import { checkFailover } from "./check-failover.ts";

const failover = {
  incarnation: 2,
  reason: "timeline",
  at: "2026-11-20T12:00:00.000Z",
  is_recent: false,
  appended_records: 0,
  missing_records: 0,
} as const;

test("reports a database without a failover", () => {
  expect(checkFailover(null)).toEqual({ check: "failover", ok: true, detail: "none" });
});

test("names an old failover without a note", () => {
  expect(checkFailover({ ...failover, awaited_nodes: [] })).toEqual({
    check: "failover",
    ok: true,
    is_note: false,
    detail: "incarnation 2 since 2026-11-20T12:00:00.000Z: a standby was promoted",
  });
});

test("notes a recent failover with awaited nodes and appended records", () => {
  const recent = { ...failover, is_recent: true, awaited_nodes: ["node_2"], appended_records: 7 };
  expect(checkFailover(recent)).toEqual({
    check: "failover",
    ok: true,
    is_note: true,
    detail:
      "incarnation 2 since 2026-11-20T12:00:00.000Z: a standby was promoted; 7 lost records of this node are appended again; limits wait for the leases of node_2; check recent changes: `./bursar audit verify` and the audit log",
  });
});

test("fails while records of this node are missing", () => {
  const missing = { ...failover, awaited_nodes: [], missing_records: 3 };
  expect(checkFailover(missing)).toMatchObject({ ok: false });
});

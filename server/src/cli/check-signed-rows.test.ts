import { expect, test } from "vitest";
import { describeSignedRows } from "./check-signed-rows.ts";

type Row = Parameters<typeof describeSignedRows>[0]["unexplained"][number];

const row = (type: Row["type"], reason: Row["reason"]): Row => ({
  ...{ type, reason, id: "id", workspace_id: null, logged: null, stored: null },
});
const describe = (unexplained: Row[], isIntact = true) =>
  describeSignedRows({
    type: "audit_log_verification",
    is_intact: isIntact,
    events: 3,
    head: { seq: 3, hash: "00" },
    first_broken: null,
    failovers: [],
    unexplained,
  });

test("unsigned rows are a fault, with their number by kind", () => {
  const found = describe([
    row("api_key", "unsigned"),
    row("api_key", "unsigned"),
    row("workspace_member", "unsigned"),
    row("session", "unsigned"),
    row("member", "unlogged"),
  ]);
  expect(found.ok).toBe(false);
  expect(found.detail).toContain(
    "no valid signature: 2 API keys, 1 role in a workspace, 1 session. The server refuses",
  );
});

test("a changed log is a fault, and an unexplained row a note", () => {
  expect(describe([], false)).toMatchObject({ ok: false });
  expect(describe([row("spend_limit", "amount")])).toMatchObject({ ok: true, is_note: true });
  expect(describe([])).toEqual({
    check: "signatures",
    ok: true,
    detail: "the audit log and all signed rows are genuine",
  });
});

import { afterAll, expect } from "vitest";
import { verifyChain } from "#src/audit/verify-chain.ts";
import { openTestAuditLog, type TestAuditLog } from "#test/harness/audit-log.ts";
import { test } from "#test/harness/database-test.ts";
import { ensureOrganization } from "./organizations.ts";

let log: TestAuditLog;

test.beforeAll(async ({ db }) => {
  log = await openTestAuditLog({ database: db.database, nowMs: () => Date.UTC(2026, 10, 20) });
});
afterAll(async () => {
  await log.close();
});

test("creates one organization with one default workspace when several nodes start at once", async ({
  db,
}) => {
  const { database } = db;
  const made = await Promise.all(
    ["A", "B", "C", "D", "E"].map((name) => ensureOrganization(log.audit, name)),
  );
  const [first] = made;
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(await ensureOrganization(log.audit, "Later")).toEqual(first);
  const organizations = await database.selectFrom("organization").select(["id", "name"]).execute();
  expect(organizations).toEqual([first]);
  const workspaces = await database
    .selectFrom("workspace")
    .select(["name", "is_default", "organization_id"])
    .execute();
  expect(workspaces).toEqual([{ name: "Default", is_default: true, organization_id: first?.id }]);
  expect(await verifyChain(log.audit, first?.id ?? "")).toEqual({ kind: "intact", events: 1 });
});

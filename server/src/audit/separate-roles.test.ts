import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Database, openDatabase } from "#src/db/pool.ts";
import { ensureOrganization } from "#src/organizations/organizations.ts";
import { openTestAuditLog, type TestAuditLog } from "#test/harness/audit-log.ts";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import { appendAuditEvent, auditedTransaction } from "./audited-transaction.ts";
import { pruneChain } from "./prune.ts";
import { verifyChain } from "./verify-chain.ts";

// Runs the statements of the guide as an operator does, then the server with its own role.

const suffix = randomBytes(4).toString("hex");
const serverRole = `bursar_test_${suffix}_server`;
const auditRole = `bursar_test_${suffix}_audit`;

let db: TestDatabase;
let database: Database;
let log: TestAuditLog;
let organizationId: string;

beforeAll(async () => {
  db = await createTestDatabase();
  const all = `
    CREATE ROLE ${serverRole} NOLOGIN;
    GRANT CREATE, USAGE ON SCHEMA public TO ${serverRole};
    DO $$ DECLARE t text; BEGIN
      FOR t IN SELECT format('%I', relname) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') LOOP
        EXECUTE 'ALTER TABLE ' || t || ' OWNER TO ${serverRole}';
      END LOOP; END $$`;
  await runAsAdmin(db.adminConnectionString, all);
  await runAsAdmin(db.adminConnectionString, statementsOfGuide());
  const url = new URL(db.adminConnectionString);
  url.searchParams.set("options", `-c role=${serverRole}`);
  database = openDatabase({
    connectionString: url.href,
    maxConnections: 4,
    onIdleError: () => undefined,
  });
  log = await openTestAuditLog({ database, nowMs: () => Date.now() + 31 * 86_400_000 });
  organizationId = (await ensureOrganization(log.audit, "Company")).id;
});
afterAll(async () => {
  await log.close();
  await database.destroy();
  await db.drop();
  await runAsAdmin(
    inject("adminConnectionString"),
    `DROP ROLE ${serverRole}; DROP ROLE ${auditRole}`,
  );
});

async function runAsAdmin(connectionString: string, statements: string): Promise<void> {
  const admin = new pg.Client(connectionString);
  await admin.connect();
  try {
    await admin.query(statements);
  } finally {
    await admin.end();
  }
}

function statementsOfGuide(): string {
  const guide = readFileSync(new URL("../../../docs/guides/audit-log.md", import.meta.url), "utf8");
  const [, statements] = /```sql\n(.*?)```/s.exec(guide) ?? [];
  if (statements === undefined) throw new Error("the guide has statements");
  return statements
    .replaceAll(/\bbursar_audit\b/g, auditRole)
    .replaceAll(/\bbursar\b/g, serverRole);
}

const origin = { requestId: "req_test", ipAddress: null, userAgent: null };

test("the server's role can make a change with its event", async () => {
  const caller = { kind: "local_operator", id: "1000", organizationId } as const;
  await auditedTransaction(log.audit, caller, origin, async (tx) => {
    await tx.updateTable("organization").set({ name: "Renamed" }).execute();
    return {
      result: null,
      audit: {
        event: "organization.updated",
        subject: { type: "organization", id: organizationId },
        workspaceId: null,
        before: null,
        after: null,
      },
    };
  });
  expect(await verifyChain(log.audit, organizationId)).toEqual({ kind: "intact", events: 2 });
});

test.each([
  "UPDATE audit_event SET actor_id = 'x'",
  "DELETE FROM audit_event",
  "TRUNCATE audit_event",
  "ALTER TABLE audit_event DISABLE TRIGGER USER",
  "ALTER TABLE audit_event DROP COLUMN hash",
  "DROP TABLE audit_event CASCADE",
  "DROP TRIGGER audit_event_delete ON audit_event",
  "DROP FUNCTION audit_refuse_delete() CASCADE",
  "CREATE OR REPLACE FUNCTION audit_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
  "DROP SCHEMA public CASCADE",
  "DELETE FROM audit_head",
  "ALTER TABLE audit_head DISABLE TRIGGER USER",
  "UPDATE audit_checkpoint SET seq = 1",
  "DELETE FROM audit_checkpoint",
])("it may not: %s", async (statement) => {
  await expect(sql.raw(statement).execute(database)).rejects.toThrow(
    /permission denied|must be owner/,
  );
});

test("the server's role prunes events through its one function", async () => {
  await database.transaction().execute((tx) =>
    appendAuditEvent(tx, log.audit, {
      entry: {
        event: "audit_log.retention_set",
        subject: { type: "organization", id: organizationId },
        workspaceId: null,
        before: null,
        after: null,
        retentionDays: 30,
      },
      organizationId,
      actor: { type: "system", id: "test" },
      origin,
    }),
  );
  expect(await pruneChain(log.audit, organizationId)).toBe(3n);
  expect(await verifyChain(log.audit, organizationId)).toEqual({ kind: "intact", events: 1 });
});

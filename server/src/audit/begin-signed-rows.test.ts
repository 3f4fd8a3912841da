import { sql } from "kysely";
import { expect, onTestFinished } from "vitest";
import type { Database } from "#src/db/pool.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { signedTables } from "#src/signed-rows/row-content.ts";
import { startAdmin } from "#test/harness/admin.ts";
import { asDatabaseOwner, openTestAuditLog } from "#test/harness/audit-log.ts";
import { createTestDatabase } from "#test/harness/database.ts";
import { test as base } from "#test/harness/database-test.ts";
import { listAuditHeads } from "./audit.sql.ts";
import { beginSignedRows } from "./begin-signed-rows.ts";
import { signHead } from "./hash-event.ts";

const nowMs = () => Date.UTC(2026, 10, 20, 12);

/** Makes the database as an older version leaves it: its keys work, and no row has a MAC. */
async function forgetSignatures(database: Database, auditKey: Buffer): Promise<void> {
  await asDatabaseOwner(database, async (tx) => {
    for (const { mac: _, ...head } of await listAuditHeads(tx)) {
      const mac = signHead(auditKey, { ...head, hasSignedRows: false });
      await sql`UPDATE audit_head SET mac = ${mac} WHERE organization_id = ${head.organizationId}`.execute(
        tx,
      );
    }
    for (const table of signedTables)
      await sql`UPDATE ${sql.table(table)} SET mac = NULL`.execute(tx);
    await sql`DELETE FROM installation WHERE key = 'rows_signed_at'`.execute(tx);
  });
}

const test = base.extend("older", async ({ task: _ }, { onCleanup }) => {
  const db = await createTestDatabase();
  onCleanup(() => db.drop());
  const first = await openTestAuditLog({ database: db.database, nowMs });
  const h = await startAdmin({}, { ...db, audit: first.audit });
  const org = await h.organization();
  const { key } = await org.admin.createAdminKey();
  await first.close();
  await h.close();
  await forgetSignatures(db.database, first.audit.auditKey);

  /** Opens a node of this version, and its Admin API. */
  async function startNode(folder?: string) {
    const log = await openTestAuditLog({ database: db.database, nowMs, ...(folder && { folder }) });
    const api = await startAdmin({}, { ...db, audit: log.audit });
    onTestFinished(async () => {
      await api.close();
      await log.close();
    });
    const codeOf = async (secret: string) =>
      (await api.as(secret).get("/v1/admin/workspaces")).error.details?.error_code ?? "accepted";
    return { ...log, api, codeOf };
  }

  const events = async () =>
    (
      await db.database
        .selectFrom("audit_event")
        .select(["actor_id", "after"])
        .where("event", "=", "rows.signed")
        .where("organization_id", "=", org.id)
        .execute()
    ).map(({ actor_id, after }) => ({ actor_id, after }));

  const enterOlderNode = (secondsAgo: number) =>
    sql`INSERT INTO node (id, journal_id, version, appends, seen_at)
      VALUES ('node_older', 'journal_older', '0.1.0', false, now() - ${secondsAgo} * interval '1 s')
      ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`.execute(db.database);
  return { ...db, org, key, startNode, events, enterOlderNode };
});

test("signs the rows of an upgraded database once, and accepts its keys before and after", async ({
  older,
}) => {
  await older.enterOlderNode(5);
  const node = await older.startNode();
  expect(node.audit.rows.isRequired).toBe(false);
  expect(await node.codeOf(older.key)).toBe("accepted");

  await older.enterOlderNode(3_600);
  const second = await older.startNode();
  await beginSignedRows({ ...node.audit, logger: makeLogger("silent") });
  for (const { audit, codeOf } of [node, second]) {
    expect(audit.rows.isRequired).toBe(true);
    expect(await codeOf(older.key)).toBe("accepted");
  }
  expect(await older.events()).toMatchObject([{ actor_id: "upgrade", after: { rows: 2 } }]);
});

test("the database refuses an older node after the signatures", async ({ older }) => {
  await older.enterOlderNode(3_600);
  await older.startNode();
  const flush = sql`UPDATE node SET flushed_seq = 1 WHERE id = 'node_older'`.execute(
    older.database,
  );
  await expect(flush).rejects.toThrow(/newer version of Bursar/);
});

test("an older end of the log does not make the next start sign forged rows", async ({ older }) => {
  const before = await listAuditHeads(older.database);
  const node = await older.startNode();
  await node.audit.witness.flush();
  expect(await older.events()).toHaveLength(1);
  await asDatabaseOwner(older.database, async (tx) => {
    for (const { organizationId, seq, hash, mac } of before) {
      await sql`DELETE FROM audit_event WHERE organization_id = ${organizationId} AND seq > ${seq}`.execute(
        tx,
      );
      await sql`UPDATE audit_head SET seq = ${seq}, hash = ${hash}, mac = ${mac}
        WHERE organization_id = ${organizationId}`.execute(tx);
    }
    await sql`UPDATE admin_key SET mac = NULL`.execute(tx);
  });
  const restarted = await older.startNode(node.folder);
  expect(restarted.audit.rows.isRequired).toBe(true);
  expect(await restarted.codeOf(older.key)).toBe("api_key_unsigned");
  expect(await older.events()).toHaveLength(0);
});

test("a new database needs signatures from its first key on", async ({ db }) => {
  const log = await openTestAuditLog({ database: db.database, nowMs });
  onTestFinished(() => log.close());
  expect(log.audit.rows.isRequired).toBe(true);
});

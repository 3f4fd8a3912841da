import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { test as base, expect } from "vitest";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { ensureOrganization } from "#src/organizations/organizations.ts";
import { asDatabaseOwner, openTestAuditLog } from "#test/harness/audit-log.ts";
import { createTestDatabase } from "#test/harness/database.ts";
import { findAuditHead, insertCheckpoint, listChain } from "./audit.sql.ts";
import { appendAuditEvent } from "./audited-transaction.ts";
import { hashEvent, signCheckpoint } from "./hash-event.ts";
import { rotateChains } from "./rotate-chains.ts";
import { deriveAuditKey } from "./sign.ts";
import { verifyChain } from "./verify-chain.ts";

// The log after rotations of the secret. An attacker owns the database and has the old secret, but not the new one.

const secrets = ["the first secret of this test", "the second one", "the third one"] as const;
const [first, second, third] = [
  deriveAuditKey(secrets[0]),
  deriveAuditKey(secrets[1]),
  deriveAuditKey(secrets[2]),
];
const nowMs = () => Date.parse("2026-11-28T12:00:00Z");
const origin = { requestId: "req_test", ipAddress: null, userAgent: null };
const actor = { type: "local_operator", id: "1000" };

/** A log with `organization.created` and three events, signed with the first key. */
const test = base.extend("log", async ({ task }, { onCleanup }) => {
  const db = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), `bursar-test-${task.id}-`));
  const { database } = db;
  const open = (secret: string, logs: string[] = []) =>
    openTestAuditLog({ database, nowMs, folder, secret, logs });
  const { audit, close } = await open(secrets[0]);
  const { id: organizationId } = await ensureOrganization(audit, "Company");
  onCleanup(async () => {
    await db.drop();
    await rm(folder, { recursive: true });
  });

  const addEvent = (auditKey: Buffer) =>
    database.transaction().execute((tx) =>
      appendAuditEvent(
        tx,
        { ...audit, auditKey },
        {
          entry: {
            event: "organization.updated",
            subject: { type: "organization", id: organizationId },
            workspaceId: null,
            before: null,
            after: null,
          },
          organizationId,
          actor,
          origin,
        },
      ),
    );
  const rotate = (from: Buffer, to: Buffer) =>
    database.transaction().execute((tx) =>
      rotateChains(tx, {
        ...{ from, to, actor },
        randomBytes: systemRandomBytes,
        after: { sealed_values: 0, signed_rows: 0 },
      }),
    );
  for (let count = 0; count < 3; count++) audit.onAudited(await addEvent(first));
  await audit.witness.flush();
  await close();
  return { database, organizationId, open, addEvent, rotate };
});

test("a log verifies after two rotations, also for a node that saw only its start", async ({
  log,
}) => {
  const { database, organizationId } = log;
  const before = await listChain(database, { organizationId, afterSeq: 0n, limit: 10 });
  await log.rotate(first, second);
  await log.addEvent(second);
  await log.rotate(second, third);
  await log.addEvent(third);
  const events = await listChain(database, { organizationId, afterSeq: 0n, limit: 10 });
  expect(events.slice(0, 4)).toEqual(before);
  expect(events.slice(4).map(({ event }) => event)).toEqual([
    "secret.rotated",
    "organization.updated",
    "secret.rotated",
    "organization.updated",
  ]);
  const logs: string[] = [];
  const node = await log.open(secrets[2], logs);
  const anchor = node.audit.witness.findAnchor(organizationId);
  expect(anchor?.seq).toBe(4n);
  expect(logs.join()).not.toContain("not genuine");
  expect(await verifyChain({ database, auditKey: third }, organizationId, anchor)).toEqual({
    kind: "intact",
    events: 8,
  });
  expect(await verifyChain({ database, auditKey: second }, organizationId)).toMatchObject({
    reason: "the end of the log is not signed by this installation",
  });
  await node.close();
});

test("an old key that leaked changes no earlier event", async ({ log }) => {
  const { database, organizationId } = log;
  await log.rotate(first, second);
  await asDatabaseOwner(database, async (tx) => {
    const events = await listChain(tx, { organizationId, afterSeq: 1n, limit: 3 });
    let previous = events[0]?.previousHash ?? new Uint8Array();
    for (const { hash: _, previousHash: __, ...content } of events) {
      const hash = hashEvent(first, previous, { ...content, actorId: "user_other" });
      await sql`UPDATE audit_event SET actor_id = 'user_other', previous_hash = ${previous}, hash = ${hash}
        WHERE id = ${content.id}`.execute(tx);
      previous = hash;
    }
    await sql`UPDATE audit_event SET previous_hash = ${previous} WHERE seq = 5`.execute(tx);
  });
  expect(await verifyChain({ database, auditKey: second }, organizationId)).toMatchObject({
    seq: 5n,
    reason: "its content was changed",
  });
});

test("an old key that leaked signs no new end and no new checkpoint", async ({ log }) => {
  const { database, organizationId } = log;
  const state = () => verifyChain({ database, auditKey: second }, organizationId);
  const head = await findAuditHead(database, organizationId);
  await log.rotate(first, second);
  await asDatabaseOwner(database, async (tx) => {
    const [, cut] = await listChain(tx, { organizationId, afterSeq: 0n, limit: 2 });
    await sql`DELETE FROM audit_event WHERE seq <= 2`.execute(tx);
    const createdAt = new Date(nowMs());
    const hash = cut?.hash ?? new Uint8Array();
    const checkpoint = { organizationId, seq: 2n, hash, events: 2n, createdAt };
    await insertCheckpoint(tx, { ...checkpoint, mac: signCheckpoint(first, checkpoint) });
  });
  expect(await state()).toMatchObject({
    seq: 2n,
    reason: "the checkpoint of deleted events is not signed by this installation",
  });
  await asDatabaseOwner(database, async (tx) => {
    await sql`UPDATE audit_head SET seq = 4, hash = ${head?.hash}, mac = ${head?.mac}`.execute(tx);
  });
  expect(await state()).toMatchObject({
    reason: "the end of the log is not signed by this installation",
  });
});

test("a checkpoint from before a rotation stays valid", async ({ log }) => {
  const { database, organizationId } = log;
  await asDatabaseOwner(database, async (tx) => {
    const [, cut] = await listChain(tx, { organizationId, afterSeq: 0n, limit: 2 });
    const createdAt = new Date(nowMs());
    const hash = cut?.hash ?? new Uint8Array();
    const checkpoint = { organizationId, seq: 2n, hash, events: 2n, createdAt };
    await insertCheckpoint(tx, { ...checkpoint, mac: signCheckpoint(first, checkpoint) });
    await sql`DELETE FROM audit_event WHERE seq <= 2`.execute(tx);
  });
  await log.rotate(first, second);
  await log.rotate(second, third);
  expect(await verifyChain({ database, auditKey: third }, organizationId)).toEqual({
    kind: "intact",
    events: 4,
  });
});

test("a removed or exchanged old key is reported", async ({ log }) => {
  const { database, organizationId } = log;
  const state = () => verifyChain({ database, auditKey: second }, organizationId);
  await log.rotate(first, second);
  await sql`UPDATE retired_audit_key SET through_seq = 3`.execute(database);
  expect(await state()).toMatchObject({
    reason: "an earlier key of the log was not stored by this installation",
  });
  await sql`DELETE FROM retired_audit_key`.execute(database);
  expect(await state()).toMatchObject({ kind: "broken", seq: 1n });
});

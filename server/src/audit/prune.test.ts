import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { asDatabaseOwner } from "#test/harness/audit-log.ts";
import { findAuditHead, listChain, lockAuditHead } from "./audit.sql.ts";
import {
  appendAfterHead,
  appendAuditEvent,
  checkHead,
  startAuditChain,
} from "./audited-transaction.ts";
import { pruneAuditLog, pruneChain } from "./prune.ts";
import { verifyChain } from "./verify-chain.ts";

const DAY_MS = 86_400_000;

const test = base.extend("log", ({ h }) => {
  /** Creates a log with events of these ages in days. The last event can set a retention. */
  async function makeLog(ages: readonly number[], retentionDays?: number): Promise<string> {
    const id = randomUUID();
    await h.deps.database.transaction().execute(async (tx) => {
      await tx.insertInto("organization").values({ id, name: "Old" }).execute();
      await startAuditChain(tx, h.audit, id);
      for (const [index, days] of ages.entries()) {
        const { now: _, ...stored } = await lockAuditHead(tx, id);
        const head = checkHead(h.audit.auditKey, stored);
        const now = new Date(nowMs - days * DAY_MS);
        const isLast = index === ages.length - 1;
        const what = { ...entry, ...(isLast && retentionDays !== undefined && { retentionDays }) };
        await appendAfterHead(tx, h.audit, {
          head,
          now,
          entry: what,
          organizationId: id,
          actor,
          origin,
        });
      }
    });
    return id;
  }

  function addEvent(after: Record<string, number>, retentionDays?: number) {
    const what = { ...entry, after, ...(retentionDays !== undefined && { retentionDays }) };
    return h.deps.database
      .transaction()
      .execute((tx) =>
        appendAuditEvent(tx, h.audit, { entry: what, organizationId, actor, origin }),
      );
  }

  const verify = () =>
    verifyChain(h.deps, organizationId, h.audit.witness.findAnchor(organizationId));

  const prune = () => pruneChain({ ...h.audit, nowMs: () => nowMs }, organizationId);

  const events = () => listChain(h.deps.database, { organizationId, afterSeq: 0n, limit: 100 });

  const seqs = async () => (await events()).map(({ seq }) => Number(seq));

  const setRetention = (days: unknown) =>
    h.operator.post("/v1/admin/audit_log/retention", { retention_days: days });

  return { makeLog, addEvent, verify, prune, events, seqs, setRetention };
});

/** Organization with five events of 40 days ago and one of now, which sets a retention of 30 days. */
let organizationId: string;
let nowMs: number;
test.beforeEach(async ({ log }) => {
  nowMs = Date.now();
  organizationId = await log.makeLog([40, 40, 40, 40, 40]);
  await log.addEvent({ retention_days: 30 }, 30);
});

const origin = { requestId: "req_test", ipAddress: null, userAgent: null };
const actor = { type: "system", id: "test" };
const entry = {
  event: "thing.changed",
  subject: { type: "organization", id: "org_1" },
  workspaceId: null,
  before: null,
  after: { name: "x" },
} as const;

test("keeps all events without a retention", async ({ log }) => {
  organizationId = await log.makeLog([4_000]);
  expect(await log.prune()).toBe(0n);
  expect(await log.verify()).toEqual({ kind: "intact", events: 1 });
});

test("keeps an event until the end of its thirtieth day, UTC", async ({ log }) => {
  organizationId = await log.makeLog([0, 0], 30);
  const midnight = Math.floor(nowMs / DAY_MS) * DAY_MS;
  nowMs = midnight + 31 * DAY_MS - 1;
  expect(await log.prune()).toBe(0n);
  nowMs = midnight + 31 * DAY_MS;
  expect(await log.prune()).toBe(2n);
});

test("deletes older events, records that in the log, and leaves a chain that verifies", async ({
  log,
}) => {
  expect(await log.prune()).toBe(5n);
  const [kept, pruned, ...rest] = await log.events();
  expect(rest).toEqual([]);
  expect(kept).toMatchObject({ seq: 6n, after: { retention_days: 30 } });
  expect(pruned).toMatchObject({
    seq: 7n,
    event: "audit_log.pruned",
    actorType: "system",
    actorId: "retention",
    before: { events: "5", through_seq: "5" },
    after: { retention_days: 30 },
  });
  expect(await log.verify()).toEqual({ kind: "intact", events: 2 });
  await log.addEvent({ number: 1 });
  expect(await log.verify()).toEqual({ kind: "intact", events: 3 });
});

test("detects a change of an event that is left", async ({ h, log }) => {
  await log.prune();
  await asDatabaseOwner(h.deps.database, (tx) =>
    sql`UPDATE audit_event SET actor_id = 'x' WHERE organization_id = ${organizationId} AND seq = 6`.execute(
      tx,
    ),
  );
  expect(await log.verify()).toMatchObject({ kind: "broken", seq: 6n });
});

test("keeps events within the retention if one has a wrong time", async ({ log }) => {
  organizationId = await log.makeLog([40, 40, 0, 40]);
  await log.addEvent({}, 30);
  expect(await log.prune()).toBe(2n);
  expect(await log.seqs()).toEqual([3, 4, 5, 6]);
});

test("a second run and five concurrent runs delete and write nothing twice", async ({ log }) => {
  const deleted = await Promise.all([1, 2, 3, 4, 5].map(log.prune));
  expect(deleted.reduce((sum, each) => sum + each)).toBe(5n);
  expect(await log.prune()).toBe(0n);
  expect(await log.seqs()).toEqual([6, 7]);
  expect(await log.verify()).toEqual({ kind: "intact", events: 2 });
});

test("the next run continues one that ended before it deleted", async ({ h, log }) => {
  const gone = await log.events();
  await log.prune();
  // Restores the deleted events, as if the run had ended before.
  await asDatabaseOwner(h.deps.database, async (tx) => {
    for (const { seq, id, hash, previousHash, createdAt } of gone.slice(0, 5)) {
      await sql`INSERT INTO audit_event
        (id, organization_id, seq, event, actor_type, actor_id, subject_type, subject_id, request_id, created_at, previous_hash, hash)
        VALUES (${id}, ${organizationId}, ${seq}, 'x', 'x', 'x', 'x', 'x', 'x', ${createdAt}, ${previousHash}, ${hash})`.execute(
        tx,
      );
    }
  });
  expect(await log.verify()).toEqual({ kind: "intact", events: 2 });
  expect(await log.prune()).toBe(5n);
  expect(await log.seqs()).toEqual([6, 7]);
});

test("deletes no event of a broken chain", async ({ h, log }) => {
  await asDatabaseOwner(h.deps.database, (tx) =>
    sql`UPDATE audit_event SET actor_id = 'x' WHERE organization_id = ${organizationId} AND seq = 3`.execute(
      tx,
    ),
  );
  await expect(log.prune()).rejects.toThrow(
    "is broken at event 3 (its content was changed): none of its events are deleted",
  );
  expect(await log.seqs()).toEqual([1, 2, 3, 4, 5, 6]);
});

test("deletes nothing if the retention was shortened in the table", async ({ h, log }) => {
  organizationId = await log.makeLog([4_000]);
  await asDatabaseOwner(h.deps.database, (tx) =>
    sql`UPDATE audit_head SET retention_days = 30 WHERE organization_id = ${organizationId}`.execute(
      tx,
    ),
  );
  await expect(log.prune()).rejects.toThrow("signed by this installation");
  expect(await log.seqs()).toEqual([1]);
});

test("detects a checkpoint that was forged in the table", async ({ h, log }) => {
  const head = await findAuditHead(h.deps.database, organizationId);
  await asDatabaseOwner(h.deps.database, async (tx) => {
    await sql`INSERT INTO audit_checkpoint VALUES (${organizationId}, 4,
      (SELECT hash FROM audit_event WHERE organization_id = ${organizationId} AND seq = 4), 4, now(), ${head?.mac})`.execute(
      tx,
    );
    await sql`SELECT audit_prune(${organizationId}, 100)`.execute(tx);
  });
  expect(await log.seqs()).toEqual([5, 6]);
  expect(await log.verify()).toEqual({
    kind: "broken",
    seq: 4n,
    eventId: null,
    reason: "the checkpoint of deleted events is not signed by this installation",
  });
});

test("a chain without its checkpoint does not verify", async ({ h, log }) => {
  await log.prune();
  await asDatabaseOwner(h.deps.database, (tx) =>
    sql`DELETE FROM audit_checkpoint WHERE organization_id = ${organizationId}`.execute(tx),
  );
  expect(await log.verify()).toMatchObject({
    kind: "broken",
    seq: 1n,
    reason: "event 1 is missing",
  });
});

test("refuses to delete events after a checkpoint, and the checkpoint", async ({ h, log }) => {
  await log.prune();
  const ofThis = sql`organization_id = ${organizationId}`;
  await expect(
    sql`DELETE FROM audit_event WHERE ${ofThis}`.execute(h.deps.database),
  ).rejects.toThrow("audit_event is append-only: DELETE is refused");
  await expect(
    sql`DELETE FROM audit_checkpoint WHERE ${ofThis}`.execute(h.deps.database),
  ).rejects.toThrow("audit_checkpoint is append-only: DELETE is refused");
  await expect(
    sql`UPDATE audit_checkpoint SET seq = 99 WHERE ${ofThis}`.execute(h.deps.database),
  ).rejects.toThrow("audit_checkpoint is append-only: UPDATE is refused");
});

test("prunes other logs if one cannot be pruned", async ({ h, log }) => {
  const whole = organizationId;
  const broken = await log.makeLog([40]);
  await asDatabaseOwner(h.deps.database, (tx) =>
    sql`UPDATE audit_head SET retention_days = 30 WHERE organization_id = ${broken}`.execute(tx),
  );
  await pruneAuditLog({ ...h.audit, nowMs: () => nowMs, logger: h.deps.logger });
  organizationId = whole;
  expect(await log.seqs()).toEqual([6, 7]);
  const said = h.logs.filter((line) => line.includes("could not be deleted by age"));
  expect(said.join()).toContain(broken);
});

describe("setting the retention", () => {
  test("writes an event with the old value, and none for the same value", async ({ h, log }) => {
    organizationId = h.firstOrganizationId;
    const before = await log.verify();
    for (const days of [365, 365, null]) {
      const { status, body } = await log.setRetention(days);
      expect(status).toBe(200);
      expect(body).toMatchObject({ retention_days: days });
    }
    const found = (await log.events()).filter(({ event }) => event === "audit_log.retention_set");
    expect(found.map((each) => [each.before, each.after])).toEqual([
      [{ retention_days: null }, { retention_days: 365 }],
      [{ retention_days: 365 }, { retention_days: null }],
    ]);
    expect(before).toEqual({ kind: "intact", events: 1 });
    expect(await log.verify()).toEqual({ kind: "intact", events: 3 });
  });

  test.for([29, 0, -1, 36_501, 30.5, "30"])("%j days are refused", async (days, { log }) => {
    const answer = await log.setRetention(days);
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain("retention_days");
  });
});

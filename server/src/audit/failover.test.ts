import { sql } from "kysely";
import { expect } from "vitest";
import { createWorkspace } from "#src/workspaces/workspaces.ts";
import { makeAdminKeyCaller } from "#test/harness/admin-key-caller.ts";
import { test as base } from "#test/harness/admin-test.ts";
import {
  asDatabaseOwner,
  cutAuditLog,
  openTestAuditLog,
  type TestAuditLog,
} from "#test/harness/audit-log.ts";
import { findAuditHead, listChain } from "./audit.sql.ts";
import type { AuditHead } from "./hash-event.ts";
import { FAILED_OVER } from "./recorded-failover.sql.ts";
import { verifyChain } from "./verify-chain.ts";

// A promoted standby lacks the newest events. The log records that, and reports every other loss of events as tampering.

const PRIMARY = { systemIdentifier: "7000", timeline: 1n };
const PROMOTED = { systemIdentifier: "7000", timeline: 2n };

const test = base.extend("c", async ({ h, org }, { onCleanup }) => {
  const { database, nowMs } = h.deps;
  const opened: TestAuditLog[] = [];
  const servers = { now: PRIMARY };
  onCleanup(async () => {
    for (const each of opened) await each.close();
  });

  async function startNode(folder?: string) {
    const readServer = async () => servers.now;
    const options = { database, nowMs, readServer, ...(folder !== undefined && { folder }) };
    const node = await openTestAuditLog(options);
    opened.push(node);
    await node.audit.chains.check();
    return node;
  }

  const findHead = async () => {
    const head = await findAuditHead(database, org.id);
    if (head === null) throw new Error("no head");
    return head;
  };

  /** Removes the events after `head`, as a standby that lacks them, or an attacker. */
  const goBackTo = (head: AuditHead) => cutAuditLog(database, org.id, head);

  /** Adds an event on this node. */
  const addEvent = async (node: TestAuditLog) => {
    const caller = makeAdminKeyCaller("adminkey_1", org.id);
    const origin = { requestId: "req_1", ipAddress: null, userAgent: null };
    await createWorkspace(node.audit, { caller, origin }, { name: `W ${Math.random()}` });
  };

  const verify = (node: TestAuditLog) =>
    verifyChain(node.audit, org.id, node.audit.witness.findAnchor(org.id));
  /** Returns the number of lost events of the organization. Undefined: the node recorded no failover. */
  const record = async (node: TestAuditLog, incarnation = 1n) =>
    (await node.audit.failovers.record({ incarnation, listLost: () => [] })).get(org.id);
  const events = async () =>
    (await listChain(database, { organizationId: org.id, afterSeq: 0n, limit: 100 })).map(
      ({ event }) => event,
    );

  return { startNode, findHead, goBackTo, addEvent, verify, record, events, servers };
});

test("a node records how far the database went back, and every node accepts the log", async ({
  h,
  org,
  c,
}) => {
  const [one, two] = [await c.startNode(), await c.startNode()];
  await c.addEvent(one);
  const kept = await c.findHead();
  await c.addEvent(one);
  await c.addEvent(two);
  for (const node of [one, two]) await node.audit.chains.check();
  await c.goBackTo(kept);
  c.servers.now = PROMOTED;
  expect(await c.record(one)).toBe(2n);
  const [recorded] = await listChain(h.deps.database, {
    organizationId: org.id,
    afterSeq: kept.seq,
    limit: 10,
  });
  expect(recorded).toMatchObject({
    event: FAILED_OVER,
    actorType: "system",
    actorId: "failover",
    before: { events: String(kept.seq + 2n), system_identifier: "7000", timeline: "1" },
    after: {
      events: String(kept.seq),
      lost_events: "2",
      lost_changes: [],
      system_identifier: "7000",
      timeline: "2",
      incarnation: "1",
    },
  });
  expect(await c.record(two)).toBe(2n);
  expect((await c.events()).slice(Number(kept.seq))).toEqual([FAILED_OVER]);
  for (const node of [one, two]) {
    expect(await c.verify(node)).toMatchObject({ kind: "intact" });
    await node.audit.chains.check();
    expect(node.audit.chains.getReport(org.id).firstBroken).toBeNull();
    expect(node.audit.witness.findAnchor(org.id)).toMatchObject({
      seq: (await c.findHead()).seq,
      incarnation: 1n,
      server: PROMOTED,
    });
  }
});

test("a node that has seen more adds another event", async ({ c }) => {
  const [one, two] = [await c.startNode(), await c.startNode()];
  const kept = await c.findHead();
  await c.addEvent(two);
  await c.goBackTo(kept);
  c.servers.now = PROMOTED;
  expect([await c.record(one), await c.record(two)]).toEqual([0n, 1n]);
  expect((await c.events()).slice(Number(kept.seq))).toEqual([FAILED_OVER, FAILED_OVER]);
  for (const node of [one, two]) expect(await c.verify(node)).toMatchObject({ kind: "intact" });
});

test("a failover that lost nothing is recorded once", async ({ c }) => {
  const [one, two] = [await c.startNode(), await c.startNode()];
  c.servers.now = PROMOTED;
  expect(await c.record(one)).toBe(0n);
  expect(await c.record(two)).toBe(0n);
  expect((await c.events()).filter((event) => event === FAILED_OVER)).toHaveLength(1);
});

test("a node that was stopped during the failover records it at its start", async ({ org, c }) => {
  const one = await c.startNode();
  const kept = await c.findHead();
  await c.addEvent(one);
  await one.audit.witness.flush();
  await c.goBackTo(kept);
  c.servers.now = PROMOTED;
  const again = await c.startNode(one.folder);
  expect((await c.events()).at(-1)).toBe(FAILED_OVER);
  expect(again.audit.chains.getReport(org.id).firstBroken).toBeNull();
  await again.audit.witness.flush();
  const third = await c.startNode(one.folder);
  expect(third.audit.witness.findAnchor(org.id)).toMatchObject({
    incarnation: 1n,
    server: PROMOTED,
  });
});

test("a log that went back on the same server is reported, also with a raised incarnation", async ({
  h,
  org,
  c,
}) => {
  const one = await c.startNode();
  const kept = await c.findHead();
  await c.addEvent(one);
  await c.goBackTo(kept);
  await sql`INSERT INTO incarnation (value, id, system_identifier, timeline, reason)
    VALUES (7, gen_random_uuid(), '7000', 2, 'timeline')`.execute(h.deps.database);
  expect(await c.record(one, 7n)).toBeUndefined();
  expect(await c.verify(one)).toMatchObject({ kind: "broken", seq: kept.seq + 1n });
  await one.audit.chains.check();
  expect(one.audit.chains.getReport(org.id).firstBroken).not.toBeNull();
});

test("a recorded failover does not explain a later loss of events", async ({ c }) => {
  const one = await c.startNode();
  const kept = await c.findHead();
  await c.addEvent(one);
  await c.goBackTo(kept);
  c.servers.now = PROMOTED;
  await c.record(one);
  const recorded = await c.findHead();
  await c.addEvent(one);
  await c.goBackTo(recorded);
  expect(await c.verify(one)).toMatchObject({ kind: "broken", seq: recorded.seq + 1n });
  await c.goBackTo(kept);
  expect(await c.verify(one)).toMatchObject({ kind: "broken", seq: kept.seq + 1n });
});

test("a failover that no node has signed is reported", async ({ h, org, c }) => {
  const one = await c.startNode();
  const kept = await c.findHead();
  await c.addEvent(one);
  await c.addEvent(one);
  await c.goBackTo(kept);
  await asDatabaseOwner(h.deps.database, (tx) =>
    sql`INSERT INTO audit_event (id, organization_id, seq, event, actor_type, actor_id, subject_type, subject_id,
        after, request_id, created_at, previous_hash, hash)
      VALUES ('audit_forged', ${org.id}, ${kept.seq + 1n}, ${FAILED_OVER}, 'system', 'failover', 'organization',
        ${org.id}, '{"incarnation":"9","events":"5"}', 'req_1', now(), ${kept.hash}, sha256('x'))`.execute(
      tx,
    ),
  );
  expect(await c.verify(one)).toMatchObject({ kind: "broken", reason: "its content was changed" });
});

test("a broken log is not continued after a failover", async ({ org, c }) => {
  const one = await c.startNode();
  const kept = await c.findHead();
  await c.addEvent(one);
  await c.goBackTo(kept);
  await one.audit.chains.check();
  c.servers.now = PROMOTED;
  expect(await c.record(one)).toBeUndefined();
  expect(await c.verify(one)).toMatchObject({ kind: "broken" });
  expect(await c.events()).not.toContain(FAILED_OVER);
  expect(one.audit.chains.getReport(org.id).firstBroken).not.toBeNull();
});

test("no event precedes the record of the failover", async ({ c }) => {
  const one = await c.startNode();
  const kept = await c.findHead();
  c.servers.now = PROMOTED;
  one.audit.failovers.gate.close();
  const adding = c.addEvent(one);
  await c.record(one);
  one.audit.failovers.gate.open();
  await adding;
  expect((await c.events()).slice(Number(kept.seq))).toEqual([FAILED_OVER, "workspace.created"]);
});

import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { Database, Tx } from "#src/db/pool.ts";
import type { AdminHarness, TestOrganization } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { asDatabaseOwner, openTestAuditLog, type TestAuditLog } from "#test/harness/audit-log.ts";
import { findAuditHead, listChain } from "./audit.sql.ts";
import { hashUnkeyedEvent, unkeyedGenesisHash } from "./hash-event.ts";
import { verifyChain } from "./verify-chain.ts";

// An attacker owns the database, but does not have BURSAR_SECRET. The verification detects each change of the log.

const test = base.extend("log", ({ h, org }) => {
  const verify = () => verifyChain(h.deps, org.id, h.audit.witness.findAnchor(org.id));

  /** Verifies like a node that has never seen this database. */
  const verifyWithoutWitness = () => verifyChain(h.deps, org.id);

  const idOf = async (seq: number) => {
    const { id } = await database
      .selectFrom("audit_event")
      .select("id")
      .where("organization_id", "=", org.id)
      .where("seq", "=", BigInt(seq))
      .executeTakeFirstOrThrow();
    return id;
  };

  const remove = (tx: Tx, first: number, last: number) =>
    sql`DELETE FROM audit_event WHERE organization_id = ${org.id} AND seq BETWEEN ${first} AND ${last}`.execute(
      tx,
    );

  /** Removes everything after event 5. */
  async function rollBack(meanwhile: () => Promise<unknown> = async () => undefined) {
    const head = await findAuditHead(database, org.id);
    await org.admin.createWorkspace();
    await org.admin.createWorkspace();
    await meanwhile();
    await asOwner(async (tx) => {
      await sql`DELETE FROM audit_event WHERE organization_id = ${org.id} AND seq > 5`.execute(tx);
      await sql`UPDATE audit_head SET seq = 5, hash = ${head?.hash}, mac = ${head?.mac}
        WHERE organization_id = ${org.id}`.execute(tx);
    });
  }

  /** Converts the chain to plain hashes without signatures, as before the audit key. */
  async function makeUnkeyed(change: (tx: Tx) => Promise<unknown> = async () => undefined) {
    await asOwner(async (tx) => {
      let previous: Uint8Array = unkeyedGenesisHash(org.id);
      await sql`UPDATE audit_event SET actor_name = NULL WHERE organization_id = ${org.id}`.execute(
        tx,
      );
      for (const event of await listChain(tx, {
        organizationId: org.id,
        afterSeq: 0n,
        limit: 10,
      })) {
        const { hash: _, previousHash: __, ...content } = event;
        const hash = hashUnkeyedEvent(previous, content);
        await sql`UPDATE audit_event SET previous_hash = ${previous}, hash = ${hash} WHERE id = ${event.id}`.execute(
          tx,
        );
        previous = hash;
      }
      await sql`UPDATE audit_head SET hash = ${previous}, mac = NULL, keyed_from = NULL
        WHERE organization_id = ${org.id}`.execute(tx);
      await change(tx);
    });
  }

  const start = () => openTestAuditLog({ database, nowMs: h.deps.nowMs });

  /** The event that the upgrade adds first. `rows.signed` follows. */
  const firstSigned = async () =>
    (await listChain(database, { organizationId: org.id, afterSeq: 5n, limit: 10 })).at(0);

  return { verify, verifyWithoutWitness, idOf, remove, rollBack, makeUnkeyed, start, firstSigned };
});

let database: Database;

test.beforeAll(async ({ h }) => {
  database = h.deps.database;
});
test.beforeEach(async ({ org }) => {
  // organization.created, admin_key.created, and three workspaces: five events.
  for (let i = 0; i < 3; i++) await org.admin.createWorkspace();
});
const asOwner = (work: (tx: Tx) => Promise<unknown>) => asDatabaseOwner(database, work);

test("an unchanged log is intact", async ({ log }) => {
  expect(await log.verify()).toEqual({ kind: "intact", events: 5 });
});

describe("a changed event is reported", () => {
  const columns: [string, ReturnType<typeof sql>][] = [
    ["id", sql`'audit_other'`],
    ["event", sql`'workspace.deleted'`],
    ["actor_type", sql`'member'`],
    ["actor_id", sql`'user_other'`],
    ["actor_name", sql`'Another name'`],
    ["actor_email", sql`'else@example.com'`],
    ["subject_type", sql`'api_key'`],
    ["subject_id", sql`'wksp_other'`],
    ["workspace_id", sql`'wksp_other'`],
    ["before", sql`'{"name":"x"}'::jsonb`],
    ["after", sql`after || '{"name":"Other"}'::jsonb`],
    ["request_id", sql`'req_other'`],
    ["ip_address", sql`'192.0.2.99'`],
    ["user_agent", sql`'other'`],
    ["created_at", sql`created_at - interval '1 day'`],
    ["hash", sql`sha256('x')`],
  ];
  test.for(columns)("in its %s", async ([column, value], { org, log }) => {
    await asOwner((tx) =>
      sql`UPDATE audit_event SET ${sql.ref(column)} = ${value}
        WHERE organization_id = ${org.id} AND seq = 4`.execute(tx),
    );
    expect(await log.verify()).toEqual({
      kind: "broken",
      seq: 4n,
      eventId: await log.idOf(4),
      reason: "its content was changed",
    });
  });

  test("in its previous hash", async ({ org, log }) => {
    await asOwner((tx) =>
      sql`UPDATE audit_event SET previous_hash = sha256('x')
        WHERE organization_id = ${org.id} AND seq = 4`.execute(tx),
    );
    expect(await log.verify()).toMatchObject({
      seq: 4n,
      reason: "its previous hash does not match the event before it",
    });
  });

  test("after which all hashes were computed again without the key", async ({ org, log }) => {
    await asOwner(async (tx) => {
      const events = await listChain(tx, { organizationId: org.id, afterSeq: 2n, limit: 10 });
      let previous: Uint8Array = events[0]?.previousHash ?? new Uint8Array();
      for (const { hash: _, previousHash: __, ...content } of events) {
        const hash = hashUnkeyedEvent(previous, { ...content, actorId: "user_other" });
        await sql`UPDATE audit_event SET actor_id = 'user_other', previous_hash = ${previous}, hash = ${hash}
          WHERE id = ${content.id}`.execute(tx);
        previous = hash;
      }
      await sql`UPDATE audit_head SET hash = ${previous} WHERE organization_id = ${org.id}`.execute(
        tx,
      );
    });
    expect(await log.verify()).toMatchObject({
      kind: "broken",
      reason: "the end of the log is not signed by this installation",
    });
  });
});

describe("a removed event is reported", () => {
  test.for([1, 2, 3, 4, 5])("event %i", async (seq, { log }) => {
    await asOwner((tx) => log.remove(tx, seq, seq));
    expect(await log.verify()).toEqual({
      kind: "broken",
      seq: BigInt(seq),
      eventId: null,
      reason: `event ${seq} is missing`,
    });
  });

  test("all events", async ({ log }) => {
    await asOwner((tx) => sql`TRUNCATE audit_event`.execute(tx));
    expect(await log.verify()).toMatchObject({ seq: 1n, reason: "event 1 is missing" });
  });

  test("the last events, with a matching head", async ({ h, org, log }) => {
    const old = await listChain(database, { organizationId: org.id, afterSeq: 2n, limit: 1 });
    await asOwner(async (tx) => {
      await log.remove(tx, 4, 5);
      await sql`UPDATE audit_head SET seq = 3, hash = ${old[0]?.hash} WHERE organization_id = ${org.id}`.execute(
        tx,
      );
    });
    expect(await log.verifyWithoutWitness()).toMatchObject({
      kind: "broken",
      seq: 3n,
      reason: "the end of the log is not signed by this installation",
    });
    // No change is written after such an end, because that would make the end genuine.
    expect((await org.admin.post("/v1/admin/workspaces", { name: "After" })).status).toBe(500);
    expect(h.logs.join()).toContain("the end of the audit log is signed by this installation");
  });

  test("the head with all events", async ({ org, log }) => {
    await asOwner(async (tx) => {
      await log.remove(tx, 1, 5);
      await sql`DELETE FROM audit_head WHERE organization_id = ${org.id}`.execute(tx);
    });
    expect(await log.verify()).toMatchObject({
      kind: "broken",
      reason: "the end of the log is missing",
    });
  });
});

describe("a moved event is reported", () => {
  test("two exchanged events", async ({ org, log }) => {
    await asOwner(async (tx) => {
      await sql`UPDATE audit_event SET seq = CASE seq WHEN 3 THEN -4 ELSE -3 END
        WHERE organization_id = ${org.id} AND seq IN (3, 4)`.execute(tx);
      await sql`UPDATE audit_event SET seq = -seq WHERE seq < 0`.execute(tx);
    });
    expect(await log.verify()).toMatchObject({ kind: "broken", seq: 3n });
  });

  test.for([
    ["in the middle", 3],
    ["after the end", 6],
  ] as const)("a copy inserted %s", async ([_, seq], { org, log }) => {
    const [last] = await listChain(database, { organizationId: org.id, afterSeq: 4n, limit: 1 });
    if (last === undefined) throw new Error("five events are there");
    await asOwner(async (tx) => {
      await sql`UPDATE audit_event SET seq = -seq - 1
        WHERE organization_id = ${org.id} AND seq >= ${seq}`.execute(tx);
      await sql`UPDATE audit_event SET seq = -seq
        WHERE organization_id = ${org.id} AND seq < 0`.execute(tx);
      await sql`INSERT INTO audit_event
        (id, organization_id, seq, event, actor_type, actor_id, subject_type, subject_id, request_id, created_at, previous_hash, hash)
        SELECT 'audit_copy' || seq, organization_id, ${seq}, event, actor_type, actor_id, subject_type, subject_id,
          request_id, created_at, hash, hash
        FROM audit_event WHERE id = ${last.id}`.execute(tx);
    });
    expect(await log.verify()).toMatchObject({ kind: "broken", seq: BigInt(seq) });
  });

  test("another organization's chain in place of this one", async ({ h, org, log }) => {
    const other = await h.organization();
    for (let i = 0; i < 3; i++) await other.admin.createWorkspace();
    await asOwner(async (tx) => {
      await sql`DELETE FROM audit_event WHERE organization_id = ${org.id}`.execute(tx);
      await sql`UPDATE audit_event SET organization_id = ${org.id} WHERE organization_id = ${other.id}`.execute(
        tx,
      );
      await sql`UPDATE audit_head h SET seq = o.seq, hash = o.hash, mac = o.mac FROM audit_head o
        WHERE h.organization_id = ${org.id} AND o.organization_id = ${other.id}`.execute(tx);
    });
    expect(await log.verifyWithoutWitness()).toMatchObject({ kind: "broken" });
  });
});

describe("an older end of the log with its genuine signature", () => {
  const seen =
    "the log ends with event 5, and this node has seen event 7: later events were removed, or an older copy of the " +
    "database was restored";

  test("is detected by a node that has seen more", async ({ log }) => {
    await log.rollBack();
    expect(await log.verify()).toEqual({ kind: "broken", seq: 6n, eventId: null, reason: seen });
    // The log alone cannot show this, so the witness exists.
    expect(await log.verifyWithoutWitness()).toEqual({ kind: "intact", events: 5 });
  });

  test("is detected by the background check, and logged once", async ({ h, org, log }) => {
    await log.rollBack();
    const [before, broken] = [h.logs.length, h.audit.chains.countBroken()];
    await h.audit.chains.check();
    await h.audit.chains.check();
    expect(h.audit.chains.getReport(org.id).firstBroken).toMatchObject({ seq: 6n, reason: seen });
    const said = h.logs.slice(before).filter((line) => line.includes("tampered with"));
    expect(said.filter((line) => line.includes(org.id))).toHaveLength(1);
    expect(h.audit.chains.countBroken()).toBeGreaterThan(broken);
  });

  test("is detected after a restart, by the file in the data folder", async ({ h, org, log }) => {
    const node = await openTestAuditLog({ database, nowMs: h.deps.nowMs });
    await log.rollBack(async () => {
      await node.audit.chains.check();
      await node.audit.witness.flush();
    });
    const again = await openTestAuditLog({
      database,
      nowMs: h.deps.nowMs,
      folder: node.folder,
    });
    const anchor = again.audit.witness.findAnchor(org.id);
    expect(await verifyChain(again.audit, org.id, anchor)).toMatchObject({ reason: seen });
    await node.close();
  });

  test("is detected after as many other events were written", async ({ h, org, log }) => {
    await log.rollBack();
    for (let i = 0; i < 4; i++) await org.admin.createWorkspace();
    expect(await log.verify()).toMatchObject({
      kind: "broken",
      seq: 7n,
      reason: "this node has seen another event with this number",
    });
    await h.audit.chains.check();
    expect(await log.verify()).toMatchObject({ kind: "broken", seq: 7n });
  });
});

describe("the witness of a node", () => {
  let node: TestAuditLog;
  let file: string;

  test.beforeEach(async ({ h }) => {
    node = await openTestAuditLog({ database, nowMs: h.deps.nowMs });
    file = join(node.folder, "audit-heads.jsonl");
    await node.audit.chains.check();
    await node.audit.witness.flush();
    return () => node.close();
  });
  const reopened = async (
    { h, org }: { h: AdminHarness; org: TestOrganization },
    logs: string[] = [],
  ) => {
    const again = await openTestAuditLog({
      database,
      nowMs: h.deps.nowMs,
      folder: node.folder,
      logs,
    });
    return again.audit.witness.findAnchor(org.id);
  };

  test("has one file for each process of a folder, and reads all files at the start", async ({
    h,
    org,
  }) => {
    const second = await openTestAuditLog({
      database,
      nowMs: h.deps.nowMs,
      folder: node.folder,
      index: 2,
    });
    await org.admin.createWorkspace({ name: "Seen by the second process" });
    await second.audit.chains.check();
    await second.audit.witness.flush();
    const seen = second.audit.witness.findAnchor(org.id);
    expect(seen?.seq).toBeGreaterThan(node.audit.witness.findAnchor(org.id)?.seq ?? 0n);
    expect(await reopened({ h, org })).toEqual(seen);
    expect(existsSync(join(node.folder, "audit-heads-2.jsonl"))).toBe(true);
  });

  test("is restored after a restart from a file that only its owner can read", async ({
    h,
    org,
  }) => {
    const head = await findAuditHead(database, org.id);
    expect(await reopened({ h, org })).toMatchObject({ seq: 5n, hash: head?.hash });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("ignores a line that a crash truncated", async ({ h, org }) => {
    await writeFile(file, `${(await readFile(file, "utf8")).trimEnd()}\n{"organization_id":"`, {
      mode: 0o600,
    });
    const logs: string[] = [];
    expect(await reopened({ h, org }, logs)).toMatchObject({ seq: 5n });
    expect(logs.join()).toContain("is not genuine");
  });

  test("ignores lines that were written without the secret", async ({ h, org }) => {
    const text = (await readFile(file, "utf8")).replaceAll(/"seq":"\d+"/g, '"seq":"1"');
    await writeFile(file, text, { mode: 0o600 });
    expect(await reopened({ h, org })).toBeNull();
  });

  test("has events of other nodes after the next check", async ({ org }) => {
    await org.admin.createWorkspace();
    expect(node.audit.witness.findAnchor(org.id)).toMatchObject({ seq: 5n });
    await node.audit.chains.check();
    expect(node.audit.witness.findAnchor(org.id)).toMatchObject({ seq: 6n });
  });

  test("has events of its node at once, reported in any order", async ({ h, org }) => {
    const events = await listChain(database, { organizationId: org.id, afterSeq: 0n, limit: 10 });
    const [first, ...rest] = events;
    const fresh = await openTestAuditLog({ database, nowMs: h.deps.nowMs });
    try {
      for (const event of [first, ...rest.reverse()])
        if (event) fresh.audit.witness.recordEvent(event);
      expect(fresh.audit.witness.findAnchor(org.id)).toMatchObject({ seq: 5n });
    } finally {
      await fresh.close();
    }
  });
});

describe("triggers refuse a change of the log", () => {
  test.for([
    [
      "UPDATE of an event",
      "UPDATE audit_event SET actor_id = 'x'",
      "audit_event is append-only: UPDATE is refused",
    ],
    [
      "DELETE of an event",
      "DELETE FROM audit_event",
      "audit_event is append-only: DELETE is refused",
    ],
    [
      "TRUNCATE of events",
      "TRUNCATE audit_event",
      "audit_event is append-only: TRUNCATE is refused",
    ],
    [
      "TRUNCATE through a reference",
      "TRUNCATE organization CASCADE",
      "append-only: TRUNCATE is refused",
    ],
    [
      "UPDATE that moves an end back",
      "UPDATE audit_head SET seq = seq - 1",
      "audit_head never goes back: UPDATE is refused",
    ],
    ["DELETE of an end", "DELETE FROM audit_head", "audit_head is append-only: DELETE is refused"],
    ["TRUNCATE of ends", "TRUNCATE audit_head", "audit_head is append-only: TRUNCATE is refused"],
  ] as const)("%s", async ([_, statement, message], { log }) => {
    await expect(sql.raw(statement).execute(database)).rejects.toThrow(message);
    expect(await log.verify()).toEqual({ kind: "intact", events: 5 });
  });
});

describe("a database that is older than the key", () => {
  test("gets one first signed event from concurrent starts, and verifies", async ({ log }) => {
    await log.makeUnkeyed();
    const nodes = await Promise.all([log.start(), log.start(), log.start()]);
    expect(await log.verifyWithoutWitness()).toEqual({ kind: "intact", events: 7 });
    expect(await log.firstSigned()).toMatchObject({
      seq: 6n,
      event: "audit_log.keyed",
      actorType: "system",
      before: { events: "5", first_broken: null },
    });
    for (const node of nodes) await node.close();
  });

  test("records the first changed event", async ({ org, log }) => {
    await log.makeUnkeyed((tx) =>
      sql`UPDATE audit_event SET actor_id = 'x' WHERE organization_id = ${org.id} AND seq = 2`.execute(
        tx,
      ),
    );
    const node = await log.start();
    expect(await log.firstSigned()).toMatchObject({ before: { events: "5", first_broken: "2" } });
    expect(await log.verifyWithoutWitness()).toMatchObject({ kind: "broken", seq: 2n });
    await node.close();
  });

  test("detects later changes of its old events", async ({ org, log }) => {
    await log.makeUnkeyed();
    const node = await log.start();
    await asOwner((tx) =>
      sql`UPDATE audit_event SET actor_name = 'x' WHERE organization_id = ${org.id} AND seq = 2`.execute(
        tx,
      ),
    );
    expect(await log.verifyWithoutWitness()).toMatchObject({ kind: "broken", seq: 2n });
    await node.close();
  });

  test("is rejected by a node that has seen it signed", async ({ h, org, log }) => {
    const node = await log.start();
    await node.audit.chains.check();
    await node.audit.witness.flush();
    await log.makeUnkeyed();
    const again = await openTestAuditLog({ database, nowMs: h.deps.nowMs, folder: node.folder });
    expect(await log.firstSigned()).toBeUndefined();
    expect(await verifyChain(again.audit, org.id)).toMatchObject({ kind: "broken" });
    await node.close();
  });
});

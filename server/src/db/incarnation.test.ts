import { sql } from "kysely";
import { expect, test as plain } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { test as base } from "#test/harness/database-test.ts";
import type { ServerState } from "./incarnation.sql.ts";
import {
  type Incarnation,
  type IncarnationChange,
  Incarnations,
  judgeServer,
} from "./incarnation.ts";
import { type Database, openDatabase } from "./pool.ts";

const FIRST: Incarnation = { value: 3n, id: "a", timeline: 1n, systemIdentifier: "one" };

function serverWith(changes: Partial<ServerState> = {}): ServerState {
  const identity = { timeline: 1n, systemIdentifier: "one" };
  return { isStandby: false, ...identity, stored: FIRST, changeCounter: 7n, ...changes };
}

const judgements: [string, Partial<ServerState>, ReturnType<typeof judgeServer>][] = [
  ["the known server", {}, { kind: "same" }],
  ["a standby", { isStandby: true, timeline: null }, { kind: "refuse", reason: "standby" }],
  ["a newer timeline", { timeline: 2n }, { kind: "raise", reason: "timeline" }],
  ["an earlier primary", { timeline: 0n }, { kind: "refuse", reason: "older_timeline" }],
  ["another system", { systemIdentifier: "two" }, { kind: "raise", reason: "system" }],
  ["a lower change counter", { changeCounter: 6n }, { kind: "raise", reason: "rollback" }],
  ["a later incarnation", { stored: { ...FIRST, value: 4n, id: "b" } }, { kind: "adopt" }],
  [
    "an earlier incarnation",
    { stored: { ...FIRST, value: 2n, id: "z" } },
    { kind: "raise", reason: "rollback" },
  ],
  [
    "another incarnation of the same value",
    { stored: { ...FIRST, id: "b" } },
    { kind: "raise", reason: "rollback" },
  ],
  ["an unknown timeline", { timeline: null, systemIdentifier: null }, { kind: "same" }],
  [
    "an incarnation without a timeline",
    { stored: { ...FIRST, timeline: null, systemIdentifier: null } },
    { kind: "identify" },
  ],
];

plain.for(judgements)("judges %s", ([, changes, expected]) => {
  expect(judgeServer({ incarnation: FIRST, changeCounter: 7n }, serverWith(changes))).toEqual(
    expected,
  );
});

plain("a process without earlier connections adopts the stored incarnation", () => {
  expect(judgeServer({ incarnation: null, changeCounter: 0n }, serverWith())).toEqual({
    kind: "adopt",
  });
});

const test = base.extend("startProcess", ({ db }, { onCleanup }) => {
  const opened: Database[] = [];
  onCleanup(async () => {
    await Promise.all(opened.map((database) => database.destroy()));
  });
  /** Opens connections of one process. */
  return () => {
    const incarnations = new Incarnations(makeLogger("silent"));
    const open = () => {
      const database = openDatabase({
        connectionString: db.connectionString,
        maxConnections: 1,
        onIdleError: () => undefined,
        incarnations,
      });
      opened.push(database);
      return database;
    };
    const connect = async () => void (await sql`SELECT 1`.execute(open()));
    const changes: IncarnationChange[] = [];
    incarnations.subscribe((change) => changes.push(change));
    return { incarnations, open, connect, changes };
  };
});

test("the first connection stores the identity of the server", async ({ db, startProcess }) => {
  const { connect, incarnations, changes } = startProcess();
  await connect();
  const row = await db.database
    .selectFrom("incarnation")
    .select(["value", "id", "timeline", "system_identifier as systemIdentifier"])
    .executeTakeFirstOrThrow();
  expect(row).toEqual(incarnations.current);
  expect(row.timeline).toBe(1n);
  expect(changes).toEqual([]);
});

function numberOf(incarnation: Incarnation | null): bigint {
  if (incarnation === null) throw new Error("the process has a connection");
  return incarnation.value;
}

/** Gives the stored incarnation an earlier timeline, as a promoted standby has it. */
async function pretendPromotion({ database }: { database: Database }): Promise<void> {
  await sql`UPDATE incarnation SET timeline = 0
    WHERE value = (SELECT max(value) FROM incarnation)`.execute(database);
}

test("two processes raise the incarnation of a promoted standby once", async ({
  db,
  startProcess,
}) => {
  const [one, two] = [startProcess(), startProcess()];
  await Promise.all([one.connect(), two.connect()]);
  const earlier = one.incarnations.current;
  await db.database
    .insertInto("node")
    .values({ id: "node-a", journal_id: "j", version: "1", epoch: 9n })
    .execute();
  await pretendPromotion(db);
  await Promise.all([one.connect(), two.connect(), one.connect()]);

  const { current } = one.incarnations;
  expect(current).toMatchObject({ value: numberOf(earlier) + 1n, timeline: 1n });
  expect(two.incarnations.current).toEqual(current);
  expect(one.changes).toEqual([{ before: earlier, after: current }]);
  expect(two.changes).toEqual([{ before: earlier, after: current }]);
  const { rows } = await sql<Record<string, bigint>>`
    SELECT (SELECT epoch FROM node) AS epoch, (SELECT value FROM change_counter) AS changes,
      (SELECT value FROM limits_version) AS limits, (SELECT value FROM rate_limits_version) AS rates`.execute(
    db.database,
  );
  const least = numberOf(current) << 32n;
  expect(rows).toEqual([{ epoch: least, changes: least, limits: least, rates: least }]);
});

test("a raise in a database that lacks earlier raises gets a higher value", async ({
  db,
  startProcess,
}) => {
  const { connect, incarnations } = startProcess();
  await connect();
  const first = numberOf(incarnations.current);
  await pretendPromotion(db);
  await connect();
  await sql`DELETE FROM incarnation WHERE value > ${first}`.execute(db.database);
  await sql`UPDATE incarnation SET timeline = 1`.execute(db.database);
  await connect();
  expect(incarnations.current?.value).toBe(first + 2n);
});

test("a lower change counter raises the incarnation", async ({ db, startProcess }) => {
  const { connect, incarnations } = startProcess();
  await connect();
  const first = numberOf(incarnations.current);
  incarnations.observeCounter(1n << 40n);
  await connect();
  const row = await db.database
    .selectFrom("incarnation")
    .select(["value", "reason"])
    .orderBy("value", "desc")
    .executeTakeFirstOrThrow();
  expect(row).toEqual({ value: first + 1n, reason: "rollback" });
  // The next connection finds the counter of the new incarnation.
  await connect();
  expect(incarnations.current?.value).toBe(first + 1n);
});

test("a reported rollback raises the incarnation once", async ({ startProcess }) => {
  const { open, connect, incarnations } = startProcess();
  await connect();
  const seen = incarnations.current;
  if (seen === null) throw new Error("the process is connected");
  const report = { seen, details: { node: "node-a" } };
  await incarnations.reportRollback(open(), report);
  await incarnations.reportRollback(open(), report);
  expect(incarnations.current?.value).toBe(seen.value + 1n);
});

test("a raise turns leases into unresolved amounts and awaits the nodes that had contact", async ({
  db,
  startProcess,
}) => {
  const { connect } = startProcess();
  await connect();
  await sql`INSERT INTO lease_node (node_id, seen_at, expires_at) VALUES
    ('near', now(), now() + interval '100 s'),
    ('silent', now() - interval '1000 s', now() - interval '900 s'),
    ('fenced', now(), NULL)`.execute(db.database);
  await pretendPromotion(db);
  await connect();
  const { rows } = await sql`
    SELECT node_id, expires_at, round(extract(epoch FROM awaited_until - now()))::integer AS awaited
    FROM lease_node ORDER BY node_id`.execute(db.database);
  expect(rows).toEqual([
    { node_id: "fenced", expires_at: null, awaited: null },
    { node_id: "near", expires_at: null, awaited: 125 },
    { node_id: "silent", expires_at: null, awaited: null },
  ]);
});

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { createTestDatabase } from "#test/harness/database.ts";
import { eventually } from "#test/harness/eventually.ts";
import {
  type ReplicatedPostgres,
  startReplicatedPostgres,
} from "#test/harness/replicated-postgres.ts";
import { type Database, openDatabase, type Tx } from "./pool.ts";
import {
  openReplica,
  type ReplicaReports,
  type ReportReader,
  useReportsOfPrimary,
} from "./reports-database.ts";

let postgres: ReplicatedPostgres;
let primary: Database;

beforeAll(async () => {
  postgres = await startReplicatedPostgres({
    isSynchronous: false,
    // A standby cancels a statement that delays the replay for longer.
    settings: { max_standby_streaming_delay: "100ms" },
  });
  await postgres.sql("CREATE TABLE note (text text)");
  await postgres.sql("CREATE TABLE big AS SELECT n FROM generate_series(1, 1000) AS n");
  await postgres.sql("INSERT INTO installation VALUES ('installation_id', 'inst_1')");
  await postgres.superuserSql("CREATE DATABASE other TEMPLATE bursar");
  await postgres.waitUntilReplicated();
  primary = open(postgres.connectionString);
});
afterAll(async () => {
  await primary.destroy();
  await postgres.stop();
});

const MINUTE_MS = 60_000;
/** No check runs by itself. */
const NEVER_MS = 3_600_000;
const clock = { nowMs: 0 };
let logs: string[] = [];

beforeEach(() => {
  clock.nowMs = Date.now();
  logs = [];
});

const open = (connectionString: string) =>
  openDatabase({ connectionString, maxConnections: 4, onIdleError: () => undefined });

/** The primary writes records of its own at times. The standby replays them within some milliseconds. */
const waitUntilCurrent = (reports: ReplicaReports) =>
  eventually(MINUTE_MS, "the replica to have no lag", async () => {
    await reports.check();
    return reports.status()?.lagMs === 0 ? true : null;
  });

function pauseReplication(): void {
  postgres.pauseReplication();
  onTestFinished(() => postgres.resumeReplication());
}

async function start(connectionString: string) {
  const reports = await openReplica({
    primary,
    watched: primary,
    connectionString,
    nowMs: () => clock.nowMs,
    logger: makeLogger("info", { write: (line) => logs.push(line) }),
    checkEveryMs: NEVER_MS,
  });
  onTestFinished(() => reports.close());
  return reports;
}

const listNotes = async (tx: Tx) =>
  (await sql<{ text: string }>`SELECT text FROM note ORDER BY text`.execute(tx)).rows.map(
    ({ text }) => text,
  );
const readsStandby = (reader: ReportReader) =>
  reader.inSnapshot(async (tx) => {
    const { rows } = await sql<{ is: boolean }>`SELECT pg_is_in_recovery() AS is`.execute(tx);
    return rows[0]?.is;
  });
const messages = () => logs.map((line) => (JSON.parse(line) as { msg: string }).msg);

test("without a replica, reports have the primary's data of now", async () => {
  const reports = useReportsOfPrimary({ primary, nowMs: () => clock.nowMs });
  const reader = await reports.openReader();
  expect(await readsStandby(reader)).toBe(false);
  expect([reader.dataAsOfMs(), reader.replicaLagMs()]).toEqual([clock.nowMs, null]);
  expect(reports.status()).toBeNull();
});

test("a replica of an idle primary has no lag, however old the last commit is", async () => {
  await postgres.waitUntilReplicated();
  clock.nowMs += 60 * MINUTE_MS;
  const reports = await start(postgres.standbyConnectionString);
  await waitUntilCurrent(reports);
  const reader = await reports.openReader();
  expect(await readsStandby(reader)).toBe(true);
  expect([reader.dataAsOfMs(), reader.replicaLagMs()]).toEqual([clock.nowMs, 0]);
  expect(reports.status()).toEqual({ fault: null, errorCode: null, lagMs: 0, retries: 0 });
  expect(messages()).toEqual(["reports are read from the replica"]);
});

test("a replica that lags is read up to 30 s, then the primary until the lag is below 10 s", async () => {
  await postgres.waitUntilReplicated();
  const reports = await start(postgres.standbyConnectionString);
  await waitUntilCurrent(reports);
  const replicatedMs = clock.nowMs;
  pauseReplication();
  await postgres.sql("INSERT INTO note VALUES ('late')");
  const readAfter = async (ms: number) => {
    clock.nowMs = replicatedMs + ms;
    await reports.check();
    const reader = await reports.openReader();
    return [await reader.inSnapshot(listNotes), reader.replicaLagMs()];
  };
  expect(await readAfter(1_000)).toEqual([[], 1_000]);
  expect(await readAfter(30_000)).toEqual([[], 30_000]);
  expect(await readAfter(30_001)).toEqual([["late"], null]);
  expect(reports.status()).toMatchObject({ fault: "stale", lagMs: 30_001 });
  postgres.resumeReplication();
  await postgres.waitUntilReplicated();
  clock.nowMs = replicatedMs + 40_000;
  await waitUntilCurrent(reports);
  expect(await readAfter(40_000)).toEqual([["late"], 0]);
  expect(messages()).toEqual([
    "reports are read from the replica",
    "reports are read from the primary: the replica is more than 30 s behind",
    "reports are read from the replica",
  ]);
});

test("a report that must not be older than the replica's data reads the primary", async () => {
  await postgres.waitUntilReplicated();
  const reports = await start(postgres.standbyConnectionString);
  const asOfMs = clock.nowMs;
  clock.nowMs += 5_000;
  await waitUntilCurrent(reports);
  // The replica of an idle primary has these 5 s too.
  expect(await readsStandby(await reports.openReader(asOfMs + 5_000))).toBe(true);
  expect(await readsStandby(await reports.openReader(asOfMs + 5_001))).toBe(false);
});

test("reads the primary while the replica does not respond", async () => {
  const reports = await start("postgresql://bursar@127.0.0.1:1/bursar");
  expect(await readsStandby(await reports.openReader())).toBe(false);
  expect(reports.status()).toEqual({
    fault: "unreachable",
    errorCode: "ECONNREFUSED",
    lagMs: null,
    retries: 0,
  });
  expect(messages()).toEqual([
    "reports are read from the primary: the connection to the replica fails",
  ]);
});

test("reads the primary if the server is not a standby", async () => {
  const reports = await start(postgres.connectionString);
  expect(reports.status()).toMatchObject({ fault: "not_a_standby" });
  expect(await readsStandby(await reports.openReader())).toBe(false);
});

test("reads the primary until the replica has followed a failover", async () => {
  await postgres.waitUntilReplicated();
  pauseReplication();
  await postgres.sql(
    "INSERT INTO incarnation (value, id, reason) VALUES (1, gen_random_uuid(), 'rollback')",
  );
  const reports = await start(postgres.standbyConnectionString);
  expect(reports.status()).toMatchObject({ fault: "earlier_primary" });
  postgres.resumeReplication();
  await postgres.waitUntilReplicated();
  await reports.check();
  expect(reports.status()).toMatchObject({ fault: null });
});

test("reads the primary until the replica has its newest migration", async () => {
  await postgres.waitUntilReplicated();
  pauseReplication();
  await postgres.sql("INSERT INTO schema_migration VALUES (9999, 'newer', '')");
  const reports = await start(postgres.standbyConnectionString);
  expect(reports.status()).toMatchObject({ fault: "older_schema" });
  await postgres.sql("DELETE FROM schema_migration WHERE number = 9999");
  postgres.resumeReplication();
  await postgres.waitUntilReplicated();
  await reports.check();
  expect(reports.status()).toMatchObject({ fault: null });
});

test.for(["another server", "another database of the server"])("refuses %s", async (where) => {
  const other = await createTestDatabase();
  onTestFinished(() => other.drop());
  const sameServer = new URL(postgres.standbyConnectionString);
  sameServer.pathname = "/other";
  const address = where === "another server" ? other.connectionString : sameServer.href;
  await expect(start(address)).rejects.toThrow(
    "BURSAR_REPORTS_DATABASE_URL points to another database than DATABASE_URL.",
  );
});

test("the sessions of reports cannot write", async () => {
  await postgres.waitUntilReplicated();
  const reports = await start(postgres.standbyConnectionString);
  const written = (await reports.openReader()).inSnapshot((tx) =>
    sql`INSERT INTO note VALUES ('written')`.execute(tx),
  );
  await expect(written).rejects.toThrow("read-only transaction");
  expect(reports.status()?.retries).toBe(0);
});

test("a role that can only read is enough", async () => {
  await postgres.superuserSql(
    "CREATE ROLE reader LOGIN PASSWORD 'reader' IN ROLE pg_read_all_data",
  );
  await postgres.waitUntilReplicated();
  const address = new URL(postgres.standbyConnectionString);
  address.username = "reader";
  address.password = "reader";
  const reports = await start(address.href);
  expect(reports.status()).toMatchObject({ fault: null });
  expect(await (await reports.openReader()).inSnapshot(listNotes)).toEqual(["late"]);
});

test("a report that the replica cancels runs once more on the primary, with its rest", async () => {
  await postgres.waitUntilReplicated();
  const reports = await start(postgres.standbyConnectionString);
  const reader = await reports.openReader();
  let runs = 0;
  clock.nowMs += 2_000;
  const read = await reader.inSnapshot(async (tx) => {
    runs += 1;
    const count = async () =>
      (await sql<{ n: bigint }>`SELECT count(*) AS n FROM big`.execute(tx)).rows[0]?.n;
    const first = await count();
    if (runs === 1) {
      // The replay of the vacuum conflicts with the snapshot, and wins after 100 ms.
      await postgres.sql("DELETE FROM big WHERE n > 500");
      await postgres.sql("VACUUM big");
      await sql`SELECT pg_sleep(10)`.execute(tx);
    }
    return [first, await count()];
  });
  expect([read, runs]).toEqual([[500n, 500n], 2]);
  expect([reader.dataAsOfMs(), reader.replicaLagMs()]).toEqual([clock.nowMs, null]);
  expect(await readsStandby(reader)).toBe(false);
  expect(reports.status()).toMatchObject({ fault: null, retries: 1 });
  expect(await readsStandby(await reports.openReader())).toBe(true);
});

test("an error of the report itself is not retried", async () => {
  await postgres.waitUntilReplicated();
  const reports = await start(postgres.standbyConnectionString);
  const failing = (await reports.openReader()).inSnapshot(async (tx) => {
    await sql`SELECT 1 / 0`.execute(tx);
  });
  await expect(failing).rejects.toThrow("division by zero");
  expect(reports.status()?.retries).toBe(0);
});

test("reads the primary after a failover to the replica", async () => {
  await postgres.waitUntilReplicated();
  const reports = await start(postgres.standbyConnectionString);
  await postgres.failOver();
  await reports.check();
  expect(reports.status()).toMatchObject({ fault: "not_a_standby" });
  const reader = await reports.openReader();
  expect(await eventually(10_000, "the primary to answer", () => readsStandby(reader))).toBe(false);
});

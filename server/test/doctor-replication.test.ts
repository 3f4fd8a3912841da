import { afterAll, beforeAll, expect, test } from "vitest";
import { TEST_SECRET } from "#test/harness/test-secret.ts";
import { runBursar } from "./harness/command-line.ts";
import { createTestDatabase } from "./harness/database.ts";
import { eventually } from "./harness/eventually.ts";
import { type ReplicatedPostgres, startReplicatedPostgres } from "./harness/replicated-postgres.ts";
import { type ServerProcess, startServer, stopAllServers } from "./harness/server-process.ts";

// The doctor, the metrics and the responses of a server whose PostgreSQL has a standby for its reports.

interface Finding {
  check: string;
  ok: boolean;
  is_note?: boolean;
  detail: string;
}

const BURSAR_SECRET = TEST_SECRET;
let postgres: ReplicatedPostgres;
let server: ServerProcess;

const start = (reportsUrl: string) =>
  startServer({
    env: {
      DATABASE_URL: postgres.connectionString,
      BURSAR_REPORTS_DATABASE_URL: reportsUrl,
      BURSAR_SECRET,
      BURSAR_JOURNAL: "postgres",
    },
  });

beforeAll(async () => {
  postgres = await startReplicatedPostgres({ isSynchronous: false });
  server = await start(postgres.standbyConnectionString);
}, 120_000);
afterAll(async () => {
  await stopAllServers();
  await postgres.stop();
});

async function runDoctor(): Promise<{ code: number; findings: Finding[] }> {
  const { dataDir, env } = server;
  const ran = await runBursar(["doctor", "--json"], {
    env: { ...env, BURSAR_DATA_DIR: dataDir },
  });
  const { findings } = JSON.parse(ran.stdout) as { findings: Finding[] };
  const named = ["replication", "reports"];
  return { code: ran.code, findings: findings.filter(({ check }) => named.includes(check)) };
}

test("the doctor names the replication in use, and where reports are read", async () => {
  await postgres.waitUntilReplicated();
  const { code, findings } = await runDoctor();
  expect(code).toBe(0);
  expect(findings).toEqual([
    {
      check: "replication",
      ok: true,
      detail: expect.stringMatching(
        /^asynchronous replication: a failover loses commits .*; standby "bursar_standby": async, /,
      ),
    },
    {
      check: "replication",
      ok: true,
      is_note: true,
      detail: expect.stringContaining("one record for each request needs synchronous replication"),
    },
    {
      check: "reports",
      ok: true,
      detail: expect.stringMatching(/^read from the replica, \d\.\d s behind$/),
    },
  ]);
});

test("a report and the metrics have the lag of the replica", async () => {
  const { status, headers } = await server.admin("GET", "/v1/admin/usage");
  expect(status).toBe(200);
  expect(Number(headers.get("bursar-replica-lag-seconds"))).toBeLessThan(30);
  const asOfMs = Date.parse(headers.get("bursar-data-as-of") ?? "");
  expect(Math.abs(Date.now() - asOfMs)).toBeLessThan(30_000);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/^bursar_reports_lag_seconds [\d.]+$/m);
  expect(metrics).toContain("\nbursar_reports_replica_in_use 1\n");
  expect(metrics).toContain("\nbursar_reports_retries_total 0\n");
});

test("the doctor fails while commits wait for a standby that is not connected", async () => {
  const configure = async (names: string) => {
    await postgres.superuserSql(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await postgres.superuserSql("SELECT pg_reload_conf()");
  };
  await configure("elsewhere");
  try {
    const waiting = await eventually(20_000, "the changed setting", async () => {
      const { code, findings } = await runDoctor();
      const found = findings.find(({ ok }) => !ok);
      return found === undefined ? null : { code, found };
    });
    expect(waiting).toEqual({
      code: 1,
      found: {
        check: "replication",
        ok: false,
        detail: expect.stringContaining("commits wait until they are"),
      },
    });
  } finally {
    await configure("");
  }
});

test("a start with another database for reports fails with the remedy", async () => {
  const other = await createTestDatabase();
  try {
    await expect(start(other.connectionString)).rejects.toThrow(
      "BURSAR_REPORTS_DATABASE_URL points to another database than DATABASE_URL.",
    );
  } finally {
    await other.drop();
  }
});

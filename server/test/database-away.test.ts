import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect } from "vitest";
import type { Readiness } from "#src/http/pages.ts";
import { type DatabaseLine, openDatabaseLine } from "#test/harness/database-line.ts";
import { startDatabaseRelay } from "#test/harness/database-relay.ts";
import { test as base } from "#test/harness/database-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import {
  type ServerProcess,
  sendMessage,
  startServer,
  stopAllServers,
} from "#test/harness/server-process.ts";

// A server process whose connection to PostgreSQL is cut. Its readiness matches the status of its requests.

/** Three times the silence after which a node reports a missing database. */
const AWAY_MS = 8_000;
const LOOK_EVERY_MS = 1_000;
const CHANGES_SEEN_MS = 1_000;
const UNFLUSHED = 500;
const SENDERS = 40;
/** The longest model name in a record, with characters of three bytes. Few requests fill a journal. */
const LONGEST_MODEL = "€".repeat(256);
/** BURSAR_DRAIN and 15 s are promised. The rest is for a busy machine. */
const STOP_BOUND_MS = 30_000;

const test = base.extend("database", { scope: "file" }, ({ db }) => db);

let line: DatabaseLine;
test.beforeEach(async ({ database }) => {
  line = await openDatabaseLine(database.connectionString);
});
afterEach(async () => {
  line.restore();
  await stopAllServers();
  await line.close();
});

const startOn = (connectionString: string, env: Record<string, string> = {}) =>
  startServer({
    env: { DATABASE_URL: connectionString, BURSAR_SECRET: "s".repeat(40), ...env },
  });

async function readinessOf(server: ServerProcess) {
  const response = await fetch(`${server.url}/readyz`);
  return { code: response.status, ...((await response.json()) as Partial<Readiness>) };
}

/** Creates a key that the node has cached. */
async function createCachedKey(server: ServerProcess): Promise<string> {
  const { key } = await server.workspaceWithKey();
  // The node drops the key once more when its next poll finds the creation.
  await delay(CHANGES_SEEN_MS);
  expect((await sendMessage(server.url, key)).status).toBe(200);
  return key;
}

test("serves requests and reports 200 on /readyz while PostgreSQL is away", async () => {
  const server = await startOn(line.connectionString);
  const key = await createCachedKey(server);
  line.cut();
  const seen = new Set<string>();
  const until = performance.now() + AWAY_MS;
  while (performance.now() < until) {
    const { code, status } = await readinessOf(server);
    seen.add(`${code} ${status}, a message: ${(await sendMessage(server.url, key)).status}`);
    await delay(LOOK_EVERY_MS);
  }
  expect([...seen]).toEqual(["200 ready, a message: 200", "200 degraded, a message: 200"]);
  expect(await readinessOf(server)).toEqual({
    code: 200,
    status: "degraded",
    reason: "database_away",
    checks: { draining: "no", database: "away", journal: "ok", leases: "ok", node: "ok" },
  });
  line.restore();
  await eventually(30_000, "the database to return", async () =>
    (await readinessOf(server)).status === "ready" ? true : null,
  );
}, 120_000);

test("refuses requests and reports 503 on /readyz after PostgreSQL was silent longer than BURSAR_LEASE_TTL", async ({
  database,
}) => {
  const relay = await startDatabaseRelay(database.connectionString);
  try {
    const server = await startOn(relay.connectionString, {
      BURSAR_LEASE_TTL: "8s",
      BURSAR_HOLD_WAIT: "1s",
    });
    const key = await createCachedKey(server);
    relay.cut();
    await eventually(30_000, "the node to be degraded", async () =>
      (await readinessOf(server)).status === "degraded" ? true : null,
    );
    expect((await sendMessage(server.url, key)).status).toBe(200);
    const late = await eventually(30_000, "the node to be not ready", async () => {
      const readiness = await readinessOf(server);
      return readiness.code === 503 ? readiness : null;
    });
    expect(late).toMatchObject({ status: "not ready", reason: "database_away" });
    expect((await sendMessage(server.url, key)).status).toBe(503);
    relay.restore();
    await eventually(60_000, "the node to serve again", async () =>
      (await readinessOf(server)).code === 200 ? true : null,
    );
    expect((await sendMessage(server.url, key)).status).toBe(200);
    await server.stop();
  } finally {
    await relay.close();
  }
}, 180_000);

test("ends in time on SIGTERM while PostgreSQL is silent, and records the rest on the next start", async ({
  database,
}) => {
  const relay = await startDatabaseRelay(database.connectionString);
  try {
    const env = { BURSAR_DRAIN: "1s" };
    const server = await startOn(relay.connectionString, env);
    const key = await createCachedKey(server);
    await eventually(20_000, "the flush of the first record", async () => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      return metrics.includes("bursar_pending_records 0\n") ? true : null;
    });
    const { length: before } = await server.sql("SELECT FROM recorded_request");
    relay.cut();
    const answers = await Promise.all(
      Array.from({ length: UNFLUSHED }, () => sendMessage(server.url, key)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const startedMs = performance.now();
    await server.stop();
    expect(performance.now() - startedMs).toBeLessThan(STOP_BOUND_MS);
    expect(server.output()).toContain(`"records":${UNFLUSHED}`);
    relay.restore();
    const again = await server.restart();
    await eventually(30_000, "the records of the journal", async () =>
      (await again.sql("SELECT FROM recorded_request")).length === before + UNFLUSHED ? true : null,
    );
    await again.stop();
  } finally {
    await relay.close();
  }
}, 180_000);

test("with a full journal refuses requests and reports 503 on /readyz until PostgreSQL returns, and loses no record", async () => {
  const server = await startOn(line.connectionString, {
    BURSAR_JOURNAL_MAX_SIZE: "10MB",
    BURSAR_LEASE_TTL: "10m",
  });
  const key = await createCachedKey(server);
  const sent = { count: 1 };
  line.cut();
  // Each sender stops at the first refusal.
  const refusals = await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      for (;;) {
        const answer = await sendMessage(server.url, key, { model: LONGEST_MODEL });
        if (answer.status !== 200) return answer;
        sent.count += 1;
      }
    }),
  );
  for (const { status, headers, json } of refusals) {
    expect(status).toBe(503);
    expect(headers.get("retry-after")).toBe("5");
    expect(json).toMatchObject({
      type: "error",
      error: { type: "api_error", details: { error_code: "journal_full" } },
    });
  }
  expect(await readinessOf(server)).toMatchObject({ code: 503, reason: "journal_full" });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain("bursar_journal_max_bytes 10000000\n");
  expect(Number(/^bursar_journal_bytes (\d+)$/m.exec(metrics)?.[1])).toBeLessThan(10_000_000);
  line.restore();
  await eventually(60_000, "free space in the journal", async () =>
    (await readinessOf(server)).code === 200 ? true : null,
  );
  expect((await sendMessage(server.url, key)).status).toBe(200);
  sent.count += 1;
  await eventually(60_000, "all records", async () => {
    const rows = await server.sql("SELECT FROM recorded_request WHERE node_id = $1", [
      readFileSync(join(server.dataDir, "journal", "node-id"), "utf8").trim(),
    ]);
    return rows.length === sent.count ? true : null;
  });
}, 300_000);

test("with the journal in the database reports 503 on /readyz once a request is refused", async () => {
  const server = await startOn(line.connectionString, { BURSAR_JOURNAL: "postgres" });
  const key = await createCachedKey(server);
  line.cut();
  expect((await sendMessage(server.url, key)).status).toBe(503);
  expect(await readinessOf(server)).toMatchObject({ code: 503, reason: "journal_failed" });
}, 120_000);

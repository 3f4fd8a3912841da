import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterAll, test as base, describe, expect } from "vitest";
import type { Readiness } from "#src/http/pages.ts";
import { createTestDatabase } from "#test/harness/database.ts";
import { type DatabaseLine, openDatabaseLine } from "#test/harness/database-line.ts";
import { startDatabaseRelay } from "#test/harness/database-relay.ts";
import { eventually } from "#test/harness/eventually.ts";
import {
  type KeyOptions,
  type ServerProcess,
  sendMessage,
  startServer,
  stopAllServers,
} from "#test/harness/server-process.ts";
import { TEST_SECRET } from "#test/harness/test-secret.ts";

// A server process whose connection to PostgreSQL is cut. Its readiness matches the status of its requests.

/** Three times the silence after which a node reports a missing database. */
const AWAY_MS = 8_000;
const LOOK_EVERY_MS = 1_000;
const CHANGES_SEEN_MS = 1_000;
const UNFLUSHED = 500;
const SENDERS = 40;
/** The longest model name in a record, with characters of three bytes. With the tags, few requests fill a journal. */
const LONGEST_MODEL = "€".repeat(256);
/** Begin and end of a request name each tag. */
const MOST_TAGS = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`tag-${i}`, "value"]));
/** BURSAR_DRAIN and 15 s are promised. The rest is for a busy machine. */
const STOP_BOUND_MS = 30_000;

/** A lease lasts for 90 % of it. The rest is for a busy machine. */
const OUTAGE_TTL = "12s";
const OUTAGE_MS = 8_000;
/** Longer than the least time over which a lease averages its spend. Before that, it covers less than a TTL. */
const WARM_MS = 7_000;
const SEND_EVERY_MS = 100;
const LIMIT_USD = 1_000;
const LOCKED_TABLES = [
  "balance",
  "lease",
  "lease_draw",
  "lease_node",
  "counted_limit",
  "usage_batch",
  "usage_event",
];
const DEADLOCK = "40P01";

type Start = (connectionString: string, env?: Record<string, string>) => Promise<ServerProcess>;

/** Each test has its own database and connection to cut, and ends its servers. So tests that wait run together. */
const test = base
  .extend("database", async ({ task: _ }, { onCleanup }) => {
    const database = await createTestDatabase();
    onCleanup(() => database.drop());
    return database;
  })
  .extend("line", async ({ database }, { onCleanup }) => {
    const line = await openDatabaseLine(database.connectionString);
    onCleanup(() => line.close());
    return line;
  })
  .extend("startOn", async ({ line: _ }, { onCleanup }): Promise<Start> => {
    const started: ServerProcess[] = [];
    onCleanup(async () => {
      for (const server of started) await server.kill();
    });
    return async (connectionString, env = {}) => {
      const server = await startServer({
        env: { DATABASE_URL: connectionString, BURSAR_SECRET: TEST_SECRET, ...env },
      });
      started.push(server);
      return server;
    };
  });

afterAll(stopAllServers);

/** Starts two nodes, and creates a key with a strict limit that both have cached. */
async function startLimited(startOn: Start, { connectionString }: DatabaseLine) {
  const env = { BURSAR_LEASE_TTL: OUTAGE_TTL };
  const first = await startOn(connectionString, env);
  const second = await startOn(connectionString, env);
  const nodes = [first, second];
  const { workspaceId, key } = await first.workspaceWithKey();
  const limit = { workspace_id: workspaceId, monthly_limit_usd: LIMIT_USD };
  await first.mustAdmin("POST", "/v1/admin/workspaces/limits", limit);
  await delay(CHANGES_SEEN_MS);
  const selectRecords = "SELECT FROM recorded_request WHERE workspace_id = $1";
  const countRecords = async () => (await first.sql(selectRecords, [workspaceId])).length;
  for (const { url } of nodes) expect((await sendMessage(url, key)).status).toBe(200);
  return {
    nodes,
    /** Sends requests to both nodes for a time. Returns their statuses. */
    async sendRequests(ms: number): Promise<number[]> {
      const until = performance.now() + ms;
      const sent: Promise<number>[] = [];
      while (performance.now() < until) {
        for (const { url } of nodes) sent.push(sendMessage(url, key).then(({ status }) => status));
        await delay(SEND_EVERY_MS);
      }
      return await Promise.all(sent);
    },
    /** Waits until each of these requests is recorded, and those that cached the key. Expects no more records. */
    async expectRecords(requests: number): Promise<void> {
      const records = requests + nodes.length;
      await eventually(60_000, `${records} records`, async () =>
        (await countRecords()) >= records ? true : null,
      );
      expect(await countRecords()).toBe(records);
    },
  };
}

/** Locks tables as an analyst's session can. Returns a function that ends the session. */
async function lockTables(connectionString: string): Promise<() => Promise<void>> {
  const session = new pg.Client({ connectionString });
  await session.connect();
  for (;;) {
    await session.query("BEGIN");
    try {
      await session.query(`LOCK TABLE ${LOCKED_TABLES.join(", ")}`);
      return () => session.end();
    } catch (error) {
      // A node that had locked one of the tables waits for another.
      if (!(error instanceof pg.DatabaseError && error.code === DEADLOCK)) throw error;
      await session.query("ROLLBACK");
    }
  }
}

async function readinessOf(server: ServerProcess) {
  const response = await fetch(`${server.url}/readyz`);
  return { code: response.status, ...((await response.json()) as Partial<Readiness>) };
}

/** Creates a key that the node has cached. */
async function createCachedKey(server: ServerProcess, options?: KeyOptions): Promise<string> {
  const { key } = await server.workspaceWithKey(options);
  // The node drops the key once more when its next poll finds the creation.
  await delay(CHANGES_SEEN_MS);
  expect((await sendMessage(server.url, key)).status).toBe(200);
  return key;
}

test.concurrent("serves requests and reports 200 on /readyz while PostgreSQL is away", async ({
  line,
  startOn,
}) => {
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

describe("two nodes with a strict limit, of which little is used", { concurrent: true }, () => {
  test("refuse no request and lose no record while PostgreSQL is away for two thirds of BURSAR_LEASE_TTL", async ({
    line,
    startOn,
  }) => {
    const { nodes, sendRequests, expectRecords } = await startLimited(startOn, line);
    const before = await sendRequests(WARM_MS);
    line.cut();
    const away = await sendRequests(OUTAGE_MS);
    const readiness = await Promise.all(nodes.map(readinessOf));
    line.restore();
    expect(new Set([...before, ...away])).toEqual(new Set([200]));
    const degraded = { code: 200, status: "degraded", reason: "database_away" };
    expect(readiness).toMatchObject([degraded, degraded]);
    await expectRecords(before.length + away.length);
  }, 120_000);

  test("refuse no request and lose no record while a session locks the tables of the ledger and of the recording", async ({
    database,
    line,
    startOn,
  }) => {
    const { sendRequests, expectRecords } = await startLimited(startOn, line);
    const before = await sendRequests(WARM_MS);
    const unlock = await lockTables(database.connectionString);
    const locked = await sendRequests(OUTAGE_MS);
    await unlock();
    expect(new Set([...before, ...locked])).toEqual(new Set([200]));
    await expectRecords(before.length + locked.length);
  }, 120_000);
});

test.concurrent("refuses requests and reports 503 on /readyz after PostgreSQL was silent longer than BURSAR_LEASE_TTL", async ({
  database,
  startOn,
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

test.concurrent("ends in time on SIGTERM while PostgreSQL is silent, and records the rest on the next start", async ({
  database,
  startOn,
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

test.concurrent("with the journal in the database reports 503 on /readyz once a request is refused", async ({
  line,
  startOn,
}) => {
  const server = await startOn(line.connectionString, { BURSAR_JOURNAL: "postgres" });
  const key = await createCachedKey(server);
  line.cut();
  expect((await sendMessage(server.url, key)).status).toBe(503);
  expect(await readinessOf(server)).toMatchObject({ code: 503, reason: "journal_failed" });
}, 120_000);

// Alone, because it keeps the processor busy.
test("with a full journal refuses requests and reports 503 on /readyz until PostgreSQL returns, and loses no record", async ({
  line,
  startOn,
}) => {
  const server = await startOn(line.connectionString, {
    BURSAR_JOURNAL_MAX_SIZE: "10MB",
    BURSAR_LEASE_TTL: "10m",
  });
  const key = await createCachedKey(server, { tags: MOST_TAGS });
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

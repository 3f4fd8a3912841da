// Oldest PostgreSQL: schema

import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeSessions } from "#src/access/sessions.ts";
import { describeSchema } from "#src/db/describe-schema.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";
import { createEmptyDatabase, type TestDatabase } from "#test/harness/database.ts";
import { eventually } from "#test/harness/eventually.ts";
import { startFakeUpstream } from "#test/harness/fake-upstream.ts";
import { call, messageBody, startTestGateway, withKey } from "#test/harness/gateway.ts";
import {
  callAdmin,
  root,
  type ServerProcess,
  sendMessage,
  serverEnvironment,
  startServer,
  stopAllServers,
  temporaryFolder,
} from "#test/harness/server-process.ts";
import { startSpendNode } from "#test/harness/spend-node.ts";
import { type Figures, type Recording, readFigures } from "./releases/recording.ts";

// Upgrades the database and the data folder of each released version to this one. Queries name the recorded month, so
// results stay the same in any later month.

const RELEASES = join(import.meta.dirname, "releases");
const SCHEMA = join(root, "server/src/db/schema.sql");
const LONG_MS = 180_000;
const WAIT_MS = 60_000;
const MAX_REQUESTS = 100;
/** Recorded request that its strict limit refused. */
const REFUSED = { model: "claude-opus-4-5", maxTokens: 200 };

const releases = readdirSync(RELEASES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const run = promisify(execFile);

afterAll(stopAllServers);

describe.each(releases)("a database of version %s", (release) => {
  const folder = join(RELEASES, release);
  const readText = (name: string) => readFileSync(join(folder, name), "utf8");
  const recording = JSON.parse(readText("recording.json")) as Recording;
  let recorded: TestDatabase;
  let schemaBefore: string;
  let server: ServerProcess;

  beforeAll(async () => {
    recorded = await createEmptyDatabase();
    await runStatements(recorded.connectionString, readText("data.sql"));
    schemaBefore = await describeSchema(recorded.connectionString);
    const dataDir = join(await temporaryFolder(), "data");
    cpSync(join(folder, "data-folder"), dataDir, { recursive: true });
    server = await startServer({
      dataDir,
      env: {
        DATABASE_URL: recorded.connectionString,
        BURSAR_SECRET: recording.secret,
        BURSAR_LEASE_TTL: "3s", // after which other nodes finish the journal of a silent node
      },
    });
  }, LONG_MS);
  afterAll(() => recorded.drop());

  const asAdmin = async (path: string) => {
    const { status, json, text } = await callAdmin(server.url, recording.adminKey, "GET", path);
    if (status !== 200 || json === undefined) throw new Error(`${path}: ${status} ${text}`);
    return json;
  };
  const bursar = async (...args: string[]) => {
    const env = serverEnvironment(server.dataDir, server.env);
    return (await run(process.execPath, ["bursar", ...args], { cwd: root, env })).stdout;
  };

  test("has the committed schema of its version before the start, and schema.sql afterwards", async () => {
    const withoutMonths = (schema: string) =>
      schema.replace(/^CREATE TABLE usage_(?:event|record)_\d{4}_\d{2} PARTITION OF .*\n/gm, "");
    expect(schemaBefore).toBe(readText("schema.sql"));
    expect(withoutMonths(await describeSchema(recorded.connectionString))).toBe(
      readFileSync(SCHEMA, "utf8"),
    );
  });

  test("keeps every figure of reports and balances, and records interrupted requests", {
    timeout: LONG_MS,
  }, async () => {
    const { workspaceId, requests } = recording.interrupted;
    const outcomes = await eventually(WAIT_MS, "both journals to be finished", async () => {
      const rows = await server.sql<{ outcome: string }>(
        "SELECT outcome FROM recorded_request WHERE workspace_id = $1",
        [workspaceId],
      );
      return rows.length === requests ? rows : null;
    });
    expect(outcomes).toEqual(Array(requests).fill({ outcome: "interrupted" }));
    const mustAdmin = (_: string, path: string) => asAdmin(path);
    const figures = await readFigures({ mustAdmin, sql: server.sql }, recording);
    expect(figures).toMatchObject(recording.figures);
    expect(countRows(figures)).toEqual(countRows(recording.figures));
  });

  test("passes the checks of the ledger and of the audit log", async () => {
    expect(await bursar("doctor", "ledger")).toMatch(
      /^Every balance equals the sum of its requests: \d+ balances, \d+ requests[.]\n$/,
    );
    const verified = JSON.parse(await bursar("audit", "verify")) as object;
    expect(verified).toMatchObject({ is_intact: true, first_broken: null });
  });

  test("accepts its keys, sessions and passwords, and refuses ended keys", async () => {
    const { keys, people, recordedAt } = recording;
    for (const key of keys.working) expect((await sendMessage(server.url, key)).status).toBe(200);
    for (const key of [keys.revoked, keys.archived])
      expect((await sendMessage(server.url, key)).status).toBe(401);
    const nowMs = () => Date.parse(recordedAt);
    const rows = makeRowSigner({ secret: "a secret of tests" });
    const sessions = makeSessions({ database: recorded.database, rows, nowMs });
    for (const { id, email, password, cookie } of people) {
      expect(await sessions.find(cookie, () => null)).toMatchObject({ kind: "member", id });
      const response = await fetch(`${server.url}/v1/admin/sign_in`, {
        method: "POST",
        headers: {
          ...{ origin: server.url, "x-bursar-console": "1", "content-type": "application/json" },
        },
        body: JSON.stringify({ email, password }),
      });
      expect(response.status).toBe(200);
    }
  });

  test("applies a strict limit to the earlier spend, and to its amount in this month", {
    timeout: LONG_MS,
  }, async () => {
    const { strict } = recording;
    let sent = 0;
    while (sent < MAX_REQUESTS) {
      sent += 1;
      const answer = await eventually(LONG_MS, "a decision about the request", async () => {
        const decided = await sendMessage(server.url, strict.key, REFUSED);
        return isDecided(decided) ? decided : null;
      });
      if (answer.status === 200) continue;
      expect(answer.json).toMatchObject({ error: { type: "invalid_request_error" } });
      break;
    }
    expect(sent).toBeLessThan(MAX_REQUESTS);
    await server.stop();
    const rows = await server.sql<{ settled: number }>(
      "SELECT settled_nano_usd::float8 AS settled FROM balance WHERE scope_id = $1 AND period = 'monthly'",
      [strict.workspaceId],
    );
    for (const { settled } of rows) expect(settled).toBeLessThanOrEqual(strict.limitUsd * 1e9);
    const decided = await decideInRecordedMonth(recorded, recording);
    expect(decided).toMatchObject({ status: 400, reachedUpstream: 0 });
  });
});

async function runStatements(connectionString: string, statements: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(statements);
  } finally {
    await client.end();
  }
}

function countRows({ reports, balances }: Figures) {
  return [...Object.values(reports), balances].map((rows) => rows.length);
}

/**
 * False for a refusal that asks the client to send the request again. On a busy machine an earlier request or a stopped node
 * still holds budget, and the database is late.
 */
function isDecided({ status, text }: { status: number; text: string }): boolean {
  if (status === 429) return !text.includes('"error_code":"budget_held"');
  return status !== 503 && status !== 529;
}

/** Sends the refused request to a node in the recorded month. */
async function decideInRecordedMonth(recorded: TestDatabase, { strict, recordedAt }: Recording) {
  const upstream = await startFakeUpstream();
  const databaseNowMs = () => Date.parse(recordedAt);
  const node = await startSpendNode({
    ...{ database: recorded.database, directory: await temporaryFolder(), nodeId: "node_upgraded" },
    databaseNowMs,
  });
  const { ledger, leases, meter } = node;
  const gateway = await startTestGateway({
    ...{ origin: upstream.origin, ledger, leases, meter, databaseNowMs },
  });
  const { workspaceId, apiKeyId: id } = strict;
  const { organization_id: organizationId } = await recorded.database
    .selectFrom("workspace")
    .select("organization_id")
    .where("id", "=", workspaceId)
    .executeTakeFirstOrThrow();
  const headers = withKey(gateway.addKey({ id, workspaceId, organizationId }));
  const body = messageBody({ model: REFUSED.model, max_tokens: REFUSED.maxTokens });
  const { status, text } = await eventually(LONG_MS, "a decision about the request", async () => {
    const decided = await call(gateway.origin, { headers, body });
    return isDecided(decided) ? decided : null;
  });
  await gateway.close();
  await node.stop();
  await upstream.close();
  return { status, text, reachedUpstream: upstream.received.length };
}

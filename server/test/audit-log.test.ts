import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runBursar, spawnBursar } from "#test/harness/command-line.ts";
import {
  type ServerProcess,
  serverEnvironment,
  startServer,
  stopAllServers,
  temporaryFolder,
} from "#test/harness/server-process.ts";

// The audit log of a whole server: its commands, and its data outside the database.

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer();
}, 90_000);
afterAll(stopAllServers);

const bursar = (...args: string[]) => runBursar(args, { env: serverEnvironment(server.dataDir) });

describe("`bursar audit`", () => {
  test("verify reports an intact log and its head hash", async () => {
    await server.workspaceWithKey();
    const ran = await bursar("audit", "verify");
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const { is_intact, events, head } = JSON.parse(ran.stdout) as {
      is_intact: boolean;
      events: number;
      head: { seq: number; hash: string };
    };
    expect({ is_intact, last: head.seq }).toEqual({ is_intact: true, last: events });
    expect(head.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test("export writes a file that only its owner can read, and overwrites none", async () => {
    const file = join(await temporaryFolder(), "audit.jsonl");
    expect(await bursar("audit", "export", "--output", file)).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect((JSON.parse(lines[0] ?? "") as { event: string }).event).toBe("organization.created");
    const again = await bursar("audit", "export", "--output", file);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("EEXIST");
    expect(readFileSync(file, "utf8").trimEnd().split("\n")).toEqual(lines);
  });

  test("export without a file writes filtered events to standard output", async () => {
    const words = ["audit", "export", "--format", "csv", "--event", "api_key."];
    const env = serverEnvironment(server.dataDir);
    const { code, stdout } = await spawnBursar(words, { env });
    expect(code).toBe(0);
    const [heading, ...rows] = stdout.trimEnd().split("\r\n");
    expect(heading).toMatch(/^id,seq,created_at,event,/);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toContain("api_key.created");
  });

  test("export with invalid arguments reports the fault and leaves no file", async () => {
    const file = join(await temporaryFolder(), "audit.csv");
    const words = ["audit", "export", "--output", file, "--starting-at", "yesterday"];
    const ran = await spawnBursar(words, { env: serverEnvironment(server.dataDir) });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("starting_at");
    expect(existsSync(file)).toBe(false);
  });
});

test("detects an older copy of the database after a restart, by the heads in the data folder", {
  timeout: 120_000,
}, async () => {
  const [old] = await server.sql<{ seq: string; hash: string; mac: string }>(
    "SELECT seq::text, encode(hash, 'hex') AS hash, encode(mac, 'hex') AS mac FROM audit_head",
  );
  await server.mustAdmin("POST", "/v1/admin/workspaces", { name: "To be forgotten" });
  await server.stop();
  expect(statSync(join(server.dataDir, "audit-heads.jsonl")).mode & 0o777).toBe(0o600);
  server = await server.restart();
  for (const statement of [
    "ALTER TABLE audit_event DISABLE TRIGGER USER",
    "ALTER TABLE audit_head DISABLE TRIGGER USER",
    `DELETE FROM audit_event WHERE seq > ${old?.seq}`,
    `UPDATE audit_head SET seq = ${old?.seq}, hash = decode('${old?.hash}', 'hex'), mac = decode('${old?.mac}', 'hex')`,
  ]) {
    await server.sql(statement);
  }
  const missing = Number(old?.seq) + 1;
  const ran = await bursar("audit", "verify");
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.stdout)).toMatchObject({ is_intact: false });
  expect(ran.stderr).toContain(
    `THE AUDIT LOG IS NOT INTACT. First at event ${missing}: the log ends with event ${old?.seq}, and this node has seen event ${missing}`,
  );
  await server.stop();
});

test("a request repeated with one key creates one subject, even if the server is killed repeatedly", {
  timeout: 240_000,
}, async () => {
  server = await startServer();
  const { workspaceId } = await server.workspaceWithKey();
  const adminKey = await server.adminKey();
  const secrets = new Map<string, string>();
  for (const [round, afterMs] of [0, 4, 8, 14, 25].entries()) {
    const body = { name: `Round ${round}`, workspace_id: workspaceId };
    const send = () =>
      fetch(`${server.url}/v1/admin/api_keys`, {
        method: "POST",
        headers: {
          "x-api-key": adminKey,
          "content-type": "application/json",
          "idempotency-key": `round-${round}`,
        },
        body: JSON.stringify(body),
      }).then(async (response) => ({ status: response.status, text: await response.text() }));
    const first = send().catch(() => null);
    await delay(afterMs);
    await server.kill();
    const answered = await first;
    server = await server.restart();
    const second = await send();
    const third = await send();
    expect(second.status).toBe(200);
    expect(third.text).toBe(second.text);
    if (answered?.status === 200) expect(second.text).toBe(answered.text);
    secrets.set(body.name, (JSON.parse(second.text) as { key: string }).key);
  }
  const rows = await server.sql<{ name: string; count: string }>(
    "SELECT name, count(*)::text FROM api_key WHERE name LIKE 'Round %' GROUP BY name ORDER BY name",
  );
  expect(rows).toEqual([0, 1, 2, 3, 4].map((round) => ({ name: `Round ${round}`, count: "1" })));
  for (const key of secrets.values()) {
    const { status } = await fetch(`${server.url}/v1/models`, { headers: { "x-api-key": key } });
    expect(status).toBe(200);
  }
  expect((await bursar("audit", "verify")).code).toBe(0);
});

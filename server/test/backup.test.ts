import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect } from "vitest";
import { runBursar } from "#test/harness/command-line.ts";
import { postgresPid } from "#test/harness/embedded-database.ts";
import { eventually } from "#test/harness/eventually.ts";
import {
  root,
  type ServerProcess,
  sendMessage,
  serverEnvironment,
  startServer,
  stopAllServers,
  temporaryFolder,
  type WorkspaceWithKey,
} from "#test/harness/server-process.ts";
import { test } from "#test/harness/upstream-test.ts";
import { openHours } from "./harness/open-hours.ts";

// The complete drill with real processes: a backup under load, loss of the server, and a restore into an empty
// folder.

const CREDENTIAL = "sk-ant-api03-the-credential-that-the-backup-carries-01";
const PASSPHRASE = "a passphrase of this test";
const KEY_MS = 30_000;
/** Pause between two requests of a sender. */
const SENDER_PAUSE_MS = 20;
/** The stored upstream is on this machine. */
const ALLOWED = { BURSAR_ALLOW_PRIVATE_UPSTREAMS: "127.0.0.1" };

let server: ServerProcess;
let workspace: WorkspaceWithKey;
let folder: string;
let file: string;

test.beforeAll(async ({ upstream }) => {
  folder = await temporaryFolder();
  file = join(folder, "company.backup");
  server = await startServer({ args: [], env: { BURSAR_LEASE_TTL: "60s", ...ALLOWED } });
  workspace = await server.workspaceWithKey();
  await server.mustOperator("POST", "/v1/admin/upstreams", {
    name: "Claude",
    base_url: upstream.origin,
    credential: CREDENTIAL,
  });
  await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: workspace.workspaceId,
    monthly_limit_usd: "100",
  });
}, 90_000);
afterAll(async () => {
  await stopAllServers();
});

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

function bursar(dataDir: string, args: readonly string[], passphrase = PASSPHRASE): Promise<Ran> {
  const env = serverEnvironment(dataDir, { BURSAR_BACKUP_PASSPHRASE: passphrase });
  return new Promise((resolve) => {
    execFile(process.execPath, ["bursar", ...args], { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Commands on the running restored server. A process for each would take 0.4 s of processor time. */
const runCommand = (dataDir: string, args: readonly string[]): Promise<Ran> =>
  runBursar(args, { env: serverEnvironment(dataDir) });

/** Reports, balances and the request log. Must stay equal to the nano-dollar. */
async function readMoney(of: ServerProcess): Promise<object> {
  const [sums] = await of.sql<object>(`
    WITH ${openHours}
    SELECT (SELECT count(*)::integer FROM recorded_request) AS requests,
      (SELECT sum(cost_nano_usd)::text FROM recorded_request) AS cost,
      (SELECT (coalesce(sum(cost_nano_usd), 0) + (SELECT cost FROM open_hours))::text FROM usage_day) AS days,
      (SELECT (coalesce(sum(cost_nano_usd), 0) + (SELECT cost FROM open_hours))::text FROM usage_month) AS months,
      (SELECT settled_nano_usd::text FROM balance
        WHERE scope_type = 'workspace' AND period = 'monthly') AS settled`);
  return sums ?? {};
}

test("a restore returns money, credential and log, and its keys work after confirmation", async ({
  upstream,
}) => {
  const until = new AbortController();
  const traffic = [1, 2].map(async () => {
    while (!until.signal.aborted) {
      await sendMessage(server.url, workspace.key);
      await delay(SENDER_PAUSE_MS);
    }
  });
  await eventually(30_000, "requests in the database", async () => {
    const [row] = await server.sql<{ count: number }>(
      "SELECT count(*)::integer AS count FROM recorded_request",
    );
    return (row?.count ?? 0) >= 5 ? true : null;
  });
  const made = await bursar(server.dataDir, ["backup", file]);
  until.abort();
  await Promise.all(traffic);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(made.stdout).toContain("includes the installation's secret");
  expect(made.stdout).toContain(" requests, 1 API key, ");
  const newest = await server.sql<{ seconds: string }>(
    "SELECT extract(epoch FROM made_at)::double precision::text AS seconds FROM backup",
  );
  await eventually(5_000, "the backup to appear in the metrics", async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return text.includes(`bursar_last_backup_timestamp_seconds ${newest[0]?.seconds}\n`) || null;
  });
  const verified = await bursar(server.dataDir, ["--json", "backup", "verify", file]);
  const inside = JSON.parse(verified.stdout) as {
    rows: { usage_record: number };
    journal_files: number;
  };
  expect(inside.rows.usage_record).toBeGreaterThanOrEqual(5);
  expect(inside.journal_files).toBeGreaterThanOrEqual(3);
  const { backup } = await server.mustAdmin("GET", "/v1/admin/system");
  expect(backup).toMatchObject({ newest: { file_name: "company.backup", is_encrypted: true } });

  const running = await bursar(server.dataDir, ["restore", file]);
  expect(running.code).toBe(1);
  expect(running.stderr).toContain("is using the data folder");
  await server.kill();
  // An offline backup includes journal records that the database lacks, and leaves no process.
  const offline = await bursar(server.dataDir, ["backup", join(folder, "offline.backup")]);
  expect(offline).toMatchObject({ code: 0, stderr: "" });
  expect(postgresPid(server.dataDir)).toBeNull();

  const dataDir = join(folder, "restored");
  const wrong = await bursar(dataDir, ["restore", file], "some other passphrase");
  expect(wrong.code).toBe(3);
  expect(existsSync(dataDir)).toBe(false);
  await killRestore(dataDir);
  const restored = await bursar(dataDir, ["--json", "restore", file]);
  expect(restored.code).toBe(0);
  expect(JSON.parse(restored.stdout)).toMatchObject({
    rows: inside.rows,
    api_keys_held: 1,
    admin_keys_held: 1,
    journals_restored: ["journal"],
  });
  expect((await stat(join(dataDir, "secret"))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(dataDir, "secret"), "utf8")).toBe(
    await readFile(join(server.dataDir, "secret"), "utf8"),
  );

  const second = await startServer({ args: [], dataDir, env: ALLOWED });
  expect(second.output()).not.toContain("damaged");
  const held = await sendMessage(second.url, workspace.key);
  expect(held.status).toBe(401);
  expect(held.text).toContain("was restored from a backup");
  const keys = JSON.parse((await runCommand(dataDir, ["--json", "restore", "keys"])).stdout) as {
    keys: { id: string }[];
  };
  expect(keys.keys.map(({ id }) => id)).toContain(workspace.apiKeyId);
  expect((await runCommand(dataDir, ["restore", "confirm-keys", "--key", "apikey_x"])).code).toBe(
    4,
  );
  const confirmed = await runCommand(dataDir, ["restore", "confirm-keys", "--all"]);
  expect(confirmed.stdout).toContain("2 keys work again");
  upstream.received.length = 0;
  const answered = await eventually(KEY_MS, "the confirmed key to work", async () => {
    const answer = await sendMessage(second.url, workspace.key);
    return answer.status === 200 ? answer : null;
  });
  expect(answered.status).toBe(200);
  expect(upstream.received[0]?.headers["x-api-key"]).toBe(CREDENTIAL);

  const counted = await eventually(KEY_MS, "all records to be counted", async () => {
    const { this_node } = await second.mustOperator("GET", "/v1/admin/system");
    const { unflushed_records: waiting } = this_node as { unflushed_records: number };
    const batches = await second.sql("SELECT id FROM usage_batch");
    return waiting === 0 && batches.length === 0 ? true : null;
  });
  expect(counted).toBe(true);
  const { cost, days, months, settled, requests } = (await readMoney(second)) as Record<
    string,
    unknown
  >;
  expect(Number(requests)).toBeGreaterThan(inside.rows.usage_record);
  expect([days, months, settled]).toEqual([cost, cost, cost]);
  const ledger = await runCommand(dataDir, ["doctor", "ledger"]);
  expect(ledger.stdout).toContain("Every balance equals the sum of its requests");
  expect((await runCommand(dataDir, ["audit", "verify"])).code).toBe(0);
  await second.stop();
  // Steps after a recovery of the database by other means. The flag is the one of the command above.
  const recovery = ["--json", "restore", "after-recovery", "--to", "2026-11-25T03:00:00Z"];
  const recovered = await bursar(dataDir, [...recovery, "--keys", "trust"]);
  expect(JSON.parse(recovered.stdout)).toMatchObject({ api_keys_held: 0, admin_keys_held: 0 });
  expect(existsSync(join(dataDir, "audit-heads.jsonl"))).toBe(false);
}, 300_000);

/** Kills a restore while it loads, or at any other point. The next one must start from the beginning. */
async function killRestore(dataDir: string): Promise<void> {
  const env = serverEnvironment(dataDir, { BURSAR_BACKUP_PASSPHRASE: PASSPHRASE });
  const child = spawn(process.execPath, ["bursar", "restore", file], { cwd: root, env });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await new Promise<void>((resolve) => {
    child.stderr.on("data", (text: Buffer) => {
      if (text.includes("Loading")) resolve();
    });
    child.once("exit", () => resolve());
  });
  child.kill("SIGKILL");
  await ended;
}

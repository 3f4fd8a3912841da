import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect } from "vitest";
import { type Ran, runBursar, spawnBursar } from "#test/harness/command-line.ts";
import { eventually } from "#test/harness/eventually.ts";
import { test as base } from "#test/harness/product-test.ts";
import {
  callAdmin,
  root,
  serverEnvironment,
  temporaryFolder,
} from "#test/harness/server-process.ts";

// `./bursar` from the user's side: its output, its streams and its exit codes. Most commands run in the process of the
// test. A command whose streams, exit code or start are tested runs as a process.

const test = base.extend("cli", { scope: "file" }, ({ server }) => {
  const environment = (extra: Record<string, string> = {}): Record<string, string> => ({
    ...serverEnvironment(server.dataDir),
    XDG_CONFIG_HOME: configFolder,
    ...extra,
  });

  /** Runs a command on the server's data folder. `input` is stdin. */
  const bursar = (args: readonly string[], env: Record<string, string> = {}, input = "") =>
    runBursar(args, { env: environment(env), input });

  /** Runs `./bursar` as a process. */
  const spawn = (args: readonly string[], env: Record<string, string> = {}, input = "") =>
    spawnBursar(args, { env: environment(env), input });

  /** Runs a command without the server's folder, as on another machine. */
  const runRemote = (args: readonly string[], env: Record<string, string> = {}, input = "") =>
    bursar(args, { BURSAR_DATA_DIR: elsewhere, ...env }, input);

  const add = (name: string, ...more: string[]) =>
    ["profile", "add", name, "--url", server.url, ...more] as const;

  return { bursar, spawn, environment, runRemote, add };
});

let configFolder: string;
/** A data folder without a server. */
let elsewhere: string;

beforeAll(async () => {
  configFolder = await temporaryFolder();
  elsewhere = await temporaryFolder();
}, 90_000);

const jsonOf = (ran: Ran) => JSON.parse(ran.stdout) as Record<string, unknown>;

test("prints only the admin key, which works until it is revoked", async ({ server, cli }) => {
  const made = await cli.spawn(["admin-keys", "create", "--name", "From the shell"]);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(made.stdout).toMatch(/^sk-ant-admin01-[0-9A-Za-z]{49}\n$/);
  const me = () => callAdmin(server.url, made.stdout.trim(), "GET", "/v1/organizations/me");
  expect((await me()).status).toBe(200);

  const listed = jsonOf(await cli.bursar(["--json", "admin-keys", "list"]));
  const [key] = (listed["data"] as { id: string; name: string; created_by: object }[]).filter(
    ({ name }) => name === "From the shell",
  );
  expect(key?.created_by).toMatchObject({ type: "local_operator" });
  const unasked = await cli.spawn(["admin-keys", "revoke", key?.id ?? ""]);
  expect(unasked).toMatchObject({ code: 2, stdout: "" });
  expect((await me()).status).toBe(200);
  const revoked = await cli.bursar(["admin-keys", "revoke", key?.id ?? "", "--yes"]);
  expect(revoked.code).toBe(0);
  expect(jsonOf(revoked)).toMatchObject({ name: "From the shell", status: "revoked" });
  expect((await me()).status).toBe(401);
});

test("creates, reads, rotates and revokes a key, and finds its workspace by name in any case", async ({
  server,
  cli,
}) => {
  const made = jsonOf(
    await cli.bursar(["workspaces", "create", "Café", "--description", "For tests"]),
  );
  expect(made).toMatchObject({ name: "Café", description: "For tests" });
  // The same name as a Mac keyboard encodes it.
  const name = "CAFE\u0301";
  const create = ["api-keys", "create", "k", "--workspace", name, "--permissions", "read"];
  const key = jsonOf(await cli.bursar([...create, "--expires-at", "+90d", "--json"]));
  expect(key).toMatchObject({
    name: "k",
    permissions: ["read"],
    workspace_id: made["id"],
    key: expect.stringMatching(/^sk-ant-api03-/),
  });
  const days = (Date.parse(String(key["expires_at"])) - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(90);

  const id = String(key["id"]);
  const models = async () => {
    const headers = { "x-api-key": String(key["key"]) };
    return (await fetch(`${server.url}/v1/models`, { headers })).status;
  };
  /** Waits for the status. A change reaches the gateway within a second, and later on a busy machine. */
  const waitForStatus = (status: number) =>
    eventually(30_000, `a ${status}`, async () => ((await models()) === status ? status : null));
  expect(await models()).toBe(200);
  expect(jsonOf(await cli.bursar(["keys", "disable", id]))).toMatchObject({ status: "inactive" });
  expect(await waitForStatus(401)).toBe(401);
  expect(jsonOf(await cli.bursar(["keys", "enable", id]))).toMatchObject({ status: "active" });
  expect(await waitForStatus(200)).toBe(200);
  const rotated = await cli.bursar(["keys", "rotate", id, "--grace-period-seconds", "3600"]);
  expect(rotated.stdout).toMatch(/^sk-ant-api03-[0-9A-Za-z]{49}\n$/);
  expect(rotated.stdout.trim()).not.toBe(key["key"]);
  expect(await models()).toBe(200);
  expect((await cli.bursar(["keys", "cut-off", id, "--yes"])).code).toBe(0);
  expect(jsonOf(await cli.bursar(["keys", "revoke", id, "--yes"]))).toMatchObject({
    status: "archived",
  });

  const list = await cli.bursar(["keys", "list", "--workspace", "café", "--format", "table"]);
  expect(list.stdout).toMatch(new RegExp(`^${id} +k +archived`, "m"));
  expect(list.stdout).not.toContain(String(key["key"]));
});

test("sets a limit in dollars and shows its spend", async ({ cli }) => {
  await cli.bursar(["workspaces", "create", "Limited"]);
  const set = ["limits", "set", "--scope", "workspace:Limited", "--period", "monthly"];
  const limit = jsonOf(await cli.bursar([...set, "--limit-usd", "1234.50"]));
  expect(limit).toMatchObject({
    limit_usd: 1234.5,
    period: "monthly",
    scope: { type: "workspace" },
  });
  const table = await cli.bursar(["limits", "list", "--workspace", "Limited", "--format", "table"]);
  expect(table.stdout).toMatch(/limit \$ +spent \$.*\n.* 1,234\.50 +0\.00/);
  const yaml = await cli.bursar(["limits", "get", String(limit["id"]), "--format", "yaml"]);
  expect(yaml.stdout).toContain("scope:\n  type: workspace\n");
  const removed = await cli.bursar([
    "limits",
    "remove",
    String(limit["id"]),
    "--yes",
    "--format",
    "raw",
  ]);
  expect(removed.stdout).toBe(`${limit["id"]}\n`);
  const usage = jsonOf(await cli.bursar(["usage", "--group-by", "workspace"]));
  expect(usage).toMatchObject({ data: [], bucket: "1d", totals: { cost_usd: "0.00" } });
});

test("follows a list page by page, and succeeds when the reader closes early", async ({ cli }) => {
  for (const name of ["P1", "P2", "P3"]) await cli.bursar(["workspaces", "create", name]);
  const first = await cli.bursar(["workspaces", "list", "--limit", "1"]);
  const { data, next_page } = jsonOf(first) as { data: { name: string }[]; next_page: string };
  expect(data.map(({ name }) => name)).toEqual(["P3"]);
  expect(first.stderr).toContain(`--page ${next_page}`);
  const next = await cli.bursar(["workspaces", "list", "--limit", "1", "--page", next_page]);
  expect(next.stdout).toContain('"P2"');
  const all = await cli.bursar(["workspaces", "list", "--all", "--format", "jsonl"]);
  const names = all.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).name);
  expect(names.slice(0, 3)).toEqual(["P3", "P2", "P1"]);
  expect(names).toContain("Default");

  const options = { cwd: root, env: cli.environment() };
  const reader = spawn(process.execPath, ["bursar", "audit", "export"], options);
  reader.stdout.destroy();
  const stderr: string[] = [];
  reader.stderr.on("data", (chunk) => stderr.push(String(chunk)));
  const code = await new Promise((resolve) => reader.on("close", resolve));
  expect([code, stderr.join("")]).toEqual([0, ""]);
});

test("a change repeated with one key is made once", async ({ cli }) => {
  const create = [
    "workspaces",
    "create",
    "Once",
    "--idempotency-key",
    "the-same",
    "--format",
    "raw",
  ];
  const [first, again] = [await cli.bursar(create), await cli.bursar(create)];
  expect(first.stdout).toMatch(/^wksp_/);
  expect(again.stdout).toBe(first.stdout);
});

describe("--json at any position prints one object", () => {
  test.for([
    [["--json", "workspaces", "list"], "data"],
    [["workspaces", "list", "--json"], "data"],
    [["doctor", "--json"], "findings"],
  ] as const)("%j", async ([args, field], { cli }) => {
    const ran = await cli.bursar(args);
    expect(ran.code).toBe(0);
    expect(jsonOf(ran)[field]).toBeInstanceOf(Array);
    expect(ran.stdout.trim().split("\n")).toHaveLength(1);
  });

  test("prints an error on stderr too", async ({ cli }) => {
    const ran = await cli.spawn(["--json", "admin-keys", "revoke", "adminkey_x", "--yes"]);
    expect(ran).toMatchObject({ code: 4, stdout: "" });
    expect(JSON.parse(ran.stderr)).toEqual({
      error: {
        message: "Admin key not found",
        details: { error_code: "resource_not_found", resource: "admin_key" },
      },
      request_id: expect.stringMatching(/^req_/),
    });
  });
});

describe("an invalid command prints the reason on stderr and exits with its code", () => {
  const createKey = ["api-keys", "create", "k", "--workspace"];
  test.for([
    [2, ["nonsense"], "unknown command"],
    [2, ["workspaces", "list", "--nonsense"], "unknown option"],
    [2, ["workspaces", "list", "--format", "xml"], "json, jsonl, yaml"],
    [2, ["admin-keys", "create", "--name", " "], "name: expected at least 1 character."],
    [2, [...createKey, "Default", "--permissions", "root"], '"read", "write", "admin"'],
    [2, [...createKey, "Default", "--expires-at", "soon"], "expires_at"],
    [4, [...createKey, "Nowhere"], "Workspace not found: Nowhere"],
    [4, [...createKey, "wksp_no"], "Workspace not found: wksp_no"],
    [4, ["members", "get", "eve@example.com"], "Member not found: eve@example.com"],
    [5, ["workspaces", "create", "default"], "already called"],
    [1, ["migrate"], "is using the data folder"],
    [2, ["doctor", "--profile", "work"], "This command works on this machine only"],
  ] as [number, string[], string][])("%i: %j", async ([code, args, words], { cli }) => {
    const ran = await cli.bursar(args);
    expect(ran).toMatchObject({ code, stdout: "" });
    expect(ran.stderr).toContain(words);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });

  test("2: an unknown setting", async ({ cli }) => {
    const ran = await cli.spawn(["config"], { BURSAR_PROT: "1" });
    expect(ran).toMatchObject({ code: 2, stderr: "BURSAR_PROT: unknown setting\n" });
  });
});

describe("information commands", () => {
  test("help and the version exit with 0", async ({ cli }) => {
    const help = await cli.spawn(["--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    for (const word of ["admin-keys", "doctor", "profile", "Exit codes"]) {
      expect(help.stdout).toContain(word);
    }
    expect((await cli.spawn(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const group = await cli.bursar(["help", "api-keys"]);
    expect(group.stdout).toContain("rotate");
    const nothing = await cli.spawn(["api-keys"]);
    expect(nothing).toMatchObject({ code: 2, stdout: "" });
    expect(nothing.stderr).toContain("rotate");
  });

  test("doctor reports each check, and fails when one fails", async ({ cli }) => {
    const well = await cli.bursar(["doctor"]);
    expect(well.code).toBe(0);
    expect(well.stdout).toContain("ready (draining: no, database: ok");
    expect(well.stdout).toMatch(
      /ok +connections +all nodes open up to 25, and PostgreSQL accepts 97\n/,
    );
    const exposed = await cli.spawn(["doctor"], { BURSAR_HOST: "0.0.0.0" });
    expect(exposed.code).toBe(1);
    expect(exposed.stdout).toMatch(/wrong +address +0\.0\.0\.0 is open to the network/);
  });

  test("doctor notes a missing or old backup and succeeds", async ({ server, cli }) => {
    const notes: string[] = [];
    for (const days of [null, 8, 1]) {
      await server.sql(
        `INSERT INTO backup (made_at, finished_at, file_name, size_bytes, sha256, requests, is_encrypted, has_secret,
            made_by_type, made_by_id)
          SELECT now() - make_interval(days => $1::integer), now(), 'x.backup', 1, sha256('x'), 0, true, true,
            'local_operator', '0'
          WHERE $1::integer IS NOT NULL`,
        [days],
      );
      const ran = await cli.bursar(["doctor"]);
      expect(ran.code).toBe(0);
      notes.push(/^.* {2}backup .*$/m.exec(ran.stdout)?.[0] ?? "");
    }
    const json = jsonOf(await cli.bursar(["--json", "doctor"]));
    await server.sql("DELETE FROM backup");
    expect(notes).toEqual([
      expect.stringMatching(/^note +backup +no backup yet; /),
      expect.stringMatching(/^note +backup +newest from .*Z, more than a week ago$/),
      expect.stringMatching(/^ok +backup +newest from .*Z$/),
    ]);
    expect(json).toMatchObject({ healthy: true });
  });

  test("doctor ledger names a balance that differs from its requests, and fails", async ({
    server,
    cli,
  }) => {
    const well = await cli.bursar(["doctor", "ledger"]);
    expect([well.code, well.stdout]).toEqual([
      0,
      expect.stringMatching(/^Every balance equals the sum of its requests: /),
    ]);
    const forged = ["workspace", "wksp_forged", "monthly", "2026-11-01"];
    await server.sql(
      `INSERT INTO balance (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd)
        SELECT $1, $2, $3, $4::date, id, 5000000000 FROM organization`,
      forged,
    );
    const ran = await cli.bursar(["doctor", "ledger"]);
    const json = jsonOf(await cli.bursar(["--json", "doctor", "ledger"]));
    await server.sql("DELETE FROM balance WHERE scope_id = 'wksp_forged'");
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(
      "workspace wksp_forged, monthly from 2026-11-01: spent is $5.00 and should be $0.00 (",
    );
    expect(json).toMatchObject({ is_correct: false, difference_count: 1 });
  });

  test("config hides secrets and prints durations as configured", async ({ cli }) => {
    const ran = await cli.spawn(["config"], {
      ANTHROPIC_API_KEY: "sk-ant-canary",
      BURSAR_DRAIN: "45s",
    });
    expect(ran.stdout).toMatch(/^ANTHROPIC_API_KEY +\(hidden\) +ANTHROPIC_API_KEY$/m);
    expect(ran.stdout).toMatch(/^BURSAR_DRAIN +45s +BURSAR_DRAIN$/m);
    expect(ran.stdout).not.toContain("canary");
  });

  test("completes words for a shell", async ({ cli }) => {
    expect((await cli.spawn(["complete", "--", "api-keys", "ro"])).stdout).toBe("rotate\n");
    expect((await cli.bursar(["completion", "bash"])).stdout).toContain(
      "complete -o default -F _bursar",
    );
  });
});

describe("a remote server", () => {
  const file = () => join(configFolder, "bursar", "profiles.json");
  let key: string;

  test.beforeAll(async ({ cli }) => {
    key = (await cli.bursar(["admin-keys", "create", "For profiles"])).stdout.trim();
  });

  test("is used by a profile whose key is read from a pipe and stored in a private file", async ({
    server,
    cli,
  }) => {
    const added = await cli.spawn(cli.add("work"), { BURSAR_DATA_DIR: elsewhere }, `${key}\n`);
    expect(added).toMatchObject({ code: 0, stderr: "" });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(join(configFolder, "bursar")).mode & 0o777).toBe(0o700);
    expect(added.stdout).not.toContain(key);

    const listed = await cli.runRemote(["profile", "list"]);
    expect(listed.stdout).toContain(`work  ${server.url}  sk-ant-admin01-…${key.slice(-4)}`);
    expect(listed.stdout).not.toContain(key);
    expect((await cli.runRemote(["--profile", "work", "workspaces", "get", "Default"])).code).toBe(
      0,
    );
    const made = await cli.runRemote(["workspaces", "create", "From away"], {
      BURSAR_PROFILE: "work",
    });
    expect(made.code).toBe(0);
    // The key is the actor, not the local operator.
    const [event] = jsonOf(
      await cli.bursar(["audit", "list", "--event", "workspace.created", "--limit", "1"]),
    )["data"] as { actor: object }[];
    expect(event?.actor).toMatchObject({ type: "admin_key", name: "For profiles" });
  });

  test("is used by environment variables alone, for CI", async ({ server, cli }) => {
    const keyFile = join(elsewhere, "key");
    await writeFile(keyFile, `${key}\n`);
    const get = ["organization", "--format", "json"];
    const env = { BURSAR_URL: server.url, BURSAR_ADMIN_KEY_FILE: keyFile };
    expect(jsonOf(await cli.runRemote(get, env))).toMatchObject({ type: "organization" });
    expect(await cli.runRemote(get, { ...env, BURSAR_ADMIN_KEY: key })).toMatchObject({ code: 2 });
    expect(await cli.runRemote(get, { BURSAR_URL: server.url })).toMatchObject({ code: 2 });
    // Not as the operator of this machine, who has more rights.
    const withoutAddress = await cli.runRemote(get, { BURSAR_ADMIN_KEY: key });
    expect(withoutAddress).toMatchObject({ code: 2, stdout: "" });
    expect(withoutAddress.stderr).toContain("BURSAR_URL");
    const local = await cli.runRemote(["--profile", "local", ...get], env);
    expect(local).toMatchObject({ code: 7 });
    expect(local.stderr).toContain(`No server is running on the data folder ${elsewhere}`);
  });

  test("is not used with the profile `local`, which keeps local commands local", async ({
    cli,
  }) => {
    await cli.runRemote(cli.add("own", "--replace"), {}, key);
    const refused = await cli.bursar(["owners", "list"], { BURSAR_PROFILE: "own" });
    expect(refused).toMatchObject({ code: 3, stdout: "" });
    expect(refused.stderr).toContain("server's own machine");
    const owners = await cli.bursar(["owners", "list", "--profile", "local"], {
      BURSAR_PROFILE: "own",
    });
    expect(owners).toMatchObject({ code: 0, stdout: '{"data":[]}\n' });
  });

  test("is not stored with an invalid key, nor twice under one name", async ({ cli }) => {
    const wrong = `${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`;
    expect(await cli.runRemote(cli.add("broken"), {}, wrong)).toMatchObject({
      code: 3,
      stdout: "",
    });
    const noKey = await cli.runRemote(cli.add("broken"), {}, "hunter2 canary");
    expect(noKey).toMatchObject({ code: 2 });
    expect(noKey.stderr).not.toContain("hunter2");
    expect(await cli.runRemote(cli.add("own"), {}, key)).toMatchObject({ code: 5 });
    expect((await cli.runRemote(["profile", "list"])).stdout).not.toContain("broken");
    expect(await cli.runRemote(["--profile", "broken", "workspaces", "list"])).toMatchObject({
      code: 2,
    });
  });

  test.for([
    ["http://bursar.example.com", "unencrypted"],
    ["ftp://bursar.example.com", "Expected an address"],
    ["https://user:pass@bursar.example.com", "Expected an address"],
    ["bursar.example.com", "Expected an address"],
  ] as const)("is not stored with the address %s", async ([url, words], { cli }) => {
    const ran = await cli.runRemote(["profile", "add", "bad", "--url", url, "--no-check"], {}, key);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain(words);
    expect(ran.stderr).not.toContain("user:pass@bursar.example.com/");
  });

  test("is refused when others can read the profile file", async ({ cli }) => {
    await chmod(file(), 0o644);
    const open = await cli.runRemote(["--profile", "own", "workspaces", "list"]);
    expect(open).toMatchObject({ code: 2, stdout: "" });
    expect(open.stderr).toContain(`chmod 600 ${file()}`);
    await chmod(file(), 0o600);
    expect((await cli.runRemote(["profile", "remove", "own"])).code).toBe(0);
    expect(await cli.runRemote(["profile", "remove", "own"])).toMatchObject({ code: 4 });
    expect(readFileSync(file(), "utf8")).toContain('"work"');
  });

  test("leaves no file when a report breaks off", async ({ server, cli }) => {
    const report = join(elsewhere, "report.jsonl");
    const ran = await cli.spawn(["audit", "export", "--output", report], {
      BURSAR_DATA_DIR: elsewhere,
      BURSAR_URL: server.url,
      BURSAR_ADMIN_KEY: `${key.slice(0, -1)}_`,
    });
    expect(ran).toMatchObject({ code: 3, stdout: "" });
    expect(existsSync(report)).toBe(false);
  });

  test("closes the file of a report that the server refuses", async ({ server, cli }) => {
    const report = join(elsewhere, "refused.jsonl");
    const refused = { BURSAR_URL: server.url, BURSAR_ADMIN_KEY: `${key.slice(0, -1)}_` };
    const ran = await cli.runRemote(["audit", "export", "--output", report], refused);
    expect(ran).toMatchObject({ code: 3, stdout: "" });
    await eventually(5_000, "the file to be closed", async () =>
      listOpenFiles().some((path) => path.startsWith(report)) ? null : true,
    );
  });
});

/** Paths of the files that this process has open. Linux names deleted ones too. Empty on other systems. */
function listOpenFiles(): string[] {
  const folder = "/proc/self/fd";
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((fd) => readLink(join(folder, fd)));
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // closed meanwhile
  }
}

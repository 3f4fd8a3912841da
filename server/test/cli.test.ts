import { execFile } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  callAdmin,
  root,
  type ServerProcess,
  serverEnvironment,
  startServer,
  stopAllServers,
} from "#test/harness/server-process.ts";

// `./bursar` as people and scripts use it: what it prints where, and what it exits with.

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer();
}, 90_000);
afterAll(stopAllServers);

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `./bursar` on the server's data folder, its output piped. */
function bursar(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const options = { cwd: root, env: serverEnvironment(server.dataDir, env) };
  return new Promise((resolve) => {
    execFile(process.execPath, ["bursar", ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const jsonOf = (ran: Ran) => JSON.parse(ran.stdout) as Record<string, unknown>;

test("an admin key is printed alone, so that a variable can hold it, and works until it is revoked", async () => {
  const made = await bursar(["admin-keys", "create", "--name", "From the shell"]);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(made.stdout).toMatch(/^sk-ant-admin01-[0-9A-Za-z]{49}\n$/);
  const me = () => callAdmin(server.url, made.stdout.trim(), "GET", "/v1/organizations/me");
  expect((await me()).status).toBe(200);

  const listed = jsonOf(await bursar(["--json", "admin-keys", "list"]));
  const [key] = (listed["data"] as { id: string; name: string; created_by: object }[]).filter(
    ({ name }) => name === "From the shell",
  );
  expect(key?.created_by).toMatchObject({ type: "local_operator" });
  const revoked = await bursar(["admin-keys", "revoke", key?.id ?? ""]);
  expect(revoked).toMatchObject({ code: 0, stdout: `Revoked From the shell (${key?.id}).\n` });
  expect((await me()).status).toBe(401);
});

test("a workspace and a key in it, by name and whatever its case", async () => {
  const made = await bursar(["workspaces", "create", "Café", "--description", "For tests"]);
  expect(made.stdout).toMatch(/^wksp_[0-9A-Za-z]{24} {2}Café\n$/);
  // As a Mac's keyboard may spell it.
  const name = "CAFE\u0301";
  const key = await bursar(["--json", "api-keys", "create", "--workspace", name, "--name", "k"]);
  expect(jsonOf(key)).toMatchObject({
    name: "k",
    permissions: ["write"],
    workspace_id: made.stdout.split(" ")[0],
    key: expect.stringMatching(/^sk-ant-api03-/),
  });
  const [keys, workspaces] = await Promise.all([
    bursar(["api-keys", "list"]),
    bursar(["workspaces", "list"]),
  ]);
  expect(keys.stdout).toContain(String(jsonOf(key)["id"]));
  expect(keys.stdout).not.toContain(String(jsonOf(key)["key"]));
  expect(workspaces.stdout).toContain("Café");
});

describe.concurrent("--json prints one object, anywhere on the line", () => {
  test.each([
    [["--json", "workspaces", "list"], "data"],
    [["workspaces", "list", "--json"], "data"],
    [["doctor", "--json"], "findings"],
  ])("%j", async (args, field) => {
    const ran = await bursar(args);
    expect(ran.code).toBe(0);
    expect(jsonOf(ran)[field]).toBeInstanceOf(Array);
    expect(ran.stdout.trim().split("\n")).toHaveLength(1);
  });

  test("also for an error, on stderr", async () => {
    const ran = await bursar(["--json", "admin-keys", "revoke", "adminkey_x"]);
    expect(ran).toMatchObject({ code: 4, stdout: "" });
    expect(JSON.parse(ran.stderr)).toEqual({
      error: { message: "Admin key not found" },
      request_id: expect.stringMatching(/^req_/),
    });
  });
});

describe.concurrent("what cannot be done says why, on stderr, and exits with the code for it", () => {
  test.each([
    [2, ["nonsense"], "unknown command"],
    [2, ["admin-keys", "create", "--name", " "], "name: expected at least 1 character."],
    [
      2,
      ["api-keys", "create", "--workspace", "Default", "--name", "k", "--permission", "root"],
      "read, write, admin",
    ],
    [
      2,
      ["api-keys", "create", "--workspace", "Default", "--name", "k", "--expires-at", "soon"],
      "expires_at",
    ],
    [
      4,
      ["api-keys", "create", "--workspace", "Nowhere", "--name", "k"],
      "Workspace not found: Nowhere",
    ],
    [
      4,
      ["api-keys", "create", "--workspace", "wksp_no", "--name", "k"],
      "Workspace not found: wksp_no",
    ],
    [5, ["workspaces", "create", "default"], "already called"],
    [1, ["migrate"], "is using the data folder"],
  ] as [number, string[], string][])("%i: %j", async (code, args, words) => {
    const ran = await bursar(args);
    expect(ran).toMatchObject({ code, stdout: "" });
    expect(ran.stderr).toContain(words);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });

  test("2: a setting that does not exist", async () => {
    const ran = await bursar(["config"], { BURSAR_PROT: "1" });
    expect(ran).toMatchObject({ code: 2, stderr: "BURSAR_PROT: there is no such setting\n" });
  });
});

describe.concurrent("about itself", () => {
  test("help and the version are no errors", async () => {
    const [help, version] = await Promise.all([bursar(["--help"]), bursar(["--version"])]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("admin-keys");
    expect(help.stdout).toContain("Exits with 0");
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("doctor says what is right and wrong, and fails when something is", async () => {
    const well = await bursar(["doctor"]);
    expect(well.code).toBe(0);
    expect(well.stdout).toContain("ready (draining: no, database: ok");
    const exposed = await bursar(["doctor"], { BURSAR_HOST: "0.0.0.0" });
    expect(exposed.code).toBe(1);
    expect(exposed.stdout).toMatch(/wrong +address +0\.0\.0\.0 is open to the network/);
  });

  test("doctor ledger names a balance that is not what its requests add up to, and fails", async () => {
    const well = await bursar(["doctor", "ledger"]);
    expect([well.code, well.stdout]).toEqual([
      0,
      expect.stringMatching(/^Every balance is what its requests add up to: /),
    ]);
    const forged = ["workspace", "wksp_forged", "monthly", "2026-11-01"];
    await server.sql(
      `INSERT INTO balance (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd)
        SELECT $1, $2, $3, $4::date, id, 5000000000 FROM organization`,
      forged,
    );
    const ran = await bursar(["doctor", "ledger"]);
    const json = jsonOf(await bursar(["--json", "doctor", "ledger"]));
    await server.sql("DELETE FROM balance WHERE scope_id = 'wksp_forged'");
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(
      "workspace wksp_forged, monthly from 2026-11-01: spent is $5.00 and should be $0.00 (",
    );
    expect(json).toMatchObject({ is_correct: false, difference_count: 1 });
  });

  test("config shows secrets as hidden and durations as they are written", async () => {
    const ran = await bursar(["config"], {
      ANTHROPIC_API_KEY: "sk-ant-canary",
      BURSAR_DRAIN: "45s",
    });
    expect(ran.stdout).toMatch(/^ANTHROPIC_API_KEY +\(hidden\) +ANTHROPIC_API_KEY$/m);
    expect(ran.stdout).toMatch(/^BURSAR_DRAIN +45s +BURSAR_DRAIN$/m);
    expect(ran.stdout).not.toContain("canary");
  });
});

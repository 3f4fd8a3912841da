import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { recordCommands } from "./harness/recorded-commands.ts";

// Requests and output of single commands: names in place of ids, bodies, questions, lists, secrets and files.

const cli = recordCommands();

test("finds names of workspaces and addresses of members in place of any id", async () => {
  await cli.bursar(["workspace-members", "get", "RESEARCH ", "Ada@Example.com"]);
  expect(cli.asked.at(-1)?.path).toBe("/v1/admin/workspaces/wksp_1/members/user_1");
  await cli.bursar([
    "limits",
    "set",
    "--scope",
    "workspace:Research",
    "--period",
    "daily",
    "--limit-usd",
    "1",
  ]);
  expect(cli.lastBody()).toEqual({
    scope: { type: "workspace", workspace_id: "wksp_1" },
    period: "daily",
    limit_usd: "1",
  });
  await cli.bursar(["usage", "--workspace", "Research,wksp_2", "--workspace", "Research"]);
  expect(cli.asked.at(-1)?.query["workspace_id"]).toEqual(["wksp_1", "wksp_2", "wksp_1"]);
  expect(cli.asked.filter(({ path }) => path === "/v1/admin/workspaces")).toHaveLength(3);

  const unknown = await cli.bursar(["members", "remove", "eve@example.com", "--yes"]);
  expect(unknown).toMatchObject({ code: 4, out: "" });
  expect(unknown.notes).toContain("Member not found: eve@example.com");
});

test("finds a tag by its name and value, and explains a text without both", async () => {
  const set = (scope: string) =>
    cli.bursar(["limits", "set", "--scope", scope, "--period", "daily", "--limit-usd", "1"]);
  for (const text of ["cost_center=4712", "cost_center:4712", "tag_2"]) {
    await set(`tag:${text}`);
    expect(cli.lastBody()).toMatchObject({ scope: { type: "tag", tag_id: "tag_2" } });
  }
  const unknown = await set("tag:4711");
  expect(unknown).toMatchObject({ code: 4, out: "" });
  expect(unknown.notes).toContain("such as cost_center=4711");
  expect((await set("tag:cost_center=1")).notes).toContain("Tag not found: cost_center=1");
});

test("prefers an active workspace, and refuses a name of several archived ones", async () => {
  const archived = { name: "Old", archived_at: "2026-01-01T00:00:00.000Z" };
  let data: { id: string; name: string; archived_at: string | null }[] = [
    { id: "wksp_a", ...archived },
    { id: "wksp_b", ...archived },
  ];
  cli.answers["/v1/admin/workspaces"] = () => ({ data, next_page: null });
  const several = await cli.bursar(["workspaces", "get", "Old"]);
  expect(several).toMatchObject({ code: 2, out: "" });
  expect(several.notes).toContain("wksp_a, wksp_b");
  data = [...data, { id: "wksp_c", name: "old", archived_at: null }];
  await cli.bursar(["workspaces", "get", "Old"]);
  expect(cli.asked.at(-1)?.path).toBe("/v1/admin/workspaces/wksp_c");
});

describe("a body", () => {
  test("combines flags with the fields of --data", async () => {
    await cli.bursar([
      ...["workspaces", "update", "wksp_1", "--data", '{"name":"A","description":"b"}'],
      ...["--no-description", "--tags", "team=x", "--tags", "cost=y=z"],
    ]);
    expect(cli.lastBody()).toEqual({
      name: "A",
      description: null,
      tags: { team: "x", cost: "y=z" },
    });
    await cli.bursar(["workspaces", "create", "--data", "-"]);
    expect(cli.lastBody()).toEqual({ name: "Piped" });
  });

  test("has the text of a file, and a dry run of the server is a request", async () => {
    const file = join(cli.folder, "tags.csv");
    await writeFile(file, Buffer.from("kind,id\nworkspace,K\u00f6ln\0", "latin1"));
    await cli.bursar(["tags", "import", file, "--dry-run"]);
    expect(cli.asked[0]).toMatchObject({
      path: "/v1/admin/tags/import",
      query: { dry_run: "true" },
    });
    expect(cli.lastBody()).toEqual({ csv: "kind,id\nworkspace,K\uFFFDln\uFFFD" });
    await cli.bursar(["tags", "import", file]);
    expect(cli.asked[1]?.query).toEqual({});
    expect((await cli.bursar(["tags", "import", join(cli.folder, "none.csv")])).notes).toContain(
      "file: cannot read",
    );
    expect((await cli.bursar(["tags", "import"])).notes).toContain("Missing: --csv <file>");
  });

  test.each([
    [["workspaces", "create", "A", "--name", "B"], "name: set twice."],
    [["workspaces", "create", "A", "--data", "[]"], "--data: expected a JSON object."],
    [["workspaces", "update", "wksp_1"], "Nothing to change"],
    [["api-keys", "create", "A"], "Missing: --workspace <name or id>."],
    [["api-keys", "rotate", "apikey_1", "--grace-period-seconds", "1h"], "expected a whole number"],
    [["api-keys", "list", "--limit", "0"], "--limit: expected a whole number, at least 1."],
  ])("refuses %j without a request", async (words, message) => {
    const ran = await cli.bursar(words);
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.notes).toContain(message);
    expect(cli.asked).toEqual([]);
  });

  test("reads a secret from a file or the terminal, has no flag for it, and hides it in a dry run", async () => {
    const create = [
      "upstreams",
      "create",
      "A",
      "--base-url",
      "https://a.example",
      "--credential-file",
    ];
    await cli.bursar([...create, join(cli.folder, "secret")]);
    expect(cli.lastBody()).toMatchObject({ credential: "sk-ant-api03-canary" });
    await cli.bursar([...create, "-"], "typed");
    expect(cli.lastBody()).toMatchObject({ credential: "typed" });
    const dry = await cli.bursar([...create, join(cli.folder, "secret"), "--dry-run"]);
    expect(JSON.parse(dry.out)).toEqual({
      method: "POST",
      target: "/v1/admin/upstreams",
      body: { name: "A", base_url: "https://a.example", credential: "(hidden)" },
    });
    expect(cli.asked).toHaveLength(2);
    await cli.bursar(["upstreams", "update", "ups_1", "--no-credential-file"]);
    expect(cli.lastBody()).toEqual({ credential: null });
  });
});

describe("a destructive command", () => {
  const ends = [
    ["workspaces", "archive", "wksp_1"],
    ["api-keys", "revoke", "apikey_1"],
    ["api-keys", "update", "apikey_1", "--status", "archived"],
    ["api-keys", "rotate", "apikey_1"],
    ["api-keys", "cut-off", "apikey_1"],
    ["admin-keys", "revoke", "adminkey_1"],
    ["limits", "remove", "spl_1"],
    ["members", "remove", "user_1"],
    ["invites", "revoke", "invite_1"],
  ];
  test.each(ends)("asks for confirmation: %s %s", async (...words) => {
    expect(await cli.bursar(words, "n")).toMatchObject({ code: 1, out: "" });
    const piped = await cli.bursar(words);
    expect(piped).toMatchObject({ code: 2, out: "" });
    expect(piped.notes).toContain("Add --yes");
    expect(cli.asked).toEqual([]);
    expect((await cli.bursar(words, "y")).code).toBe(0);
    expect((await cli.bursar([...words, "--yes"])).code).toBe(0);
    expect(cli.asked).toHaveLength(2);
  });

  test("other commands need no confirmation", async () => {
    const words = ["api-keys", "rotate", "apikey_1", "--grace-period-seconds", "60"];
    expect((await cli.bursar(words)).code).toBe(0);
    expect((await cli.bursar(["api-keys", "disable", "apikey_1"])).code).toBe(0);
    expect(cli.lastBody()).toEqual({ status: "inactive" });
  });
});

describe("a list", () => {
  beforeEach(() => {
    // 2,500 entries, in pages as the server returns them.
    cli.answers["/v1/admin/api_keys"] = ({ limit, page }) => {
      const from = Number(page ?? 0);
      const to = Math.min(from + Number(limit), 2500);
      const data = Array.from({ length: to - from }, (_, i) => ({ id: `apikey_${from + i}` }));
      return { data, next_page: to < 2500 ? String(to) : null };
    };
  });
  const limits = () => cli.asked.map(({ query }) => `${query["page"] ?? ""}:${query["limit"]}`);

  test("reports rows after the first page when no limit was given", async () => {
    const ran = await cli.bursar(["api-keys", "list"]);
    const { data, next_page } = JSON.parse(ran.out);
    expect([data.length, next_page]).toEqual([100, "100"]);
    expect(ran.notes).toBe("Showing 100 entries, more exist. Use --all, --limit <n> or --page 100");
  });

  test("returns the requested number of rows from the requested position", async () => {
    const ran = await cli.bursar(["api-keys", "list", "--limit", "1500", "--format", "raw"]);
    expect(ran.out.split("\n")).toHaveLength(1500);
    expect(limits()).toEqual([":1000", "1000:500"]);
    cli.asked = [];
    const next = await cli.bursar(["api-keys", "list", "--page", "2499", "--json"]);
    expect(JSON.parse(next.out)).toEqual({ data: [{ id: "apikey_2499" }], next_page: null });
    expect(next.notes).toBe("");
  });

  test("returns all rows", async () => {
    const ran = await cli.bursar(["api-keys", "list", "--all", "--format", "jsonl"]);
    const lines = ran.out.split("\n").map((line) => JSON.parse(line).id);
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([2500, "apikey_0", "apikey_2499"]);
    expect(limits()).toEqual([":1000", "1000:1000", "2000:1000"]);
    expect(ran.notes).toBe("");
  });

  test("prints a table, and a sentence when empty", async () => {
    cli.answers["/v1/admin/api_keys"] = () => ({
      data: [{ id: "apikey_1", name: "A" }],
      next_page: null,
    });
    expect((await cli.bursar(["api-keys", "list"], "")).out).toMatch(/id +name\S*\napikey_1 +A$/);
    const none = await cli.bursar(["admin-keys", "list"], "");
    expect(none).toMatchObject({ out: "", notes: "No entries." });
  });
});

describe("a secret that is shown once", () => {
  const key = "sk-ant-api03-canary";
  const create = ["api-keys", "create", "A", "--workspace", "wksp_1"];
  beforeEach(() => {
    cli.answers["/v1/admin/api_keys"] = () => ({ id: "apikey_1", name: "A", key });
  });
  const warning = "This secret is shown only once. Store it in a safe place.";

  test("is the only output in a pipe", async () => {
    expect(await cli.bursar(create)).toEqual({ code: 0, out: key, notes: "" });
    expect((await cli.bursar([...create, "--format", "raw"])).out).toBe(key);
    expect(JSON.parse((await cli.bursar([...create, "--format", "json"])).out)).toEqual({
      id: "apikey_1",
      name: "A",
      key,
    });
  });

  test("is the only standard output on a terminal, with a warning on stderr", async () => {
    const ran = await cli.bursar(create, "");
    expect(ran.out).toBe(key);
    expect(ran.notes).toContain("apikey_1");
    expect(ran.notes).toContain(warning);
    expect(ran.notes).not.toContain(key);
    expect((await cli.bursar([...create, "--format", "json"], "")).notes).toContain(warning);
  });
});

test("a check with findings prints them and fails", async () => {
  cli.answers["/v1/admin/audit_log/verification"] = () => ({
    is_intact: false,
    first_broken: { seq: 7, audit_event_id: "audit_1", reason: "it was changed" },
  });
  const ran = await cli.bursar(["audit", "verify"]);
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.out)).toMatchObject({ is_intact: false });
  expect(ran.notes).toContain("NOT INTACT. First at event 7 (audit_1): it was changed.");
});

test("a verification names the failovers that the log records", async () => {
  const failover = { audit_event_id: "audit_9", seq: 118, at: "2026-11-20T12:00:00.000Z" };
  cli.answers["/v1/admin/audit_log/verification"] = () => ({
    is_intact: true,
    first_broken: null,
    failovers: [
      { ...failover, from_seq: 120, to_seq: 117, lost_events: 3 },
      { ...failover, from_seq: 90, to_seq: 90, lost_events: 0 },
    ],
  });
  const ran = await cli.bursar(["audit", "verify"]);
  expect(ran.code).toBe(0);
  expect(ran.notes).toContain("went back from event 120 to event 117. The event audit_9 lists");
  expect(ran.notes).toContain("The log lost no known event.");
});

test("writes a report into a new file, and overwrites none", async () => {
  const file = join(cli.folder, "audit.jsonl");
  cli.answers["/v1/admin/audit_events/export"] = () => ({ seq: 1 });
  expect((await cli.bursar(["audit", "export", "--output", file, "--format", "csv"])).code).toBe(0);
  expect(cli.asked.at(-1)?.query).toEqual({ format: "csv" });
  expect(await readFile(file, "utf8")).toBe('{"seq":1}');
  const again = await cli.bursar(["audit", "export", "--output", file]);
  expect(again).toMatchObject({ code: 2 });
  expect(again.notes).toContain("Cannot create");
  expect(await readFile(file, "utf8")).toBe('{"seq":1}');
});

test("calls any path, and sends an idempotency key", async () => {
  const words = [
    "api",
    "POST",
    "v1/admin/workspaces",
    "--data",
    '{"name":"A"}',
    "--idempotency-key",
    "k1",
  ];
  expect((await cli.bursar(words)).code).toBe(0);
  expect(cli.asked[0]).toMatchObject({
    method: "POST",
    path: "/v1/admin/workspaces",
    body: '{"name":"A"}',
  });
  expect(cli.asked[0]?.headers["idempotency-key"]).toBe("k1");
  await cli.bursar(["workspaces", "create", "A", "--idempotency-key", "k2"]);
  expect(cli.asked[1]?.headers["idempotency-key"]).toBe("k2");
});

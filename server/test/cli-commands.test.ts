import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { renderCommandReference } from "#src/cli/command-reference.ts";
import { complete } from "#src/cli/completion.ts";
import { makeProgram, run } from "#src/cli/program.ts";
import { listRouteCommands, nameOf } from "#src/cli/route-commands.ts";
import type { Terminal } from "#src/cli/terminal.ts";
import { readQuery } from "#src/http/read-query.ts";

// Commands derived from the contract: their help, and the requests of their examples. The server here records
// requests and returns almost empty responses. For responses of a real server see cli.test.ts.

const guides = join(import.meta.dirname, "../../docs/guides");
const NOW_MS = Date.UTC(2026, 10, 20, 12);

interface Asked {
  method: string;
  path: string;
  query: Record<string, string | string[]>;
  body: string;
  headers: Record<string, unknown>;
}

let folder: string;
let server: Server;
let asked: Asked[] = [];
/** Responses by path. Default: an empty list. */
let answers: Record<string, (query: Asked["query"]) => object> = {};

const named: typeof answers = {
  "/v1/admin/audit_log/verification": () => ({ is_intact: true }),
  "/v1/admin/ledger_check": () => ({ is_correct: true }),
  "/v1/admin/groups": () => ({
    data: [{ id: "group_1", name: "Engineering" }],
    next_page: null,
  }),
  "/v1/admin/workspaces": () => ({
    data: [{ id: "wksp_1", name: "Research", archived_at: null }],
    next_page: null,
  }),
  "/v1/admin/members": () => ({
    data: [
      { id: "user_1", name: "Ada", email: "ada@example.com" },
      { id: "user_2", name: "Grace", email: "grace@example.com" },
    ],
    next_page: null,
  }),
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cli-commands-"));
  await writeFile(join(folder, "secret"), "sk-ant-api03-canary\n");
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [path = "", search = ""] = (request.url ?? "").split("?");
    const query = readQuery(search);
    const body = Buffer.concat(chunks).toString();
    asked.push({ method: request.method ?? "", path, query, body, headers: request.headers });
    const answer = answers[path]?.(query) ?? { data: [], next_page: null };
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  asked = [];
  answers = { ...named };
});

interface Ran {
  code: number;
  out: string;
  notes: string;
}

/** Runs a command against the server above. With `typed`, a terminal types it. Otherwise there is no terminal. */
async function bursar(words: readonly string[], typed?: string): Promise<Ran> {
  const out: string[] = [];
  const notes: string[] = [];
  const isTerminal = typed !== undefined;
  const terminal: Terminal = {
    isOutput: isTerminal,
    isInput: isTerminal,
    columns: 120,
    print: (text) => void out.push(text),
    note: (text) => void notes.push(text),
    ask: async (question) => {
      notes.push(question);
      return typed ?? "";
    },
    askSecret: async () => typed ?? "",
    readInput: async () => '{"name":"Piped"}',
  };
  const { port } = server.address() as AddressInfo;
  const env = {
    BURSAR_URL: `http://127.0.0.1:${port}`,
    BURSAR_ADMIN_KEY: "sk-ant-admin01-x",
    XDG_CONFIG_HOME: folder,
  };
  const code = await run({ env, terminal, nowMs: () => NOW_MS }, words);
  return { code, out: out.join("\n"), notes: notes.join("\n") };
}

/** Body of the last request. */
function lastBody(): unknown {
  return JSON.parse(asked.at(-1)?.body ?? "");
}

/** Splits an example into words, as a shell does. Files are those of this test. */
function wordsOf(example: string): string[] {
  const words = [...example.matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, word]) => quoted ?? word ?? "",
  );
  return words.map((word, i) => {
    if (words[i - 1] === "--output") return join(folder, `report-${asked.length}-${word}`);
    return word.startsWith("./") ? join(folder, "secret") : word;
  });
}

const everything = await makeProgram(
  { env: {}, nowMs: () => NOW_MS, terminal: {} as Terminal },
  "all",
);

/** Lists every command with an action, by its words. */
function leavesOf(command: Command, path: readonly string[] = []): [string, Command][] {
  const visible = command.commands.filter((each) => each.name() !== "complete");
  if (visible.length === 0) return [[path.join(" "), command]];
  return visible.flatMap((each) => leavesOf(each, [...path, each.name()]));
}

const leaves = leavesOf(everything);

function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help;
}

test("the program has every command of the contract", () => {
  expect(leaves.map(([name]) => name)).toEqual(
    expect.arrayContaining(listRouteCommands().map(nameOf)),
  );
  expect(leaves.length).toBeGreaterThan(40);
});

describe("the help of every command states its effect and has an example", () => {
  test.each(leaves)("%s", (name, command) => {
    const help = helpOf(command);
    expect(help).toContain(`Usage: bursar ${name.split(" ")[0]}`);
    expect(command.description().length).toBeGreaterThan(5);
    expect(help).toMatch(
      new RegExp(`Examples:\n( {2}\\S.*\n)* {2}.*bursar .*${name.split(" ")[0]}`),
    );
    expect(help).not.toMatch(/undefined|\[object/);
  });
});

const commands = new Map(listRouteCommands().map((command) => [nameOf(command), command]));
const examples = [...commands].flatMap(([name]) => {
  const help = helpOf(leaves.find(([leaf]) => leaf === name)?.[1] as Command);
  const [, block = ""] = /Examples:\n((?: {2}\S.*\n)+)/.exec(help) ?? [];
  return block
    .trimEnd()
    .split("\n")
    .map((line) => [line.trim().replace(/^bursar /, ""), name] as const);
});

describe("every example sends a request that the contract accepts", () => {
  test.each(examples)("%s", async (example, name) => {
    const command = commands.get(name);
    const ran = await bursar(wordsOf(example));
    expect(ran.notes.replace("No entries.", "")).toBe("");
    expect(ran.code).toBe(0);
    const call = asked.at(-1);
    expect(call?.method).toBe(command?.route.method);
    expect(call?.path).toMatch(
      new RegExp(`^${command?.route.path.replaceAll(/\{\w+\}/g, "[a-zA-Z0-9_]+")}$`),
    );
    const { query, body } = command?.route ?? {};
    if (query) expect(query.safeParse(call?.query)).toMatchObject({ success: true });
    if (body) expect(body.safeParse(JSON.parse(call?.body ?? ""))).toMatchObject({ success: true });
    else expect(call?.body).toBe("");
  });
});

test("finds names of workspaces and addresses of members in place of any id", async () => {
  await bursar(["workspace-members", "get", "RESEARCH ", "Ada@Example.com"]);
  expect(asked.at(-1)?.path).toBe("/v1/admin/workspaces/wksp_1/members/user_1");
  await bursar([
    "limits",
    "set",
    "--scope",
    "workspace:Research",
    "--period",
    "daily",
    "--limit-usd",
    "1",
  ]);
  expect(lastBody()).toEqual({
    scope: { type: "workspace", workspace_id: "wksp_1" },
    period: "daily",
    limit_usd: "1",
  });
  await bursar(["usage", "--workspace", "Research,wksp_2", "--workspace", "Research"]);
  expect(asked.at(-1)?.query["workspace_id"]).toEqual(["wksp_1", "wksp_2", "wksp_1"]);
  expect(asked.filter(({ path }) => path === "/v1/admin/workspaces")).toHaveLength(3);

  const unknown = await bursar(["members", "remove", "eve@example.com", "--yes"]);
  expect(unknown).toMatchObject({ code: 4, out: "" });
  expect(unknown.notes).toContain("Member not found: eve@example.com");
});

test("prefers an active workspace, and refuses a name of several archived ones", async () => {
  const archived = { name: "Old", archived_at: "2026-01-01T00:00:00.000Z" };
  let data = [
    { id: "wksp_a", ...archived },
    { id: "wksp_b", ...archived },
  ];
  answers["/v1/admin/workspaces"] = () => ({ data, next_page: null });
  const several = await bursar(["workspaces", "get", "Old"]);
  expect(several).toMatchObject({ code: 2, out: "" });
  expect(several.notes).toContain("wksp_a, wksp_b");
  data = [...data, { id: "wksp_c", name: "old", archived_at: null as unknown as string }];
  await bursar(["workspaces", "get", "Old"]);
  expect(asked.at(-1)?.path).toBe("/v1/admin/workspaces/wksp_c");
});

describe("a body", () => {
  test("combines flags with the fields of --data", async () => {
    await bursar([
      ...["workspaces", "update", "wksp_1", "--data", '{"name":"A","description":"b"}'],
      ...["--no-description", "--tags", "team=x", "--tags", "cost=y=z"],
    ]);
    expect(lastBody()).toEqual({ name: "A", description: null, tags: { team: "x", cost: "y=z" } });
    await bursar(["workspaces", "create", "--data", "-"]);
    expect(lastBody()).toEqual({ name: "Piped" });
  });

  test("has the text of a file, and a dry run of the server is a request", async () => {
    const file = join(folder, "tags.csv");
    await writeFile(file, Buffer.from("kind,id\nworkspace,K\u00f6ln\0", "latin1"));
    await bursar(["tags", "import", file, "--dry-run"]);
    expect(asked[0]).toMatchObject({ path: "/v1/admin/tags/import", query: { dry_run: "true" } });
    expect(lastBody()).toEqual({ csv: "kind,id\nworkspace,K\uFFFDln\uFFFD" });
    await bursar(["tags", "import", file]);
    expect(asked[1]?.query).toEqual({});
    expect((await bursar(["tags", "import", join(folder, "none.csv")])).notes).toContain(
      "file: cannot read",
    );
    expect((await bursar(["tags", "import"])).notes).toContain("Missing: --csv <file>");
  });

  test.each([
    [["workspaces", "create", "A", "--name", "B"], "name: set twice."],
    [["workspaces", "create", "A", "--data", "[]"], "--data: expected a JSON object."],
    [["workspaces", "update", "wksp_1"], "Nothing to change"],
    [["api-keys", "create", "A"], "Missing: --workspace <name or id>."],
    [["api-keys", "rotate", "apikey_1", "--grace-period-seconds", "1h"], "expected a whole number"],
    [["api-keys", "list", "--limit", "0"], "--limit: expected a whole number, at least 1."],
  ])("refuses %j without a request", async (words, message) => {
    const ran = await bursar(words);
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.notes).toContain(message);
    expect(asked).toEqual([]);
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
    await bursar([...create, join(folder, "secret")]);
    expect(lastBody()).toMatchObject({ credential: "sk-ant-api03-canary" });
    await bursar([...create, "-"], "typed");
    expect(lastBody()).toMatchObject({ credential: "typed" });
    const dry = await bursar([...create, join(folder, "secret"), "--dry-run"]);
    expect(JSON.parse(dry.out)).toEqual({
      method: "POST",
      target: "/v1/admin/upstreams",
      body: { name: "A", base_url: "https://a.example", credential: "(hidden)" },
    });
    expect(asked).toHaveLength(2);
    await bursar(["upstreams", "update", "ups_1", "--no-credential-file"]);
    expect(lastBody()).toEqual({ credential: null });
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
    expect(await bursar(words, "n")).toMatchObject({ code: 1, out: "" });
    const piped = await bursar(words);
    expect(piped).toMatchObject({ code: 2, out: "" });
    expect(piped.notes).toContain("Add --yes");
    expect(asked).toEqual([]);
    expect((await bursar(words, "y")).code).toBe(0);
    expect((await bursar([...words, "--yes"])).code).toBe(0);
    expect(asked).toHaveLength(2);
  });

  test("other commands need no confirmation", async () => {
    const words = ["api-keys", "rotate", "apikey_1", "--grace-period-seconds", "60"];
    expect((await bursar(words)).code).toBe(0);
    expect((await bursar(["api-keys", "disable", "apikey_1"])).code).toBe(0);
    expect(lastBody()).toEqual({ status: "inactive" });
  });
});

describe("a list", () => {
  beforeEach(() => {
    // 2,500 entries, in pages as the server returns them.
    answers["/v1/admin/api_keys"] = ({ limit, page }) => {
      const from = Number(page ?? 0);
      const to = Math.min(from + Number(limit), 2500);
      const data = Array.from({ length: to - from }, (_, i) => ({ id: `apikey_${from + i}` }));
      return { data, next_page: to < 2500 ? String(to) : null };
    };
  });
  const limits = () => asked.map(({ query }) => `${query["page"] ?? ""}:${query["limit"]}`);

  test("reports rows after the first page when no limit was given", async () => {
    const ran = await bursar(["api-keys", "list"]);
    const { data, next_page } = JSON.parse(ran.out);
    expect([data.length, next_page]).toEqual([100, "100"]);
    expect(ran.notes).toBe("Showing 100 entries, more exist. Use --all, --limit <n> or --page 100");
  });

  test("returns the requested number of rows from the requested position", async () => {
    const ran = await bursar(["api-keys", "list", "--limit", "1500", "--format", "raw"]);
    expect(ran.out.split("\n")).toHaveLength(1500);
    expect(limits()).toEqual([":1000", "1000:500"]);
    asked = [];
    const next = await bursar(["api-keys", "list", "--page", "2499", "--json"]);
    expect(JSON.parse(next.out)).toEqual({ data: [{ id: "apikey_2499" }], next_page: null });
    expect(next.notes).toBe("");
  });

  test("returns all rows", async () => {
    const ran = await bursar(["api-keys", "list", "--all", "--format", "jsonl"]);
    const lines = ran.out.split("\n").map((line) => JSON.parse(line).id);
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([2500, "apikey_0", "apikey_2499"]);
    expect(limits()).toEqual([":1000", "1000:1000", "2000:1000"]);
    expect(ran.notes).toBe("");
  });

  test("prints a table, and a sentence when empty", async () => {
    answers["/v1/admin/api_keys"] = () => ({
      data: [{ id: "apikey_1", name: "A" }],
      next_page: null,
    });
    expect((await bursar(["api-keys", "list"], "")).out).toMatch(/id +name\S*\napikey_1 +A$/);
    const none = await bursar(["admin-keys", "list"], "");
    expect(none).toMatchObject({ out: "", notes: "No entries." });
  });
});

describe("a secret that is shown once", () => {
  const key = "sk-ant-api03-canary";
  const create = ["api-keys", "create", "A", "--workspace", "wksp_1"];
  beforeEach(() => {
    answers["/v1/admin/api_keys"] = () => ({ id: "apikey_1", name: "A", key });
  });
  const warning = "This secret is shown only once. Store it in a safe place.";

  test("is the only output in a pipe", async () => {
    expect(await bursar(create)).toEqual({ code: 0, out: key, notes: "" });
    expect((await bursar([...create, "--format", "raw"])).out).toBe(key);
    expect(JSON.parse((await bursar([...create, "--format", "json"])).out)).toEqual({
      id: "apikey_1",
      name: "A",
      key,
    });
  });

  test("is the only standard output on a terminal, with a warning on stderr", async () => {
    const ran = await bursar(create, "");
    expect(ran.out).toBe(key);
    expect(ran.notes).toContain("apikey_1");
    expect(ran.notes).toContain(warning);
    expect(ran.notes).not.toContain(key);
    expect((await bursar([...create, "--format", "json"], "")).notes).toContain(warning);
  });
});

test("a check with findings prints them and fails", async () => {
  answers["/v1/admin/audit_log/verification"] = () => ({
    is_intact: false,
    first_broken: { seq: 7, audit_event_id: "audit_1", reason: "it was changed" },
  });
  const ran = await bursar(["audit", "verify"]);
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.out)).toMatchObject({ is_intact: false });
  expect(ran.notes).toContain("NOT INTACT. First at event 7 (audit_1): it was changed.");
});

test("a verification names the failovers that the log records", async () => {
  const failover = { audit_event_id: "audit_9", seq: 118, at: "2026-11-20T12:00:00.000Z" };
  answers["/v1/admin/audit_log/verification"] = () => ({
    is_intact: true,
    first_broken: null,
    failovers: [
      { ...failover, from_seq: 120, to_seq: 117, lost_events: 3 },
      { ...failover, from_seq: 90, to_seq: 90, lost_events: 0 },
    ],
  });
  const ran = await bursar(["audit", "verify"]);
  expect(ran.code).toBe(0);
  expect(ran.notes).toContain("went back from event 120 to event 117. The event audit_9 lists");
  expect(ran.notes).toContain("The log lost no known event.");
});

test("writes a report into a new file, and overwrites none", async () => {
  const file = join(folder, "audit.jsonl");
  answers["/v1/admin/audit_events/export"] = () => ({ seq: 1 });
  expect((await bursar(["audit", "export", "--output", file, "--format", "csv"])).code).toBe(0);
  expect(asked.at(-1)?.query).toEqual({ format: "csv" });
  expect(await readFile(file, "utf8")).toBe('{"seq":1}');
  const again = await bursar(["audit", "export", "--output", file]);
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
  expect((await bursar(words)).code).toBe(0);
  expect(asked[0]).toMatchObject({
    method: "POST",
    path: "/v1/admin/workspaces",
    body: '{"name":"A"}',
  });
  expect(asked[0]?.headers["idempotency-key"]).toBe("k1");
  await bursar(["workspaces", "create", "A", "--idempotency-key", "k2"]);
  expect(asked[1]?.headers["idempotency-key"]).toBe("k2");
});

describe("completion", () => {
  test.each([
    [["spend-limits"], ["spend-limits"]],
    [["keys", "ro"], ["rotate"]],
    [["api-keys", "list", "--stat"], ["--status"]],
    [
      ["api-keys", "list", "--format", "j"],
      ["json", "jsonl"],
    ],
    [["workspaces", "list", "--prof"], ["--profile"]],
    [["nonsense", "xyz"], []],
  ])("%j", (words, expected) => {
    expect(complete(everything, words)).toEqual(expected);
  });

  test("offers no secret command", () => {
    expect(complete(everything, [""])).not.toContain("complete");
  });
});

describe("the guides", () => {
  test("list every command of a route (refresh: npx vitest run server/test/cli-commands --update)", async () => {
    await expect(renderCommandReference()).toMatchFileSnapshot(join(guides, "commands.md"));
  });

  test("name every other command", async () => {
    const guide = await readFile(join(guides, "command-line.md"), "utf8");
    const made = new Set(commands.keys());
    const own = leaves.map(([name]) => name).filter((name) => !made.has(name));
    expect(own.filter((name) => !guide.includes(`\`${name}`))).toEqual([]);
  });

  test("name only existing commands", async () => {
    const names = new Set(everything.commands.flatMap((each) => [each.name(), ...each.aliases()]));
    const wrong: string[] = [];
    for (const file of (await readdir(guides)).filter((name) => name.endsWith(".md"))) {
      const text = await readFile(join(guides, file), "utf8");
      for (const [line, word = ""] of text.matchAll(/\.\/bursar (?:--\S+ (?:\S+ )?)?([a-z-]+)/g)) {
        if (!names.has(word)) wrong.push(`${file}: ${line}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

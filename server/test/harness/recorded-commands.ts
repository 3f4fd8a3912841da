import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { run } from "#src/cli/program.ts";
import type { Terminal } from "#src/cli/terminal.ts";
import { readQuery } from "#src/http/read-query.ts";

// Commands of the command line against a server that records their requests and returns almost empty responses. For responses
// of a real server see cli.test.ts.

export interface Asked {
  method: string;
  path: string;
  query: Record<string, string | string[]>;
  body: string;
  headers: Record<string, unknown>;
}

export interface Ran {
  code: number;
  out: string;
  notes: string;
}

export interface RecordedCommands {
  /** Folder with the file `secret`. */
  folder: string;
  /** Requests of the test so far. */
  asked: Asked[];
  /** Responses by path. Default: an empty list. */
  answers: Record<string, (query: Asked["query"]) => object>;
  /** Runs a command against the server. With `typed`, a terminal types it. Otherwise there is no terminal. */
  bursar(words: readonly string[], typed?: string): Promise<Ran>;
  /** Body of the last request. */
  lastBody(): unknown;
}

export const NOW_MS = Date.UTC(2026, 10, 20, 12);

const named: RecordedCommands["answers"] = {
  "/v1/admin/audit_log/verification": () => ({ is_intact: true }),
  "/v1/admin/ledger_check": () => ({ is_correct: true }),
  "/v1/admin/groups": () => ({
    data: [{ id: "group_1", name: "Engineering" }],
    next_page: null,
  }),
  "/v1/admin/tags": () => ({
    data: [
      { id: "tag_1", name: "cost_center", value: "4711" },
      { id: "tag_2", name: "cost_center", value: "4712" },
    ],
    next_page: null,
  }),
  "/v1/admin/upstreams": () => ({
    data: [
      { id: "ups_1", name: "Main" },
      { id: "ups_2", name: "Reserve" },
    ],
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

/** Starts the server for the tests of the file. */
export function recordCommands(): RecordedCommands {
  let server: Server;
  const cli: RecordedCommands = {
    folder: "",
    asked: [],
    answers: {},
    bursar: (words, typed) => runCommand(cli.folder, server, { words, typed }),
    lastBody: () => JSON.parse(cli.asked.at(-1)?.body ?? ""),
  };
  beforeAll(async () => {
    cli.folder = await mkdtemp(join(tmpdir(), "cli-commands-"));
    await writeFile(join(cli.folder, "secret"), "sk-ant-api03-canary\n");
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const [path = "", search = ""] = (request.url ?? "").split("?");
      const query = readQuery(search);
      const body = Buffer.concat(chunks).toString();
      const { method = "", headers } = request;
      cli.asked.push({ method, path, query, body, headers });
      const answer = cli.answers[path]?.(query) ?? { data: [], next_page: null };
      response.end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    server.close();
    await rm(cli.folder, { recursive: true });
  });
  beforeEach(() => {
    cli.asked = [];
    cli.answers = { ...named };
  });
  return cli;
}

async function runCommand(
  folder: string,
  server: Server,
  { words, typed }: { words: readonly string[]; typed: string | undefined },
): Promise<Ran> {
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

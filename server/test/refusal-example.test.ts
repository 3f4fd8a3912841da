import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { messageJson } from "./harness/fake-upstream.ts";
import {
  type ServerProcess,
  sendMessage,
  startServer,
  stopAllServers,
  type WorkspaceWithKey,
} from "./harness/server-process.ts";
import { test } from "./harness/upstream-test.ts";

// The example program as users run it: the official SDK against a server, with refusals of all kinds that it handles.

const PROGRAM = join(import.meta.dirname, "../../docs/examples/handle-refusals.mjs");
const MODEL = "claude-sonnet-5";

let server: ServerProcess;
let team: WorkspaceWithKey;

test.beforeAll(async ({ upstream }) => {
  server = await startServer({
    env: {
      ANTHROPIC_API_KEY: "upstream-key",
      ANTHROPIC_UPSTREAM_URL: upstream.origin,
      BURSAR_HOLD_WAIT: "1s",
    },
  });
}, 90_000);
afterAll(async () => {
  await stopAllServers();
});
test.beforeEach(async ({ upstream }) => {
  upstream.script = (exchange) => exchange.json(messageJson({ model: MODEL, text: "Hi there." }));
  team = await server.workspaceWithKey();
});

interface Ran {
  code: number;
  out: string;
  notes: string[];
}

/** `onNote` is called when the program writes to stderr first. */
function runProgram(maxTokens: string, onNote?: () => void): Promise<Ran> {
  const env = { ...process.env, ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: team.key };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PROGRAM, maxTokens], { env }, (error, out, notes) =>
      resolve({
        code: error === null ? 0 : Number(error.code),
        out,
        notes: notes.split("\n").filter((line) => line !== ""),
      }),
    );
    if (onNote !== undefined) child.stderr?.once("data", onNote);
  });
}

interface Limit {
  state: string;
  held_usd: string;
  spent_usd: string;
  period_ends_at: string;
}

async function limitTo(limitUsd: number): Promise<Limit> {
  await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: team.workspaceId,
    monthly_limit_usd: limitUsd,
  });
  return limitWhere(({ state }) => state === "active");
}

function limitWhere(isSo: (limit: Limit) => boolean): Promise<Limit> {
  const path = `/v1/admin/workspaces/limits?workspace_id=${team.workspaceId}`;
  return eventually(30_000, `a limit where ${isSo.toString()}`, async () => {
    const { data } = (await server.mustAdmin("GET", path)) as { data: Limit[] };
    const [limit] = data;
    return limit !== undefined && isSo(limit) ? limit : null;
  });
}

test("prints the answer of an accepted request", async () => {
  expect(await runProgram("100")).toEqual({ code: 0, out: "Hi there.\n", notes: [] });
});

test("stops at a spent limit, and prints its reset time", async ({ upstream }) => {
  const usage = { input_tokens: 100_000, output_tokens: 1_000_000 };
  upstream.script = (exchange) => exchange.json(messageJson({ model: MODEL, usage }));
  expect((await sendMessage(server.url, team.key, { model: MODEL })).status).toBe(200);
  const limit = await limitTo(10);
  await limitWhere(({ spent_usd }) => spent_usd === "10.20");
  expect(await runProgram("100")).toEqual({
    code: 6,
    out: "",
    notes: [`The monthly limit of the workspace is used up until ${limit.period_ends_at}.`],
  });
});

test("retries a request that is too large for a limit with fewer tokens", async () => {
  await limitTo(0.02);
  expect(await runProgram("4096")).toEqual({
    code: 0,
    out: "Hi there.\n",
    notes: [
      expect.stringMatching(/^The request can cost \$0\.0\d+\. Trying 2048 tokens\.$/),
      expect.stringMatching(/^The request can cost \$0\.0\d+\. Trying 1024 tokens\.$/),
    ],
  });
});

test("waits while running requests hold the budget, and then gets an answer", async ({
  upstream,
}) => {
  await limitTo(0.02);
  const answered = upstream.script;
  upstream.script = () => undefined;
  const next = upstream.nextExchange();
  const holder = sendMessage(server.url, team.key, { model: MODEL, maxTokens: 1_000 });
  const running = await next;
  await limitWhere(({ held_usd }) => held_usd !== "0.00");
  const { promise: refused, resolve: onRefused } = Promise.withResolvers<void>();
  const program = runProgram("1000", onRefused);
  await refused;
  upstream.script = answered;
  running.json(messageJson());
  expect((await holder).status).toBe(200);
  const ran = await program;
  expect(ran).toMatchObject({ code: 0, out: "Hi there.\n" });
  expect(ran.notes[0]).toMatch(/^Running requests hold \$0\.0\d+\. Waiting\.$/);
});

test("lists invalid fields with their messages", async () => {
  expect(await runProgram('"many"')).toEqual({
    code: 2,
    out: "",
    notes: ["max_tokens: Input should be a valid integer."],
  });
});

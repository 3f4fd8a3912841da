import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, expect } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { blockStart, messageEnd, messageStart, sse, textDelta } from "./harness/fake-upstream.ts";
import {
  root,
  type ServerProcess,
  serverEnvironment,
  startServer,
  stopAllServers,
  type WorkspaceWithKey,
} from "./harness/server-process.ts";
import { test } from "./harness/upstream-test.ts";

// Streams that a strict limit cuts, in a real server with the official SDK. The upstream thinks without an end, so that only
// the time bounds its output. The log, both files, the command line, metrics and alerts explain each cut.

const MODEL = "claude-opus-5";
const FAST_MODEL = "claude-sonnet-5";
/** More than the highest speed allows at once. */
const FAST_USAGE = { output_tokens: 5_000 };
const WAIT_MS = 60_000;
const SLOW_MS = 120_000;
/** The first hold fits. Ten seconds of output at the highest speed do not. */
const LIMIT_USD = 0.045;
/** Output of this time alone is beyond this limit. */
const STOPPED_MS = 14_000;
const STOPPED_LIMIT_USD = 0.03;
const run = promisify(execFile);
let server: ServerProcess;

const hiddenStart = sse("content_block_start", {
  index: 0,
  content_block: { type: "thinking", thinking: "", signature: "" },
});

interface Logged {
  id: string;
  status: string;
  is_estimated: boolean;
  cost_usd: string;
  cut: Record<string, unknown> & { held_usd: string; spend_limit_id: string };
}

test.beforeAll(async ({ upstream }) => {
  upstream.script = async (exchange) => {
    if (exchange.received.url.includes("count_tokens")) {
      exchange.json({ input_tokens: 10 });
      return;
    }
    if (exchange.received.body.includes(FAST_MODEL)) {
      const start = messageStart().replace("claude-sonnet-4-5-20250929", FAST_MODEL);
      await exchange.stream([start, blockStart, textDelta("Done."), ...messageEnd(FAST_USAGE)]);
      return;
    }
    exchange.startStream();
    await exchange.write(messageStart().replace("claude-sonnet-4-5-20250929", MODEL) + hiddenStart);
    await exchange.closed;
  };
  server = await startServer({
    env: { ANTHROPIC_API_KEY: "upstream-key", ANTHROPIC_UPSTREAM_URL: upstream.origin },
  });
}, SLOW_MS);

afterAll(stopAllServers);

/** Creates a workspace with a strict limit in steps, and a key in it. */
async function makeTeam(
  name: string,
  limitUsd = LIMIT_USD,
): Promise<WorkspaceWithKey & { limitId: string }> {
  const team = await server.workspaceWithKey({ name });
  const { id } = await server.mustAdmin("POST", "/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: team.workspaceId },
    ...{ period: "monthly", limit_usd: limitUsd, enforcement: "strict", hold: "steps" },
  });
  await eventually(WAIT_MS, "an active limit", async () => {
    const limit = await server.mustAdmin("GET", `/v1/admin/spend_limits/${String(id)}`);
    return limit["state"] === "active" ? true : null;
  });
  return { ...team, limitId: String(id) };
}

/** Reads a stream to its end, and returns its error. */
async function stream(key: string, model = MODEL): Promise<unknown> {
  const client = new Anthropic({ apiKey: key, baseURL: server.url, maxRetries: 0 });
  const content = "Think about all numbers.";
  const messages = [{ role: "user" as const, content }];
  try {
    await client.messages.stream({ model, max_tokens: 64_000, messages }).finalMessage();
    return null;
  } catch (error) {
    return error;
  }
}

/** A busy machine can have a database that grants a step too late. That stream is cut before its limit is used up. */
const MAX_TRIES = 3;

/** Streams until a limit without budget cuts a stream. Returns its team and the error. */
async function streamToLimit(name: string) {
  for (let tries = 1; ; tries++) {
    const team = await makeTeam(`${name} ${tries}`);
    const error = await stream(team.key);
    const isLate = String(error).includes("the gateway's database grants no more budget");
    if (!isLate || tries === MAX_TRIES) return { team, error, name: `${name} ${tries}` };
  }
}

/** Waits for the cut request of the workspace in the log. */
function findCut(workspaceId: string): Promise<Logged> {
  return eventually(WAIT_MS, "the cut request", async () => {
    const path = `/v1/admin/requests?is_cut=true&workspace_id=${workspaceId}`;
    const { data } = (await server.mustAdmin("GET", path)) as { data: Logged[] };
    return data[0] ?? null;
  });
}

test("a stream that its limit cuts is explained to the client, in the log, in files and by the command line", {
  timeout: SLOW_MS,
}, async () => {
  const { team, error, name } = await streamToLimit("Cut");
  expect(error).toBeInstanceOf(Anthropic.APIError);
  expect(String(error)).toContain(
    "This response was stopped, because a spend limit has nothing left",
  );
  const request = await findCut(team.workspaceId);
  expect(request).toMatchObject({
    status: "interrupted",
    is_estimated: true,
    cut: {
      reason: "limit_spent",
      scope: { type: "workspace", workspace_id: team.workspaceId },
      scope_name: name,
      period: "monthly",
      spend_limit_id: team.limitId,
      paused_ms: null,
      balance: { limit_usd: "0.045", spent_usd: "0.00", unresolved_usd: "0.00" },
    },
  });
  const { cut, cost_usd } = request;
  expect(Number(cut["bound_output_tokens"])).toBeGreaterThan(Number(cut["seen_output_tokens"]));
  // The limit is nearly used up, and never exceeded.
  expect(Number(cut.held_usd)).toBeLessThanOrEqual(LIMIT_USD);
  expect(Number(cost_usd)).toBeLessThanOrEqual(Number(cut.held_usd));
  expect(Number(cost_usd)).toBeGreaterThan(LIMIT_USD / 2);
  const limit = await eventually(WAIT_MS, "the settled cost", async () => {
    const found = await server.mustAdmin("GET", `/v1/admin/spend_limits/${team.limitId}`);
    return found["spent_usd"] === cost_usd ? found : null;
  });
  expect(limit).toMatchObject({ overrun_usd: "0.00", unresolved_usd: "0.00" });

  const query = `is_cut=true&workspace_id=${team.workspaceId}`;
  const file = await server.admin("GET", `/v1/admin/requests/export?${query}`);
  const [heading = "", line = ""] = file.text.split("\r\n");
  const cells = line.split(",");
  const cell = (name: string) => cells[heading.split(",").indexOf(name)];
  expect([cell("request_id"), cell("cut_reason"), cell("cut_held_usd")]).toEqual([
    request.id,
    "limit_spent",
    cut.held_usd,
  ]);
  const env = { ...serverEnvironment(server.dataDir, server.env), COLUMNS: "400" };
  const { stdout } = await run(process.execPath, ["bursar", "requests", "list", "--is-cut"], {
    cwd: root,
    env,
  });
  expect(stdout).toContain("limit_spent");
  const metrics = await server.operator("GET", "/metrics");
  expect(metrics.text).toContain('bursar_stream_cuts_total{reason="limit_spent"} 1');
  expect(metrics.text).toContain("bursar_streams_in_steps 0");
});

test("a stream of a stopped node exceeds its limit, and the alert names the limit, the request and the pause", {
  timeout: SLOW_MS,
}, async () => {
  const team = await makeTeam("Stopped", STOPPED_LIMIT_USD);
  const streaming = stream(team.key);
  await eventually(WAIT_MS, "a running stream", async () => {
    const { text } = await server.operator("GET", "/metrics");
    return text.includes("bursar_streams_in_steps 1") ? true : null;
  });
  await delay(1_000);
  process.kill(server.pid, "SIGSTOP");
  await delay(STOPPED_MS);
  process.kill(server.pid, "SIGCONT");
  expect(await streaming).toBeInstanceOf(Anthropic.APIError);
  const { id, cost_usd, cut } = await findCut(team.workspaceId);
  expect(Number(cut["paused_ms"])).toBeGreaterThan(STOPPED_MS / 2);
  expect(Number(cost_usd)).toBeGreaterThan(STOPPED_LIMIT_USD);
  const firing = await eventually(WAIT_MS, "the alert", async () => {
    const path = `/v1/admin/alert_firings?kinds=limit_overrun&workspace_id=${team.workspaceId}`;
    const { data } = (await server.mustAdmin("GET", path)) as { data: { facts: object }[] };
    return data[0] ?? null;
  });
  expect(firing).toMatchObject({
    scope: { type: "workspace", workspace_id: team.workspaceId },
    facts: {
      ...{ spend_limit_id: team.limitId, limit_usd: "0.03", spent_usd: cost_usd },
      overrun_requests: [{ id, cost_usd, held_usd: expect.any(String), cause: "node_paused" }],
    },
  });
  const overrun = await server.mustAdmin("GET", `/v1/admin/spend_limits/${team.limitId}/overruns`);
  expect(overrun["data"]).toMatchObject([{ requests: [{ request_id: id }] }]);
});

test("a model beyond its speed is held whole, also after a restart, until its entry is deleted", {
  timeout: SLOW_MS,
}, async () => {
  const team = await makeTeam("Fast", 0.3);
  expect(await stream(team.key, FAST_MODEL)).toBeNull();
  const firing = await eventually(WAIT_MS, "the alert", async () => {
    const { data } = (await server.mustAdmin(
      "GET",
      "/v1/admin/alert_firings?kinds=bound_exceeded",
    )) as { data: { facts: { exceeded_bound: object } }[] };
    return data[0] ?? null;
  });
  expect(firing.facts.exceeded_bound).toMatchObject({ kind: "model", name: FAST_MODEL });
  const refusal = "remains of a spend limit, less than this request can cost.";
  expect(String(await stream(team.key, FAST_MODEL))).toContain(refusal);
  await server.stop();
  server = await server.restart();
  expect(String(await stream(team.key, FAST_MODEL))).toContain(refusal);
  const { data } = (await server.mustAdmin("GET", "/v1/admin/exceeded_bounds")) as {
    data: { id: string }[];
  };
  expect(data).toMatchObject([{ kind: "model", name: FAST_MODEL }]);
  await server.mustAdmin("DELETE", `/v1/admin/exceeded_bounds/${data[0]?.id}`);
  await eventually(WAIT_MS, "a hold in steps", async () =>
    (await stream(team.key, FAST_MODEL)) === null ? true : null,
  );
});

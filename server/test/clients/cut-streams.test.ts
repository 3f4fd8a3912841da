import { afterAll, beforeAll, expect, test } from "vitest";
import { parseUsd } from "#src/domain/money.ts";
import { eventually } from "#test/harness/eventually.ts";
import {
  type Exchange,
  type FakeUpstream,
  messageEvents,
  messageJson,
  messageStart,
  sse,
  startFakeUpstream,
} from "#test/harness/fake-upstream.ts";
import { stopAllServers } from "#test/harness/server-process.ts";
import { type Company, startCompany } from "./company-of-laptops.ts";
import { makeMachine } from "./machine.ts";
import { runClaudeCode } from "./run-client.ts";

// Claude Code, whose answer a strict limit cuts. The upstream thinks without an end, so that only the limit ends its stream.

const PROMPT_TOKENS = 40_000;
const PROMPT_USAGE = {
  cache_creation_input_tokens: PROMPT_TOKENS,
  cache_creation: { ephemeral_5m_input_tokens: PROMPT_TOKENS, ephemeral_1h_input_tokens: 0 },
};
/** The first hold of a stream with Opus 4.7 has $0.30525, and its prompt costs $0.275. Seconds of output fit into the rest. */
const LIMIT_USD = 0.31;
const WAIT_MS = 30_000;
const MODEL = "claude-opus-4-7";

const hiddenStart = sse("content_block_start", {
  index: 0,
  content_block: { type: "thinking", thinking: "", signature: "" },
});

let upstream: FakeUpstream;
let company: Company;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  upstream.script = think;
  company = await startCompany({
    ANTHROPIC_API_KEY: "upstream-key",
    ANTHROPIC_UPSTREAM_URL: upstream.origin,
  });
  await company.openBrowser();
});
afterAll(async () => {
  await company?.close();
  await stopAllServers();
  await upstream?.close();
});

/** Thinks without an end in a turn with tools. Answers all other requests at once. */
async function think(exchange: Exchange): Promise<void> {
  const { url, body } = exchange.received;
  const text = body.toString();
  const model = /"model":"([^"]*)"/.exec(text)?.[1] ?? MODEL;
  const start = (usage: object) => messageStart(usage).replace("claude-sonnet-4-5-20250929", model);
  if (url.includes("count_tokens")) exchange.json({ input_tokens: PROMPT_TOKENS });
  else if (!text.includes('"stream":true')) exchange.json(messageJson({ model }));
  else if (!text.includes('"tools":[{')) {
    await exchange.stream([start({}), ...messageEvents().slice(1)]);
  } else {
    exchange.startStream();
    await exchange.write(start(PROMPT_USAGE) + hiddenStart);
    await exchange.closed;
  }
}

/** Waits until all cost is counted, and lets the workspace spend `LIMIT_USD` more. */
async function allowMore(workspaceId: string): Promise<void> {
  const { server } = company;
  const path = `/v1/admin/workspaces/limits?workspace_id=${workspaceId}`;
  const read = async () => {
    const { data } = await server.mustOperator("GET", path);
    return (data as { spent_usd: string; state: string | null }[])[0];
  };
  const spentUsd = await eventually(WAIT_MS, "counted cost", async () => {
    const { data } = await server.mustOperator(
      "GET",
      `/v1/admin/requests?workspace_id=${workspaceId}`,
    );
    const costs = (data as { cost_usd: string }[]).map(({ cost_usd }) => parseUsd(cost_usd));
    const spent = (await read())?.spent_usd ?? "0";
    return parseUsd(spent) === costs.reduce((all, cost) => all + cost, 0n) ? Number(spent) : null;
  });
  await server.mustOperator("POST", "/v1/admin/workspaces/limits", {
    workspace_id: workspaceId,
    monthly_limit_usd: Math.round((spentUsd + LIMIT_USD) * 1e4) / 1e4,
  });
  await eventually(WAIT_MS, "an active limit", async () =>
    (await read())?.state === "active" ? true : null,
  );
}

/** Waits until the log has this many cut requests of the workspace. */
async function waitForCuts(workspaceId: string, cuts: number): Promise<void> {
  const path = `/v1/admin/requests?is_cut=true&workspace_id=${workspaceId}`;
  await eventually(WAIT_MS, `${cuts} cut requests`, async () => {
    const { data } = await company.server.mustOperator("GET", path);
    return (data as object[]).length === cuts ? true : null;
  });
}

test("with a key, the client prints why its answer was stopped, though it repeats the request", async () => {
  const { workspaceId, key } = await company.server.workspaceWithKey();
  await allowMore(workspaceId);
  const access = { url: company.server.url, key };
  const { stdout, code } = await runClaudeCode(access, ["Hello", "--model", MODEL]);
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^API Error: Request rejected \(429\) · This response was stopped, because .* is \$0\.31\./,
  );
  await waitForCuts(workspaceId, 1);
});

test("on a laptop, the client prints why its answer was stopped, though it repeats the request", async () => {
  await allowMore(company.workspaceId);
  const machine = await makeMachine(company.server.url);
  await company.signIn(machine);
  const { json, code } = await machine.print("Hello", ["--model", MODEL]);
  expect(code).toBe(1);
  // A slow database can be the reason too.
  expect(json?.result).toMatch(/^This response was stopped, because/);
  await waitForCuts(company.workspaceId, 1);
});

test("with the variable in managed settings, the client asks nothing, and does not repeat the request", async () => {
  await allowMore(company.workspaceId);
  await company.setSettings({ env: { CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: "1" } });
  const machine = await makeMachine(company.server.url);
  await company.signIn(machine);
  const terminal = machine.open();
  await terminal.waitFor("auto mode on");
  await terminal.close();
  const { json } = await machine.print("Hello", ["--model", MODEL]);
  // The error event, and no refusal of a second request.
  expect(json?.result).toMatch(/^API Error: This response was stopped, because/);
  await waitForCuts(company.workspaceId, 2);
});

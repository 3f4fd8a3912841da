import { setTimeout as delay } from "node:timers/promises";
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { afterAll, expect } from "vitest";
import { eventually } from "./harness/eventually.ts";
import {
  blockStart,
  type Exchange,
  messageEnd,
  messageJson,
  messageStart,
  textDelta,
} from "./harness/fake-upstream.ts";
import {
  type ServerProcess,
  startServer,
  stopAllServers,
  type WorkspaceWithKey,
} from "./harness/server-process.ts";
import { test } from "./harness/upstream-test.ts";

// Limits that hold streams in steps: a whole server, the official SDK, and an upstream at the speed of a real model.

const MODEL = "claude-opus-5-5";
const BOUND_MS = 20_000;
/** Claude Code asks for this output with each request. */
const MAX_TOKENS = 128_000;
/** Bytes of the tools, the system prompt and the environment in a request of Claude Code. */
const AGENT_BYTES = { tool: 3_000, system: 7_000, environment: 10_000 };
const AGENT_TOOLS = 10;

const TICK_MS = 100;
/** 80 tokens a second, below the highest speed of the model. */
const TOKENS_PER_TICK = 8;
const TICK_TEXT = "word ".repeat(TOKENS_PER_TICK);
/** Nearly the bound of a short prompt, so that little of the first hold returns. */
const INPUT_TOKENS = 2_100;
/** $4 and $20 for a million tokens. */
const INPUT_NANO_USD = 4_000n * BigInt(INPUT_TOKENS);
const OUTPUT_NANO_USD = 20_000n;

let server: ServerProcess;

test.beforeAll(async ({ upstream }) => {
  upstream.script = answer;
  server = await startServer({
    env: { ANTHROPIC_API_KEY: "upstream", ANTHROPIC_UPSTREAM_URL: upstream.origin },
  });
});
afterAll(stopAllServers);

/** The prompt says for how many ticks a stream generates. */
async function answer(exchange: Exchange): Promise<void> {
  const text = exchange.received.body.toString();
  const ticks = Number(/(\d+) ticks/.exec(text)?.[1] ?? 1);
  const usage = { input_tokens: INPUT_TOKENS, output_tokens: ticks * TOKENS_PER_TICK };
  if (!text.includes('"stream":true')) return exchange.json(messageJson({ model: MODEL, usage }));
  exchange.startStream();
  const start = messageStart({ ...usage, output_tokens: 1 });
  await exchange.write(start.replace(/"model":"[^"]*"/, `"model":"${MODEL}"`) + blockStart);
  for (let tick = 0; tick < ticks; tick++) {
    await delay(TICK_MS);
    if (exchange.isCut()) return;
    await exchange.write(textDelta(TICK_TEXT));
  }
  await exchange.write(messageEnd({ output_tokens: usage.output_tokens }).join(""));
  exchange.end();
}

async function createLimited(limitUsd: number): Promise<WorkspaceWithKey> {
  const made = await server.workspaceWithKey();
  const body = { workspace_id: made.workspaceId, monthly_limit_usd: limitUsd, hold: "steps" };
  await server.mustAdmin("POST", "/v1/admin/workspaces/limits", body);
  await eventually(BOUND_MS, "the limit to be active", async () =>
    (await readLimit(made))["state"] === "active" ? true : null,
  );
  return made;
}

async function readLimit({ workspaceId }: WorkspaceWithKey): Promise<Record<string, string>> {
  const path = `/v1/admin/workspaces/limits?workspace_id=${workspaceId}`;
  const { data } = (await server.mustAdmin("GET", path)) as { data?: Record<string, string>[] };
  return data?.[0] ?? {};
}

interface Row {
  cost: string;
  hold: string;
  outcome: string;
  isEstimated: boolean;
  cut: { reason: string } | null;
}

/** The only request of a workspace, once it is counted. */
async function readRecord(made: WorkspaceWithKey): Promise<Row & { limit: object }> {
  return await eventually(BOUND_MS, "the record of the request", async () => {
    const [row] = await server.sql<Row>(
      `SELECT cost_nano_usd::text AS cost, hold_nano_usd::text AS hold, outcome, is_estimated AS "isEstimated", cut
       FROM recorded_request WHERE workspace_id = $1`,
      [made.workspaceId],
    );
    const limit = await readLimit(made);
    return row !== undefined && limit["spent_usd"] !== "0.00" ? { ...row, limit } : null;
  });
}

function makeClient({ key }: WorkspaceWithKey): Anthropic {
  return new Anthropic({ apiKey: key, baseURL: server.url, maxRetries: 0 });
}

function makePrompt(ticks: number): Anthropic.MessageCreateParamsNonStreaming {
  const content = `Write for ${ticks} ticks.`;
  return { model: MODEL, max_tokens: MAX_TOKENS, messages: [{ role: "user", content }] };
}

/** A request with the fields and the size of Claude Code. */
const agentRequest: Anthropic.MessageCreateParamsNonStreaming = {
  model: MODEL,
  max_tokens: MAX_TOKENS,
  system: [
    {
      type: "text",
      text: "rule ".repeat(AGENT_BYTES.system / 5),
      cache_control: { type: "ephemeral" },
    },
  ],
  tools: Array.from({ length: AGENT_TOOLS }, (_, at) => ({
    name: `Tool${at}`,
    description: "text ".repeat(AGENT_BYTES.tool / 5),
    input_schema: { type: "object" },
  })),
  messages: [
    {
      role: "user",
      content: [{ type: "text", text: "path ".repeat(AGENT_BYTES.environment / 5) }],
    },
    { role: "user", content: "hi" },
  ],
  thinking: { type: "adaptive" },
};

test("a limit of $2 serves a first request of Claude Code, and records its exact cost", async () => {
  const made = await createLimited(2);
  const message = await makeClient(made).messages.stream(agentRequest).finalMessage();
  expect(message.stop_reason).toBe("end_turn");
  const cost = INPUT_NANO_USD + BigInt(TOKENS_PER_TICK) * OUTPUT_NANO_USD;
  const record = await readRecord(made);
  expect(record).toMatchObject({ cost: String(cost), isEstimated: false, cut: null });
  expect(Number(record.hold)).toBeLessThan(1e9);
  expect(record.limit).toMatchObject({ spent_usd: "0.00856", overrun_usd: "0.00" });
});

test("a JSON answer holds its whole worst case, so a limit of $2 refuses it", async () => {
  const made = await createLimited(2);
  const error = await errorOf(
    makeClient(made).messages.create(agentRequest, { timeout: BOUND_MS }),
  );
  expect(error).toMatchObject({
    status: 400,
    error: { error: { details: { error_code: "request_too_large_for_limit" } } },
  });
});

test("a stream tops up its hold, and is cut with a code where the limit ends, without an overrun", async () => {
  const [wide, narrow] = [await createLimited(2), await createLimited(0.025)];
  const [whole, cut] = await Promise.all([
    makeClient(wide).messages.stream(makePrompt(40)).finalMessage(),
    errorOf(makeClient(narrow).messages.stream(makePrompt(200)).finalMessage()),
  ]);
  expect(whole.usage.output_tokens).toBe(320);
  const topped = await readRecord(wide);
  expect(topped).toMatchObject({ cost: "14800000", isEstimated: false, cut: null });
  // The prompt and 6 s at the highest speed, with the US multiplier.
  expect(Number(topped.hold)).toBeGreaterThan(23_000_000);
  expect(Number(topped.hold)).toBeLessThan(40_000_000);
  expect(topped.limit).toMatchObject({ overrun_usd: "0.00" });

  expect(cut).toBeInstanceOf(APIError);
  expect(cut.error).toMatchObject({ error: { details: { error_code: "stream_cut_limit_spent" } } });
  const record = await readRecord(narrow);
  expect(record).toMatchObject({ outcome: "interrupted", isEstimated: true });
  expect(record.cut).toMatchObject({ reason: "limit_spent" });
  expect(Number(record.cost)).toBeGreaterThan(Number(INPUT_NANO_USD));
  expect(Number(record.cost)).toBeLessThanOrEqual(25_000_000);
  expect(record.limit).toMatchObject({ overrun_usd: "0.00", unresolved_usd: "0.00" });
});

async function errorOf(promise: Promise<object>): Promise<APIError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new Error("the call did not fail");
}

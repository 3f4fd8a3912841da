import Anthropic from "@anthropic-ai/sdk";
import { afterAll, expect } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { blockStart, messageEnd, messageJson, sse, textDelta } from "./harness/fake-upstream.ts";
import {
  type ServerProcess,
  startServer,
  stopAllServers,
  type WorkspaceWithKey,
} from "./harness/server-process.ts";
import { test } from "./harness/upstream-test.ts";

// Fifty agents of one team under one strict limit: a real server and the unmodified official SDK. The upstream
// answers every prompt of 20 KB with 600 tokens, while each request may use 32,000.

const AGENTS = 50;
const LIMIT_USD = 25;
const MAX_TOKENS = 32_000;
const PROMPT = "All work and no play makes Jack a dull boy. ".repeat(20_000 / 44);
const USAGE = { input_tokens: 5_000, output_tokens: 600 };
/** Price of claude-sonnet-5: $2 and $10 per million tokens. */
const COST_USD = (5_000 * 2 + 600 * 10) / 1e6;
/** From the counted tokens with their margin, at the highest rate. */
const WORST_CASE_USD = ((MAX_TOKENS * 10 + (5_000 + 1_024) * 2) * 1.1) / 1e6;
const ANSWER_MS = 100;
let server: ServerProcess;
let team: WorkspaceWithKey;

test.beforeAll(async ({ upstream }) => {
  upstream.script = async (exchange) => {
    if (exchange.received.url.includes("count_tokens")) {
      exchange.json({ input_tokens: USAGE.input_tokens });
      return;
    }
    await new Promise((done) => setTimeout(done, ANSWER_MS));
    const usage = { ...USAGE, output_tokens: 1 };
    const message = { ...messageJson({ model: "claude-sonnet-5", usage }), content: [] };
    await exchange.stream([
      sse("message_start", { message }),
      blockStart,
      textDelta("Done."),
      ...messageEnd({ output_tokens: USAGE.output_tokens }),
    ]);
  };
  server = await startServer({
    env: { ANTHROPIC_API_KEY: "upstream-key", ANTHROPIC_UPSTREAM_URL: upstream.origin },
  });
  team = await server.workspaceWithKey({ name: "Agents" });
}, 90_000);

afterAll(async () => {
  await stopAllServers();
});

interface Outcome {
  answered: number;
  /** Refusal that ended the agent's work. */
  refusal: InstanceType<typeof Anthropic.APIError> | null;
  /** Busy responses that the SDK gave up on. The agent then continued. */
  busy: number;
}

/** Works until the limit is spent. Retries when only other requests hold the rest. */
async function work(client: Anthropic): Promise<Outcome> {
  const outcome: Outcome = { answered: 0, refusal: null, busy: 0 };
  for (;;) {
    try {
      await client.messages
        .stream({
          model: "claude-sonnet-5",
          max_tokens: MAX_TOKENS,
          messages: [{ role: "user", content: PROMPT }],
        })
        .finalMessage();
      outcome.answered += 1;
    } catch (error) {
      if (!(error instanceof Anthropic.APIError)) throw error;
      if (error instanceof Anthropic.RateLimitError) {
        outcome.busy += 1;
        continue;
      }
      return { ...outcome, refusal: error };
    }
  }
}

test("fifty agents use a limit that holds whole up to one request's worst case, never exceed it, and get the reason of refusals", async () => {
  await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: team.workspaceId,
    monthly_limit_usd: LIMIT_USD,
    hold: "whole",
  });
  const path = `/v1/admin/workspaces/limits?workspace_id=${team.workspaceId}`;
  const readLimit = async () => {
    const { data } = (await server.mustAdmin("GET", path)) as {
      data: { spent_usd: string; held_usd: string; remaining_usd: string; state: string }[];
    };
    const [limit] = data;
    if (limit === undefined) throw new Error("the workspace has a limit");
    return limit;
  };
  await eventually(30_000, "an active limit", async () =>
    (await readLimit()).state === "active" ? true : null,
  );

  const client = new Anthropic({ apiKey: team.key, baseURL: server.url, maxRetries: 2 });
  const startedMs = performance.now();
  const outcomes = await Promise.all(Array.from({ length: AGENTS }, () => work(client)));
  const seconds = (performance.now() - startedMs) / 1000;

  const settled = await eventually(30_000, "no lease", async () => {
    const limit = await readLimit();
    return Number(limit.held_usd) === 0 ? limit : null;
  });
  const spentUsd = Number(settled.spent_usd);
  const answered = outcomes.reduce((sum, each) => sum + each.answered, 0);
  const busy = outcomes.reduce((sum, each) => sum + each.busy, 0);
  const usable = spentUsd / LIMIT_USD;
  process.stdout.write(
    `${answered} answers in ${seconds.toFixed(1)} s, $${settled.spent_usd} of $${LIMIT_USD} (${(usable * 100).toFixed(1)} %), gave up ${busy} waits\n`,
  );

  expect(spentUsd).toBeCloseTo(answered * COST_USD, 9);
  expect(spentUsd).toBeLessThanOrEqual(LIMIT_USD);
  expect(usable).toBeGreaterThan(0.9);
  // The rest does not fit one more request.
  expect(LIMIT_USD - spentUsd).toBeLessThan(WORST_CASE_USD);
  for (const { refusal } of outcomes) {
    expect(refusal).toBeInstanceOf(Anthropic.BadRequestError);
    expect(refusal?.message).toContain(
      "remains of a spend limit, less than this request can cost.",
    );
    expect(refusal?.message).toContain("max_tokens 32,000");
  }
  expect(await server.mustAdmin("GET", "/v1/admin/ledger_check")).toMatchObject({
    is_correct: true,
  });
}, 300_000);

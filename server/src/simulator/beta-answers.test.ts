import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "./server.ts";

let simulator: Simulator;
let client: Anthropic;

beforeAll(async () => {
  simulator = await startSimulator({ port: 0 });
  if (!("origin" in simulator.address)) throw new Error("a port was asked for");
  client = new Anthropic({ apiKey: "sk-ant-test", baseURL: simulator.address.origin });
});

afterAll(() => simulator.close());

const hello = {
  model: "claude-opus-5-5",
  max_tokens: 300,
  messages: [{ role: "user" as const, content: "Hello" }],
};
const betas: Anthropic.Beta.AnthropicBeta[] = ["context-management-2025-06-27"];
const clearing = {
  ...hello,
  betas,
  context_management: { edits: [{ type: "clear_thinking_20251015" as const }] },
};

describe("the response to a beta request", () => {
  test("reports context management as null if the request allows no edits", async () => {
    const message = await client.beta.messages.create({ ...hello, betas });
    expect(message.context_management).toBeNull();
  });

  test("reports no applied edits if the request allows edits", async () => {
    const message = await client.beta.messages.create(clearing);
    expect(message.context_management).toEqual({ applied_edits: [] });
  });

  test("reports one iteration with the tokens of the whole message", async () => {
    const { usage } = await client.beta.messages.create({ ...hello, betas });
    expect(usage.fallback_credit).toBeNull();
    expect(usage.iterations).toEqual([
      {
        type: "message",
        model: "claude-opus-5-5",
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cache_read_input_tokens: 0,
        cache_creation_input_tokens: 0,
        cache_creation: usage.cache_creation,
      },
    ]);
  });

  test("has the same content as a stream", async () => {
    const created = await client.beta.messages.create(clearing);
    const streamed = await client.beta.messages.stream(clearing).finalMessage();
    expect(streamed).toMatchObject({
      context_management: created.context_management,
      usage: created.usage,
    });
  });

  test("reports each tool call as harmless if the request asks for a check", async () => {
    const asked = {
      ...hello,
      betas,
      tools: [{ name: "get_weather", input_schema: { type: "object" as const } }],
      tool_choice: { type: "any" as const },
      // The SDK's types lack this field.
      safeguards: [{ type: "dangerous_tool_use", classifier_context: { v: 1 } }],
    };
    const message = await client.beta.messages.create(asked);
    const [use] = message.content;
    if (use?.type !== "tool_use") throw new Error("a tool call was expected");
    const results = [
      {
        type: "dangerous_tool_use",
        status: {
          type: "available",
          tool_uses: { [use.id]: { type: "evaluated", outcome: "not_flagged" } },
        },
      },
    ];
    expect(message).toHaveProperty("safeguard_results", results);
    const deltas: unknown[] = [];
    for await (const event of await client.beta.messages.create({ ...asked, stream: true })) {
      if (event.type === "message_delta") deltas.push(event.delta);
    }
    // The stream's body differs, and so does the id of the call.
    const [streamed] = deltas;
    expect(streamed).toHaveProperty(["safeguard_results", 0, "status", "type"], "available");
    expect(await client.beta.messages.create({ ...hello, betas })).not.toHaveProperty(
      "safeguard_results",
    );
  });

  test("to a refusal has no credit and recommends no model", async () => {
    const message = await client.beta.messages.create({
      ...hello,
      betas,
      model: "simulate-refuse",
    });
    expect(message.stop_details).toMatchObject({
      fallback_credit_token: null,
      fallback_has_prefill_claim: null,
      recommended_model: null,
    });
  });

  test("counts tokens without context management", async () => {
    const { model, messages } = hello;
    const counted = await client.beta.messages.countTokens({ model, messages, betas });
    expect(counted.context_management).toBeNull();
  });

  test("lists models with their fallbacks and the compaction they support", async () => {
    const recent = await client.beta.models.retrieve("claude-opus-5-5", { betas });
    const old = await client.beta.models.retrieve("claude-haiku-4-5", { betas });
    expect(recent.allowed_fallback_models).toEqual([]);
    const supports = (isSo: boolean) => ({ supported: isSo, summarize: { supported: isSo } });
    expect(recent.capabilities?.compaction).toEqual(supports(true));
    expect(old.capabilities?.compaction).toEqual(supports(false));
    const [listed] = (await client.beta.models.list({ betas })).data;
    expect(listed).toHaveProperty("allowed_fallback_models");
  });
});

describe("the response to a request without a beta", () => {
  test("has no beta fields", async () => {
    const message = await client.messages.create(hello);
    expect(message).not.toHaveProperty("context_management");
    expect(message.usage).not.toHaveProperty("iterations");
    expect(message.usage).not.toHaveProperty("fallback_credit");
    expect(await client.models.retrieve("claude-opus-5-5")).not.toHaveProperty(
      "allowed_fallback_models",
    );
  });

  test("omits citations from a text without citations, in JSON and in a stream", async () => {
    const { content } = await client.messages.create(hello);
    expect(content).toEqual([{ type: "text", text: expect.any(String) }]);
    const events = await client.messages.create({ ...hello, stream: true });
    for await (const event of events) {
      if (event.type === "content_block_start") {
        expect(event.content_block).toEqual({ type: "text", text: "" });
      }
    }
  });
});

test("starts with a tool call for Claude Code, but not for other clients", async () => {
  const properties = { command: { type: "string" }, description: { type: "string" } };
  const tools: Anthropic.Tool[] = [{ name: "Bash", input_schema: { type: "object", properties } }];
  const headers = { "user-agent": "claude-cli/2.1.332 (external, cli)" };
  const agent = await client.messages.create({ ...hello, tools }, { headers });
  expect(agent.stop_reason).toBe("tool_use");
  const other = await client.messages.create({ ...hello, tools });
  expect(other.stop_reason).toBe("end_turn");
});

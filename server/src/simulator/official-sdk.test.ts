import Anthropic from "@anthropic-ai/sdk";
import PreviousAnthropic from "anthropic-sdk-previous";
import { afterAll, describe, expect, test } from "vitest";
import { listSdkOperations, makeOperationRuns } from "#test/harness/claude-operations.ts";
import { hello, startTestSimulator, textOf } from "#test/harness/simulator.ts";

const simulator = await startTestSimulator();
const { origin } = simulator;
afterAll(() => simulator.close());

describe.each(["1.14.0", "0.137.0"])("the official SDK %s", (version) => {
  const client = () => {
    const options = { apiKey: "sk-ant-test", baseURL: origin, maxRetries: 0 };
    return version === "1.14.0"
      ? new Anthropic(options)
      : // Another release of the SDK with the same calls.
        (new PreviousAnthropic(options) as unknown as Anthropic);
  };

  test("creates a message with an old model", async () => {
    const message = await client().messages.create({
      model: "claude-3-5-sonnet-20241022",
      ...hello,
    });
    expect(message).toMatchObject({
      type: "message",
      role: "assistant",
      model: "claude-3-5-sonnet-20241022",
      stop_reason: "end_turn",
      stop_sequence: null,
    });
    expect(textOf(message)).toContain("You wrote: Hello, Claude");
    expect(message._request_id).toMatch(/^req_/);
    expect(message.usage).toEqual({
      input_tokens: 11,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      output_tokens: message.usage.output_tokens,
      output_tokens_details: null,
      server_tool_use: null,
      service_tier: "standard",
      speed: "standard",
      inference_geo: "not_available",
    });
    expect(message.usage.output_tokens).toBeGreaterThan(20);
  });

  test("streams the same message as it creates", async () => {
    const params = { model: "claude-sonnet-5", ...hello };
    const { id, ...created } = await client().messages.create(params);
    const { id: _, ...streamed } = await client().messages.stream(params).finalMessage();
    expect(streamed).toMatchObject(created);
  });

  test("counts the tokens that the message reports", async () => {
    const params = { model: "claude-sonnet-5", messages: hello.messages, system: "Be brief." };
    const counted = await client().messages.countTokens(params);
    const message = await client().messages.create({ ...params, max_tokens: 10 });
    expect(counted).toEqual({ input_tokens: message.usage.input_tokens });
  });

  test("lists models page by page, and finds one by its alias", async () => {
    const ids: string[] = [];
    for await (const model of client().models.list({ limit: 5 })) ids.push(model.id);
    expect(ids.length).toBeGreaterThan(15);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("claude-sonnet-4-5-20250929");
    expect((await client().models.retrieve("claude-sonnet-4-5")).id).toBe(
      "claude-sonnet-4-5-20250929",
    );
    const missing = client().models.retrieve("claude-none");
    await expect(missing).rejects.toMatchObject({ status: 404, type: "not_found_error" });
  });

  test("calls a tool and ends after its result", async () => {
    const params: Anthropic.MessageCreateParamsNonStreaming = {
      model: "claude-opus-5",
      max_tokens: 500,
      tools: [
        {
          name: "get_weather",
          input_schema: {
            type: "object",
            properties: {
              city: { type: "string" },
              unit: { enum: ["C", "F"] },
              days: { type: "integer" },
            },
          },
        },
      ],
      messages: [{ role: "user", content: "Please use get_weather." }],
    };
    const call = await client().messages.create(params);
    expect(call.stop_reason).toBe("tool_use");
    const use = call.content[0];
    if (use?.type !== "tool_use") throw new Error("a tool call was expected");
    expect(use).toMatchObject({
      name: "get_weather",
      input: { city: "sample city", unit: "C", days: 1 },
    });
    const { id: _, ...streamed } = await client()
      .messages.stream({ ...params })
      .finalMessage();
    expect(streamed.content).toEqual(
      call.content.map((block) => ({ ...block, id: expect.any(String) })),
    );
    const done = await client().messages.create({
      ...params,
      messages: [
        ...params.messages,
        {
          role: "assistant",
          content: [{ type: "tool_use", id: use.id, name: use.name, input: use.input }],
        },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: use.id, content: "get_weather: sunny" }],
        },
      ],
    });
    expect(done.stop_reason).toBe("end_turn");
  });

  test("gets official errors as its own classes", async () => {
    const failing = (model: string) => client().messages.create({ model, ...hello });
    await expect(failing("simulate-overloaded")).rejects.toMatchObject({
      status: 529,
      type: "overloaded_error",
    });
    await expect(failing("simulate-error-401")).rejects.toMatchObject({
      status: 401,
      type: "authentication_error",
    });
    const limited = await failing("simulate-error-429").catch((error: unknown) => error);
    expect(limited).toMatchObject({ status: 429, type: "rate_limit_error" });
    expect((limited as InstanceType<typeof Anthropic.APIError>).headers?.get("retry-after")).toBe(
      "1",
    );
  });
});

describe("each operation of the official SDK", () => {
  const client = new Anthropic({ apiKey: "sk-ant-test", baseURL: origin, maxRetries: 0 });
  const runs = makeOperationRuns(client);

  test("is in the list of calls", () => {
    expect(Object.keys(runs).sort()).toEqual(listSdkOperations(client).sort());
  });

  test.concurrent.each(Object.entries(runs))("%s passes", async (_, run) => {
    await run();
  });
});

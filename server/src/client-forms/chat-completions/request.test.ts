import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { toMessageRequest } from "./request.ts";

const chat = { model: "claude-sonnet-4-5", messages: [{ role: "user", content: "Hello" }] };

function convert(fields: object): unknown {
  return JSON.parse(String(toMessageRequest(Buffer.from(JSON.stringify(fields))).body));
}

function findRefusal(body: string | Buffer): ApiError {
  try {
    toMessageRequest(Buffer.from(body));
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("expected a refusal");
}

function findField(fields: object): string | undefined {
  return findRefusal(JSON.stringify(fields)).details.fields?.[0]?.path;
}

describe("simple fields", () => {
  test("without a maximum the output has the default, at most that of the model", () => {
    expect(convert(chat)).toEqual({ ...chat, max_tokens: 16_384 });
    expect(convert({ ...chat, model: "claude-3-haiku-20240307" })).toMatchObject({
      max_tokens: 4_096,
    });
    const thinking = { type: "enabled", budget_tokens: 10_000 };
    expect(convert({ ...chat, thinking })).toMatchObject({ thinking, max_tokens: 26_384 });
  });

  test.each([
    [{ max_tokens: 5 }, { max_tokens: 5 }],
    [{ max_tokens: 5, max_completion_tokens: 6 }, { max_tokens: 6 }],
    [{ temperature: 0.5 }, { temperature: 0.5 }],
    [{ temperature: 1.7 }, { temperature: 1 }],
    [
      { top_p: 0.9, stream: true },
      { top_p: 0.9, stream: true },
    ],
    [{ stop: "END" }, { stop_sequences: ["END"] }],
    [{ stop: ["A", " \n", "B"] }, { stop_sequences: ["A", "B"] }],
    [{ stop: "\n" }, {}],
    [
      {
        n: 1,
        seed: 1,
        user: "u",
        logprobs: true,
        metadata: { a: "b" },
        response_format: { type: "json_object" },
        reasoning_effort: "high",
        service_tier: "flex",
        presence_penalty: 1,
        parallel_tool_calls: false,
      },
      {},
    ],
  ])("%j becomes %j", (fields, expected) => {
    const official = { ...chat, max_tokens: 16_384, ...expected };
    expect(convert({ ...chat, ...fields })).toEqual(official);
  });
});

describe("messages", () => {
  const toMessages = (messages: unknown[]) => convert({ ...chat, messages, max_tokens: 1 });

  test("system and developer messages become one system text", () => {
    expect(
      toMessages([
        { role: "system", content: "A" },
        { role: "user", content: "Hello" },
        { role: "developer", content: [{ type: "text", text: "B" }], name: "dev" },
      ]),
    ).toMatchObject({ system: "A\nB", messages: [{ role: "user", content: "Hello" }] });
  });

  test("images have their data or their address, and other parts are left out", () => {
    const content = [
      { type: "text", text: "Look" },
      { type: "image_url", image_url: { url: "data:image/PNG;base64,aGk=", detail: "high" } },
      { type: "image_url", image_url: { url: "https://example.com/a.png" } },
      { type: "input_audio", input_audio: { data: "aGk=", format: "wav" } },
      { type: "file", file: { file_id: "file_1" } },
    ];
    expect(toMessages([{ role: "user", content }])).toMatchObject({
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Look" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "aGk=" } },
            { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
          ],
        },
      ],
    });
  });

  test("results of several calls become one message", () => {
    const call = (id: string) => ({
      id,
      type: "function",
      function: { name: "f", arguments: "" },
    });
    expect(
      toMessages([
        { role: "assistant", content: "Wait", tool_calls: [call("a"), call("b")] },
        { role: "tool", tool_call_id: "a", content: "1" },
        { role: "tool", tool_call_id: "b", content: [{ type: "text", text: "2" }] },
        { role: "user", content: "Next" },
      ]),
    ).toMatchObject({
      messages: [
        {
          role: "assistant",
          content: [
            { type: "text", text: "Wait" },
            { type: "tool_use", id: "a", name: "f", input: {} },
            { type: "tool_use", id: "b", name: "f", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "a", content: "1" },
            { type: "tool_result", tool_use_id: "b", content: [{ type: "text", text: "2" }] },
          ],
        },
        { role: "user", content: "Next" },
      ],
    });
  });

  test("deprecated functions become tools with ids for their calls", () => {
    const converted = toMessageRequest(
      Buffer.from(
        JSON.stringify({
          ...chat,
          functions: [{ name: "f" }],
          function_call: { name: "f" },
          messages: [
            { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
            { role: "function", name: "f", content: "1" },
          ],
        }),
      ),
    );
    expect(converted.usesFunctions).toBe(true);
    expect(JSON.parse(String(converted.body))).toMatchObject({
      tools: [{ name: "f", input_schema: { type: "object", properties: {} } }],
      tool_choice: { type: "tool", name: "f", disable_parallel_tool_use: true },
      messages: [
        { role: "assistant", content: [{ type: "tool_use", id: "call_0", name: "f", input: {} }] },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "call_0", content: "1" }],
        },
      ],
    });
  });
});

describe("a refusal names the field", () => {
  const user = { role: "user", content: "Hello" };
  test.each([
    ["model", { messages: [user] }],
    ["messages", { model: "m" }],
    ["n", { ...chat, n: 2 }],
    ["messages.0.role", { ...chat, messages: [{ role: "critic", content: "" }] }],
    ["messages.0.content", { ...chat, messages: [{ role: "user" }] }],
    [
      "messages.0.content.0.text",
      { ...chat, messages: [{ role: "user", content: [{ type: "text" }] }] },
    ],
    [
      "messages.0.content.0.image_url.url",
      {
        ...chat,
        messages: [
          {
            role: "user",
            content: [{ type: "image_url", image_url: { url: "data:image/png,x" } }],
          },
        ],
      },
    ],
    [
      "messages.0.tool_calls.0.function.arguments",
      {
        ...chat,
        messages: [
          {
            role: "assistant",
            tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "[" } }],
          },
        ],
      },
    ],
    ["messages.0.name", { ...chat, messages: [{ role: "function", name: "f", content: "" }] }],
    ["messages.0.tool_call_id", { ...chat, messages: [{ role: "tool", content: "" }] }],
    ["stop.0", { ...chat, stop: [1] }],
    ["tools.0.type", { ...chat, tools: [{ type: "custom", custom: { name: "f" } }] }],
    [
      "tool_choice",
      { ...chat, tools: [{ type: "function", function: { name: "f" } }], tool_choice: 1 },
    ],
  ])("%s", (path, fields) => {
    expect(findField(fields)).toBe(path);
  });

  test.each([["[]"], ["{"], ["null"], ["\u{FEFF}{}"], ["[".repeat(600)]])(
    "a body that is no JSON object: %s",
    (body) => {
      expect(findRefusal(body).code).toBe("invalid_body");
    },
  );

  test("a body with more than a million values is refused before it is parsed", () => {
    const many = `{"messages":[${"[],".repeat(500_000)}[]]}`;
    expect(findRefusal(many).message).toBe("The request body has more than 1000000 values.");
    const text = `{"messages":"${'[{,\\\\\\"'.repeat(400_000)}"}`;
    expect(findRefusal(text).code).toBe("invalid_fields");
  });
});

test("converts or refuses any JSON, and never fails otherwise", () => {
  const part = fc.dictionary(fc.constantFrom("type", "text", "image_url", "url"), fc.jsonValue());
  const message = fc.record(
    {
      role: fc.constantFrom("system", "user", "assistant", "tool", "function", "x"),
      content: fc.oneof(fc.string(), fc.array(part), fc.jsonValue()),
      tool_calls: fc.array(part),
    },
    { requiredKeys: [] },
  );
  const body = fc.record(
    {
      model: fc.oneof(fc.constant("claude-sonnet-4-5"), fc.jsonValue()),
      messages: fc.oneof(fc.array(message), fc.jsonValue()),
      tools: fc.jsonValue(),
      stop: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(body, (fields) => {
      const text = JSON.stringify(fields);
      let converted: unknown = null;
      try {
        converted = JSON.parse(String(toMessageRequest(Buffer.from(text)).body));
      } catch (error) {
        expect(error).toBeInstanceOf(ApiError);
        return;
      }
      expect(converted).toMatchObject({ messages: expect.any(Array) });
    }),
  );
});

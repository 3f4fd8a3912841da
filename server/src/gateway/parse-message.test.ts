import type Anthropic from "@anthropic-ai/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { noMarkers, parse, smallest } from "#test/harness/parsed-messages.ts";
import { parseMessage } from "./parse-message.ts";

describe("reads", () => {
  test("the smallest count_tokens body", () => {
    expect(parse(smallest)).toEqual({
      model: "claude-sonnet-5",
      maxTokens: null,
      isStream: false,
      thinking: "unset",
      serviceTier: null,
      speed: null,
      inferenceGeo: null,
      fallbacks: { models: [], maxTokens: null, hasFastSpeed: false, hasUnknownModel: false },
      bodyBytes: JSON.stringify(smallest).length,
      outsidePromptBytes: 0,
      objects: [],
      largestToolBytes: 0,
      repeatedToolCount: 0,
      messageCount: 1,
      toolCount: 0,
      builtInToolCount: 0,
      toolsetCount: 0,
      serverTools: [],
      unknownParts: [],
      tagsSpan: null,
      imageCount: 0,
      imageDataBytes: 0,
      citedBytes: 0,
      markers: noMarkers,
    });
  });

  test("a request of the official SDK with all known fields as closed", () => {
    const body: Anthropic.MessageCreateParams = {
      model: "claude-opus-5-5",
      max_tokens: 4096,
      stream: true,
      thinking: { type: "adaptive", display: "omitted" },
      service_tier: "standard_only",
      speed: "fast",
      inference_geo: "us",
      stop_sequences: ["\n\nHuman:"],
      metadata: { user_id: "u" },
      output_config: { effort: "high" },
      tool_choice: { type: "auto" },
      system: [{ type: "text", text: "Be brief." }],
      tools: [
        { name: "a", input_schema: { type: "object", properties: { type: { type: "string" } } } },
        { type: "custom", name: "b", input_schema: { type: "object" } },
        { type: "bash_20250124", name: "bash" },
        { type: "text_editor_20250728", name: "str_replace_based_edit_tool" },
        { type: "memory_20250818", name: "memory" },
        { type: "computer_toolset_20260801" },
      ],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "look" },
            {
              type: "image",
              source: { type: "base64", media_type: "image/png", data: "QUJDRA==" },
            },
            { type: "document", source: { type: "text", media_type: "text/plain", data: "notes" } },
            {
              type: "document",
              source: { type: "content", content: [{ type: "text", text: "x" }] },
            },
            {
              type: "search_result",
              source: "s",
              title: "t",
              content: [{ type: "text", text: "x" }],
            },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm", signature: "sig" },
            {
              type: "tool_use",
              id: "t1",
              name: "a",
              input: { type: "web_search", file_id: "no id" },
            },
          ],
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "t1",
              content: [
                {
                  type: "image",
                  source: { type: "base64", media_type: "image/png", data: "QUJD" },
                },
              ],
            },
          ],
        },
      ],
    };
    expect(parse(body)).toEqual({
      model: "claude-opus-5-5",
      objects: [],
      maxTokens: 4096,
      isStream: true,
      thinking: "on",
      serviceTier: "standard_only",
      speed: "fast",
      inferenceGeo: "us",
      fallbacks: { models: [], maxTokens: null, hasFastSpeed: false, hasUnknownModel: false },
      bodyBytes: JSON.stringify(body).length,
      outsidePromptBytes: ',"metadata":{"user_id":"u"}'.length,
      largestToolBytes: JSON.stringify(body.tools?.[0]).length,
      repeatedToolCount: 0,
      messageCount: 3,
      toolCount: 6,
      builtInToolCount: 3,
      toolsetCount: 1,
      serverTools: [],
      unknownParts: [],
      tagsSpan: null,
      imageCount: 2,
      imageDataBytes: 12,
      citedBytes: 0,
      markers: noMarkers,
    });
  });

  test("fields in any order, with escapes and white space", () => {
    const text =
      ' {"messages" : [ ] ,\n "max_tokens": 7, "mod\\u0065l":"a\\u0062c" , "stream":true}\t';
    expect(parseMessage(Buffer.from(text))).toMatchObject({
      model: "abc",
      maxTokens: 7,
      isStream: true,
    });
  });

  test.each([
    [{ type: "disabled" }, "off"],
    [{ type: "enabled", budget_tokens: 2048 }, "on"],
    [{ type: "adaptive" }, "on"],
    [{ type: "between_tools" }, "on"],
    [{ type: "something_new" }, "on"],
    [{}, "on"],
    ["disabled", "on"],
    [null, "unset"],
    [undefined, "unset"],
  ])("thinking %j is %s", (thinking, mode) => {
    expect(parse({ ...smallest, thinking }).thinking).toBe(mode);
  });

  test("max_tokens of 0, and very high ones as the highest safe integer", () => {
    expect(parse({ ...smallest, max_tokens: 0 }).maxTokens).toBe(0);
    expect(
      parseText(`{"model":"m","messages":[],"max_tokens":1${"0".repeat(400)}}`).maxTokens,
    ).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("fallbacks with every model that can answer, and their highest settings", () => {
    const fallbacks = [
      { model: "a" },
      { model: "b", max_tokens: 9, speed: "fast" },
      { model: "c", max_tokens: 3 },
    ];
    expect(parse({ ...smallest, fallbacks }).fallbacks).toEqual({
      models: ["a", "b", "c"],
      maxTokens: 9,
      hasFastSpeed: true,
      hasUnknownModel: false,
    });
    for (const unknown of ["default", {}, [{ max_tokens: 1 }], ["a"]]) {
      expect(parse({ ...smallest, fallbacks: unknown }).fallbacks.hasUnknownModel).toBe(true);
    }
    expect(parse({ ...smallest, fallbacks: null }).fallbacks.hasUnknownModel).toBe(false);
  });
});

describe("refuses with a message that names the field", () => {
  const duplicated =
    "this key appears more than once. Send it once, because parsers disagree on which one counts";
  test.each([
    ["", "The request body is empty: a JSON object is required"],
    ["[]", "The request body must be a JSON object"],
    ['"x"', "The request body must be a JSON object"],
    ["{", "The request body is not valid JSON: unexpected end, expected a string at byte 1"],
    [
      '{"model":"m","messages":[]} x',
      "The request body is not valid JSON: unexpected data after the JSON value at byte 28",
    ],
    [
      '\ufeff{"model":"m"}',
      "The request body is not valid JSON: a byte order mark is not allowed at byte 0",
    ],
    ['{"messages":[]}', "model: Field required"],
    ['{"model":"m"}', "messages: Field required"],
    ['{"model":null,"messages":[]}', "model: Input should be a valid string"],
    ['{"model":7,"messages":[]}', "model: Input should be a valid string"],
    ['{"model":"","messages":[]}', "model: String should have at least 1 character"],
    [
      `{"model":"${"m".repeat(257)}","messages":[]}`,
      "model: String should have at most 256 characters",
    ],
    ['{"model":"m\\u0000","messages":[]}', "model: String should hold no control characters"],
    ['{"model":"m\\ud800","messages":[]}', "model: String should hold no control characters"],
    ['{"model":"m","messages":{}}', "messages: Input should be a valid list"],
    ['{"model":"m","messages":null}', "messages: Input should be a valid list"],
    ['{"model":"m","messages":[],"tools":{}}', "tools: Input should be a valid list"],
    ['{"max_tokens":"7"}', "max_tokens: Input should be a valid integer"],
    ['{"max_tokens":null}', "max_tokens: Input should be a valid integer"],
    ['{"max_tokens":1e3}', "max_tokens: Input should be a valid integer, written with digits only"],
    ['{"max_tokens":1.0}', "max_tokens: Input should be a valid integer, written with digits only"],
    ['{"max_tokens":-1}', "max_tokens: Input should be greater than or equal to 0"],
    ['{"stream":"true"}', "stream: Input should be a valid boolean"],
    ['{"stream":1}', "stream: Input should be a valid boolean"],
    ['{"speed":1}', "speed: Input should be a valid string"],
    ['{"service_tier":[]}', "service_tier: Input should be a valid string"],
    ['{"inference_geo":true}', "inference_geo: Input should be a valid string"],
    ['{"fallbacks":[{"model":1}]}', "fallbacks.0.model: Input should be a valid string"],
    ['{"model":"a","model":"a"}', `model: ${duplicated}`],
    ['{"model":"a","mod\\u0065l":"b"}', `model: ${duplicated}`],
    ['{"x y":1,"x y":2}', `(key): ${duplicated}`],
    ['{"thinking":{"type":"disabled","type":"enabled"}}', `thinking.type: ${duplicated}`],
    ['{"cache_control":{"ttl":"5m","ttl":"1h"}}', `cache_control.ttl: ${duplicated}`],
    ['{"tools":[{},{"type":"custom","type":"web_search"}]}', `tools.1.type: ${duplicated}`],
    [
      '{"system":[{"cache_control":{"ttl":"5m","ttl":"1h"}}]}',
      `system.0.cache_control.ttl: ${duplicated}`,
    ],
    ['{"messages":[{"content":"a","content":[]}]}', `messages.0.content: ${duplicated}`],
    [
      '{"messages":[{},{"content":[{},{"source":{"type":"text","type":"url"}}]}]}',
      `messages.1.content.1.source.type: ${duplicated}`,
    ],
    [
      '{"context_management":{"edits":[{"type":"clear_x","type":"compact"}]}}',
      `context_management.edits.0.type: ${duplicated}`,
    ],
  ])("%s", (text, message) => {
    expect(() => parseText(text)).toThrow(expect.objectContaining({ status: 400, message }));
  });

  test("bytes that are not UTF-8", () => {
    const body = Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(() => parseMessage(body)).toThrow(
      "The request body is not valid JSON: the text is not UTF-8 at byte 10",
    );
  });
});

describe("any input", () => {
  test("is parsed, or refused as an invalid request", () => {
    const fields = [
      "model",
      "max_tokens",
      "messages",
      "content",
      "type",
      "source",
      "data",
      "file_id",
      "tools",
      "system",
      "cache_control",
      "ttl",
      "citations",
      "enabled",
      "max_uses",
      "thinking",
      "fallbacks",
      "context_management",
      "edits",
      "container",
      "skills",
      "stream",
    ];
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 6, withCrossShrink: true },
        fc.constantFrom<unknown>(null, true, 1, 1.5, "text", "image", "base64", "file", "disabled"),
        fc.array(tie("node"), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom(...fields), tie("node"), { maxKeys: 6 }),
      ),
    })).node;
    fc.assert(
      fc.property(value, value, fc.nat(), fc.option(fc.nat(255)), (messages, rest, at, byte) => {
        const body = Buffer.from(
          JSON.stringify({ ...smallest, messages: [messages], ...(rest as object) }),
        );
        if (byte !== null) body[at % body.length] = byte;
        try {
          expect(parseMessage(body).bodyBytes).toBe(body.length);
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          expect(error.status).toBe(400);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test("an error never repeats a value of the body", () => {
    const secret = "tell-no-one";
    for (const text of [
      `{"model":"${secret}" "x"}`,
      `{"model":["${secret}"]}`,
      `{"${secret} x":1,"${secret} x":2}`,
      `{"max_tokens":"${secret}"}`,
      `${secret}`,
    ]) {
      expect(() => parseText(text)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining(secret) }),
      );
    }
  });
});

function parseText(text: string) {
  return parseMessage(Buffer.from(text));
}

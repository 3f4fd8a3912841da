import type Anthropic from "@anthropic-ai/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { parseMessage, refuseUnshareable } from "./parse-message.ts";

const smallest = { model: "claude-sonnet-5", messages: [{ role: "user", content: "hi" }] };

const noMarkers = {
  hasCacheControl5m: false,
  hasCacheControl1h: false,
  hasServerTools: false,
  hasUnknownTools: false,
  hasMcpServers: false,
  hasContainer: false,
  hasCompaction: false,
  hasOpaqueSource: false,
  hasUrlSource: false,
  unknownFields: [],
  hasFileIds: false,
  hasSkills: false,
  hasThread: false,
};

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
      largestToolBytes: 0,
      repeatedToolCount: 0,
      messageCount: 1,
      toolCount: 0,
      builtInToolCount: 0,
      toolsetCount: 0,
      serverTools: [],
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

describe("markers", () => {
  const block = (content: unknown) => ({
    ...smallest,
    messages: [{ role: "user", content: [content] }],
  });
  const tool = (type: unknown) => ({ ...smallest, tools: [{ type, name: "t" }] });
  const source = (type: string, fields: object) => block({ type, source: fields });
  const cached = { cache_control: { type: "ephemeral" } };
  const cachedHour = { cache_control: { type: "ephemeral", ttl: "1h" } };
  const text = { type: "text", text: "x" };

  test.each<[string, object, object]>([
    ["cache_control of the request", { ...smallest, ...cached }, { hasCacheControl5m: true }],
    ["cache_control: null", { ...smallest, cache_control: null }, {}],
    ["of a block", block({ ...text, ...cachedHour }), { hasCacheControl1h: true }],
    [
      "of a block in a tool result",
      block({ type: "tool_result", content: [{ ...text, ...cached }] }),
      { hasCacheControl5m: true },
    ],
    [
      "of a system block",
      { ...smallest, system: [{ ...text, ...cachedHour }] },
      { hasCacheControl1h: true },
    ],
    [
      "of a tool",
      { ...smallest, tools: [{ name: "t", input_schema: {}, ...cached }] },
      { hasCacheControl5m: true },
    ],
    [
      "with a ttl of 5m",
      { ...smallest, cache_control: { ttl: "5m" } },
      { hasCacheControl5m: true },
    ],
    [
      "with an unknown ttl",
      { ...smallest, cache_control: { ttl: "2h" } },
      { hasCacheControl1h: true },
    ],
    ["of a wrong shape", { ...smallest, cache_control: "ephemeral" }, { hasCacheControl1h: true }],
    ["inside a tool's input: no cache control", block({ type: "tool_use", input: cachedHour }), {}],
    ["web search", tool("web_search_20250305"), { hasServerTools: true }],
    ["web fetch", tool("web_fetch_20260318"), { hasServerTools: true }],
    ["code execution", tool("code_execution_20250825"), { hasServerTools: true }],
    ["tool search", tool("tool_search_tool_bm25_20251119"), { hasServerTools: true }],
    ["advisor", tool("advisor_20260301"), { hasServerTools: true }],
    ["an MCP toolset", tool("mcp_toolset"), { hasMcpServers: true }],
    ["a tool of a new type", tool("quantum_20300101"), { hasUnknownTools: true }],
    ["a tool whose type is no string", tool(7), { hasUnknownTools: true }],
    ["a tool that is no object", { ...smallest, tools: ["web_search"] }, { hasUnknownTools: true }],
    ["a tool of type null", tool(null), {}],
    ["tools: null", { ...smallest, tools: null }, {}],
    ["an addition of no tool", block({ type: "tool_addition" }), { hasUnknownTools: true }],
    [
      "an unknown addition",
      block({ type: "tool_addition", tool: { type: "tool_spell", name: "a" } }),
      { hasUnknownTools: true },
    ],
    [
      "an addition with a missing definition",
      block({ type: "tool_addition", tool: { type: "tool_definition" } }),
      { hasUnknownTools: true },
    ],
    [
      "an addition of a server tool",
      block({
        type: "tool_addition",
        tool: { type: "tool_definition", definition: { type: "web_search_20250305" } },
      }),
      { hasServerTools: true },
    ],
    [
      "an addition of an MCP tool",
      block({ type: "tool_addition", tool: { type: "mcp_tool_reference", name: "a" } }),
      { hasMcpServers: true },
    ],
    [
      "an addition of a listed tool",
      block({ type: "tool_addition", tool: { type: "tool_reference", name: "a" } }),
      {},
    ],
    [
      "a removal of a tool",
      block({ type: "tool_removal", tool: { type: "tool_reference", name: "a" } }),
      {},
    ],
    [
      "an edit with an unknown name",
      { ...smallest, context_management: { edits: [{ type: "clear_and_summarize_20270101" }] } },
      { hasCompaction: true },
    ],
    [
      "MCP servers",
      { ...smallest, mcp_servers: [{ type: "url", url: "https://x", name: "x" }] },
      { hasMcpServers: true },
    ],
    ["no MCP servers", { ...smallest, mcp_servers: [] }, {}],
    ["a container id", { ...smallest, container: "container_1" }, { hasContainer: true }],
    [
      "a container with skills",
      { ...smallest, container: { skills: [{ skill_id: "s" }] } },
      { hasContainer: true, hasSkills: true },
    ],
    [
      "a container without skills",
      { ...smallest, container: { id: null, skills: [] } },
      { hasContainer: true },
    ],
    ["container: null", { ...smallest, container: null }, {}],
    ["compaction", { ...smallest, compaction: { type: "summarize" } }, { hasCompaction: true }],
    [
      "a compacting edit",
      { ...smallest, context_management: { edits: [{ type: "compact_20260112" }] } },
      { hasCompaction: true },
    ],
    [
      "clearing edits",
      {
        ...smallest,
        context_management: {
          edits: [
            { type: "clear_tool_uses_20250919", keep: {} },
            { type: "clear_thinking_20251015" },
          ],
        },
      },
      {},
    ],
    [
      "a new kind of context management",
      { ...smallest, context_management: { auto: true } },
      { hasCompaction: true },
    ],
    ["a thread", { ...smallest, thread: { id: "thread_1" } }, { hasThread: true }],
    [
      "a PDF",
      source("document", { type: "base64", media_type: "application/pdf", data: "AA" }),
      { hasOpaqueSource: true },
    ],
    [
      "a document by URL",
      source("document", { type: "url", url: "https://x" }),
      { hasOpaqueSource: true, hasUrlSource: true },
    ],
    [
      "an image by URL",
      source("image", { type: "url", url: "https://x" }),
      { hasOpaqueSource: true, hasUrlSource: true },
    ],
    [
      "a file",
      source("document", { type: "file", file_id: "file_1" }),
      { hasOpaqueSource: true, hasFileIds: true },
    ],
    [
      "a file inside a document",
      source("document", {
        type: "content",
        content: [{ type: "image", source: { type: "file", file_id: "f" } }],
      }),
      { hasOpaqueSource: true, hasFileIds: true },
    ],
    [
      "a file for the container",
      block({ type: "container_upload", file_id: "file_1" }),
      { hasOpaqueSource: true, hasFileIds: true },
    ],
    [
      "a file in a server tool's result",
      block({
        type: "code_execution_tool_result",
        content: { type: "r", content: [{ type: "o", file_id: "f" }] },
      }),
      { hasOpaqueSource: true, hasFileIds: true },
    ],
    ["a block that is not known", block({ type: "hologram" }), { hasOpaqueSource: true }],
    ["a block without a type", block({}), { hasOpaqueSource: true }],
    ["a compaction block", block({ type: "compaction", content: "x" }), { hasOpaqueSource: true }],
    [
      "unknown fields",
      { ...smallest, Model: "x", effort: 1 },
      { unknownFields: ["Model", "effort"] },
    ],
  ])("%s", (_, body, expected) => {
    expect(parse(body).markers).toEqual({ ...noMarkers, ...expected });
  });

  test("server tools with their highest number of uses, with fields in any order", () => {
    const tools = [
      { max_uses: 3, type: "web_search_20260318", name: "web_search" },
      { type: "web_fetch_20250910", name: "web_fetch", max_uses: 1.5, model: "no" },
      { name: "advisor", model: "claude-opus-5-5", type: "advisor_20260301", max_uses: null },
      { type: "advisor_20260301", model: "x".repeat(257) },
      { type: "custom", name: "c", input_schema: {}, max_uses: 7, model: "m" },
    ];
    const parsed = parse({ ...smallest, tools });
    expect(parsed.serverTools).toEqual([
      { type: "web_search_20260318", maxUses: 3, model: null },
      { type: "web_fetch_20250910", maxUses: null, model: null },
      { type: "advisor_20260301", maxUses: null, model: "claude-opus-5-5" },
      { type: "advisor_20260301", maxUses: null, model: null },
    ]);
    expect(parsed.markers).toMatchObject({ hasServerTools: true, hasUnknownTools: false });
    expect(parsed.toolCount).toBe(5);
  });

  test("server tools beyond a bound count as unknown tools", () => {
    const tools = Array(17).fill({ type: "web_fetch_20250910" });
    const parsed = parse({ ...smallest, tools });
    expect(parsed.serverTools).toHaveLength(16);
    expect(parsed.markers.hasUnknownTools).toBe(true);
  });

  test.each<[string, unknown, boolean]>([
    ["on", { enabled: true }, true],
    ["in a shape that is not known", {}, true],
    ["no object", "yes", true],
    ["off", { enabled: false }, false],
    ["null", null, false],
  ])("the bytes of a document with citations %s", (_, citations, isCited) => {
    const document = { type: "document", source: { type: "text", data: "One. Two." }, citations };
    const bytes = isCited ? JSON.stringify(document).length : 0;
    expect(parse(block(document)).citedBytes).toBe(bytes);
  });

  test("citations of an earlier response count as text", () => {
    const cited = { type: "text", text: "x", citations: [{ type: "char_location" }] };
    expect(parse(block(cited)).citedBytes).toBe(0);
  });

  test("unknown fields are listed up to a bound", () => {
    const fields = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`${"x".repeat(80)}${i}`, i]),
    );
    expect(parse({ ...smallest, ...fields }).markers.unknownFields).toEqual([
      "x".repeat(64),
      ...Array(7).fill("x".repeat(64)),
    ]);
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

describe("a shared upstream", () => {
  const ordinary = { ...smallest, tools: [{ type: "web_search_20250305", name: "web_search" }] };
  test("passes parts with their own content", () => {
    expect(() => refuseUnshareable(parse(ordinary))).not.toThrow();
  });

  test.each([
    [{ container: "container_1" }, "containers (container)"],
    [
      { container: { skills: [{ type: "custom", skill_id: "skill_1" }] } },
      "skills (container.skills)",
    ],
    [
      {
        messages: [
          {
            role: "user",
            content: [{ type: "document", source: { type: "file", file_id: "file_1" } }],
          },
        ],
      },
      "file ids (file_id)",
    ],
    [
      {
        container: "c",
        messages: [{ role: "user", content: [{ type: "container_upload", file_id: "file_1" }] }],
      },
      "file ids (file_id) and containers (container)",
    ],
  ])("refuses %j, naming what it may not carry", (fields, name) => {
    expect(() => refuseUnshareable(parse({ ...smallest, ...fields }))).toThrow(
      new ApiError(
        "shared_resource_unsupported",
        `This server does not serve ${name}: all workspaces share one upstream account, where they could belong to another workspace. Send the content itself in the request, without these fields.`,
      ),
    );
  });

  test.each([
    [{ thread: { type: "create" } }],
    [{ thread: { type: "continue", previous_message_id: "msg_1" } }],
    [{ thread: {}, container: "container_1" }],
  ])("refuses %j with the cause that an SDK answers without a thread", (fields) => {
    expect(() => refuseUnshareable(parse({ ...smallest, ...fields }))).toThrow(
      new ApiError(
        "thread_unsupported_request",
        "thread: This server does not store conversations. Send the whole conversation in messages, without thread.",
        {},
        { unsupported: ["thread"] },
      ),
    );
  });

  test.each([{ thread: null }, {}])("passes %j", (fields) => {
    expect(() => refuseUnshareable(parse({ ...smallest, ...fields }))).not.toThrow();
  });
});

function parse(body: object) {
  return parseMessage(Buffer.from(JSON.stringify(body)));
}

function parseText(text: string) {
  return parseMessage(Buffer.from(text));
}

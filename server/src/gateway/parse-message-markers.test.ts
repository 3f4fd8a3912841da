import { describe, expect, test } from "vitest";
import { noMarkers, parse, smallest } from "#test/harness/parsed-messages.ts";

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
    ["a tool of type null", tool(null), {}],
    ["tools: null", { ...smallest, tools: null }, {}],
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
        content: {
          type: "code_execution_result",
          content: [{ type: "code_execution_output", file_id: "f" }],
        },
      }),
      { hasOpaqueSource: true, hasFileIds: true },
    ],
    ["a compaction block", block({ type: "compaction", content: "x" }), { hasOpaqueSource: true }],
  ])("%s", (_, body, expected) => {
    const { markers, unknownParts } = parse(body);
    expect(markers).toEqual({ ...noMarkers, ...expected });
    expect(unknownParts).toEqual([]);
  });

  test("server tools with their highest number of uses, with fields in any order", () => {
    const tools = [
      { max_uses: 3, type: "web_search_20260318", name: "web_search" },
      { type: "web_fetch_20250910", name: "web_fetch", max_uses: 1.5 },
      { name: "advisor", model: "claude-opus-5-5", type: "advisor_20260301", max_uses: null },
      { type: "advisor_20260301", model: "x".repeat(257) },
      { type: "custom", name: "c", input_schema: {}, max_uses: 7 },
    ];
    const parsed = parse({ ...smallest, tools });
    expect(parsed.serverTools).toEqual([
      { type: "web_search_20260318", maxUses: 3, model: null },
      { type: "web_fetch_20250910", maxUses: null, model: null },
      { type: "advisor_20260301", maxUses: null, model: "claude-opus-5-5" },
      { type: "advisor_20260301", maxUses: null, model: null },
    ]);
    expect(parsed.markers.hasServerTools).toBe(true);
    expect(parsed.unknownParts).toEqual([]);
    expect(parsed.toolCount).toBe(5);
  });

  test("the bound of a result of web fetch, if it is a plain integer", () => {
    const fetch = { type: "web_fetch_20250910", name: "web_fetch" };
    const tools = [
      { ...fetch, max_content_tokens: 9_000 },
      { ...fetch, max_content_tokens: "9" },
    ];
    const { serverTools, unknownParts } = parse({ ...smallest, tools });
    expect(serverTools.map(({ maxContentTokens }) => maxContentTokens)).toEqual([9_000, undefined]);
    expect(unknownParts).toEqual([]);
  });

  test("server tools beyond a bound count as unknown tools", () => {
    const tools = Array(17).fill({ type: "web_fetch_20250910" });
    const parsed = parse({ ...smallest, tools });
    expect(parsed.serverTools).toHaveLength(16);
    expect(parsed.unknownParts).toEqual([{ kind: "tool", name: "", count: 1, bytes: 0 }]);
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
});

import { describe, expect, test } from "vitest";
import { parse, smallest } from "#test/harness/parsed-messages.ts";

// Parts that are neither neutral nor read by the gateway.

const block = (content: unknown) => ({
  ...smallest,
  messages: [{ role: "user", content: [content] }],
});
const tool = (definition: unknown) => ({ ...smallest, tools: [definition] });
const addition = (change: unknown) => block({ type: "tool_addition", tool: change });
const edit = (fields: object) => ({ ...smallest, context_management: { edits: [fields] } });
const fallback = (fields: object) => ({
  ...smallest,
  fallbacks: [{ model: "claude-haiku-4-5", ...fields }],
});
const opus = { model: "claude-opus-5-5" };
const advisor = { type: "advisor_20260301", name: "advisor", ...opus };

const namesOf = (body: object) =>
  parse(body).unknownParts.map(({ kind, name }) => `${kind} ${name}`);

describe("is unknown:", () => {
  test.each<[string, object, string[]]>([
    [
      "a field of the body",
      { ...smallest, Model: "x", effort: 1 },
      ["field Model", "field effort"],
    ],
    ["a field with a model", { ...smallest, reviewer: opus }, ["field reviewer"]],
    ["a field whose name has a dot", { ...smallest, "thinking.display": 1 }, ["field "]],
    [
      "a field of output_config",
      { ...smallest, output_config: { effort: "low", ...opus } },
      ["field output_config.model"],
    ],
    ["output_config as a list", { ...smallest, output_config: [opus] }, ["field output_config"]],
    [
      "a field of thinking",
      { ...smallest, thinking: { type: "enabled", ...opus } },
      ["field thinking.model"],
    ],
    [
      "a field of tool_choice",
      { ...smallest, tool_choice: { type: "auto", ...opus } },
      ["field tool_choice.model"],
    ],
    [
      "a field of diagnostics",
      { ...smallest, diagnostics: { ...opus } },
      ["field diagnostics.model"],
    ],
    [
      "a field of an MCP server",
      { ...smallest, mcp_servers: [{ type: "url", url: "https://x", name: "x", ...opus }] },
      ["field mcp_servers.model"],
    ],
    ["a field of a container", { ...smallest, container: opus }, ["field container.model"]],
    [
      "a field of a message",
      { ...smallest, messages: [{ role: "user", content: "hi", ...opus }] },
      ["field messages.model"],
    ],
    [
      "a field of a message's output_config",
      { ...smallest, messages: [{ role: "system", content: "hi", output_config: opus }] },
      ["field output_config.model"],
    ],
    ["a field of a block", block({ type: "text", text: "x", ...opus }), ["field content.model"]],
    [
      "a field of a source",
      block({ type: "document", source: { type: "text", data: "x", ...opus } }),
      ["field source.model"],
    ],
    ["a block", block({ type: "hologram" }), ["block hologram"]],
    ["a block without a type", block({}), ["block "]],
    ["a block that is no object", block([advisor]), ["block "]],
    [
      "a block in a tool result",
      block({ type: "tool_result", content: [{ type: "hologram" }] }),
      ["block hologram"],
    ],
    ["a source", block({ type: "document", source: { type: "model" } }), ["block source.model"]],
    ["a tool", tool({ type: "quantum_20300101" }), ["tool quantum_20300101"]],
    ["a tool whose type is no string", tool({ type: 7 }), ["tool "]],
    ["a tool that is no object", tool("web_search"), ["tool "]],
    [
      "a model of another tool than an advisor",
      tool({ name: "t", ...opus }),
      ["field tools.model"],
    ],
    ["a model of a web tool", tool({ type: "web_fetch_20250910", ...opus }), ["field tools.model"]],
    ["a field of a tool", tool({ name: "t", runs_at: "upstream" }), ["field tools.runs_at"]],
    [
      "a tool in the listing of a toolset",
      tool({ type: "mcp_toolset", tools: [{ type: "quantum", name: "q" }] }),
      ["tool quantum"],
    ],
    ["an addition of no tool", block({ type: "tool_addition" }), ["tool "]],
    [
      "an addition that is a definition itself",
      addition(advisor),
      ["field tool.model", "tool advisor_20260301"],
    ],
    ["an addition of a new kind", addition({ type: "tool_spell", name: "a" }), ["tool tool_spell"]],
    ["an addition without its definition", addition({ type: "tool_definition" }), ["tool "]],
    [
      "an addition of an unknown tool",
      addition({ type: "tool_definition", definition: { type: "quantum_20300101" } }),
      ["tool quantum_20300101"],
    ],
    [
      "an addition in the tool changes of a compaction block",
      block({
        type: "compaction",
        content: "x",
        tool_changes: [{ type: "tool_addition", tool: { type: "tool_spell" } }],
      }),
      ["tool tool_spell"],
    ],
    [
      "an edit",
      edit({ type: "clear_and_summarize_20270101" }),
      ["edit clear_and_summarize_20270101"],
    ],
    ["an edit without a type", edit({}), ["edit "]],
    [
      "a model of a compacting edit",
      edit({ type: "compact_20260112", ...opus }),
      ["field edits.model"],
    ],
    [
      "a model of a clearing edit",
      edit({ type: "clear_thinking_20251015", ...opus }),
      ["field edits.model"],
    ],
    [
      "a new kind of context management",
      { ...smallest, context_management: { auto: true } },
      ["field context_management.auto"],
    ],
    [
      "a model of a compaction",
      { ...smallest, compaction: { type: "summarize", ...opus } },
      ["field compaction.model"],
    ],
    ["a field of a fallback", fallback({ overrides: opus }), ["field fallbacks.overrides"]],
    [
      "a field of a fallback's output_config",
      fallback({ output_config: { effort: "low", ...opus } }),
      ["field output_config.model"],
    ],
    [
      "a field of a fallback's thinking",
      fallback({ thinking: { type: "adaptive", ...opus } }),
      ["field thinking.model"],
    ],
  ])("%s", (_, body, expected) => {
    expect(namesOf(body)).toEqual(expected);
  });
});

describe("is read like an entry of tools:", () => {
  const definition = { type: "tool_definition", definition: advisor };
  const changes = [{ type: "tool_addition", tool: definition }];
  test.each<[string, object]>([
    ["an addition", addition(definition)],
    [
      "an addition in a system message",
      {
        ...smallest,
        messages: [{ role: "system", content: changes }],
      },
    ],
    ["an addition in a compaction block", block({ type: "compaction", tool_changes: changes })],
  ])("%s", (_, body) => {
    const { serverTools, unknownParts } = parse(body);
    expect(serverTools).toEqual([
      { type: "advisor_20260301", maxUses: null, model: "claude-opus-5-5" },
    ]);
    expect(unknownParts).toEqual([]);
  });
});

test("a fallback reads speed like the request", () => {
  for (const speed of [null, "standard", "fast", "turbo"]) {
    const { fallbacks } = parse(fallback({ speed }));
    expect(fallbacks.hasFastSpeed).toBe(speed !== null && speed !== "standard");
  }
  expect(() => parse(fallback({ speed: 1 }))).toThrow(
    "fallbacks.0.speed: Input should be a valid string",
  );
});

test("unknown parts are listed once for each name, up to a bound", () => {
  const fields = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`x${index}`, { model: "m" }]),
  );
  const { unknownParts } = parse({ ...smallest, ...fields });
  expect(unknownParts.map(({ name }) => name)).toEqual([
    ...Array.from({ length: 16 }, (_, index) => `x${index}`),
    "",
  ]);
  const holograms = Array(3).fill({ type: "h".repeat(80) });
  const many = { ...smallest, messages: [{ role: "user", content: holograms }] };
  expect(parse(many).unknownParts).toEqual([
    { kind: "block", name: `${"h".repeat(64)}…`, count: 3, bytes: 0 },
  ]);
});

test("the bytes of an unknown field of the body are counted with its key", () => {
  const text = '{"later":[1, 2],"model":"m","messages":[]}';
  const { unknownParts } = parse(JSON.parse(text));
  expect(unknownParts).toEqual([
    { kind: "field", name: "later", count: 1, bytes: '"later":[1,2],'.length },
  ]);
});

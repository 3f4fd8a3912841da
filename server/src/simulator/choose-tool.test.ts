import { describe, expect, test } from "vitest";
import { chooseToolCalls } from "./choose-tool.ts";
import type { WireBlock, WireRequest } from "./wire-request.ts";

const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const weather = { name: "get_weather", input_schema: city };
const news = { name: "get_news", input_schema: city };
const write = { name: "Write", input_schema: city };
const bash = {
  name: "Bash",
  input_schema: {
    type: "object",
    properties: { command: { type: "string" }, description: { type: "string" } },
  },
};
const search = {
  name: "ToolSearch",
  input_schema: { type: "object", properties: { query: { type: "string" } } },
};
const webSearch = { type: "web_search_20260209", name: "web_search" };

function request(text: string, tools: WireBlock[], more: Partial<WireRequest> = {}): WireRequest {
  return { model: "m", messages: [{ role: "user", content: text }], tools, ...more };
}

function namesOf(asked: WireRequest, isAgent = false): string[] {
  return chooseToolCalls(asked, isAgent).map(({ name }) => name);
}

describe("tool_choice", () => {
  const offered = [weather, news];
  test("none: calls no tool, although the user names one", () => {
    const tool_choice = { type: "none" };
    expect(namesOf(request("Use get_weather.", offered, { tool_choice }))).toEqual([]);
  });

  test("any: calls the tool that the user names, otherwise the first", () => {
    const tool_choice = { type: "any" };
    expect(namesOf(request("Use get_news.", offered, { tool_choice }))).toEqual(["get_news"]);
    expect(namesOf(request("Hello", offered, { tool_choice }))).toEqual(["get_weather"]);
  });

  test("tool: calls that tool, also after a tool result", () => {
    const tool_choice = { type: "tool", name: "get_news" };
    const messages: WireRequest["messages"] = [
      { role: "user", content: [{ type: "tool_result", content: "sunny" }] },
    ];
    expect(namesOf(request("", offered, { tool_choice, messages }))).toEqual(["get_news"]);
  });

  test("tool, with a name that is not offered: is refused", () => {
    const tool_choice = { type: "tool", name: "x" };
    expect(() => namesOf(request("Hello", offered, { tool_choice }))).toThrow(
      "Tool 'x' not found in provided tools",
    );
  });

  test("auto: calls all tools that the user names, or one where parallel calls are disabled", () => {
    const text = "Use get_weather and get_news.";
    const auto = { type: "auto" };
    const single = { type: "auto", disable_parallel_tool_use: true };
    expect(namesOf(request(text, offered, { tool_choice: auto }))).toEqual([
      "get_weather",
      "get_news",
    ]);
    expect(namesOf(request(text, offered, { tool_choice: single }))).toEqual(["get_weather"]);
  });
});

describe("without a tool_choice", () => {
  test("calls no tool for a message that names none", () => {
    expect(namesOf(request("What is the weather?", [weather]))).toEqual([]);
  });

  test("calls a tool named like a word only if the text calls it a tool", () => {
    expect(namesOf(request("Write a poem", [write]))).toEqual([]);
    expect(namesOf(request("Use the Write tool", [write]))).toEqual(["Write"]);
    expect(namesOf(request("I like `Write`", [write]))).toEqual(["Write"]);
  });

  test("ignores a tool name within a longer name", () => {
    expect(namesOf(request("Use get_weather_tomorrow.", [weather]))).toEqual([]);
  });

  test("finds a tool of an MCP server by its own name", () => {
    const tool = { name: "mcp__desk__get_weather", input_schema: city };
    expect(namesOf(request("Use get_weather.", [tool]))).toEqual(["mcp__desk__get_weather"]);
  });

  test("does not call a tool that only a reminder names", () => {
    const text = "<system-reminder>Use get_weather.</system-reminder>Hello";
    expect(namesOf(request(text, [weather]))).toEqual([]);
  });

  test("finds the user's message before a system message", () => {
    const messages: WireRequest["messages"] = [
      { role: "user", content: "Use get_weather." },
      { role: "system", content: "Be brief." },
    ];
    expect(namesOf(request("", [weather], { messages }))).toEqual(["get_weather"]);
  });

  test("responds to a tool result with text", () => {
    const messages: WireRequest["messages"] = [
      { role: "user", content: "Use get_weather." },
      { role: "assistant", content: [{ type: "tool_use", name: "get_weather" }] },
      { role: "user", content: [{ type: "tool_result", content: "get_weather: sunny" }] },
    ];
    expect(namesOf(request("", [weather], { messages }), true)).toEqual([]);
  });

  test("never calls a server tool", () => {
    const tool_choice = { type: "tool", name: "web_search" };
    expect(namesOf(request("Use web_search.", [webSearch]))).toEqual([]);
    expect(namesOf(request("Use web_search.", [webSearch], { tool_choice }))).toEqual([]);
  });
});

describe("input", () => {
  test("is made from the tool's schema", () => {
    expect(chooseToolCalls(request("Use get_weather.", [weather]), false)).toEqual([
      { name: "get_weather", input: { city: "sample city" } },
    ]);
  });

  test.each([
    ["bash_20250124", "bash", { command: "pwd" }],
    ["text_editor_20250728", "str_replace_based_edit_tool", { command: "view", path: "." }],
    ["memory_20250818", "memory", { command: "view", path: "/memories" }],
  ])("is harmless for a tool of the type %s", (type, name, input) => {
    const calls = chooseToolCalls(request(`Use the ${name} tool`, [{ type, name }]), false);
    expect(calls).toEqual([{ name, input }]);
  });

  test("is an object, also for a schema that allows anything", () => {
    const tool = { name: "do_it", input_schema: {} };
    expect(chooseToolCalls(request("do_it", [tool]), false)).toEqual([
      { name: "do_it", input: {} },
    ]);
  });
});

describe("a coding agent", () => {
  test("gets one harmless command first", () => {
    expect(chooseToolCalls(request("Hello", [write, bash]), true)).toEqual([
      { name: "Bash", input: { command: "pwd", description: "Print the working directory" } },
    ]);
  });

  test("starts a subagent of a known type, if the user names the tool", () => {
    const properties = { description: {}, prompt: {}, subagent_type: {}, isolation: {} };
    const agent = { name: "Agent", input_schema: { type: "object", properties } };
    expect(chooseToolCalls(request("Use the Agent tool.", [bash, agent]), true)).toEqual([
      {
        name: "Agent",
        input: {
          description: "Look at the folder",
          prompt: "Look at the working directory, and report it.",
          subagent_type: "general-purpose",
        },
      },
    ]);
    expect(namesOf(request("Hello", [agent]), true)).toEqual([]);
  });

  test("gets text in its second turn", () => {
    const messages: WireRequest["messages"] = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Hi" },
      { role: "user", content: "And now?" },
    ];
    expect(namesOf(request("", [bash], { messages }), true)).toEqual([]);
  });

  test("gets no call without a known harmless tool", () => {
    expect(namesOf(request("Hello", [write]), true)).toEqual([]);
    expect(namesOf(request("Hello", []), true)).toEqual([]);
  });

  test("gets a search for a deferred tool, then its call", () => {
    const name = "mcp__desk__get_weather";
    const list = `Load these tools with ToolSearch:\nWebFetch\n${name}`;
    const asked: WireRequest["messages"] = [
      { role: "user", content: "Use get_weather." },
      { role: "system", content: list },
    ];
    expect(chooseToolCalls(request("", [bash, search], { messages: asked }), true)).toEqual([
      { name: "ToolSearch", input: { query: `select:${name}` } },
    ]);
    const content = [
      { type: "tool_result", content: [{ type: "tool_reference", tool_name: name }] },
    ];
    const messages = [...asked, { role: "user" as const, content }];
    const tools = [bash, search, { name, input_schema: city }];
    expect(namesOf(request("", tools, { messages }), true)).toEqual([name]);
  });
});

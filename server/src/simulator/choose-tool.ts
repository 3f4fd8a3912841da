import { makeSampleValue } from "./sample-value.ts";
import { SimulatedError } from "./simulated-error.ts";
import { asFields, blocksOf, type WireBlock, type WireRequest } from "./wire-request.ts";

// Chooses the tools that a response calls, and their input. A program runs them. So a response calls only tools that
// the request asks for, and one harmless tool when a coding agent begins.

export interface ToolCall {
  name: string;
  input: unknown;
}

/** Maximum number of parallel calls in a response. */
const MAX_CALLS = 8;
const MAX_DEFERRED = 1_000;

/** Placeholder that Claude Code offers to keep deferred tools possible. */
const PLACEHOLDER = "DeferredToolPlaceholder";

/** Harmless inputs by tool name. A coding agent's first call is the first of these tools that it offers. */
const harmlessInputs = new Map<string, object>([
  ["Bash", { command: "pwd", description: "Print the working directory" }],
  ["Glob", { pattern: "*" }],
  ["LS", { path: "." }],
]);

/** Inputs by the name of a tool that the user has to name. A subagent begins as any agent, with a harmless call. */
const namedInputs = new Map<string, object>([
  [
    "Agent",
    {
      description: "Look at the folder",
      prompt: "Look at the working directory, and report it.",
      subagent_type: "general-purpose",
    },
  ],
]);

/** Client tools that the API defines. Their type has a date, and they have no schema. */
const definedTools: readonly [type: string, input: object][] = [
  ["bash_", { command: "pwd" }],
  ["text_editor_", { command: "view", path: "." }],
  ["memory_", { command: "view", path: "/memories" }],
  ["computer_", { action: "screenshot" }],
];

/** Chooses tool calls. Empty: the response is text. `isAgent`: the client is Claude Code or the Agent SDK. */
export function chooseToolCalls(request: WireRequest, isAgent: boolean): ToolCall[] {
  const tools = blocksOf(request.tools).filter((tool) => typeof tool.name === "string");
  const own = tools.filter(isRunByClient);
  const choice = asFields(request.tool_choice);
  const named = findNamed(own, findLastUserText(request) ?? "");
  const most = choice?.disable_parallel_tool_use === true ? 1 : MAX_CALLS;
  switch (choice?.type) {
    case "none":
      return [];
    case "any":
      return (named.length > 0 ? named : own.slice(0, 1)).slice(0, most).map(toCall);
    case "tool": {
      const tool = tools.find(({ name }) => name === choice.name);
      if (tool) return isRunByClient(tool) ? [toCall(tool)] : [];
      throw new SimulatedError(400, `Tool '${String(choice.name)}' not found in provided tools`);
    }
    default:
      return chooseFreely(request, { own, named, isAgent }).slice(0, most);
  }
}

interface Offer {
  /** Tools that the client runs. */
  own: readonly WireBlock[];
  named: readonly WireBlock[];
  isAgent: boolean;
}

function chooseFreely(request: WireRequest, { own, named, isAgent }: Offer): ToolCall[] {
  const found = findSearched(request, own);
  if (found.length > 0) return found.map(toCall);
  if (named.length > 0) return named.map(toCall);
  const search = own.find(({ name }) => name === "ToolSearch");
  const deferred = search === undefined ? null : findDeferred(request);
  if (deferred !== null) return [{ name: "ToolSearch", input: { query: `select:${deferred}` } }];
  return isAgent && isFirstTurn(request) ? findHarmless(own).map(toCall) : [];
}

/** Tools that the last tool result made available. */
function findSearched(request: WireRequest, tools: readonly WireBlock[]): WireBlock[] {
  const found = listLastToolResults(request)
    .flatMap(({ content }) => blocksOf(content))
    .filter(({ type }) => type === "tool_reference");
  return tools.filter(({ name }) => found.some(({ tool_name }) => tool_name === name));
}

/** Finds a deferred tool that the user names. A message about ToolSearch lists such tools, one per line. */
function findDeferred(request: WireRequest): string | null {
  const text = findLastUserText(request);
  if (text === null) return null;
  const lists = request.messages
    .map(({ content }) => textOf(content))
    .filter((message) => message.includes("ToolSearch"));
  const listed = lists.flatMap((message) => message.match(/^[\w-]+$/gm) ?? []);
  return listed.slice(0, MAX_DEFERRED).find((name) => isNamed(name, text)) ?? null;
}

/** Tool results of the last message. */
export function listLastToolResults(request: WireRequest): WireBlock[] {
  const last = request.messages.findLast(({ role }) => role !== "system");
  return blocksOf(last?.content).filter(({ type }) => type === "tool_result");
}

/** Text of the last user message. Null after a tool result, because a tool loop must end. */
export function findLastUserText(request: WireRequest): string | null {
  const last = request.messages.findLast(({ role }) => role !== "system");
  if (last?.role !== "user") return null;
  if (listLastToolResults(request).length > 0) return null;
  return removeReminders(textOf(last.content));
}

/** Text of a message or of a tool result. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return blocksOf(content)
    .map(({ text }) => (typeof text === "string" ? text : ""))
    .join("\n");
}

/** Removes instructions that agents add to the user's text. */
function removeReminders(text: string): string {
  const [before = "", ...reminders] = text.split("<system-reminder>");
  const after = reminders.map((part) => part.split("</system-reminder>").slice(1).join(""));
  return before + after.join("");
}

/** False for server tools. The API runs them itself, and the simulator runs none. */
function isRunByClient(tool: WireBlock): boolean {
  return (
    tool.name !== PLACEHOLDER &&
    (tool.input_schema !== undefined || findDefinedInput(tool) !== null)
  );
}

function findDefinedInput({ type }: WireBlock): object | null {
  if (typeof type !== "string") return null;
  return definedTools.find(([prefix]) => type.startsWith(prefix))?.[1] ?? null;
}

function isFirstTurn({ messages }: WireRequest): boolean {
  return messages.every(({ role }) => role !== "assistant");
}

function findHarmless(tools: readonly WireBlock[]): WireBlock[] {
  for (const name of harmlessInputs.keys()) {
    const tool = tools.find((candidate) => candidate.name === name);
    if (tool) return [tool];
  }
  return [];
}

function findNamed(tools: readonly WireBlock[], text: string): WireBlock[] {
  return tools.filter(({ name }) => isNamed(String(name), text));
}

/**
 * True if the text names the tool. A name such as `get_weather` is unambiguous. A name that is also a word ("Write a
 * poem") counts only if the text calls it a tool. Tools of an MCP server are found by their own name too.
 */
function isNamed(name: string, text: string): boolean {
  const own = name.split("__").at(-1) ?? name;
  if (own !== name && own !== "" && isNamed(own, text)) return true;
  const word = `(?<![\\w-])${escapePattern(name)}(?![\\w-])`;
  if (!/^[A-Z]?[a-z]+$/.test(name)) return new RegExp(word).test(text);
  return new RegExp(
    `\\b(?:use|using|call|run) (?:the )?["'\`]?${word}|\`${word}\`|${word}["'\`]? tool\\b`,
    "i",
  ).test(text);
}

function escapePattern(text: string): string {
  return text.replace(/[^\w]/g, "\\$&");
}

function toCall(tool: WireBlock): ToolCall {
  const name = String(tool.name);
  const input =
    findDefinedInput(tool) ?? findKnownInput(tool) ?? makeSampleValue(tool.input_schema, "input");
  return { name, input: asFields(input) === null ? {} : input };
}

/** Input for a known tool with these properties. Other tools may have the same name. */
function findKnownInput(tool: WireBlock): object | null {
  const name = String(tool.name);
  const input = harmlessInputs.get(name) ?? namedInputs.get(name);
  const properties = asFields(asFields(tool.input_schema)?.properties);
  if (input === undefined || properties === null) return null;
  return Object.keys(input).every((key) => key in properties) ? input : null;
}

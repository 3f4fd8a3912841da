import { randomUUID } from "node:crypto";
import { takeWords } from "./timeline.ts";

// Requests of Claude Code 2.1.332 in base-URL mode and auto mode: the fields, betas, cache marks and sizes that the client
// sends. The texts are others, because those of the client are not ours.

export const AGENT_MODEL = "claude-opus-5-5";
const MAX_TOKENS = 128_000;
const CLIENT = "claude-cli/2.1.332 (external, cli)";
const BETAS = [
  "claude-code-20250219",
  "interleaved-thinking-2025-05-14",
  "context-management-2025-06-27",
  "per-turn-control-2026-07-01",
  "mid-conversation-tool-changes-2026-07-01",
  "thinking-token-count-2026-05-13",
  "advanced-tool-use-2025-11-20",
  "effort-2025-11-24",
  "dangerous-tool-use-2026-09-03",
  "afk-mode-2026-01-31",
];
const CACHED = { cache_control: { type: "ephemeral" } };

/** Bytes of the parts, as recorded. */
const TOOLS_BY_BYTES: readonly [name: string, bytes: number][] = [
  ["Agent", 5_309],
  ["Bash", 3_616],
  ["Edit", 969],
  ["ListAgents", 1_988],
  ["Read", 1_929],
  ["ReportFindings", 2_428],
  ["ScheduleWakeup", 4_981],
  ["Skill", 1_823],
  ["ToolSearch", 1_450],
  ["Workflow", 5_758],
  ["DeferredToolPlaceholder", 204],
  ["Write", 639],
];
/** Part of a tool around its description. */
const TOOL_FRAME_BYTES = 150;
const SYSTEM_BYTES = { billing: 74, identity: 62, prompt: 7_042 };
const REMINDER_BYTES = 626;
/** A message of the role `system` after the first prompt: the machine, the folder, the rules. */
const ENVIRONMENT_BYTES = 9_900;
const CLASSIFIER_BYTES = 1_350;
const TITLE_BYTES = { system: 1_200, prompt: 120 };
const PROMPT_BYTES = 160;
const UUID_CHARS = 36;
const EFFORT = { effort: "medium" };

export function makeHeaders(sessionId: string): Record<string, string> {
  return {
    "content-type": "application/json",
    accept: "application/json",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": BETAS.join(","),
    "anthropic-dangerous-direct-browser-access": "true",
    "user-agent": CLIENT,
    "x-app": "cli",
    "x-claude-code-session-id": sessionId,
  };
}

type Block = Record<string, unknown>;

interface Message {
  role: "user" | "assistant" | "system";
  content: Block[];
}

/** Messages of one conversation, and the request that has them. */
export class Conversation {
  readonly #id = randomUUID();
  readonly #sessionId: string;
  readonly #messages: Message[] = [];
  #prompts = 0;

  constructor(sessionId: string) {
    this.#sessionId = sessionId;
    const reminder = { type: "text", text: takeWords(0, REMINDER_BYTES) };
    const environment = { type: "text", text: takeWords(1, ENVIRONMENT_BYTES) };
    this.#messages.push(
      { role: "user", content: [reminder, this.#makePrompt()] },
      { role: "system", content: [environment] },
    );
  }

  addAnswer(content: readonly object[]): void {
    this.#messages.push({ role: "assistant", content: content.map((block) => ({ ...block })) });
  }

  addToolResult(id: string, bytes: number): void {
    const result = { type: "tool_result", tool_use_id: id, content: takeWords(bytes, bytes) };
    this.#messages.push({ role: "user", content: [result] });
  }

  addPrompt(): void {
    this.#messages.push({ role: "user", content: [this.#makePrompt()] });
  }

  toBody(): object {
    const messages = this.#messages.map((message, at) =>
      at === this.#messages.length - 1 ? markLast(message) : message,
    );
    return {
      model: AGENT_MODEL,
      messages,
      system: makeSystem(this.#id),
      tools: TOOLS,
      metadata: makeMetadata(this.#sessionId),
      max_tokens: MAX_TOKENS,
      thinking: { type: "adaptive", display: "omitted" },
      context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
      output_config: EFFORT,
      safeguards: [{ type: "dangerous_tool_use", classifier_context: CLASSIFIER_CONTEXT }],
      stream: true,
    };
  }

  #makePrompt(): Block {
    this.#prompts += 1;
    // The number makes each prompt another one.
    return { type: "text", text: `${this.#prompts}: ${takeWords(this.#prompts, PROMPT_BYTES)}` };
  }
}

/** Request for the title of a conversation: the main model in base-URL mode. */
export function makeTitleBody(sessionId: string): object {
  return {
    model: AGENT_MODEL,
    messages: [{ role: "user", content: takeWords(0, TITLE_BYTES.prompt) }],
    system: [{ type: "text", text: takeWords(0, TITLE_BYTES.system) }],
    tools: [],
    metadata: makeMetadata(sessionId),
    max_tokens: MAX_TOKENS,
    output_config: EFFORT,
    stream: true,
  };
}

function markLast({ role, content }: Message): Message {
  const last = content.length - 1;
  const marked = content.map((block, at) => (at === last ? { ...block, ...CACHED } : block));
  return { role, content: marked };
}

const CLASSIFIER_CONTEXT = { v: 1, permission_mode: "auto", rules: takeWords(0, CLASSIFIER_BYTES) };

const TOOLS = TOOLS_BY_BYTES.map(([name, bytes], at) => ({
  name,
  description: takeWords(at, bytes - TOOL_FRAME_BYTES),
  input_schema: { type: "object", properties: { command: { type: "string" } } },
  ...(name === "DeferredToolPlaceholder" && { defer_loading: true }),
}));

/** The first block is another one in each conversation, so no conversation reads the cache of another one. */
function makeSystem(conversationId: string): Block[] {
  return [
    { type: "text", text: `${takeWords(0, SYSTEM_BYTES.billing - UUID_CHARS)}${conversationId}` },
    { type: "text", text: takeWords(0, SYSTEM_BYTES.identity), ...CACHED },
    { type: "text", text: takeWords(0, SYSTEM_BYTES.prompt), ...CACHED },
  ];
}

function makeMetadata(sessionId: string): object {
  const user = { device_id: "0".repeat(64), account_uuid: "", session_id: sessionId };
  return { user_id: JSON.stringify(user) };
}

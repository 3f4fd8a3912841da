// Features of a request that cannot raise its price. The gateway's hold is the same with and without them. A field or
// an edit that is neither listed here nor read by the gateway makes a request open-ended. Sources are public pages, or
// the types of @anthropic-ai/sdk 1.14 (`MessageCreateParams`, beta included).

interface NeutralFeature {
  /** Reason why it costs nothing. */
  effect: string;
  source: string;
  /** False: its bytes are not part of the prompt and are not counted. */
  isInPrompt: boolean;
}

const SDK_TYPES = "types of @anthropic-ai/sdk 1.14";
const DOCS = "https://platform.claude.com/docs/en";

/** Fields at the top of a body. */
export const neutralFields: ReadonlyMap<string, NeutralFeature> = new Map([
  inPrompt("stop_sequences", "ends the output earlier", SDK_TYPES),
  inPrompt("temperature", "sampling", "types of @anthropic-ai/sdk 0.137"),
  inPrompt("top_p", "sampling", "types of @anthropic-ai/sdk 0.137"),
  inPrompt("top_k", "sampling", "types of @anthropic-ai/sdk 0.137"),
  inPrompt(
    "tool_choice",
    "part of the frame for tools",
    `${DOCS}/agents-and-tools/tool-use/overview`,
  ),
  inPrompt("output_config", "effort and format, with the output bounded by max_tokens", SDK_TYPES),
  inPrompt("output_format", "format of the output", `${DOCS}/build-with-claude/structured-outputs`),
  inPrompt("diagnostics", "explains a cache miss", `${DOCS}/build-with-claude/cache-diagnostics`),
  inPrompt("fallback_credit_token", "lowers the price", SDK_TYPES),
  inPrompt("billing_policy", "names another organization that pays", SDK_TYPES),
  outsidePrompt("metadata", "describes the sender", SDK_TYPES),
  outsidePrompt("user_profile_id", "names the person the request is for", SDK_TYPES),
  outsidePrompt("workspace_id", "names the workspace", SDK_TYPES),
  outsidePrompt("tags", "cost centre of a Claude Code session", "requests of Claude Code 2.1.332"),
  outsidePrompt(
    "safeguards",
    "a check of tool calls that is not charged",
    "https://code.claude.com/docs/en/auto-mode-classifier-billing",
  ),
  outsidePrompt(
    "context_management",
    "depends on its edits, see isNeutralEdit",
    `${DOCS}/build-with-claude/context-editing`,
  ),
]);

/** Edits of `context_management` that only remove content from the prompt. Another edit may be a compaction. */
const neutralEdits = /^(clear_thinking|clear_tool_uses)_\d+$/;

export function isNeutralEdit(type: string): boolean {
  return neutralEdits.test(type);
}

/** Blocks with at most as many tokens as bytes. Their parts (`content`, `source`, `tool`) are checked separately. */
export const neutralBlocks: ReadonlySet<string> = new Set([
  "text",
  "thinking",
  "redacted_thinking",
  "tool_use",
  "tool_result",
  "search_result",
  "server_tool_use",
  "mcp_tool_use",
  "mcp_tool_result",
  // Client-side tool search. A reference adds the definition of a listed tool to the prompt, so `repeatedToolCount`
  // counts repetitions. Source: tool-use-with-prompt-caching of the same documentation.
  "tool_reference",
  "tool_addition",
  "tool_removal",
]);

/** Claude Code treats a refusal with this word as a missing feature and omits the feature from then on. */
const NEVER_NAMED = "safeguards";

/** False for a key that a refusal must not repeat. */
export function isNameable(key: string): boolean {
  return !key.includes(NEVER_NAMED);
}

function inPrompt(name: string, effect: string, source: string): [string, NeutralFeature] {
  return [name, { effect, source, isInPrompt: true }];
}

function outsidePrompt(name: string, effect: string, source: string): [string, NeutralFeature] {
  return [name, { effect, source, isInPrompt: false }];
}

// Features of a request that cannot raise its price, reach another model or call a model again. The gateway's hold is
// the same with and without them. A feature that is neither listed here nor read by the gateway may do all of that.
// An organization adds its own rows: see `feature-book.ts`.

/**
 * - `field`: a field of the body, or of a part of it: `thinking.display`.
 * - `tool`: the type of a tool that the client runs.
 * - `block`: the type of a content block.
 * - `edit`: the type of a context edit.
 */
export const featureKinds = ["field", "tool", "block", "edit"] as const;
export type FeatureKind = (typeof featureKinds)[number];

export interface NeutralFeature {
  kind: FeatureKind;
  /** A final `*` stands for digits, such as the date of a version: `bash_*`. */
  name: string;
  /** Date of the source, `YYYY-MM-DD`. */
  since: string;
  /** Reason why it costs nothing. */
  effect: string;
  source: string;
  /** False: its bytes are not part of the prompt and are not counted. */
  isInPrompt: boolean;
}

/** A tool that the API defines itself, with the size of its definition. */
interface NeutralTool extends NeutralFeature {
  definition: ToolDefinition;
}

/** `own`: in the request. `built_in`: one tool of the API. `toolset`: several tools of the API. */
export type ToolDefinition = "own" | "built_in" | "toolset";

interface Source {
  source: string;
  since: string;
}

const DOCS = "https://platform.claude.com/docs/en";
const sdkTypes: Source = { source: "types of @anthropic-ai/sdk 1.14", since: "2026-10-21" };
const olderTypes: Source = { source: "types of @anthropic-ai/sdk 0.137", since: "2026-06-01" };
const claudeCode: Source = { source: "requests of Claude Code 2.1.332", since: "2026-11-27" };
const docs = (page: string, since = "2026-10-24"): Source => ({ source: `${DOCS}/${page}`, since });

export const neutralFields: readonly NeutralFeature[] = [
  inPrompt("stop_sequences", "ends the output earlier", sdkTypes),
  inPrompt("temperature", "sampling", olderTypes),
  inPrompt("top_p", "sampling", olderTypes),
  inPrompt("top_k", "sampling", olderTypes),
  inPrompt(
    "tool_choice",
    "part of the frame for tools",
    docs("agents-and-tools/tool-use/overview"),
  ),
  inPrompt("output_config", "effort and format, with the output bounded by max_tokens", sdkTypes),
  inPrompt("output_format", "format of the output", docs("build-with-claude/structured-outputs")),
  inPrompt("diagnostics", "explains a cache miss", docs("build-with-claude/cache-diagnostics")),
  inPrompt("fallback_credit_token", "lowers the price", sdkTypes),
  inPrompt("billing_policy", "names another organization that pays", sdkTypes),
  outsidePrompt("metadata", "describes the sender", sdkTypes),
  outsidePrompt("user_profile_id", "names the person the request is for", sdkTypes),
  outsidePrompt("workspace_id", "names the workspace", sdkTypes),
  outsidePrompt("tags", "cost centre of a Claude Code session", claudeCode),
  outsidePrompt("safeguards", "a check of tool calls that is not charged", {
    source: "https://code.claude.com/docs/en/auto-mode-classifier-billing",
    since: "2026-11-27",
  }),
  outsidePrompt(
    "context_management",
    "depends on its edits, which are listed singly",
    docs("build-with-claude/context-editing"),
  ),
];

/** Tools that the client runs. */
export const neutralTools: readonly NeutralTool[] = [
  clientTool("custom", "own", docs("agents-and-tools/tool-use/overview")),
  clientTool("bash_*", "built_in", docs("agents-and-tools/tool-use/bash-tool")),
  clientTool("text_editor_*", "built_in", docs("agents-and-tools/tool-use/text-editor-tool")),
  clientTool("memory_*", "built_in", docs("agents-and-tools/tool-use/memory-tool")),
  clientTool("computer_*", "built_in", docs("agents-and-tools/tool-use/computer-use-tool")),
  clientTool("computer_toolset_*", "toolset", sdkTypes),
  clientTool("browser_toolset_*", "toolset", sdkTypes),
];

/** Edits that only remove content from the prompt. */
export const neutralEdits: readonly NeutralFeature[] = [
  "clear_thinking_*",
  "clear_tool_uses_*",
].map((name) => ({
  kind: "edit",
  name,
  effect: "removes content from the prompt",
  ...docs("build-with-claude/context-editing"),
  isInPrompt: true,
}));

/** Blocks with at most as many tokens as bytes. Their parts (`content`, `source`, `tool`) are checked separately. */
export const neutralBlocks: readonly NeutralFeature[] = [
  block("text", "text"),
  block("thinking", "text of an earlier response"),
  block("redacted_thinking", "text of an earlier response"),
  block("tool_use", "a call of an earlier response"),
  block("tool_result", "the result of a tool"),
  block("search_result", "text with a source"),
  block("server_tool_use", "a call of an earlier response"),
  block("mcp_tool_use", "a call of an earlier response"),
  block("mcp_tool_result", "the result of a tool"),
  // Client-side tool search. A reference adds the definition of a listed tool to the prompt, so `repeatedToolCount`
  // counts repetitions.
  block(
    "tool_reference",
    "repeats the definition of a tool",
    docs("agents-and-tools/tool-use/tool-use-with-prompt-caching"),
  ),
  block("tool_addition", "names a tool or defines it, like an entry of tools"),
  block("tool_removal", "removes a tool"),
];

/** Every shipped row, for lists. */
export const neutralFeatures: readonly NeutralFeature[] = [
  ...neutralFields,
  ...neutralTools,
  ...neutralBlocks,
  ...neutralEdits,
];

/** Claude Code treats a refusal with this word as a missing feature and omits the feature from then on. */
const NEVER_NAMED = "safeguards";

/** False for a key that a refusal must not repeat. */
export function isNameable(key: string): boolean {
  return !key.includes(NEVER_NAMED);
}

/** True for a name that a row or a refusal can have. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_.-]+$/.test(name);
}

function inPrompt(name: string, effect: string, source: Source): NeutralFeature {
  return { kind: "field", name, effect, ...source, isInPrompt: true };
}

function outsidePrompt(name: string, effect: string, source: Source): NeutralFeature {
  return { kind: "field", name, effect, ...source, isInPrompt: false };
}

function clientTool(name: string, definition: ToolDefinition, source: Source): NeutralTool {
  const effect = "runs at the client";
  return { kind: "tool", name, effect, ...source, isInPrompt: true, definition };
}

function block(name: string, effect: string, source = sdkTypes): NeutralFeature {
  return { kind: "block", name, effect, ...source, isInPrompt: true };
}

import type { FeatureKind } from "./neutral-features.ts";

// Features of a request that the gateway reads because they can raise its price, and the fields of known parts. All
// other features are neutral (`neutral-features.ts`), or unknown. Source: types of @anthropic-ai/sdk 1.14 (October
// 2026), beta included, and the pricing page.

/** A tool that the API runs. The API calls the model again with its result, and bills the prompt each time. */
export interface ServerTool {
  /** Name of the type without its date. */
  name: string;
  /** Model that the tool calls: the request's own, or one that the tool names. */
  calls: "own_model" | "named_model";
  /** Billed by the hour of a container, independent of tokens. */
  isTimeBilled: boolean;
  /** From this date of its type on, containers of the request are free. Null: never. */
  freeContainerFrom: number | null;
}

export const serverTools: readonly ServerTool[] = [
  serverTool("web_search", { freeContainerFrom: 20_260_209 }),
  serverTool("web_fetch", { freeContainerFrom: 20_260_209 }),
  serverTool("code_execution", { isTimeBilled: true }),
  serverTool("advisor", { calls: "named_model" }),
  serverTool("tool_search_tool_bm25"),
  serverTool("tool_search_tool_regex"),
];

const serverToolsByName = new Map(serverTools.map((tool) => [tool.name, tool]));
const versionedTool = /^(.*?)(?:_(\d{8}))?$/s;

/** Finds a server tool by its type, and the date in the type. Null: the type is not one of a server tool. */
export function findServerTool(type: string): { tool: ServerTool; date: number | null } | null {
  const [, name = "", date] = versionedTool.exec(type) ?? [];
  const tool = serverToolsByName.get(name);
  return tool === undefined ? null : { tool, date: date === undefined ? null : Number(date) };
}

/** Blocks whose bytes do not bound their tokens. They count as the whole context window. */
export const opaqueBlocks: ReadonlySet<string> = new Set([
  "image",
  "document",
  "browser_state",
  "container_upload",
  "compaction",
  "fallback",
  "mcp_tool_listing",
  "web_search_tool_result",
  "web_search_result",
  "web_search_tool_result_error",
  "web_fetch_tool_result",
  "web_fetch_result",
  "web_fetch_tool_result_error",
  "advisor_tool_result",
  "advisor_result",
  "advisor_redacted_result",
  "advisor_tool_result_error",
  "code_execution_tool_result",
  "code_execution_result",
  "code_execution_output",
  "code_execution_tool_result_error",
  "encrypted_code_execution_result",
  "bash_code_execution_tool_result",
  "bash_code_execution_result",
  "bash_code_execution_output",
  "bash_code_execution_tool_result_error",
  "text_editor_code_execution_tool_result",
  "text_editor_code_execution_view_result",
  "text_editor_code_execution_create_result",
  "text_editor_code_execution_str_replace_result",
  "text_editor_code_execution_tool_result_error",
  "tool_search_tool_result",
  "tool_search_tool_search_result",
  "tool_search_tool_result_error",
]);

/** Edits that compact the context with a call of the requested model. */
export const compactingEdit = /^compact_\d+$/;

/** Sources of images and documents. */
export const knownSources: ReadonlySet<string> = new Set([
  "base64",
  "text",
  "content",
  "url",
  "file",
]);

/** Parts of a request whose fields are known. The name of an unknown field begins with the name of its part. */
export type KnownPart = keyof typeof knownFields;

/** Fields of each part. None of them names a model, unless the gateway reads it. */
export const knownFields = {
  messages: of("role content clear_at output_config"),
  content: of(
    "type text cache_control citations source transformations context title content signature thinking data id input " +
      "name caller toolset_name tool_use_id is_error server_name file_id encrypted_content tool_changes tool " +
      "mcp_server_name tools from to trigger tool_name tabs state_changes url page_age retrieved_at stop_reason " +
      "error_code error_message return_code stdout stderr encrypted_stdout file_type num_lines start_line total_lines " +
      "is_file_update lines new_lines new_start old_lines old_start tool_references",
  ),
  source: of("type data media_type content url file_id"),
  tool: of("type name server_name definition"),
  tools: of(
    "type name description input_schema cache_control strict defer_loading allowed_callers input_examples " +
      "eager_input_streaming configs default_config display_width_px display_height_px display_number enable_zoom " +
      "max_characters max_uses allowed_domains blocked_domains user_location citations max_content_tokens url_sources " +
      "use_cache response_inclusion caching max_tokens mcp_server_name tools",
  ),
  fallbacks: of("model max_tokens output_config speed thinking"),
  thinking: of("type budget_tokens block_binding display"),
  output_config: of("effort format task_budget"),
  tool_choice: of("type name disable_parallel_tool_use"),
  diagnostics: of("previous_message_id"),
  compaction: of("type instructions"),
  container: of("id skills"),
  mcp_servers: of("type name url authorization_token tool_configuration"),
  context_management: of("edits"),
  edits: of(
    "type keep trigger exclude_tools clear_at_least clear_tool_inputs instructions pause_after_compaction",
  ),
} as const;

/** Fields of the body that the gateway reads. */
const readFields = of(
  "model max_tokens stream service_tier speed inference_geo messages tools system cache_control thinking fallbacks " +
    "container mcp_servers compaction thread",
);

/** True for a feature that is never unknown, because the gateway reads it. A final `*` stands for digits. */
export function isReadFeature(kind: FeatureKind, name: string): boolean {
  switch (kind) {
    case "field": {
      const dot = name.indexOf(".");
      if (dot === -1) return readFields.has(name);
      const part = name.slice(0, dot);
      return isKnownPart(part) && knownFields[part].has(name.slice(dot + 1));
    }
    case "tool":
      return name === "mcp_toolset" || findServerTool(name.replace("*", "20000101")) !== null;
    case "block":
      return opaqueBlocks.has(name);
    case "edit":
      return compactingEdit.test(name.replace("*", "0"));
  }
}

function isKnownPart(name: string): name is KnownPart {
  return Object.hasOwn(knownFields, name);
}

function of(names: string): ReadonlySet<string> {
  return new Set(names.split(" "));
}

function serverTool(name: string, rest: Partial<ServerTool> = {}): ServerTool {
  return { name, calls: "own_model", isTimeBilled: false, freeContainerFrom: null, ...rest };
}

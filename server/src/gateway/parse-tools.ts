import { shippedFeatures } from "#src/domain/feature-book.ts";
import type { ServerToolUse } from "#src/domain/hold-request.ts";
import { findServerTool } from "#src/domain/known-features.ts";
import { neutralTools } from "#src/domain/neutral-features.ts";
import {
  type ContentFacts,
  noteUnknown,
  readCacheControlAt,
  readCount,
  readFlag,
  readText,
  skipField,
  skipUnknown,
  type Walk,
} from "./parse-walk.ts";

// Reads definitions of tools: in `tools`, and in the conversation.

const toolDefinitions = new Map(neutralTools.map(({ name, definition }) => [name, definition]));

/** Highest number of server tools that are read. Further ones count as unknown. */
const MAX_SERVER_TOOLS = 16;
const DEFER_LOADING_BYTES = ',"defer_loading":true'.length;
const MAX_MODEL_CHARACTERS = 256;

/** Reads the list of tools. */
export function readTools(walk: Walk): void {
  const { reader, path } = walk;
  reader.beginArray();
  for (let index = 0; reader.nextElement(); index++) {
    path.push(index);
    readTool(walk);
    path.pop();
  }
}

/** Reads `tools` of an MCP toolset or its listing, whose entries have no type. */
export function readListing(walk: Walk, field: string): void {
  const { reader, path, parsed } = walk;
  const kind = reader.kind();
  if (kind === "array") {
    path.push("tools");
    readTools(walk);
    path.pop();
    return;
  }
  skipUnknown(walk);
  if (kind !== "null") noteUnknown(parsed, { kind: "field", name: field });
}

/**
 * Counts tool definitions that the prompt repeats: each reference to a tool adds its definition to the conversation. The
 * first reference to a tool with `defer_loading` does not count, because its definition is nowhere else in the prompt.
 */
export function countRepeatedTools({ deferredTools, toolReferences }: Walk): number {
  if (toolReferences === null) return 0;
  let count = 0;
  for (const [name, references] of toolReferences) {
    count += deferredTools?.has(name) ? references - 1 : references;
  }
  return count;
}

function readTool(walk: Walk): void {
  const { reader, parsed } = walk;
  parsed.toolCount++;
  if (reader.kind() !== "object") {
    skipUnknown(walk);
    noteUnknown(parsed, { kind: "tool", name: null });
    return;
  }
  const start = reader.position;
  const tool: ReadTool = {
    type: "custom",
    maxUses: null,
    maxContentTokens: null,
    model: null,
    hasModel: false,
  };
  let name: string | null = null;
  let isDeferred = false;
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    switch (key) {
      case "description":
      case "input_schema":
        reader.skipValue();
        break;
      case "cache_control":
        readCacheControlAt(walk, key);
        break;
      case "type": {
        const kind = reader.kind();
        if (kind === "string") tool.type = reader.readString();
        else {
          reader.skipValue();
          if (kind !== "null") noteUnknown(parsed, { kind: "tool", name: null });
        }
        break;
      }
      case "max_uses":
        tool.maxUses = readCount(reader);
        break;
      case "max_content_tokens":
        tool.maxContentTokens = readCount(reader);
        break;
      case "model":
        tool.hasModel = true;
        tool.model = readText(reader);
        break;
      case "name":
        name = readText(reader);
        break;
      case "defer_loading":
        isDeferred = readFlag(reader);
        break;
      case "tools":
        readListing(walk, "tools.tools");
        break;
      default:
        skipField(walk, "tools", key);
    }
  }
  parsed.largestToolBytes = Math.max(parsed.largestToolBytes, reader.position - start);
  if (isDeferred) {
    parsed.outsidePromptBytes += DEFER_LOADING_BYTES;
    walk.deferredTools ??= new Set();
    walk.deferredTools.add(name ?? "");
  }
  markTool(parsed, tool);
}

interface ReadTool extends Omit<ServerToolUse, "maxContentTokens"> {
  hasModel: boolean;
  maxContentTokens: number | null;
}

function markTool(parsed: ContentFacts, tool: ReadTool): void {
  const { type, maxUses, model, hasModel, maxContentTokens } = tool;
  const { markers } = parsed;
  if (type === "custom" && !hasModel) return;
  const server = findServerTool(type);
  const isAdvisor = server?.tool.calls === "named_model";
  // No other tool has a model.
  if (hasModel && !isAdvisor) noteUnknown(parsed, { kind: "field", name: "tools.model" });
  if (server !== null) {
    markers.hasServerTools = true;
    if (parsed.serverTools.length === MAX_SERVER_TOOLS) {
      noteUnknown(parsed, { kind: "tool", name: null });
      return;
    }
    const isNamed = isAdvisor && (model?.length ?? 0) <= MAX_MODEL_CHARACTERS;
    const use: ServerToolUse = { type, maxUses, model: isNamed ? model : null };
    if (maxContentTokens !== null) use.maxContentTokens = maxContentTokens;
    parsed.serverTools.push(use);
    return;
  }
  if (type === "mcp_toolset") {
    markers.hasMcpServers = true;
    return;
  }
  const row = shippedFeatures.find("tool", type);
  if (row === null) {
    noteUnknown(parsed, { kind: "tool", name: type });
    return;
  }
  const definition = toolDefinitions.get(row.name);
  if (definition === "built_in") parsed.builtInToolCount++;
  if (definition === "toolset") parsed.toolsetCount++;
}

export interface ToolChange {
  type: string | null;
  name: string | null;
  hasDefinition: boolean;
}

/** Reads `tool` of a tool_addition or tool_removal. A definition counts like one in `tools`. */
export function readToolChange(walk: Walk): ToolChange {
  const { reader, path } = walk;
  const change: ToolChange = { type: null, name: null, hasDefinition: false };
  if (reader.kind() !== "object") {
    reader.skipValue();
    return change;
  }
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key === "type") change.type = readText(reader);
    else if (key === "name") change.name = readText(reader);
    else if (key === "definition") {
      change.hasDefinition = true;
      path.push(key);
      readTool(walk);
      path.pop();
    } else skipField(walk, "tool", key);
  }
  return change;
}

export function markToolAddition(walk: Walk, change: ToolChange | null): void {
  const { parsed } = walk;
  switch (change?.type) {
    case "tool_reference":
      addToolReference(walk, change.name);
      break;
    case "mcp_tool_reference":
    case "mcp_toolset_reference":
      parsed.markers.hasMcpServers = true;
      break;
    case "tool_definition":
      if (!change.hasDefinition) noteUnknown(parsed, { kind: "tool", name: null });
      break;
    default:
      noteUnknown(parsed, { kind: "tool", name: change?.type ?? null });
  }
}

export function addToolReference(walk: Walk, name: string | null): void {
  walk.toolReferences ??= new Map();
  const key = name ?? "";
  walk.toolReferences.set(key, (walk.toolReferences.get(key) ?? 0) + 1);
}

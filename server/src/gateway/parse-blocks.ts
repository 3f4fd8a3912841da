import type { ServerToolUse } from "#src/domain/hold-request.ts";
import { neutralBlocks } from "#src/domain/neutral-features.ts";
import type { JsonReader } from "#src/lib/json-scan.ts";

// Reads the content of a request: messages, system and tools. The upstream refuses wrong shapes. Unknown parts are marked
// as opaque, so that their cost is never underestimated.

/** Facts about the content of a request that decide its price. */
export interface ContentFacts {
  messageCount: number;
  toolCount: number;
  /** Client tools that the API defines itself (bash, text editor, memory, computer), and sets of them. */
  builtInToolCount: number;
  toolsetCount: number;
  /** Bytes of the longest definition. */
  largestToolBytes: number;
  /** See `countRepeatedTools`. */
  repeatedToolCount: number;
  /** Bytes that are not part of the prompt: top-level fields with their keys, and marks on tools. */
  outsidePromptBytes: number;
  /** At most 16. Further ones count as unknown tools. */
  serverTools: ServerToolUse[];
  /** Images with bytes in the body, and the number of their base64 characters. */
  imageCount: number;
  imageDataBytes: number;
  /** Bytes of blocks with citations, which the API splits into passages. */
  citedBytes: number;
  markers: MessageMarkers;
}

interface MessageMarkers {
  hasCacheControl5m: boolean;
  /** Also set for an unknown `ttl`, which may cost as much. */
  hasCacheControl1h: boolean;
  /** Web search, web fetch, code execution, tool search or advisor. They run upstream, and bill their input again. */
  hasServerTools: boolean;
  /** A tool type of which it is unknown whether it runs at the client or upstream. */
  hasUnknownTools: boolean;
  hasMcpServers: boolean;
  hasContainer: boolean;
  /** Compaction of the context, which is a separate model call. */
  hasCompaction: boolean;
  /** A part whose bytes do not bound its tokens: a PDF, a URL, a file id, an unknown block or an unknown source. */
  hasOpaqueSource: boolean;
  /** One of them is a URL, whose content can change at any time. */
  hasUrlSource: boolean;
  /** Unknown top-level fields in their order: at most 8, each cut to 64 characters. */
  unknownFields: string[];
  /** References to objects of the upstream account, which cannot be kept apart between workspaces. */
  hasFileIds: boolean;
  hasSkills: boolean;
  hasThread: boolean;
}

/** One pass over one body. `path` is the position of the reader, for errors: `messages`, 0, `content`, 2. */
export interface Walk<Parsed extends ContentFacts = ContentFacts> {
  readonly reader: JsonReader;
  readonly path: (string | number)[];
  readonly parsed: Parsed;
  /** Names of tools with `defer_loading`, and the number of references to each name. Null: none. */
  deferredTools: Set<string> | null;
  toolReferences: Map<string, number> | null;
}

const builtInTool = /^(bash|text_editor|memory|computer)_\d{8}$/;
const toolset = /^(computer_toolset|browser_toolset)_\d{8}$/;
const serverTool =
  /^(web_search|web_fetch|code_execution|advisor|tool_search_tool_(bm25|regex))(_\d{8})?$/;

/** Highest number of server tools that are read. Further ones count as unknown. */
export const MAX_SERVER_TOOLS = 16;
const DEFER_LOADING_BYTES = ',"defer_loading":true'.length;
const MAX_MODEL_CHARACTERS = 256;

/** Reads the list of messages. */
export function readMessages(walk: Walk): void {
  const { reader, path, parsed } = walk;
  reader.beginArray();
  for (let index = 0; reader.nextElement(); index++) {
    parsed.messageCount++;
    if (reader.kind() !== "object") {
      reader.skipValue();
      continue;
    }
    path.push(index);
    reader.beginObject();
    for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
      if (key === "content") readContentAt(walk, key);
      else reader.skipValue();
    }
    path.pop();
  }
}

/** Reads content: a text, a list of blocks or one block. */
export function readContent(walk: Walk): void {
  const { reader, path } = walk;
  const kind = reader.kind();
  if (kind === "object") {
    readBlock(walk);
  } else if (kind === "array") {
    reader.beginArray();
    for (let index = 0; reader.nextElement(); index++) {
      path.push(index);
      if (reader.kind() === "object") readBlock(walk);
      else reader.skipValue();
      path.pop();
    }
  } else reader.skipValue();
}

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

/** Reads `{type: "ephemeral", ttl?: "5m" | "1h"}` or null. */
export function readCacheControl(walk: Walk): void {
  const { reader } = walk;
  const { markers } = walk.parsed;
  const kind = reader.kind();
  if (kind !== "object") {
    reader.skipValue();
    if (kind !== "null") markers.hasCacheControl1h = true;
    return;
  }
  let isFiveMinutes = true;
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key !== "ttl") {
      reader.skipValue();
      continue;
    }
    const ttlKind = reader.kind();
    if (ttlKind === "string") isFiveMinutes = reader.readString() === "5m";
    else {
      reader.skipValue();
      isFiveMinutes = ttlKind === "null";
    }
  }
  if (isFiveMinutes) markers.hasCacheControl5m = true;
  else markers.hasCacheControl1h = true;
}

function readTool(walk: Walk): void {
  const { reader, parsed } = walk;
  const { markers } = parsed;
  parsed.toolCount++;
  if (reader.kind() !== "object") {
    reader.skipValue();
    markers.hasUnknownTools = true;
    return;
  }
  const start = reader.position;
  const tool: ServerToolUse = { type: "custom", maxUses: null, model: null };
  let name: string | null = null;
  let isDeferred = false;
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    switch (key) {
      case "cache_control":
        readCacheControlAt(walk, key);
        break;
      case "type": {
        const kind = reader.kind();
        if (kind === "string") tool.type = reader.readString();
        else {
          reader.skipValue();
          if (kind !== "null") markers.hasUnknownTools = true;
        }
        break;
      }
      case "max_uses":
        tool.maxUses = readCount(reader);
        break;
      case "model":
        tool.model = readText(reader);
        break;
      case "name":
        name = readText(reader);
        break;
      case "defer_loading":
        isDeferred = readFlag(reader);
        break;
      default:
        reader.skipValue();
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

function markTool(parsed: ContentFacts, { type, maxUses, model }: ServerToolUse): void {
  const { markers } = parsed;
  if (type === "custom") return;
  if (builtInTool.test(type)) parsed.builtInToolCount++;
  else if (toolset.test(type)) parsed.toolsetCount++;
  else if (serverTool.test(type)) {
    markers.hasServerTools = true;
    if (parsed.serverTools.length === MAX_SERVER_TOOLS) {
      markers.hasUnknownTools = true;
      return;
    }
    const isAdvisor = type.startsWith("advisor") && (model?.length ?? 0) <= MAX_MODEL_CHARACTERS;
    parsed.serverTools.push({ type, maxUses, model: isAdvisor ? model : null });
  } else if (type === "mcp_toolset") markers.hasMcpServers = true;
  else markers.hasUnknownTools = true;
}

interface Source {
  type: string | null;
  dataBytes: number;
}

function readBlock(walk: Walk): void {
  const { reader, path, parsed } = walk;
  const start = reader.position;
  let type: string | null = null;
  let source: Source | null = null;
  let toolName: string | null = null;
  let toolChange: ToolChange | null = null;
  let isCited = false;
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    switch (key) {
      case "type":
        type = readText(reader);
        break;
      case "cache_control":
        readCacheControlAt(walk, key);
        break;
      case "content":
        readContentAt(walk, key);
        break;
      case "file_id":
        readFileId(walk);
        break;
      case "tool_name":
        toolName = readText(reader);
        break;
      case "tool":
        path.push(key);
        toolChange = readToolChange(walk);
        path.pop();
        break;
      case "citations":
        path.push(key);
        isCited = readCitations(reader);
        path.pop();
        break;
      case "source":
        if (reader.kind() !== "object") reader.skipValue();
        else {
          path.push(key);
          source = readSource(walk);
          path.pop();
        }
        break;
      default:
        reader.skipValue();
    }
  }
  if (type === "tool_reference") addToolReference(walk, toolName);
  if (type === "tool_addition") markToolAddition(walk, toolChange);
  markBlock(parsed, type, source);
  if (isCited && type !== "text") parsed.citedBytes += reader.position - start;
}

interface ToolChange {
  type: string | null;
  name: string | null;
  hasDefinition: boolean;
}

/** Reads `tool` of a tool_addition or tool_removal. A definition counts like one in `tools`. */
function readToolChange(walk: Walk): ToolChange {
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
    } else reader.skipValue();
  }
  return change;
}

function markToolAddition(walk: Walk, change: ToolChange | null): void {
  const { markers } = walk.parsed;
  switch (change?.type) {
    case "tool_reference":
      addToolReference(walk, change.name);
      break;
    case "mcp_tool_reference":
    case "mcp_toolset_reference":
      markers.hasMcpServers = true;
      break;
    case "tool_definition":
      if (!change.hasDefinition) markers.hasUnknownTools = true;
      break;
    default:
      markers.hasUnknownTools = true;
  }
}

function addToolReference(walk: Walk, name: string | null): void {
  walk.toolReferences ??= new Map();
  const key = name ?? "";
  walk.toolReferences.set(key, (walk.toolReferences.get(key) ?? 0) + 1);
}

function readSource(walk: Walk): Source {
  const { reader } = walk;
  const source: Source = { type: null, dataBytes: 0 };
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    switch (key) {
      case "type":
        source.type = readText(reader);
        break;
      case "data":
        reader.kind();
        source.dataBytes = -reader.position;
        reader.skipValue();
        source.dataBytes += reader.position;
        break;
      case "content":
        readContentAt(walk, key);
        break;
      case "file_id":
        readFileId(walk);
        break;
      default:
        reader.skipValue();
    }
  }
  return source;
}

function markBlock(parsed: ContentFacts, type: string | null, source: Source | null): void {
  if (type !== null && neutralBlocks.has(type)) return;
  if (type === "image" && source?.type === "base64") {
    parsed.imageCount++;
    parsed.imageDataBytes += Math.max(0, source.dataBytes - 2); // Without its quotes.
    return;
  }
  if (type === "document" && (source?.type === "text" || source?.type === "content")) return;
  if (source?.type === "url") parsed.markers.hasUrlSource = true;
  parsed.markers.hasOpaqueSource = true;
}

/** Reads `citations`. False for `{"enabled": false}` and null. Any other shape counts as true. */
function readCitations(reader: JsonReader): boolean {
  const kind = reader.kind();
  if (kind !== "object") {
    reader.skipValue();
    return kind !== "null";
  }
  let isOn = true;
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key === "enabled" && reader.kind() === "boolean") isOn = reader.readBoolean();
    else reader.skipValue();
  }
  return isOn;
}

function readFileId(walk: Walk): void {
  const isThere = walk.reader.kind() !== "null";
  walk.reader.skipValue();
  if (isThere) walk.parsed.markers.hasFileIds = true;
}

function readText(reader: JsonReader): string | null {
  if (reader.kind() === "string") return reader.readString();
  reader.skipValue();
  return null;
}

/** Returns true only for `true`. */
function readFlag(reader: JsonReader): boolean {
  if (reader.kind() === "boolean") return reader.readBoolean();
  reader.skipValue();
  return false;
}

/** Reads a number of plain digits. Null: another value. */
function readCount(reader: JsonReader): number | null {
  if (reader.kind() !== "number") {
    reader.skipValue();
    return null;
  }
  const text = reader.readNumberText();
  return /^\d+$/.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : null;
}

function readContentAt(walk: Walk, key: string): void {
  walk.path.push(key);
  readContent(walk);
  walk.path.pop();
}

function readCacheControlAt(walk: Walk, key: string): void {
  walk.path.push(key);
  readCacheControl(walk);
  walk.path.pop();
}

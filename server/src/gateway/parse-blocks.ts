import { knownSources, opaqueBlocks } from "#src/domain/known-features.ts";
import { neutralBlocks } from "#src/domain/neutral-features.ts";
import type { JsonReader } from "#src/lib/json-scan.ts";
import {
  addToolReference,
  markToolAddition,
  readListing,
  readToolChange,
  type ToolChange,
} from "./parse-tools.ts";
import {
  type ContentFacts,
  noteUnknown,
  readCacheControlAt,
  readKnownFields,
  readObjectId,
  readText,
  skipField,
  skipUnknown,
  type Walk,
} from "./parse-walk.ts";

// Reads the content of a request: messages and system. The upstream refuses wrong shapes. Unknown parts are listed, so that
// their cost is never underestimated.

const boundedBlocks: ReadonlySet<string> = new Set(neutralBlocks.map(({ name }) => name));

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
      else if (key === "role") reader.skipValue();
      else if (key === "output_config") readKnownFields(walk, key);
      else skipField(walk, "messages", key);
    }
    path.pop();
  }
}

/** Reads content: a text, a list of blocks or one block. */
export function readContent(walk: Walk): void {
  const { reader, path, parsed } = walk;
  const kind = reader.kind();
  if (kind === "object") {
    readBlock(walk);
  } else if (kind === "array") {
    reader.beginArray();
    for (let index = 0; reader.nextElement(); index++) {
      path.push(index);
      if (reader.kind() === "object") readBlock(walk);
      else {
        skipUnknown(walk);
        noteUnknown(parsed, { kind: "block", name: null });
      }
      path.pop();
    }
  } else reader.skipValue();
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
      case "text":
      case "id":
      case "name":
      case "input":
      case "tool_use_id":
        reader.skipValue();
        break;
      case "cache_control":
        readCacheControlAt(walk, key);
        break;
      case "content":
      case "tool_changes":
      case "tool_references":
        readContentAt(walk, key);
        break;
      case "tools":
        readListing(walk, "content.tools");
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
        source = readSourceAt(walk, key);
        break;
      default:
        skipField(walk, "content", key);
    }
  }
  if (type === "tool_reference") addToolReference(walk, toolName);
  if (type === "tool_addition") markToolAddition(walk, toolChange);
  markBlock(parsed, type, source);
  if (isCited && type !== "text") parsed.citedBytes += reader.position - start;
}

/** Reads `source`. Null: a text, such as the source of a search result. */
function readSourceAt(walk: Walk, key: string): Source | null {
  const { reader, path, parsed } = walk;
  const kind = reader.kind();
  if (kind !== "object") {
    if (kind !== "array") reader.skipValue();
    else {
      skipUnknown(walk);
      noteUnknown(parsed, { kind: "field", name: "content.source" });
    }
    return null;
  }
  path.push(key);
  const source = readSource(walk);
  path.pop();
  return source;
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
        skipField(walk, "source", key);
    }
  }
  return source;
}

function markBlock(parsed: ContentFacts, type: string | null, source: Source | null): void {
  if (type !== null && boundedBlocks.has(type)) return;
  const sourceType = source?.type ?? null;
  if (type === "image" && sourceType === "base64") {
    parsed.imageCount++;
    parsed.imageDataBytes += Math.max(0, (source?.dataBytes ?? 0) - 2); // Without its quotes.
    return;
  }
  const isText = sourceType === "text" || sourceType === "content";
  if (type === "document" && isText) return;
  if (sourceType === "url") parsed.markers.hasUrlSource = true;
  const isOpaque = type !== null && opaqueBlocks.has(type);
  if (isOpaque || (source !== null && !isText)) parsed.markers.hasOpaqueSource = true;
  if (!isOpaque) noteUnknown(parsed, { kind: "block", name: type });
  if (source !== null && (sourceType === null || !knownSources.has(sourceType))) {
    noteUnknown(parsed, { kind: "block", name: `source.${sourceType ?? ""}` });
  }
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
  if (walk.reader.kind() !== "null") walk.parsed.markers.hasFileIds = true;
  readObjectId(walk, "file");
}

function readContentAt(walk: Walk, key: string): void {
  walk.path.push(key);
  readContent(walk);
  walk.path.pop();
}

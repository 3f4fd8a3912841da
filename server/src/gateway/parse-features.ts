import { shippedFeatures } from "#src/domain/feature-book.ts";
import { isFastSpeed } from "#src/domain/hold-request.ts";
import { compactingEdit } from "#src/domain/known-features.ts";
import { readMaxTokens, readModel, readSpeed } from "./parse-fields.ts";
import {
  addObject,
  type ContentFacts,
  hasSomething,
  noteUnknown,
  readKnownFields,
  readObjectId,
  readText,
  skipField,
  skipNull,
  skipUnknown,
  type Walk as WalkOf,
} from "./parse-walk.ts";

// Reads optional features of a request that can raise its price.

/**
 * - `off`: the request disables thinking.
 * - `unset`: the model's default applies.
 * - `on`: thinking is enabled, adaptive or an unknown mode.
 *
 * A response can summarize thinking or leave it out. So its bytes bound the output tokens only if thinking is off.
 */
export type ThinkingMode = "off" | "unset" | "on";

/** Other models that may answer, with their highest settings. */
export interface Fallbacks {
  models: string[];
  /** Highest `max_tokens` of a fallback. Null: none has one. */
  maxTokens: number | null;
  hasFastSpeed: boolean;
  /** `"default"` or an unknown shape: any model may answer. */
  hasUnknownModel: boolean;
}

type Walk = WalkOf<ContentFacts & { fallbacks: Fallbacks }>;

export function readThinking(walk: Walk): ThinkingMode {
  const { reader } = walk;
  let mode: ThinkingMode = "on";
  if (reader.kind() !== "object") {
    readKnownFields(walk, "thinking");
    return mode;
  }
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key !== "type" || reader.kind() !== "string") skipField(walk, "thinking", key);
    else if (reader.readString() === "disabled") mode = "off";
  }
  return mode;
}

export function readFallbacks(walk: Walk): void {
  const { reader, path, parsed } = walk;
  if (reader.kind() !== "array") {
    reader.skipValue();
    parsed.fallbacks.hasUnknownModel = true;
    return;
  }
  reader.beginArray();
  for (let index = 0; reader.nextElement(); index++) {
    path.push(index);
    readFallback(walk);
    path.pop();
  }
}

function readFallback(walk: Walk): void {
  const { reader, path } = walk;
  const { fallbacks } = walk.parsed;
  if (reader.kind() !== "object") {
    reader.skipValue();
    fallbacks.hasUnknownModel = true;
    return;
  }
  let hasModel = false;
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    const field = `${path.join(".")}.${key}`;
    if (key === "model") {
      hasModel = true;
      fallbacks.models.push(readModel(reader, field));
    } else if (key === "max_tokens") {
      if (skipNull(reader)) continue;
      fallbacks.maxTokens = Math.max(fallbacks.maxTokens ?? 0, readMaxTokens(reader, field));
    } else if (key === "speed") {
      if (isFastSpeed(readSpeed(reader, field))) fallbacks.hasFastSpeed = true;
    } else if (key === "thinking" || key === "output_config") {
      path.push(key);
      readKnownFields(walk, key);
      path.pop();
    } else skipField(walk, "fallbacks", key);
  }
  if (!hasModel) fallbacks.hasUnknownModel = true;
}

/** Reads context edits. A null or an empty list is none. */
export function readContextManagement(walk: Walk): void {
  const { reader, path, parsed } = walk;
  if (reader.kind() !== "object") {
    if (hasSomething(walk)) noteUnknown(parsed, { kind: "edit", name: null });
    return;
  }
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key !== "edits" || reader.kind() !== "array") {
      const name = `context_management.${key}`;
      if (hasSomething(walk)) noteUnknown(parsed, { kind: "field", name });
      continue;
    }
    path.push(key);
    reader.beginArray();
    for (let index = 0; reader.nextElement(); index++) {
      path.push(index);
      readEdit(walk);
      path.pop();
    }
    path.pop();
  }
}

function readEdit(walk: Walk): void {
  const { reader, parsed } = walk;
  let type: string | null = null;
  if (reader.kind() !== "object") {
    skipUnknown(walk);
    noteUnknown(parsed, { kind: "edit", name: null });
    return;
  }
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key === "type" && reader.kind() === "string") type = reader.readString();
    else skipField(walk, "edits", key);
  }
  if (type !== null && compactingEdit.test(type)) parsed.markers.hasCompaction = true;
  else if (type === null || shippedFeatures.find("edit", type) === null) {
    noteUnknown(parsed, { kind: "edit", name: type });
  }
}

/** Reads MCP servers. A null or an empty list is none. */
export function readMcpServers(walk: Walk): void {
  const { reader, path, parsed } = walk;
  if (reader.kind() !== "array") {
    if (!skipNull(reader)) {
      skipUnknown(walk);
      noteUnknown(parsed, { kind: "field", name: "mcp_servers" });
    }
    return;
  }
  reader.beginArray();
  for (let index = 0; reader.nextElement(); index++) {
    path.push(index);
    parsed.markers.hasMcpServers = true;
    readKnownFields(walk, "mcp_servers");
    path.pop();
  }
}

export function readContainer(walk: Walk): void {
  const { reader, path, parsed } = walk;
  parsed.markers.hasContainer = true;
  const kind = reader.kind();
  if (kind === "string") readObjectId(walk, "container");
  else if (kind !== "object") {
    skipUnknown(walk);
    noteUnknown(parsed, { kind: "field", name: "container" });
  } else {
    reader.beginObject();
    for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
      path.push(key);
      if (key === "id") readObjectId(walk, "container");
      else if (key === "skills") readSkills(walk);
      else skipField(walk, "container", key);
      path.pop();
    }
  }
}

function readSkills(walk: Walk): void {
  const { reader, path, parsed } = walk;
  if (reader.kind() !== "array") {
    if (hasSomething(walk)) parsed.markers.hasSkills = true;
    return;
  }
  reader.beginArray();
  for (let index = 0; reader.nextElement(); index++) {
    parsed.markers.hasSkills = true;
    path.push(index);
    if (reader.kind() === "object") readSkill(walk);
    else skipUnknown(walk);
    path.pop();
  }
}

/** Reads one skill. All workspaces can name a skill of Anthropic. */
function readSkill(walk: Walk): void {
  const { reader, parsed } = walk;
  let type: string | null = null;
  let id: string | null = null;
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key === "type") type = readText(reader);
    else if (key === "skill_id") id = readText(reader);
    else if (key === "version") reader.skipValue();
    else {
      skipUnknown(walk);
      noteUnknown(parsed, { kind: "field", name: `container.skills.${key}` });
    }
  }
  if (id === null) return;
  // A custom skill with the wrong type is not passed unchecked.
  if (type !== "anthropic" || id.startsWith("skill_")) addObject(walk, { kind: "skill", id });
}

/** Reads `thread`. A new thread names nothing yet. */
export function readThread(walk: Walk): void {
  const { reader, parsed } = walk;
  if (reader.kind() !== "object") {
    if (hasSomething(walk)) parsed.markers.hasThread = true;
    return;
  }
  parsed.markers.hasThread = true;
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    // Any other text than the type can name a thread.
    if (key === "type") reader.skipValue();
    else readObjectId(walk, "thread");
  }
}

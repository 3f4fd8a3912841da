import { ApiError } from "#src/domain/api-error.ts";
import { isNameable, isNeutralEdit, neutralFields } from "#src/domain/neutral-features.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { DuplicateKeyError, JsonReader, JsonSyntaxError } from "#src/lib/json-scan.ts";
import {
  type ContentFacts,
  countRepeatedTools,
  readCacheControl,
  readContent,
  readMessages,
  readTools,
  type Walk as WalkOf,
} from "./parse-blocks.ts";

// One pass over the body of `POST /v1/messages` or `/count_tokens`. The pass reads the fields that decide the price, and
// refuses JSON that two parsers could read differently, such as a repeated field. The upstream checks all other fields,
// including unknown ones. The body is forwarded unchanged.

/** Facts about a request before its dispatch. They suffice for its worst case, so that no second pass is needed. */
export interface ParsedMessage extends ContentFacts {
  model: string;
  /** Null: not given. 0 is valid, and only fills the prompt cache. At most Number.MAX_SAFE_INTEGER. */
  maxTokens: number | null;
  isStream: boolean;
  thinking: ThinkingMode;
  serviceTier: string | null;
  speed: string | null;
  inferenceGeo: string | null;
  fallbacks: Fallbacks;
  bodyBytes: number;
}

/**
 * - `off`: the request disables thinking.
 * - `unset`: the model's default applies.
 * - `on`: thinking is enabled, adaptive or an unknown mode.
 *
 * A response can summarize thinking or leave it out. So its bytes bound the output tokens only if thinking is off.
 */
type ThinkingMode = "off" | "unset" | "on";

/** Other models that may answer, with their highest settings. */
interface Fallbacks {
  models: string[];
  /** Highest `max_tokens` of a fallback. Null: none has one. */
  maxTokens: number | null;
  hasFastSpeed: boolean;
  /** `"default"` or an unknown shape: any model may answer. */
  hasUnknownModel: boolean;
}

type Walk = WalkOf<ParsedMessage>;

const MAX_MODEL_CHARACTERS = 256;
const MAX_UNKNOWN_FIELDS = 8;
const MAX_FIELD_CHARACTERS = 64;

/**
 * Reads a body. Throws a 400 that names the field and the expected value. Causes are invalid or ambiguous JSON, a missing
 * `model` or `messages`, and wrong types of fields that decide the price.
 */
export function parseMessage(body: Buffer): ParsedMessage {
  const path: Walk["path"] = [];
  try {
    const reader = new JsonReader(body);
    const parsed = emptyMessage(body.length);
    const walk: Walk = { reader, path, parsed, deferredTools: null, toolReferences: null };
    const required = readTopLevel(walk);
    reader.end();
    if (!required.hasModel) throw refuseField("model", "Field required");
    if (!required.hasMessages) throw refuseField("messages", "Field required");
    parsed.repeatedToolCount = countRepeatedTools(walk);
    return parsed;
  } catch (error) {
    throw toRefusal(error, path);
  }
}

/**
 * Refuses objects that a shared upstream cannot keep apart between workspaces: threads, file ids, skills and containers
 * belong to the one upstream account. For a thread the error has the official code, after which the SDKs send the whole
 * conversation. For the others it has `shared_resource_unsupported`.
 */
export function refuseUnshareable(parsed: ParsedMessage): void {
  const { markers } = parsed;
  if (markers.hasThread) throw unsupportedThread();
  const found = [
    markers.hasFileIds ? "file ids (file_id)" : null,
    markers.hasSkills ? "skills (container.skills)" : null,
    markers.hasContainer && !markers.hasSkills ? "containers (container)" : null,
  ].filter((name) => name !== null);
  if (found.length === 0) return;
  throw new ApiError(
    "shared_resource_unsupported",
    `This server does not serve ${found.join(" and ")}: all workspaces share one upstream account, where they could ` +
      "belong to another workspace. Send the content itself in the request, without these fields.",
  );
}

/** Anthropic's tool runners ask for a thread first. They continue without one after this cause. */
function unsupportedThread(): ApiError {
  return new ApiError(
    "thread_unsupported_request",
    "thread: This server does not store conversations. Send the whole conversation in messages, without thread.",
    {},
    { unsupported: ["thread"] },
  );
}

function readTopLevel(walk: Walk): { hasModel: boolean; hasMessages: boolean } {
  const { reader } = walk;
  const required = { hasModel: false, hasMessages: false };
  if (reader.bytes.length === 0)
    throw refuseBody("The request body is empty: a JSON object is required");
  if (reader.kind() !== "object") {
    reader.skipValue();
    throw refuseBody("The request body must be a JSON object");
  }
  reader.beginObject();
  let start = reader.position;
  let commaBytes = 1; // The comma of the first key follows its value.
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key === "model") required.hasModel = true;
    if (key === "messages") required.hasMessages = true;
    readField(walk, key);
    if (neutralFields.get(key)?.isInPrompt === false) {
      walk.parsed.outsidePromptBytes += reader.position - start + commaBytes;
    }
    start = reader.position;
    commaBytes = 0;
  }
  return required;
}

/** Reads or skips the value of one top-level field. */
function readField(walk: Walk, key: string): void {
  const { reader, path, parsed } = walk;
  switch (key) {
    case "model":
      parsed.model = readModel(reader, "model");
      break;
    case "max_tokens":
      parsed.maxTokens = readMaxTokens(reader, "max_tokens");
      break;
    case "stream":
      parsed.isStream = readOptionalBoolean(reader, "stream");
      break;
    case "service_tier":
      parsed.serviceTier = readOptionalString(reader, "service_tier");
      break;
    case "speed":
      parsed.speed = readOptionalString(reader, "speed");
      break;
    case "inference_geo":
      parsed.inferenceGeo = readOptionalString(reader, "inference_geo");
      break;
    case "messages":
      if (reader.kind() !== "array") throw refuseField("messages", "Input should be a valid list");
      path.push(key);
      readMessages(walk);
      path.pop();
      break;
    case "tools":
      if (reader.kind() === "array") {
        path.push(key);
        readTools(walk);
        path.pop();
      } else if (!skipNull(reader)) throw refuseField("tools", "Input should be a valid list");
      break;
    case "system":
      path.push(key);
      readContent(walk);
      path.pop();
      break;
    default:
      path.push(key);
      readFeature(walk, key);
      path.pop();
  }
}

/** Reads or skips the value of an optional feature. For most features only their presence matters. */
function readFeature(walk: Walk, key: string): void {
  const { reader, parsed } = walk;
  const { markers } = parsed;
  switch (key) {
    case "cache_control":
      readCacheControl(walk);
      break;
    case "thinking":
      if (!skipNull(reader)) parsed.thinking = readThinking(reader);
      break;
    case "fallbacks":
      if (!skipNull(reader)) readFallbacks(walk);
      break;
    case "context_management":
      readContextManagement(walk);
      break;
    case "container":
      if (!skipNull(reader)) readContainer(walk);
      break;
    case "mcp_servers":
      if (hasSomething(reader)) markers.hasMcpServers = true;
      break;
    case "compaction":
      if (hasSomething(reader)) markers.hasCompaction = true;
      break;
    case "thread":
      if (hasSomething(reader)) markers.hasThread = true;
      break;
    default:
      reader.skipValue();
      if (!neutralFields.has(key) && markers.unknownFields.length < MAX_UNKNOWN_FIELDS) {
        markers.unknownFields.push(key.slice(0, MAX_FIELD_CHARACTERS));
      }
  }
}

/** Reads a model name. Refuses texts that a database or a log cannot store. */
function readModel(reader: JsonReader, field: string): string {
  if (reader.kind() !== "string") throw refuseField(field, "Input should be a valid string");
  const model = reader.readString();
  if (model === "") throw refuseField(field, "String should have at least 1 character");
  if (model.length > MAX_MODEL_CHARACTERS) {
    throw refuseField(field, `String should have at most ${MAX_MODEL_CHARACTERS} characters`);
  }
  if (!model.isWellFormed() || /\p{Cc}/u.test(model)) {
    throw refuseField(field, "String should hold no control characters");
  }
  return model;
}

/** Reads an integer. Refuses `1.0`, `1e3` and `"1"`, which only some parsers read as integers. */
function readMaxTokens(reader: JsonReader, field: string): number {
  if (reader.kind() !== "number") {
    reader.skipValue();
    throw refuseField(field, "Input should be a valid integer");
  }
  const text = reader.readNumberText();
  if (!/^-?\d+$/.test(text)) {
    throw refuseField(field, "Input should be a valid integer, written with digits only");
  }
  if (text.startsWith("-")) {
    throw refuseField(field, "Input should be greater than or equal to 0");
  }
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

function readOptionalBoolean(reader: JsonReader, field: string): boolean {
  if (skipNull(reader)) return false;
  if (reader.kind() !== "boolean") throw refuseField(field, "Input should be a valid boolean");
  return reader.readBoolean();
}

function readOptionalString(reader: JsonReader, field: string): string | null {
  if (skipNull(reader)) return null;
  if (reader.kind() !== "string") throw refuseField(field, "Input should be a valid string");
  return reader.readString();
}

function readThinking(reader: JsonReader): ThinkingMode {
  let mode: ThinkingMode = "on";
  if (reader.kind() !== "object") {
    reader.skipValue();
    return mode;
  }
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key !== "type" || reader.kind() !== "string") reader.skipValue();
    else if (reader.readString() === "disabled") mode = "off";
  }
  return mode;
}

function readFallbacks(walk: Walk): void {
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
      if (readOptionalString(reader, field) === "fast") fallbacks.hasFastSpeed = true;
    } else reader.skipValue();
  }
  if (!hasModel) fallbacks.hasUnknownModel = true;
}

/** Reads context edits. An unknown edit may be a compaction. */
function readContextManagement(walk: Walk): void {
  const { reader, path, parsed } = walk;
  if (reader.kind() !== "object") {
    if (hasSomething(reader)) parsed.markers.hasCompaction = true;
    return;
  }
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key !== "edits" || reader.kind() !== "array") {
      if (hasSomething(reader)) parsed.markers.hasCompaction = true;
      continue;
    }
    path.push(key);
    reader.beginArray();
    for (let index = 0; reader.nextElement(); index++) {
      path.push(index);
      if (!readNeutralEdit(reader)) parsed.markers.hasCompaction = true;
      path.pop();
    }
    path.pop();
  }
}

function readNeutralEdit(reader: JsonReader): boolean {
  let isNeutral = false;
  if (reader.kind() !== "object") {
    reader.skipValue();
    return false;
  }
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    if (key === "type" && reader.kind() === "string") {
      isNeutral = isNeutralEdit(reader.readString());
    } else reader.skipValue();
  }
  return isNeutral;
}

function readContainer(walk: Walk): void {
  const { reader } = walk;
  const { markers } = walk.parsed;
  markers.hasContainer = true;
  if (reader.kind() !== "object") {
    reader.skipValue();
    return;
  }
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
    const isThere = hasSomething(reader);
    if (key === "skills" && isThere) markers.hasSkills = true;
  }
}

/** Skips a value. False: the value was null or an empty list. */
function hasSomething(reader: JsonReader): boolean {
  if (skipNull(reader)) return false;
  if (reader.kind() !== "array") {
    reader.skipValue();
    return true;
  }
  let isEmpty = true;
  reader.beginArray();
  while (reader.nextElement()) {
    isEmpty = false;
    reader.skipValue();
  }
  return !isEmpty;
}

function skipNull(reader: JsonReader): boolean {
  if (reader.kind() !== "null") return false;
  reader.skipValue();
  return true;
}

function emptyMessage(bodyBytes: number): ParsedMessage {
  return {
    model: "",
    maxTokens: null,
    isStream: false,
    thinking: "unset",
    serviceTier: null,
    speed: null,
    inferenceGeo: null,
    fallbacks: { models: [], maxTokens: null, hasFastSpeed: false, hasUnknownModel: false },
    bodyBytes,
    outsidePromptBytes: 0,
    messageCount: 0,
    toolCount: 0,
    builtInToolCount: 0,
    toolsetCount: 0,
    largestToolBytes: 0,
    repeatedToolCount: 0,
    serverTools: [],
    imageCount: 0,
    imageDataBytes: 0,
    citedBytes: 0,
    markers: {
      hasCacheControl5m: false,
      hasCacheControl1h: false,
      hasServerTools: false,
      hasUnknownTools: false,
      hasMcpServers: false,
      hasContainer: false,
      hasCompaction: false,
      hasOpaqueSource: false,
      hasUrlSource: false,
      unknownFields: [],
      hasFileIds: false,
      hasSkills: false,
      hasThread: false,
    },
  };
}

function refuseBody(message: string): ApiError {
  return new ApiError("invalid_body", message);
}

/** Converts an error of the parser to a refusal. The message names keys that are plain words, and never values. */
function toRefusal(error: unknown, path: Walk["path"]): unknown {
  if (error instanceof JsonSyntaxError) {
    return refuseBody(`The request body is not valid JSON: ${error.message}`);
  }
  if (error instanceof DuplicateKeyError) {
    const isShown = /^[\x21-\x7e]{1,64}$/.test(error.key) && isNameable(error.key);
    const field = [...path, isShown ? error.key : "(key)"].join(".");
    return refuseField(
      field,
      "this key appears more than once. Send it once, because parsers disagree on which one counts",
    );
  }
  return error;
}

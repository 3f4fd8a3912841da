import { ApiError } from "#src/domain/api-error.ts";
import { isNameable, neutralFields } from "#src/domain/neutral-features.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { DuplicateKeyError, JsonReader, JsonSyntaxError } from "#src/lib/json-scan.ts";
import { readContent, readMessages } from "./parse-blocks.ts";
import {
  type Fallbacks,
  readContainer,
  readContextManagement,
  readFallbacks,
  readMcpServers,
  readThinking,
  readThread,
  type ThinkingMode,
} from "./parse-features.ts";
import {
  readMaxTokens,
  readModel,
  readOptionalBoolean,
  readOptionalString,
  readSpeed,
} from "./parse-fields.ts";
import { countRepeatedTools, readTools } from "./parse-tools.ts";
import {
  type ContentFacts,
  noteUnknown,
  readCacheControl,
  readKnownFields,
  skipNull,
  skipUnknown,
  type Walk as WalkOf,
} from "./parse-walk.ts";

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
  /** The field `tags`. Null: not sent. */
  tagsSpan: BodySpan | null;
}

/** Bytes of a top-level field with its key. A comma before it belongs to it. */
export interface BodySpan {
  start: number;
  /** Exclusive. */
  end: number;
}

type Walk = WalkOf<ParsedMessage>;

const neutralNames: ReadonlySet<string> = new Set(neutralFields.map(({ name }) => name));
const outsidePrompt: ReadonlySet<string> = new Set(
  neutralFields.filter(({ isInPrompt }) => !isInPrompt).map(({ name }) => name),
);

/**
 * Reads a body. Throws a 400 that names the field and the expected value. Causes are invalid or ambiguous JSON, a missing
 * `model` or `messages`, and wrong types of fields that decide the price.
 */
export function parseMessage(body: Buffer): ParsedMessage {
  const path: Walk["path"] = [];
  try {
    const reader = new JsonReader(body);
    const parsed = emptyMessage(body.length);
    const none = { deferredTools: null, toolReferences: null, objectPlaces: null };
    const walk: Walk = { reader, path, parsed, ...none };
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
    const isKnown = readField(walk, key);
    if (!isKnown) {
      // The name of a nested field has a dot.
      const name = key.includes(".") ? null : key;
      const bytes = reader.position - start + commaBytes;
      noteUnknown(walk.parsed, { kind: "field", name, bytes });
    } else if (outsidePrompt.has(key)) {
      walk.parsed.outsidePromptBytes += reader.position - start + commaBytes;
      if (key === "tags") walk.parsed.tagsSpan = { start, end: reader.position };
    }
    start = reader.position;
    commaBytes = 0;
  }
  return required;
}

/** Reads or skips the value of one top-level field. False: the field is unknown. */
function readField(walk: Walk, key: string): boolean {
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
      parsed.speed = readSpeed(reader, "speed");
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
    default: {
      path.push(key);
      const isKnown = readFeature(walk, key);
      path.pop();
      return isKnown;
    }
  }
  return true;
}

/**
 * Reads or skips the value of an optional feature. For most features only their presence matters. False: the feature is
 * unknown.
 */
function readFeature(walk: Walk, key: string): boolean {
  const { reader, parsed } = walk;
  const { markers } = parsed;
  switch (key) {
    case "cache_control":
      readCacheControl(walk);
      break;
    case "thinking":
      if (!skipNull(reader)) parsed.thinking = readThinking(walk);
      break;
    case "output_config":
    case "tool_choice":
    case "diagnostics":
      readKnownFields(walk, key);
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
      readMcpServers(walk);
      break;
    case "compaction":
      if (skipNull(reader)) break;
      markers.hasCompaction = true;
      readKnownFields(walk, key);
      break;
    case "thread":
      readThread(walk);
      break;
    default:
      if (!neutralNames.has(key)) {
        skipUnknown(walk);
        return false;
      }
      reader.skipValue();
  }
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
    tagsSpan: null,
    outsidePromptBytes: 0,
    messageCount: 0,
    toolCount: 0,
    builtInToolCount: 0,
    toolsetCount: 0,
    largestToolBytes: 0,
    repeatedToolCount: 0,
    serverTools: [],
    unknownParts: [],
    imageCount: 0,
    imageDataBytes: 0,
    citedBytes: 0,
    objects: [],
    markers: {
      hasCacheControl5m: false,
      hasCacheControl1h: false,
      hasServerTools: false,
      hasMcpServers: false,
      hasContainer: false,
      hasCompaction: false,
      hasOpaqueSource: false,
      hasUrlSource: false,
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

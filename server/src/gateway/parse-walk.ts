import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import type { ServerToolUse, UnknownPart } from "#src/domain/hold-request.ts";
import { type KnownPart, knownFields } from "#src/domain/known-features.ts";
import type { FeatureKind } from "#src/domain/neutral-features.ts";
import type { ObjectName } from "#src/domain/object-name.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import type { JsonReader } from "#src/lib/json-scan.ts";

// Facts about the content of a request, and readers of values that all parts share.

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
  /** See `noteUnknown`. */
  unknownParts: UnknownPart[];
  /** Images with bytes in the body, and the number of their base64 characters. */
  imageCount: number;
  imageDataBytes: number;
  /** Bytes of blocks with citations, which the API splits into passages. */
  citedBytes: number;
  /** Objects of the upstream that the request names, each once. At most `MAX_OBJECTS`. */
  objects: ObjectName[];
  markers: MessageMarkers;
}

interface MessageMarkers {
  hasCacheControl5m: boolean;
  /** Also set for an unknown `ttl`, which may cost as much. */
  hasCacheControl1h: boolean;
  /** Web search, web fetch, code execution, tool search or advisor. They run upstream, and bill their input again. */
  hasServerTools: boolean;
  hasMcpServers: boolean;
  hasContainer: boolean;
  /** Compaction of the context, which is a separate model call. */
  hasCompaction: boolean;
  /** A part whose bytes do not bound its tokens: a PDF, a URL, a file id or the result of a server tool. */
  hasOpaqueSource: boolean;
  /** One of them is a URL, whose content can change at any time. */
  hasUrlSource: boolean;
  /** References to objects of the upstream account. `objects` has their ids. */
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
  /** Objects in `parsed.objects`, as `kind id`. Null: none. */
  objectPlaces: Set<string> | null;
}

const MAX_UNKNOWN_PARTS = 16;
const MAX_PART_CHARACTERS = 64;

/**
 * Lists a part that is neither neutral nor read, once for each name. After 16 names, the others count together under no
 * name.
 */
export function noteUnknown(
  { unknownParts }: ContentFacts,
  { kind, name, bytes = 0 }: { kind: FeatureKind; name: string | null; bytes?: number },
): void {
  const text = name ?? "";
  const shown = text.length > MAX_PART_CHARACTERS ? `${text.slice(0, MAX_PART_CHARACTERS)}…` : text;
  const found = unknownParts.find((part) => part.kind === kind && part.name === shown);
  if (found !== undefined) {
    found.count++;
    found.bytes += bytes;
    return;
  }
  if (unknownParts.length < MAX_UNKNOWN_PARTS) {
    unknownParts.push({ kind, name: shown, count: 1, bytes });
  } else if (unknownParts.length === MAX_UNKNOWN_PARTS) {
    unknownParts.push({ kind, name: "", count: 1, bytes: 0 });
  }
}

/** Objects that one request can name. A long conversation repeats the files that its tools made. */
const MAX_OBJECTS = 1_000;

/** Reads the id of a named object. The upstream refuses any value but a text. */
export function readObjectId(walk: Walk, kind: StoredObjectKind): void {
  const id = readText(walk.reader);
  if (id !== null) addObject(walk, { kind, id });
}

/** Adds a named object. Throws a 400 for too many. */
export function addObject(walk: Walk, name: ObjectName): void {
  const { path, parsed } = walk;
  const place = `${name.kind} ${name.id}`;
  walk.objectPlaces ??= new Set();
  if (walk.objectPlaces.has(place)) return;
  if (parsed.objects.length === MAX_OBJECTS) {
    throw refuseField(
      path.join("."),
      `a request can name ${MAX_OBJECTS} files and skills at most.`,
    );
  }
  walk.objectPlaces.add(place);
  parsed.objects.push(name);
}

/** A whole text of letters, digits, dashes and their escapes, which can be an id. */
const WORD = /"(?:[A-Za-z0-9_-]|\\u[0-9a-fA-F]{4}){1,128}"/g;
const STORED_ID = /^(file|skill|container)_/;

/**
 * Skips a value that no reader knows. Ids of stored objects in it are named objects, because a newer version of the API may
 * read them.
 */
export function skipUnknown(walk: Walk): void {
  const { reader } = walk;
  reader.kind();
  const start = reader.position;
  reader.skipValue();
  const text = reader.bytes.toString("latin1", start, reader.position);
  for (const [word] of text.matchAll(WORD)) {
    const id: unknown = JSON.parse(word);
    const kind = typeof id === "string" ? STORED_ID.exec(id)?.[1] : undefined;
    if (kind !== undefined) addObject(walk, { kind: kind as StoredObjectKind, id: id as string });
  }
}

/** Skips the value of a field that only needs to be known. */
export function skipField(walk: Walk, part: KnownPart, key: string): void {
  if (knownFields[part].has(key)) {
    walk.reader.skipValue();
    return;
  }
  skipUnknown(walk);
  noteUnknown(walk.parsed, { kind: "field", name: `${part}.${key}` });
}

/** Reads the fields of an object that only need to be known. Any value but an object or null is unknown. */
export function readKnownFields(walk: Walk, part: KnownPart): void {
  const { reader, parsed } = walk;
  const kind = reader.kind();
  if (kind !== "object") {
    skipUnknown(walk);
    if (kind !== "null") noteUnknown(parsed, { kind: "field", name: part });
    return;
  }
  reader.beginObject();
  for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) skipField(walk, part, key);
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

export function readCacheControlAt(walk: Walk, key: string): void {
  walk.path.push(key);
  readCacheControl(walk);
  walk.path.pop();
}

/** Skips an unknown value. False: the value was null or an empty list. */
export function hasSomething(walk: Walk): boolean {
  const { reader } = walk;
  if (skipNull(reader)) return false;
  if (reader.kind() !== "array") {
    skipUnknown(walk);
    return true;
  }
  let isEmpty = true;
  reader.beginArray();
  while (reader.nextElement()) {
    isEmpty = false;
    skipUnknown(walk);
  }
  return !isEmpty;
}

export function skipNull(reader: JsonReader): boolean {
  if (reader.kind() !== "null") return false;
  reader.skipValue();
  return true;
}

export function readText(reader: JsonReader): string | null {
  if (reader.kind() === "string") return reader.readString();
  reader.skipValue();
  return null;
}

/** Returns true only for `true`. */
export function readFlag(reader: JsonReader): boolean {
  if (reader.kind() === "boolean") return reader.readBoolean();
  reader.skipValue();
  return false;
}

/** Reads a number of plain digits. Null: another value. */
export function readCount(reader: JsonReader): number | null {
  if (reader.kind() !== "number") {
    reader.skipValue();
    return null;
  }
  const text = reader.readNumberText();
  return /^\d+$/.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : null;
}

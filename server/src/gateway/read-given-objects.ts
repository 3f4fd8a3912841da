import { OBJECT_ID } from "#src/domain/object-name.ts";
import { isObject, parseJson } from "#src/lib/parse-json.ts";
import { decodeCopy, isIdentity } from "./decode-copy.ts";
import type { GivenObject } from "./object-references.ts";
import type { ParsedMessage } from "./parse-message.ts";
import { EventSplitter } from "./split-events.ts";
import { nothingSeen, type PlainReader } from "./usage-seen.ts";

// Reads the objects that a response gives to its workspace, beside the relay. They are its container, its own id as part of
// a thread, and files that tools made. Only fields that the API itself writes are read. Text and input of a model are not,
// because a client can make a model repeat any id.

/** Longest JSON response that is read, bytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Objects of one response that are recorded at most. */
const MAX_GIVEN = 1_000;
const RESULT_OF_CODE = /^(bash_|text_editor_)?code_execution_tool_result$/;

export interface GivenReader {
  push(chunk: Buffer): void;
  /** Returns each object once. */
  takeGiven(): GivenObject[];
  /** Reads the rest. Undefined: it is read. */
  finish(): Promise<unknown> | undefined;
}

/** True if a response to the request can give objects to its workspace. */
export function canGiveObjects({ markers, unknownParts }: ParsedMessage): boolean {
  const { hasServerTools, hasMcpServers, hasContainer, hasSkills, hasThread } = markers;
  if (hasServerTools || hasMcpServers || hasContainer || hasSkills || hasThread) return true;
  return unknownParts.length > 0;
}

export function makeGivenReader(options: {
  isStream: boolean;
  contentEncoding: string | undefined;
  hasThread: boolean;
}): GivenReader {
  const found = new Given(options.hasThread);
  const plain = options.isStream ? readEvents(found) : readAnswer(found);
  const reader = isIdentity(options.contentEncoding)
    ? plain
    : decodeCopy(plain, options.contentEncoding);
  return {
    push: (chunk) => reader.push(chunk),
    takeGiven: () => found.take(),
    finish() {
      const seen = reader.finish();
      return seen instanceof Promise ? seen : undefined;
    },
  };
}

/** Lists the objects that a whole message gives. The message is no part of a thread. */
export function listGivenObjects(message: unknown): GivenObject[] {
  const found = new Given(false);
  found.readMessage(message);
  return found.take();
}

class Given {
  readonly #hasThread: boolean;
  readonly #known = new Set<string>();
  #objects: GivenObject[] = [];

  constructor(hasThread: boolean) {
    this.#hasThread = hasThread;
  }

  take(): GivenObject[] {
    const objects = this.#objects;
    if (objects.length > 0) this.#objects = [];
    return objects;
  }

  readMessage(message: unknown): void {
    if (!isObject(message)) return;
    if (this.#hasThread && message["type"] === "message") this.#add("thread", message["id"], null);
    this.readContainer(message["container"]);
    if (Array.isArray(message["content"]))
      for (const each of message["content"]) this.readBlock(each);
  }

  readContainer(container: unknown): void {
    if (!isObject(container)) return;
    const { id, expires_at: expiresAt } = container;
    const ms = typeof expiresAt === "string" ? Date.parse(expiresAt) : Number.NaN;
    this.#add("container", id, Number.isNaN(ms) ? null : ms);
  }

  /** Reads the result of a tool that runs code: `content.content[].file_id`. */
  readBlock(block: unknown): void {
    if (!isObject(block) || typeof block["type"] !== "string") return;
    if (!RESULT_OF_CODE.test(block["type"])) return;
    const result = block["content"];
    if (!isObject(result) || !Array.isArray(result["content"])) return;
    for (const output of result["content"]) {
      if (isObject(output)) this.#add("file", output["file_id"], null);
    }
  }

  #add(kind: GivenObject["kind"], id: unknown, expiresAtMs: number | null): void {
    if (typeof id !== "string" || !OBJECT_ID.test(id) || this.#known.size >= MAX_GIVEN) return;
    const place = `${kind} ${id} ${expiresAtMs ?? ""}`;
    if (this.#known.has(place)) return;
    this.#known.add(place);
    this.#objects.push({ kind, id, expiresAtMs });
  }
}

function readAnswer(found: Given): PlainReader {
  let chunks: Buffer[] = [];
  let bytes = 0;
  return {
    ...noStream,
    push(chunk) {
      bytes += chunk.length;
      if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
      else chunks = [];
    },
    finish() {
      found.readMessage(parseJson(Buffer.concat(chunks)));
      chunks = [];
      return nothingSeen();
    },
  };
}

function readEvents(found: Given): PlainReader {
  const splitter = new EventSplitter(
    (name, bytes, start, end) => {
      const isRead = name === "message_start" || name === "message_delta";
      // Most events are deltas of text, which are not parsed.
      if (!isRead && !(name === "content_block_start" && hasResult(bytes, start, end))) return;
      const event = parseJson(bytes.subarray(start, end));
      if (!isObject(event)) return;
      found.readMessage(event["message"]);
      found.readContainer(isObject(event["delta"]) ? event["delta"]["container"] : null);
      found.readBlock(event["content_block"]);
    },
    (_, start) => start,
  );
  return {
    ...noStream,
    push: (chunk) => splitter.push(chunk),
    finish() {
      splitter.finish();
      return nothingSeen();
    },
  };
}

const noStream = { hasMessageStart: false, isAtEventBoundary: false, live: null };
const resultMark = Buffer.from("code_execution_tool_result");

function hasResult(bytes: Buffer, start: number, end: number): boolean {
  return bytes.subarray(start, end).includes(resultMark);
}

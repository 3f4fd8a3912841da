import type { ResultSize } from "#src/domain/stream-bound.ts";
import type { BilledUsage } from "#src/domain/usage.ts";
import { applyMessageDelta, raiseUsage, readMessageUsage } from "#src/domain/usage-fields.ts";
import { addEventPrefix, type EventPrefix, skipEvents, skipped } from "#src/lib/event-kernel.ts";
import { type EventName, EventSplitter, startsWith } from "./split-events.ts";
import {
  type AnswerFields,
  errorTypeOf,
  type LiveUsage,
  nothingSeen,
  type PlainReader,
  parseObject,
  type UsageSeen,
} from "./usage-seen.ts";

// Usage of a stream: `message_start` has all counts except the output, and each `message_delta` replaces the counts that
// it names (https://platform.claude.com/docs/en/build-with-claude/streaming). Other events are only counted. The text of
// a delta in the API's usual form is measured in bytes, without parsing: 0.5 µs per event. Deltas that begin like the last
// one are measured by the kernel, 0.05 to 0.15 µs per event.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const SPACE = 0x20;
const CLOSE = 0x7d;

const deltaStart = Buffer.from('{"type":"content_block_delta","index":');
const deltaType = Buffer.from(',"delta":{"type":"');
/** Bytes between the type and the text, for the three most frequent kinds of deltas. */
const deltaTexts = [
  Buffer.from('text_delta","text":"'),
  Buffer.from('input_json_delta","partial_json":"'),
  Buffer.from('thinking_delta","thinking":"'),
];

/** Beginnings of delta events, by kind. Each list is by the digit of the block's index, and blocks beyond are rare. */
const deltaPrefixes = deltaTexts.map((text) =>
  Array.from({ length: 10 }, (_, index) =>
    addEventPrefix(
      Buffer.concat([
        Buffer.from("event: content_block_delta\ndata: "),
        ...[deltaStart, Buffer.from(String(index)), deltaType, text],
      ]),
    ),
  ),
);

/** Blocks whose output is the text of their deltas, and blocks that no model generated. Others may hide tokens. */
const visibleBlock = /^(text|fallback|container_upload|(server_|mcp_)?tool_use|\w+_tool_result)$/;

interface Block {
  to?: unknown;
  type?: unknown;
  text?: unknown;
  thinking?: unknown;
  name?: unknown;
  input?: unknown;
  content?: unknown;
}

interface Delta {
  type?: unknown;
  text?: unknown;
  thinking?: unknown;
  partial_json?: unknown;
  content?: unknown;
}

export class StreamReader implements PlainReader {
  readonly #requestedModel: string;
  readonly #seen = nothingSeen();
  readonly #splitter: EventSplitter;
  /** Beginning of the last delta. Null: none, or not in the API's usual form. */
  #lastDelta: EventPrefix | null = null;
  /** Largest output count of a `message_delta`. */
  #largestDelta = 0;
  #result: UsageSeen | null = null;
  readonly live: LiveUsage;

  constructor(requestedModel: string) {
    this.#requestedModel = requestedModel;
    this.live = { seen: this.#seen, onToolResult: null };
    this.#splitter = new EventSplitter(
      (name, bytes, start, end) => {
        if (name === "content_block_delta") this.#addDelta(bytes, start, end);
        else if (canAffectUsage(name)) {
          this.#readEvent(parseObject(bytes.toString("utf8", start, end)));
        }
      },
      (bytes, start) => this.#skipDeltas(bytes, start),
    );
  }

  get hasMessageStart(): boolean {
    return this.#seen.hasMessageStart;
  }

  get isAtEventBoundary(): boolean {
    return this.#splitter.isAtBoundary;
  }

  push(chunk: Buffer): void {
    this.#splitter.push(chunk);
  }

  finish(): UsageSeen {
    if (this.#result === null) {
      this.#seen.isAtEventBoundary = this.#splitter.isAtBoundary;
      this.#splitter.finish();
      this.#result = { ...this.#seen };
    }
    return this.#result;
  }

  #addDelta(bytes: Buffer, start: number, end: number): void {
    this.#seen.outputBytes += deltaBytes(bytes, start, end);
    this.#lastDelta = findDeltaPrefix(bytes, start);
  }

  #skipDeltas(bytes: Buffer, start: number): number {
    if (this.#lastDelta === null) return start;
    skipEvents(bytes, start, this.#lastDelta);
    this.#seen.outputBytes += skipped.textBytes;
    return skipped.end;
  }

  #readEvent(event: AnswerFields | null): void {
    const seen = this.#seen;
    switch (event?.type) {
      case "message_start":
        if (seen.hasMessageStart) break;
        seen.hasMessageStart = true;
        seen.usage = readMessageUsage(event.message, this.#requestedModel);
        break;
      case "message_delta":
        this.#readDelta(event);
        break;
      case "message_stop":
        seen.isComplete = true;
        break;
      case "content_block_start":
        this.#addBlockStart((event as { content_block?: unknown }).content_block);
        break;
      case "content_block_delta": // An event without a name.
        seen.outputBytes += textBytes(event.delta);
        break;
      case "error":
        seen.errorType = errorTypeOf(event);
        break;
      default:
    }
  }

  #addBlockStart(block: unknown): void {
    const { type, resultSize } = addBlockStart(this.#seen, block);
    if (type.endsWith("_tool_result")) this.live.onToolResult?.(resultSize);
  }

  #readDelta({ usage, delta }: AnswerFields): void {
    const seen = this.#seen;
    seen.usage = applyDelta(seen.usage, usage, this.#requestedModel);
    const stopReason = stopReasonOf(delta);
    if (stopReason !== null) seen.isOutputFinal = true;
    if (stopReason === "refusal") seen.isRefusal = true;
    if (seen.usage === null || !hasOutputCount(usage)) return;
    // The count is cumulative, so a later delta cannot have less.
    const { outputTokens } = seen.usage.topLevel ?? seen.usage.total;
    if (outputTokens < this.#largestDelta) {
      const raised = raiseUsage(seen.usage, { outputTokens: this.#largestDelta, webSearches: 0 });
      seen.usage = { ...raised, isDoubtful: true };
    }
    this.#largestDelta = Math.max(this.#largestDelta, outputTokens);
  }
}

function addBlockStart(seen: UsageSeen, block: unknown): BlockStart {
  const start = readBlockStart(block);
  const { type, bytes, webSearches, fallbackModel } = start;
  seen.outputBytes += bytes;
  // No model generates a result of a server tool.
  if (!type.endsWith("_tool_result")) seen.blocks += 1;
  if (type === "server_tool_use") seen.serverToolUses += 1;
  seen.webSearches += webSearches;
  if (!visibleBlock.test(type)) seen.hasHiddenThinking = true;
  // Another model continues the response. The reported model is this one, as in the SDKs.
  if (seen.usage !== null && fallbackModel !== null) {
    seen.usage = { ...seen.usage, model: fallbackModel };
  }
  return start;
}

/** An event without a name is dropped by the official client, but what it says is billed all the same. */
function canAffectUsage(name: EventName): boolean {
  return name !== "ping" && name !== "content_block_stop" && name !== "other";
}

/** Applies a `message_delta`. In a stream without a start, the delta has all totals. */
function applyDelta(
  usage: BilledUsage | null,
  deltaUsage: unknown,
  requestedModel: string,
): BilledUsage | null {
  if (usage === null) return readMessageUsage({ usage: deltaUsage }, requestedModel);
  return applyMessageDelta(usage, deltaUsage);
}

interface BlockStart {
  type: string;
  bytes: number;
  /** 1 for a search that starts, -1 for a failed search, which is not billed. */
  webSearches: number;
  fallbackModel: string | null;
  /** Size of a result of a server tool. Null: it bounds no tokens, or the block is none. */
  resultSize: ResultSize;
}

const NO_BLOCK: BlockStart = {
  type: "",
  bytes: 0,
  webSearches: 0,
  fallbackModel: null,
  resultSize: null,
};

function readBlockStart(value: unknown): BlockStart {
  if (typeof value !== "object" || value === null) return NO_BLOCK;
  const block: Block = value;
  const type = typeof block.type === "string" ? block.type : "";
  const generated = [block.text, block.thinking];
  if (type.endsWith("tool_use")) generated.push(block.name, inputText(block.input));
  const bytes = generated.reduce<number>((sum, part) => sum + utf8Bytes(part), 0);
  const fallbackModel = type === "fallback" ? modelOf(block.to) : null;
  const resultSize = type.endsWith("_tool_result") ? measureResult(block.content) : null;
  return { type, bytes, webSearches: searchesOf(type, block), fallbackModel, resultSize };
}

/** Size of a fetched text, of an error, or of found pages. Other results are binary or unknown, and bound no tokens. */
function measureResult(content: unknown): ResultSize {
  if (Array.isArray(content)) return measurePages(content);
  const bytes = countTextBytes(content);
  return bytes === null ? null : { kind: "text", bytes };
}

/** Null: a part is no page. */
function measurePages(pages: readonly unknown[]): ResultSize {
  let chars = 0;
  for (const each of pages) {
    const page: Page | null = asObject(each);
    if (page?.type !== "web_search_result") return null;
    const { encrypted_content: content, title, url } = page;
    if (typeof content !== "string") return null;
    chars += content.length + utf8Bytes(title) + utf8Bytes(url);
  }
  return { kind: "pages", pages: pages.length, chars };
}

interface Page {
  type?: unknown;
  encrypted_content?: unknown;
  title?: unknown;
  url?: unknown;
}

function countTextBytes(content: unknown): number | null {
  if (typeof content !== "object" || content === null || !("type" in content)) return null;
  const { type } = content;
  if (typeof type === "string" && type.endsWith("_error")) return 0;
  if (type !== "web_fetch_result" || !("content" in content)) return null;
  const document: Document | null = asObject(content.content);
  const source: Source | null = asObject(document?.source);
  if (source?.type !== "text" || typeof source.data !== "string") return null;
  return utf8Bytes(source.data) + utf8Bytes(document?.title);
}

interface Document {
  source?: unknown;
  title?: unknown;
}

interface Source {
  type?: unknown;
  data?: unknown;
}

function asObject(value: unknown): object | null {
  return typeof value === "object" ? value : null;
}

function searchesOf(type: string, { name, content }: Block): number {
  if (type === "server_tool_use" && name === "web_search") return 1;
  // The results of a search are a list, and an error is one object.
  const isError = type === "web_search_tool_result" && !Array.isArray(content);
  return isError ? -1 : 0;
}

function modelOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("model" in value)) return null;
  return typeof value.model === "string" ? value.model : null;
}

function stopReasonOf(delta: unknown): string | null {
  if (typeof delta !== "object" || delta === null || !("stop_reason" in delta)) return null;
  return typeof delta.stop_reason === "string" ? delta.stop_reason : null;
}

function hasOutputCount(usage: unknown): boolean {
  if (typeof usage !== "object" || usage === null || !("output_tokens" in usage)) return false;
  return typeof usage.output_tokens === "number";
}

/** Input of a tool at the start of its block. Usually an empty object, and the input follows in deltas. */
function inputText(input: unknown): string {
  const text = input === undefined ? "{}" : JSON.stringify(input);
  return text === "{}" ? "" : text;
}

/** Beginning of events like the one with this data. Null: an unusual form, or an index of several digits. */
function findDeltaPrefix(bytes: Buffer, start: number): EventPrefix | null {
  if (!startsWith(deltaStart, bytes, start)) return null;
  const digitAt = start + deltaStart.length;
  if (!startsWith(deltaType, bytes, digitAt + 1)) return null;
  const textAt = digitAt + 1 + deltaType.length;
  const kind = deltaTexts.findIndex((text) => startsWith(text, bytes, textAt));
  return deltaPrefixes[kind]?.[(bytes[digitAt] as number) - 0x30] ?? null;
}

/** Bytes of generated text in the data of one `content_block_delta`. */
function deltaBytes(bytes: Buffer, start: number, end: number): number {
  const quick = quickDeltaBytes(bytes, start, end);
  if (quick >= 0) return quick;
  const event = parseObject(bytes.toString("utf8", start, end));
  return event === null ? end - start : textBytes(event.delta);
}

function textBytes(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const delta: Delta = value;
  return (
    utf8Bytes(delta.text) +
    utf8Bytes(delta.thinking) +
    utf8Bytes(delta.partial_json) +
    utf8Bytes(delta.content)
  );
}

function utf8Bytes(value: unknown): number {
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}

/** Like `deltaBytes`. -1: the data is not in the API's usual form, or has a \u escape. */
function quickDeltaBytes(bytes: Buffer, start: number, end: number): number {
  if (!startsWith(deltaStart, bytes, start)) return -1;
  let pos = start + deltaStart.length;
  while (isDigit(bytes[pos])) pos++;
  if (!startsWith(deltaType, bytes, pos)) return -1;
  pos += deltaType.length;
  const text = deltaTexts.find((candidate) => startsWith(candidate, bytes, pos));
  if (text === undefined) return -1;
  pos += text.length;
  let escapes = 0;
  const textStart = pos;
  for (; pos < end && bytes[pos] !== QUOTE; pos++) {
    if (bytes[pos] !== BACKSLASH) continue;
    pos++;
    escapes++;
    if (bytes[pos] === LOWER_U) return -1;
  }
  return isDeltaEnd(bytes, pos + 1, end) ? pos - textStart - escapes : -1;
}

/** True for two closing brackets, each after the spaces that the API adds as padding. */
function isDeltaEnd(bytes: Buffer, start: number, end: number): boolean {
  let pos = start;
  for (let closed = 0; closed < 2; closed++) {
    while (bytes[pos] === SPACE) pos++;
    if (bytes[pos] !== CLOSE) return false;
    pos++;
  }
  while (pos < end && bytes[pos] === SPACE) pos++;
  return pos === end;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

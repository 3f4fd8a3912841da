import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readMessageUsage } from "#src/domain/usage-fields.ts";
import { MAX_DECODED_BYTES } from "./decode-copy.ts";
import { MAX_ANSWER_BYTES, makeUsageReader, type UsageSeen } from "./read-usage.ts";
import { MAX_EVENT_BYTES } from "./split-events.ts";
import { errorTypeOf, parseObject } from "./usage-seen.ts";

const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-5",
  content: [{ type: "text", text: 'usage: {"input_tokens": 1}' }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: {
    input_tokens: 12,
    cache_creation_input_tokens: 30,
    cache_read_input_tokens: 40,
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    output_tokens: 7,
    service_tier: "standard",
    inference_geo: "us",
    speed: null,
    server_tool_use: { web_search_requests: 2, web_fetch_requests: 0 },
  },
};

const billed = {
  model: "claude-sonnet-5",
  total: {
    inputTokens: 12,
    cacheWrite5mTokens: 10,
    cacheWrite1hTokens: 20,
    cacheReadTokens: 40,
    outputTokens: 7,
    webSearches: 2,
  },
  iterations: null,
  serviceTier: "standard",
  inferenceGeo: "us",
  speed: null,
};

const nothing: UsageSeen = {
  usage: null,
  isComplete: false,
  hasMessageStart: false,
  isOutputFinal: false,
  outputBytes: 0,
  webSearches: 0,
  hasHiddenThinking: false,
  isAtEventBoundary: true,
  errorType: null,
  isRefusal: false,
  isReadable: true,
};

const start = event("message_start", {
  message: {
    ...message,
    content: [],
    stop_reason: null,
    usage: { ...message.usage, output_tokens: 1 },
  },
});
const textBlock = (...texts: string[]) => [
  event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  ...texts.map((text) =>
    event("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
  ),
  event("content_block_stop", { index: 0 }),
];
const end = [
  event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 7 } }),
  event("message_stop", {}),
];
const stream = [start, event("ping", {}), ...textBlock("Hello", ", wörld", 'a "b"\n'), ...end].join(
  "",
);

describe("a stream", () => {
  test("has exact output after a message_delta with a stop reason", async () => {
    const before = start + textBlock("Hello").join("");
    const running = event("message_delta", { delta: {}, usage: { output_tokens: 3 } });
    const stopped = event("message_delta", {
      delta: { stop_reason: "end_turn" },
      usage: { output_tokens: 7 },
    });
    expect((await read(before + running)).isOutputFinal).toBe(false);
    const seen = await read(before + running + stopped);
    expect([seen.isOutputFinal, seen.isComplete]).toEqual([true, false]);
  });

  test("has the model of a fallback block", async () => {
    const fallback = event("content_block_start", {
      index: 0,
      content_block: { type: "fallback", to: { model: "claude-haiku-4-5" } },
    });
    expect((await read(start + fallback)).usage?.model).toBe("claude-haiku-4-5");
  });

  test("has complete usage at an event boundary", async () => {
    expect(await read(stream)).toEqual({
      ...nothing,
      usage: billed,
      isComplete: true,
      isOutputFinal: true,
      hasMessageStart: true,
      outputBytes: 5 + 8 + 6,
    });
  });

  test("has the same usage with any chunks and line endings", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.nat(),
        async (newline, cuts, cutAt) => {
          const bytes = Buffer.from(stream.replaceAll("\n", newline));
          const whole = bytes.subarray(0, cutAt % 3 === 0 ? cutAt % bytes.length : bytes.length);
          expect(await readChunks(split(whole, cuts))).toEqual(await readChunks([whole]));
        },
      ),
      { numRuns: 500 },
    );
    const byteByByte = Array.from(Buffer.from(stream), (byte) => Buffer.of(byte));
    expect(await readChunks(byteByByte)).toEqual(await read(stream));
    expect(await read(stream.replaceAll("\n", "\r\n"))).toEqual(await read(stream));
    expect(await read(stream.replaceAll("\n", "\r"))).toEqual(await read(stream));
  });

  test("follows the event stream format: comments, a byte order mark, no space, several data lines", async () => {
    const text = `\ufeff: hello\n\nid: 1\nretry: 5\nevent:message_start\ndata:{"type":"message_start",\ndata: "message":${JSON.stringify(message)}}\n\n`;
    expect(await read(text)).toEqual({ ...nothing, usage: billed, hasMessageStart: true });
  });

  test("a cumulative delta replaces its counts and keeps the others", async () => {
    const deltas = [
      event("message_delta", { delta: {}, usage: { output_tokens: 100, input_tokens: null } }),
      event("message_delta", { delta: {}, usage: { output_tokens: 250, input_tokens: 13 } }),
    ];
    const { usage } = await read([start, ...deltas].join(""));
    expect(usage).toEqual({
      ...billed,
      total: { ...billed.total, outputTokens: 250, inputTokens: 13 },
    });
  });

  test("events without a name are read by their type", async () => {
    const bare = stream.replaceAll(/event: .*\n/g, "");
    expect(await read(bare)).toEqual(await read(stream));
  });

  test("unknown events, unknown fields and invalid data have no effect", async () => {
    const odd = [
      start,
      event("surprise", { usage: { output_tokens: 999 } }),
      "event: message_delta\ndata: {broken\n\n",
      "event: message_delta\n\n",
      "data: []\n\n",
      "data\n\n",
      ...textBlock("x"),
      ...end,
    ].join("");
    expect(await read(odd)).toMatchObject({ usage: billed, isComplete: true, outputBytes: 1 });
  });

  test("that ends in the middle of an event is incomplete, not at a boundary, and has the usage so far", async () => {
    const whole = [start, ...textBlock("abc")].join("");
    expect(await read(whole)).toMatchObject({
      isComplete: false,
      isAtEventBoundary: true,
      outputBytes: 3,
    });
    for (const length of [1, 2]) {
      const cut = await read(whole.slice(0, whole.length - length));
      expect(cut).toMatchObject({
        isComplete: false,
        isAtEventBoundary: false,
        outputBytes: 3,
        hasMessageStart: true,
      });
      expect(cut.usage?.total).toEqual({ ...billed.total, outputTokens: 1 });
    }
  });

  test("totals without their blank line are still counted", async () => {
    const cut = await read([start, ...textBlock("x"), end[0]].join("").trimEnd());
    expect(cut).toMatchObject({ usage: billed, isComplete: false, isAtEventBoundary: false });
  });

  test("a stream without its start bills the usage of its delta for the requested model", async () => {
    const seen = await read(end.join(""), { requestedModel: "claude-opus-5" });
    expect(seen.usage).toMatchObject({ model: "claude-opus-5", total: { outputTokens: 7 } });
    expect(seen.hasMessageStart).toBe(false);
  });

  test("an error event has its type", async () => {
    const error = event("error", { error: { type: "overloaded_error", message: "Overloaded" } });
    expect(await read(start + error)).toMatchObject({
      errorType: "overloaded_error",
      isComplete: false,
    });
    expect(await read(event("error", {}))).toMatchObject({ errorType: "unknown" });
    expect(await read(event("error", { error: { type: "x".repeat(100) } }))).toMatchObject({
      errorType: "x".repeat(64),
    });
  });

  test("the state so far can be read before the end", () => {
    const reader = makeUsageReader({ isStream: true });
    expect([reader.hasMessageStart, reader.isAtEventBoundary]).toEqual([false, true]);
    reader.push(Buffer.from(start.slice(0, 20)));
    expect([reader.hasMessageStart, reader.isAtEventBoundary]).toEqual([false, false]);
    reader.push(Buffer.from(start.slice(20)));
    expect([reader.hasMessageStart, reader.isAtEventBoundary]).toEqual([true, true]);
  });
});

describe("bytes of output", () => {
  const delta = (fields: object) => event("content_block_delta", { index: 12, delta: fields });
  test.each([
    ["text", { type: "text_delta", text: "héllo\n" }, 7],
    ["thinking", { type: "thinking_delta", thinking: "hm 😀" }, 7],
    ["tool input", { type: "input_json_delta", partial_json: '{"a":"\\u00e9"}' }, 14],
    ["compaction", { type: "compaction_delta", content: "summary", encrypted_content: "xxx" }, 7],
    ["a signature: none", { type: "signature_delta", signature: "EqQBCg" }, 0],
    ["citations: none", { type: "citations_delta", citation: { cited_text: "abc" } }, 0],
  ])("of %s", async (_, fields, bytes) => {
    expect((await read(delta(fields))).outputBytes).toBe(bytes);
  });

  test("are the bytes of the text, in any notation", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary" }),
        fc.constantFrom("text_delta", "thinking_delta", "input_json_delta"),
        fc.nat(3),
        fc.boolean(),
        async (text, type, padding, isEscaped) => {
          const field =
            { text_delta: "text", thinking_delta: "thinking", input_json_delta: "partial_json" }[
              type
            ] ?? "";
          const plain = JSON.stringify({ type, [field]: text });
          const inner = isEscaped ? plain.replaceAll(/[^\x20-\x7e]/gu, escapeUnicode) : plain;
          const space = " ".repeat(padding);
          const data = `{"type":"content_block_delta","index":0,"delta":${inner}${space}}${space}`;
          const seen = await read(`event: content_block_delta\ndata: ${data}\n\n`);
          expect(seen.outputBytes).toBe(Buffer.byteLength(text));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("include the start of a block: its text, or the name of a tool", async () => {
    const startOf = (content_block: object) =>
      event("content_block_start", { index: 0, content_block });
    expect((await read(startOf({ type: "text", text: "abc" }))).outputBytes).toBe(3);
    expect(
      (await read(startOf({ type: "tool_use", id: "toolu_1", name: "get_x", input: {} })))
        .outputBytes,
    ).toBe(5);
    expect(
      (await read(startOf({ type: "tool_use", name: "f", input: { a: 1 } }))).outputBytes,
    ).toBe(1 + 7);
    expect(
      (await read(startOf({ type: "web_search_tool_result", content: [{ url: "https://x" }] })))
        .outputBytes,
    ).toBe(0);
  });

  test("count started searches without failed ones", async () => {
    const search = { type: "server_tool_use", name: "web_search", input: {} };
    const found = { type: "web_search_tool_result", content: [] };
    const failed = { type: "web_search_tool_result", content: { error_code: "unavailable" } };
    const fetched = { type: "server_tool_use", name: "web_fetch", input: {} };
    const blocks = [search, found, search, failed, fetched, search];
    const text = blocks.map((content_block) => event("content_block_start", { content_block }));
    expect((await read(text.join(""))).webSearches).toBe(2);
  });

  test.each([
    ["text", false],
    ["tool_use", false],
    ["server_tool_use", false],
    ["mcp_tool_use", false],
    ["web_search_tool_result", false],
    ["thinking", true],
    ["redacted_thinking", true],
    ["compaction", true],
    ["a_new_kind", true],
  ])("a %s block hides tokens: %s", async (type, isHidden) => {
    const seen = await read(event("content_block_start", { index: 0, content_block: { type } }));
    expect(seen.hasHiddenThinking).toBe(isHidden);
  });
});

describe("a JSON response", () => {
  test.each(["compact", "indented"])("has its usage, %s", async (style) => {
    const text = JSON.stringify(message, null, style === "indented" ? 2 : 0);
    const seen = { ...nothing, usage: billed, isComplete: true, isAtEventBoundary: false };
    expect(await read(text, { isStream: false })).toEqual(seen);
    const bytes = Buffer.from(text);
    expect(await readChunks(split(bytes, [3, 100, 101, 250]), { isStream: false })).toEqual(seen);
  });

  test("fields that look like usage inside the content are not usage", async () => {
    const answer = { content: [{ usage: { input_tokens: 5 } }], model: "m" };
    expect((await read(JSON.stringify(answer), { isStream: false })).usage).toBeNull();
  });

  test("that is incomplete, empty or no JSON has no usage", async () => {
    for (const text of [JSON.stringify(message).slice(0, -1), "", "<html>", "[]", "null"]) {
      expect(await read(text, { isStream: false })).toEqual({
        ...nothing,
        isAtEventBoundary: false,
      });
    }
  });

  test("an error response has its type", async () => {
    const body = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    expect(await read(JSON.stringify(body), { isStream: false })).toMatchObject({
      usage: null,
      errorType: "overloaded_error",
    });
  });

  test("a long response is read like a short one", async () => {
    const content = [{ type: "text", text: '\\"usage":{'.repeat(5_000) }];
    const text = JSON.stringify({ ...message, content });
    expect(text.length).toBeGreaterThan(50_000);
    const whole = { usage: billed, isComplete: true, errorType: null };
    const lost = { usage: null, isComplete: false, errorType: null };
    expect(await read(text, { isStream: false })).toMatchObject(whole);
    expect(await read(`[${text}]`, { isStream: false })).toMatchObject(lost);
    expect(await read(text.slice(0, -1), { isStream: false })).toMatchObject(lost);
    expect(await read(`${text},`, { isStream: false })).toMatchObject(lost);
    const twice = `{"usage":{"input_tokens":1},${text.slice(1)}`;
    expect(await read(twice, { isStream: false })).toMatchObject(whole);
  });

  test("with a repeated key keeps its usage, and the last value counts", async () => {
    const text = `{"id":"a","id":"b","usage":{"input_tokens":1},${JSON.stringify(message).slice(1)}`;
    expect((await read(text, { isStream: false })).usage).toEqual(billed);
  });

  test("is read as JSON.parse reads it, also with repeated keys and damaged bytes", async () => {
    const name = fc.constantFrom(
      ...[
        "type",
        "model",
        "usage",
        "stop_reason",
        "error",
        "content",
        "typ\\u0065",
        "\\ud800",
        "us\\/age",
      ],
    );
    const value = fc.oneof(
      fc.json({ stringUnit: "binary", maxDepth: 3 }),
      fc.constantFrom('"error"', '"refusal"', "null", '{"type":"api_error"}', "[".repeat(600)),
      fc.constant(JSON.stringify(message.usage)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, value), { maxLength: 8 }),
        fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 2 }),
        fc.nat(),
        async (fields, damage, cut) => {
          const text = `{${fields.map(([key, json]) => `"${key}" : ${json}`).join(", ")}}`;
          const bytes = Buffer.from(text);
          if (damage !== null) bytes[damage[0] % bytes.length] = damage[1];
          const seen = await readChunks(split(bytes, [cut % bytes.length]), { isStream: false });
          expect(seen).toEqual(readByJsonParse(bytes.toString("utf8")));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test("with nesting deeper than a request can have is billed", async () => {
    const deep = "[".repeat(20_000) + "]".repeat(20_000);
    const text = JSON.stringify(message).replace('"content":[', `"content":[${deep},`);
    const seen = await read(text, { isStream: false });
    expect(seen).toMatchObject({ usage: billed, isComplete: true });
  });

  test("beyond the bound is not kept, and counts as unreadable", async () => {
    const chunk = Buffer.alloc(1024 * 1024, " ");
    const reader = makeUsageReader({ isStream: false });
    for (let bytes = 0; bytes <= MAX_ANSWER_BYTES; bytes += chunk.length) reader.push(chunk);
    reader.push(Buffer.from(JSON.stringify(message)));
    expect(await reader.finish()).toMatchObject({
      usage: null,
      isComplete: false,
      isReadable: false,
    });
  });
});

/** The reference: parses the whole answer. */
function readByJsonParse(text: string): UsageSeen {
  const lost = { ...nothing, isAtEventBoundary: false };
  const fields = parseObject(text);
  if (fields === null || Array.isArray(fields)) return lost;
  return {
    ...lost,
    usage: readMessageUsage(fields, ""),
    isComplete: true,
    errorType: errorTypeOf(fields),
    isRefusal: fields.stop_reason === "refusal",
  };
}

describe("bounds", () => {
  test("an event beyond the bound is not kept, and the next one is read", async () => {
    const chunk = Buffer.alloc(1024 * 1024, "x");
    const reader = makeUsageReader({ isStream: true });
    reader.push(Buffer.from(`${start}event: content_block_start\ndata: `));
    for (let bytes = 0; bytes <= MAX_EVENT_BYTES; bytes += chunk.length) reader.push(chunk);
    reader.push(Buffer.from(`\n\n${end.join("")}`));
    expect(await reader.finish()).toMatchObject({
      usage: billed,
      isComplete: true,
      isAtEventBoundary: true,
    });
  });

  test("a decoded copy beyond the bound is not read further, and counts as unreadable", async () => {
    const bomb = zstdCompressSync(Buffer.alloc(MAX_DECODED_BYTES + 1));
    const reader = makeUsageReader({ isStream: true, contentEncoding: "zstd" });
    reader.push(bomb);
    expect(await reader.finish()).toMatchObject({ usage: null, isReadable: false });
  });
});

describe("an encoded response", () => {
  const encoders = {
    gzip: gzipSync,
    "x-gzip": gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
    zstd: zstdCompressSync,
  };

  test.each(Object.entries(encoders))(
    "%s is metered from a decoded copy",
    async (contentEncoding, encode) => {
      const chunks = (text: string) => split(encode(Buffer.from(text)), [1, 7, 50]);
      const seen = { ...(await read(stream)), isAtEventBoundary: false };
      expect(await readChunks(chunks(stream), { contentEncoding })).toEqual(seen);
      const json = await readChunks(chunks(JSON.stringify(message)), {
        isStream: false,
        contentEncoding: contentEncoding.toUpperCase(),
      });
      expect(json).toMatchObject({ usage: billed, isComplete: true, isReadable: true });
    },
  );

  test("deflate without its header is read too", async () => {
    const seen = await readChunks([deflateRawSync(stream)], { contentEncoding: "deflate" });
    expect(seen).toMatchObject({ usage: billed, isComplete: true });
  });

  test("that is incomplete has the usage of its decoded part", async () => {
    const flushed = gzipSync(stream);
    const seen = await readChunks([flushed.subarray(0, flushed.length - 12)], {
      contentEncoding: "gzip",
    });
    expect(seen).toMatchObject({
      hasMessageStart: true,
      isAtEventBoundary: false,
      isReadable: true,
    });
    expect(seen.usage?.total.inputTokens).toBe(12);
  });

  test("identity is no encoding, and an unknown or damaged encoding is unreadable without an error", async () => {
    expect(await read(stream, { contentEncoding: "identity" })).toEqual(await read(stream));
    for (const contentEncoding of ["gzip", "compress", "gzip, br"]) {
      expect(await read(stream, { contentEncoding })).toEqual({
        ...nothing,
        isAtEventBoundary: false,
        isReadable: false,
      });
    }
  });

  test("without a byte is empty", async () => {
    expect(await readChunks([], { contentEncoding: "gzip" })).toEqual({
      ...nothing,
      isAtEventBoundary: false,
    });
  });

  test("finish can be called twice", async () => {
    const reader = makeUsageReader({ isStream: true, contentEncoding: "gzip" });
    reader.push(gzipSync(stream));
    expect(await reader.finish()).toEqual(await reader.finish());
  });
});

interface Options {
  isStream?: boolean;
  contentEncoding?: string;
  requestedModel?: string;
}

function read(text: string, options: Options = {}): Promise<UsageSeen> {
  return readChunks([Buffer.from(text)], options);
}

async function readChunks(chunks: readonly Buffer[], options: Options = {}): Promise<UsageSeen> {
  const reader = makeUsageReader({ isStream: true, ...options });
  for (const chunk of chunks) reader.push(chunk);
  return reader.finish();
}

function event(name: string, fields: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...fields })}\n\n`;
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  const bounds = [0, ...places, bytes.length];
  return bounds.slice(1).map((to, i) => bytes.subarray(bounds[i], to));
}

function escapeUnicode(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

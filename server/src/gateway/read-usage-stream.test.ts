import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ResultSize } from "#src/domain/stream-bound.ts";
import {
  billed,
  end,
  escapeUnicode,
  event,
  message,
  nothing,
  read,
  readChunks,
  split,
  start,
  stream,
  textBlock,
} from "#test/harness/usage-messages.ts";
import { makeUsageReader } from "./read-usage.ts";

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

  test("reports each use of a server tool, and the size of its result if it bounds its tokens", () => {
    const reader = makeUsageReader({ isStream: true });
    const results: ResultSize[] = [];
    if (reader.live === null) throw new Error("the reader has no live usage");
    reader.live.onToolResult = (size) => void results.push(size);
    const pushBlock = (content_block: object) =>
      reader.push(Buffer.from(event("content_block_start", { index: 0, content_block })));
    const fetched = (source: object) => ({
      type: "web_fetch_tool_result",
      content: { type: "web_fetch_result", content: { type: "document", source, title: "ab" } },
    });
    pushBlock({ type: "server_tool_use", id: "1", name: "web_search", input: {} });
    const page = {
      type: "web_search_result",
      title: "\u00e9",
      url: "abc",
      encrypted_content: "EqgfCi",
    };
    pushBlock({ type: "web_search_tool_result", content: [page, page] });
    pushBlock({ type: "web_search_tool_result", content: [page, { type: "web_search_result" }] });
    pushBlock({ type: "web_search_tool_result", content: [page, { ...page, type: "new" }] });
    pushBlock({
      type: "web_search_tool_result",
      content: { type: "web_search_tool_result_error" },
    });
    pushBlock(fetched({ type: "text", data: "five\u00e9" }));
    pushBlock(fetched({ type: "base64", data: "JVBERi0=" }));
    pushBlock({ type: "web_fetch_tool_result", content: null });
    expect(results).toEqual([
      { kind: "pages", pages: 2, chars: 22 },
      null,
      null,
      { kind: "text", bytes: 0 },
      { kind: "text", bytes: 8 },
      null,
      null,
    ]);
    expect(reader.live.seen).toMatchObject({ serverToolUses: 1, blocks: 1, webSearches: 0 });
  });

  test("of an encoded response has no live usage", () => {
    expect(makeUsageReader({ isStream: true, contentEncoding: "gzip" }).live).toBeNull();
    expect(makeUsageReader({ isStream: false }).live).toBeNull();
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
      blocks: 1,
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

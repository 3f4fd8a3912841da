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
import {
  billed,
  end,
  message,
  nothing,
  read,
  readChunks,
  split,
  start,
  stream,
} from "#test/harness/usage-messages.ts";
import { MAX_DECODED_BYTES } from "./decode-copy.ts";
import { MAX_ANSWER_BYTES, makeUsageReader, type UsageSeen } from "./read-usage.ts";
import { MAX_EVENT_BYTES } from "./split-events.ts";
import { errorTypeOf, parseObject } from "./usage-seen.ts";

const longAnswer = Buffer.from(
  JSON.stringify({ ...message, content: [{ type: "text", text: "a".repeat(2 * 1024 * 1024) }] }),
);

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
      { numRuns: 2_000 },
    );
  });

  test("with nesting deeper than a request can have is billed", async () => {
    const deep = "[".repeat(20_000) + "]".repeat(20_000);
    const text = JSON.stringify(message).replace('"content":[', `"content":[${deep},`);
    const seen = await read(text, { isStream: false });
    expect(seen).toMatchObject({ usage: billed, isComplete: true });
  });

  test("in several chunks leaves no joined copy in memory", async () => {
    const chunks = split(longAnswer, [64 * 1024, 1024 * 1024]);
    const reader = makeUsageReader({ isStream: false });
    for (const chunk of chunks) reader.push(chunk);
    const before = process.memoryUsage().arrayBuffers;
    expect(await reader.finish()).toMatchObject({ usage: billed, isComplete: true });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(longAnswer.length / 2);
  });

  test("keeps the memory of its chunks, which the client's socket may still need", async () => {
    for (const cuts of [[], [64 * 1024, 1024 * 1024]]) {
      const chunks = split(longAnswer, cuts).map((chunk) => Buffer.from(chunk));
      await readChunks(chunks, { isStream: false });
      expect(Buffer.concat(chunks).equals(longAnswer)).toBe(true);
    }
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

import fc from "fast-check";
import { expect, test } from "vitest";
import { EVENT_WINDOW_BYTES } from "#src/lib/event-kernel.ts";
import { escapeUnicode, split } from "#test/harness/usage-messages.ts";
import { StreamReader } from "./read-stream-usage.ts";

const fieldOf = {
  text_delta: "text",
  thinking_delta: "thinking",
  input_json_delta: "partial_json",
} as const;

interface Delta {
  type: keyof typeof fieldOf;
  text: string;
  index: number;
  /** Form of the event on the wire. */
  form: "plain" | "padded" | "escaped" | "CRLF" | "unnamed";
}

const anyDelta = fc.record({
  type: fc.constantFrom("text_delta", "text_delta", "thinking_delta", "input_json_delta"),
  text: fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom('"}}\n\n', "\\", "word ".repeat(9)),
  ),
  index: fc.constantFrom(0, 0, 0, 1, 9, 10),
  form: fc.constantFrom("plain", "plain", "plain", "padded", "escaped", "CRLF", "unnamed"),
}) satisfies fc.Arbitrary<Delta>;

test("many deltas have the bytes of their texts, in any form and with any chunks", () => {
  fc.assert(
    fc.property(fc.array(anyDelta, { maxLength: 30 }), fc.array(fc.nat()), (deltas, cuts) => {
      const bytes = Buffer.from(`: hello\n\n${deltas.map(toEvent).join("")}`);
      const expected = deltas.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
      expect(outputBytesOf(split(bytes, cuts))).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});

test("deltas in a chunk that is longer than the window have the bytes of their texts", () => {
  const delta: Delta = { type: "text_delta", text: 'a "b"\n', index: 0, form: "plain" };
  const one = toEvent(delta);
  const count = Math.ceil((3 * EVENT_WINDOW_BYTES) / one.length);
  const bytes = Buffer.from(one.repeat(count));
  expect(outputBytesOf([bytes])).toBe(count * delta.text.length);
});

test.each([
  ["an unknown escape", '{"type":"text_delta","text":"a\\x"}}\n\n'],
  ["a third bracket", '{"type":"text_delta","text":"a"}}}\n\n'],
  ["another field", '{"type":"text_delta","text":"a","more":1}}\n\n'],
  ["a second data line", '{"type":"text_delta","text":"a"}}\ndata: \n\n'],
  ["its end missing", '{"type":"text_delta","text":"a"}}\n'],
])("a delta with %s counts the same after another delta as alone", (_, rest) => {
  const before = toEvent({ type: "text_delta", text: "before", index: 0, form: "plain" });
  const odd = `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":${rest}`;
  const alone = outputBytesOf([Buffer.from(odd)]);
  expect(outputBytesOf([Buffer.from(before + odd)])).toBe("before".length + alone);
});

function toEvent({ type, text, index, form }: Delta): string {
  const padding = form === "padded" ? "   " : "";
  const plain = JSON.stringify({ type, [fieldOf[type]]: text });
  const delta = form === "escaped" ? plain.replaceAll(/[^\x20-\x7e]/gu, escapeUnicode) : plain;
  const data = `{"type":"content_block_delta","index":${index},"delta":${delta}${padding}}${padding}`;
  const name = form === "unnamed" ? "" : "event: content_block_delta\n";
  const lines = `${name}data: ${data}\n\n`;
  return form === "CRLF" ? lines.replaceAll("\n", "\r\n") : lines;
}

function outputBytesOf(chunks: readonly Buffer[]): number {
  const reader = new StreamReader("");
  for (const chunk of chunks) reader.push(chunk);
  return reader.finish().outputBytes;
}

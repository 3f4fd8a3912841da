import fc from "fast-check";
import { expect, test } from "vitest";
import { readEvents } from "./read-events.ts";
import { toRequest } from "./to-request.ts";

const settings = { model: "claude-sonnet-5", system: "", maxTokens: 100, isStreamed: true };

test("builds a request without empty responses", () => {
  const turns = [
    { role: "user" as const, content: "One" },
    { role: "assistant" as const, content: "" },
    { role: "user" as const, content: " Two\n" },
  ];
  expect(toRequest(turns, settings)).toEqual({
    model: "claude-sonnet-5",
    max_tokens: 100,
    stream: true,
    messages: [
      { role: "user", content: "One" },
      { role: "user", content: "Two" },
    ],
  });
  expect(toRequest(turns, { ...settings, isStreamed: false, system: " Be brief. " })).toMatchObject(
    {
      system: "Be brief.",
    },
  );
});

test("reads whole events from bytes that are split anywhere", async () => {
  const texts = fc.array(fc.string({ minLength: 1 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(texts, fc.integer({ min: 1, max: 9 }), async (contents, size) => {
      const events = contents.map((text) => JSON.stringify({ text }));
      const bytes = new TextEncoder().encode(
        events.map((data) => `event: message\r\ndata: ${data}\r\n\r\n`).join(""),
      );
      const read: string[] = [];
      for await (const data of readEvents(inPieces(bytes, size))) read.push(data);
      expect(read).toEqual(events);
    }),
  );
});

function inPieces(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) {
        controller.enqueue(bytes.slice(at, at + size));
      }
      controller.close();
    },
  });
}

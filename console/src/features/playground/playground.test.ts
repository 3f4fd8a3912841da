import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toRequest } from "./message-request.ts";
import { readEvents } from "./read-events.ts";
import { codeFor } from "./write-code.ts";

const settings = { model: "claude-sonnet-5", system: "", maxTokens: 100, isStreamed: true };
const ORIGIN = "https://bursar.example.com";

test("a request holds what was said, and no answer that never came", () => {
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

test("whatever is written, a shell hands it to curl as it was", async () => {
  const prompts = ["it's", '$HOME `id` \\ "', "''';rm -rf /tmp/nothing'", "line\nline\t%s"];
  for (const content of prompts) {
    const request = toRequest([{ role: "user", content }], settings);
    // The command itself, with what only prints its last argument in the place of curl.
    const script = codeFor("curl", ORIGIN, request).replace(/^curl/, "last");
    const show = 'last() { for argument; do :; done; printf %s "$argument"; }\n';
    const { stdout } = await promisify(execFile)("sh", ["-c", show + script]);
    expect(JSON.parse(stdout)).toEqual(request);
  }
});

test("in a program what was written is one literal, which means the same text", () => {
  const content = 'a "quoted" \\ text\u2028 of {two} lines\n';
  const request = toRequest([{ role: "user", content }], settings);
  for (const language of ["Python", "TypeScript"] as const) {
    const code = codeFor(language, ORIGIN, request);
    const literal = /"content": (".*")/.exec(code)?.[1] ?? "";
    expect(JSON.parse(literal)).toBe(content.trim());
    expect(code).not.toContain("\u2028");
  }
});

test("events arrive whole however their bytes are cut", async () => {
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

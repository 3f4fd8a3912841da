import { expect, test } from "vitest";
import { decodePacing, messagesBody } from "./prompts.ts";

test("a body has the requested size", () => {
  for (const bytes of [2_048, 20_480]) {
    const { length } = messagesBody({ bytes, stream: null });
    expect(length).toBeLessThanOrEqual(bytes);
    expect(length).toBeGreaterThan(bytes - 20);
  }
});

test("decodes the pacing of a stream from the encoded body", () => {
  const stream = { deltas: 20, intervalMs: 500 };
  expect(decodePacing(messagesBody({ bytes: 2_048, stream }))).toEqual(stream);
  expect(decodePacing(messagesBody({ bytes: 2_048, stream: null }))).toBeNull();
});

test("decodes a body whose JSON was written again with spaces", () => {
  const stream = { deltas: 400, intervalMs: 10 };
  const body = messagesBody({ bytes: 1_536, stream }).replace('"stream":true', '"stream": true');
  expect(decodePacing(body)).toEqual(stream);
});

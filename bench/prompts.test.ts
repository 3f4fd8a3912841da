import { expect, test } from "vitest";
import { decodePacing, messagesBody } from "./prompts.ts";

test("a body has the size that was asked for", () => {
  for (const bytes of [2_048, 20_480]) {
    const { length } = messagesBody({ bytes, stream: null });
    expect(length).toBeLessThanOrEqual(bytes);
    expect(length).toBeGreaterThan(bytes - 20);
  }
});

test("the pacing of a stream survives the way through the body", () => {
  const stream = { deltas: 20, intervalMs: 500 };
  expect(decodePacing(messagesBody({ bytes: 2_048, stream }))).toEqual(stream);
  expect(decodePacing(messagesBody({ bytes: 2_048, stream: null }))).toBeNull();
});

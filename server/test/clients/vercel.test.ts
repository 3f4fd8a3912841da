import { beforeAll, describe, expect, test } from "vitest";
import type { RecordedRequest } from "./recording-relay.ts";
import { runConnectSample, runProgram } from "./run-client.ts";
import { useServer } from "./use-server.ts";

const served = useServer();

/** Result of a call. For a failed call, its error. */
type Given = Record<string, unknown>;

const text = expect.stringMatching(/^This is Bursar's built-in simulator: .* You wrote: Hello$/);
const answer = {
  text,
  finishReason: "stop",
  usage: expect.objectContaining({ inputTokens: 9, outputTokens: 28 }),
};
const loop = {
  steps: 2,
  ran: [{ city: "sample city", unit: "C" }],
  text: expect.stringContaining("The tool returned: sunny"),
};
const object = {
  name: "sample name",
  tags: ["sample tags", "sample tags 2"],
  score: expect.any(Number),
  kind: "a",
  day: "2026-01-01",
  email: "user@example.com",
  count: 11,
};

describe.each([
  ["version 7", "ai", "@ai-sdk/anthropic"],
  ["version 6", "ai-previous", "@ai-sdk/anthropic-previous"],
])("the Vercel AI SDK, %s", (_, ai, provider) => {
  let given: Given;
  let requests: RecordedRequest[];
  beforeAll(async () => {
    const { key } = await served.server.workspaceWithKey();
    given = await runProgram<Given>({ url: served.url, key }, "vercel.mjs", [ai, provider]);
    requests = served.takeMessages();
  });

  test("generates and streams text", () => {
    expect(given["generateText"]).toEqual(answer);
    expect(given["streamText"]).toEqual(answer);
  });

  test("runs a tool and ends, generated and streamed", () => {
    expect(given["toolLoop"]).toEqual(loop);
    expect(given["streamedToolLoop"]).toEqual(loop);
  });

  test("returns objects that match their schema", () => {
    expect(given["generateObject"]).toEqual(object);
    expect(given["generateObjectWithATool"]).toEqual(object);
    expect(given["streamObject"]).toEqual(object);
    expect(given["outputObject"]).toEqual(object);
  });

  test("sends each request once", () => {
    expect(requests.map(({ status }) => status)).toEqual(Array(10).fill(200));
  });
});

test("the code of the page Connect is answered", async () => {
  const { key } = await served.server.workspaceWithKey();
  const output = await runConnectSample({ url: served.url, key }, "Vercel AI");
  expect(output).toContain("You wrote: Hello, Claude");
  expect(served.takeMessages().map(({ status }) => status)).toEqual([200]);
});

import { beforeAll, expect, test } from "vitest";
import { runConnectSample, runProgram } from "./run-client.ts";
import { useServer } from "./use-server.ts";

// Clients of the OpenAI API, with the base URL `/v1` of this server.

const served = useServer();

const text = expect.stringMatching(/^This is Bursar's built-in simulator: .* You wrote: Hello$/);
const toolText = expect.stringContaining("The tool returned: sunny");
const input = { city: "sample city", unit: "C" };
/** Counts of the simulator for the same message. */
const [inputTokens, outputTokens] = [9, 28];

let given: Record<string, unknown>;
beforeAll(async () => {
  const { key } = await served.server.workspaceWithKey();
  given = await runProgram({ url: served.url, key }, "openai.mjs");
});

test("the OpenAI SDK gets an answer and a stream with the same text and usage", () => {
  const answer = {
    ...{ text, reason: "stop" },
    usage: {
      ...{ prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: 37 },
      ...{ prompt_tokens_details: null, completion_tokens_details: null },
    },
  };
  expect(given["sdk"]).toEqual(answer);
  expect(given["sdkStream"]).toEqual(answer);
});

test("the OpenAI SDK runs a tool and sends its result", () => {
  expect(given["sdkTools"]).toEqual({ text: toolText, ran: [input] });
});

test("the OpenAI SDK throws an error of its own class for a wrong key", () => {
  const error = { name: "AuthenticationError", status: 401, type: "authentication_error" };
  expect(given["wrongKey"]).toEqual(error);
});

test("the Vercel AI SDK gets an answer and a stream by its provider for OpenAI's API", () => {
  const usage = expect.objectContaining({ inputTokens, outputTokens });
  const answer = { text, finishReason: "stop", usage };
  expect(given["vercel"]).toEqual(answer);
  expect(given["vercelStream"]).toEqual(answer);
});

test("the Vercel AI SDK runs a tool and ends, generated and streamed", () => {
  const loop = { steps: 2, text: toolText, ran: [input] };
  expect(given["vercelTools"]).toEqual(loop);
  expect(given["vercelStreamedTools"]).toEqual(loop);
});

test("LangChain's ChatOpenAI gets an answer and a stream, and runs a tool", () => {
  const usage = expect.objectContaining({
    input_tokens: inputTokens,
    output_tokens: outputTokens,
  });
  expect(given["langChain"]).toEqual({ text, usage });
  expect(given["langChainStream"]).toEqual({ text, usage });
  expect(given["langChainTools"]).toEqual({
    called: [{ name: "get_weather", args: input }],
    text: toolText,
  });
});

test("the code of the page Connect gets an answer", async () => {
  const { key } = await served.server.workspaceWithKey();
  const output = await runConnectSample({ url: served.url, key }, "OpenAI TypeScript");
  expect(output).toContain("You wrote: Hello, Claude");
});

import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type Simulator, startSimulator } from "../server.ts";

let simulator: Simulator;
let client: Anthropic;

beforeAll(async () => {
  simulator = await startSimulator({ port: 0 });
  if (!("origin" in simulator.address)) throw new Error("a port was asked for");
  const baseURL = simulator.address.origin;
  client = new Anthropic({ apiKey: "sk-ant-test", baseURL, maxRetries: 0 });
});
afterAll(() => simulator.close());

const betas = ["message-threads-2026-08-12" as const];
const hello = { role: "user" as const, content: "Hello, Claude" };
const params = { model: "claude-opus-5", max_tokens: 200, betas };
const begin = () =>
  client.beta.messages.create({ ...params, messages: [hello], thread: { type: "create" } });
const goOn = (id: string, more: object = {}) =>
  client.beta.messages.create({
    ...params,
    messages: [{ role: "user", content: "And now?" }],
    thread: { type: "continue", previous_message_id: id },
    ...more,
  });

test("the SDK's thread sends new messages only, and the prompt is the whole conversation", async () => {
  const sent: { messages: unknown[]; thread: unknown }[] = [];
  const recording = client.withOptions({
    fetch: (input, init) => {
      sent.push(JSON.parse(String(init?.body)));
      return fetch(input, init);
    },
  });
  const thread = recording.beta.messages.thread({ ...params, system: "Be brief." });
  const first = await thread.send(hello);
  const second = await thread.stream({ role: "user", content: "How are you?" }).finalMessage();
  expect(sent.map(({ messages }) => messages.length)).toEqual([1, 1]);
  expect(sent[1]?.thread).toEqual({ type: "continue", previous_message_id: first.id });
  const whole = await client.beta.messages.create({
    ...params,
    system: "Be brief.",
    messages: thread.messages.slice(0, -1),
  });
  expect(second.content).toEqual(whole.content);
  expect(second.usage.input_tokens).toBe(whole.usage.input_tokens);
  expect(second.usage.input_tokens).toBeGreaterThan(first.usage.input_tokens);
});

test("equal requests begin threads of their own, and each response is continued once", async () => {
  const [one, two] = [await begin(), await begin()];
  expect(one.id).not.toBe(two.id);
  await goOn(one.id);
  await expect(goOn(one.id)).rejects.toThrow(Anthropic.ThreadAlreadyContinuedError);
  await expect(goOn(two.id)).resolves.toMatchObject({ type: "message" });
});

test("a response that another request continues is in flight until that one ends", async () => {
  const paced = { ...params, model: "simulate-pace-20", messages: [hello] };
  const { id } = await client.beta.messages.create({ ...paced, thread: { type: "create" } });
  const running = await client.beta.messages.create({
    ...paced,
    thread: { type: "continue", previous_message_id: id },
    stream: true,
  });
  await expect(goOn(id, { model: paced.model })).rejects.toThrow(
    Anthropic.ThreadContinueInFlightError,
  );
  running.controller.abort();
  await eventually(5_000, "the first request ends", () =>
    goOn(id, { model: paced.model }).catch((error: unknown) =>
      error instanceof Anthropic.ThreadAlreadyContinuedError ? error : null,
    ),
  );
});

test("a refused request leaves the thread as it was, so the turn can be sent again", async () => {
  const model = "simulate-words-5";
  const { id } = await client.beta.messages.create({
    ...params,
    model,
    messages: [hello],
    thread: { type: "create" },
  });
  await expect(goOn(id, { model, tool_choice: { type: "tool", name: "none" } })).rejects.toThrow(
    "Tool 'none' not found",
  );
  await expect(goOn(id, { model })).resolves.toMatchObject({ type: "message" });
});

test("an unknown response and a request that does not fit get the official codes", async () => {
  await expect(goOn("msg_unknown")).rejects.toThrow(Anthropic.ThreadNotFoundError);
  const { id } = await begin();
  await expect(goOn(id, { model: "claude-sonnet-5" })).rejects.toThrow(
    Anthropic.ThreadFingerprintMismatchError,
  );
  await expect(goOn(id, { context_management: { edits: [] } })).rejects.toThrow(
    Anthropic.ThreadUnsupportedRequestError,
  );
  await expect(goOn(id, { system: "Be long." })).rejects.toThrow(Anthropic.BadRequestError);
  await expect(goOn(id, { betas: ["files-api-2025-04-14"] })).rejects.toThrow("thread: Extra");
  const plain = await client.beta.messages.create({ ...params, messages: [hello] });
  await expect(goOn(plain.id)).rejects.toThrow(Anthropic.ThreadNotFoundError);
});

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clock } from "#src/lib/clock.ts";
import { measureLiveBytes } from "#test/harness/live-bytes.ts";
import { type Simulator, startSimulator } from "../server.ts";
import { splitRequests } from "./split-requests.ts";

const startMs = Date.parse("2026-11-30T12:00:00Z");
let nowMs = startMs;
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
let simulator: Simulator;
let origin: string;
let client: Anthropic;

beforeAll(async () => {
  simulator = await startSimulator({ port: 0 }, { clock });
  if (!("origin" in simulator.address)) throw new Error("a port was asked for");
  ({ origin } = simulator.address);
  client = new Anthropic({ apiKey: "sk-ant-test", baseURL: origin, maxRetries: 0 });
});
afterAll(() => simulator.close());

const params = (model = "claude-sonnet-5") => ({
  model,
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "Hello, Claude" }],
});
const create = (...models: string[]) =>
  client.messages.batches.create({
    requests: models.map((model, i) => ({ custom_id: `line-${i}`, params: params(model) })),
  });
async function resultsOf(id: string) {
  const results = [];
  for await (const line of await client.messages.batches.results(id)) results.push(line);
  return results;
}
const typesOf = async (id: string) => (await resultsOf(id)).map(({ result }) => result.type);

describe("a batch", () => {
  test("ends after a second, with the results of the same messages at the tier of batches", async () => {
    const batch = await create("claude-sonnet-5", "simulate-in1000-out500-as-claude-opus-5");
    expect(batch).toEqual({
      id: expect.stringMatching(/^msgbatch_[0-9A-Za-z]{24}$/),
      type: "message_batch",
      processing_status: "in_progress",
      request_counts: { processing: 2, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      created_at: new Date(nowMs).toISOString(),
      expires_at: new Date(nowMs + 86_400_000).toISOString(),
      ended_at: null,
      cancel_initiated_at: null,
      archived_at: null,
      results_url: null,
    });
    nowMs += 999;
    await expect(client.get(`/v1/messages/batches/${batch.id}/results`)).rejects.toMatchObject({
      status: 400,
    });
    nowMs += 1;
    const ended = await client.messages.batches.retrieve(batch.id);
    expect(ended).toMatchObject({
      processing_status: "ended",
      request_counts: { processing: 0, succeeded: 2 },
      ended_at: new Date(nowMs).toISOString(),
      results_url: `${origin}/v1/messages/batches/${batch.id}/results`,
    });
    const [first, second] = await resultsOf(batch.id);
    if (first?.result.type !== "succeeded" || second?.result.type !== "succeeded") {
      throw new Error("two messages were expected");
    }
    const { id: _, usage, ...message } = first.result.message;
    const { id: __, usage: single, ...same } = await client.messages.create(params());
    expect(message).toEqual(same);
    expect(usage).toEqual({ ...single, service_tier: "batch" });
    expect(second).toMatchObject({
      custom_id: "line-1",
      result: {
        message: {
          model: "claude-opus-5",
          usage: { input_tokens: 1000, output_tokens: 500, service_tier: "batch" },
        },
      },
    });
    expect(await resultsOf(batch.id)).toEqual([first, second]);
  });

  test("has an errored line for a failure and for invalid parameters", async () => {
    const file = await client.files.upload({ file: await toFile(Buffer.from("x"), "x.txt") });
    const source = (id: string) => ({ type: "file" as const, file_id: id });
    const withFile = (id: string) => ({
      ...params(),
      messages: [
        { role: "user" as const, content: [{ type: "document" as const, source: source(id) }] },
      ],
    });
    const batch = await client.messages.batches.create({
      requests: [
        { custom_id: "a", params: params("simulate-overloaded") },
        { custom_id: "b", params: params("simulate-cut-2") },
        { custom_id: "c", params: { ...params(), max_tokens: -1 } },
        { custom_id: "d", params: { ...params(), speed: "fast" } },
        { custom_id: "e", params: withFile("file_missing") },
        { custom_id: "f", params: withFile(file.id) },
      ],
    });
    nowMs += 1_000;
    const errors = (await resultsOf(batch.id)).map(({ result }) =>
      result.type === "errored" ? result.error.error.type : result.type,
    );
    expect(errors).toEqual([
      "overloaded_error",
      "api_error",
      "invalid_request_error",
      "invalid_request_error",
      "not_found_error",
      "succeeded",
    ]);
  });

  test("expires single lines, or hangs until it expires", async () => {
    const some = await create("claude-sonnet-5", "simulate-expire");
    const hung = await create("simulate-hang", "claude-sonnet-5");
    const slow = await create("simulate-slow-5000");
    expect(Date.parse(hung.expires_at) - nowMs).toBe(10_000);
    nowMs += 4_999;
    expect(await typesOf(some.id)).toEqual(["succeeded", "expired"]);
    const statusOf = async (id: string) =>
      (await client.messages.batches.retrieve(id)).processing_status;
    expect(await statusOf(slow.id)).toBe("in_progress");
    nowMs += 1;
    expect(await statusOf(slow.id)).toBe("ended");
    expect(await statusOf(hung.id)).toBe("in_progress");
    nowMs += 5_000;
    expect(await typesOf(hung.id)).toEqual(["expired", "succeeded"]);
  });

  test("that is canceled keeps finished lines and those that cannot be canceled", async () => {
    const lines = [
      "claude-sonnet-5",
      "claude-sonnet-5",
      "simulate-finish",
      "simulate-error-500",
      "simulate-slow-2000",
    ];
    const batch = await create(...lines);
    nowMs += 800;
    const canceling = await client.messages.batches.cancel(batch.id);
    expect(canceling).toMatchObject({
      processing_status: "canceling",
      cancel_initiated_at: new Date(nowMs).toISOString(),
      request_counts: { processing: 5, canceled: 0 },
    });
    expect(await client.messages.batches.cancel(batch.id)).toEqual(canceling);
    await expect(client.messages.batches.delete(batch.id)).rejects.toMatchObject({ status: 400 });
    nowMs += 500;
    const ended = await client.messages.batches.retrieve(batch.id);
    expect(ended.request_counts).toEqual({
      processing: 0,
      succeeded: 3,
      errored: 0,
      canceled: 2,
      expired: 0,
    });
    expect(await typesOf(batch.id)).toEqual([
      "succeeded",
      "succeeded",
      "succeeded",
      "canceled",
      "canceled",
    ]);
    await expect(client.messages.batches.cancel(batch.id)).rejects.toMatchObject({ status: 400 });
    expect(await client.messages.batches.delete(batch.id)).toEqual({
      id: batch.id,
      type: "message_batch_deleted",
    });
    await expect(client.messages.batches.retrieve(batch.id)).rejects.toMatchObject({ status: 404 });
  });

  test("is listed newest first, with cursors in both directions", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) {
      ids.unshift((await create("claude-sonnet-5")).id);
      nowMs++;
    }
    const listed = await client.messages.batches.list({ limit: 2, after_id: ids[0] ?? "" });
    expect(listed.data.map(({ id }) => id)).toEqual(ids.slice(1, 3));
    expect(listed).toMatchObject({ has_more: true, first_id: ids[1], last_id: ids[2] });
    const back = await client.messages.batches.list({ limit: 2, before_id: ids[3] ?? "" });
    expect(back.data.map(({ id }) => id)).toEqual(ids.slice(1, 3));
  });
});

describe("the body of a batch", () => {
  const post = async (body: string) => {
    const request = httpRequest(`${origin}/v1/messages/batches`, { method: "POST" }).end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const text = Buffer.concat(await response.toArray()).toString();
    return { status: response.statusCode, message: JSON.parse(text).error?.message as string };
  };
  const line = (id: string) => JSON.stringify({ custom_id: id, params: params() });

  test.each([
    ["{", "The request body is not valid JSON."],
    ["[]", "Input should be an object"],
    ["{}", "requests: Field required"],
    ['{"requests":{}}', "requests: Input should be a valid list"],
    ['{"requests":[]}', "requests: List should have at least 1 item"],
    ['{"requests":[1]}', "requests.0: Input should be an object"],
    ['{"requests":[{},1]}', "requests.0.custom_id: Field required"],
    [`{"requests":[${line("a")}],"model":"a"}`, "Extra inputs are not permitted"],
    [`{"requests":[${line("a")}]}{}`, "The request body is not valid JSON."],
    ['{"requests":[{"params":{}}]}', "requests.0.custom_id: Field required"],
    [`{"requests":[${line("a")},{"custom_id":"b"}]}`, "requests.1.params: Field required"],
    [
      `{"requests":[${line("a")},${line("a")}]}`,
      "requests.1.custom_id: must be unique within the batch",
    ],
    [`{"requests":[${line("a")}}`, "The request body is not valid JSON."],
  ])("%s gets a 400", async (body, message) => {
    expect(await post(body)).toEqual({ status: 400, message });
  });

  test("is split alike in chunks of any size", async () => {
    const requests = [{ a: ["]", '"', "\\"] }, { b: { requests: [1, { c: "}{" }] } }, { d: "x,]" }];
    const text = Buffer.from(JSON.stringify({ requests }, null, 1));
    for (const size of [1, 2, 5, 17, text.length]) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        text.subarray(i * size, (i + 1) * size),
      );
      const split = splitRequests(Readable.from(chunks), {
        maxBytes: 10_000,
        maxRequests: 3,
        maxRequestBytes: 1_000,
      });
      const parsed = [];
      for await (const bytes of split) parsed.push(JSON.parse(bytes.toString()));
      expect(parsed).toEqual(requests);
    }
  });

  test("of 40 MB leaves memory flat", async () => {
    const live: number[] = [];
    const long = JSON.stringify({ ...params(), system: "x".repeat(100_000) });
    function* body() {
      yield '{"requests":[';
      for (let i = 0; i < 400; i++) {
        if (i % 100 === 50) live.push(Math.min(measureLiveBytes(), measureLiveBytes()));
        yield `${i === 0 ? "" : ","}{"custom_id":"line-${i}","params":${long}}`;
      }
      yield "]}";
    }
    const request = httpRequest(`${origin}/v1/messages/batches`, { method: "POST" });
    const answered = once(request, "response") as Promise<[IncomingMessage]>;
    await pipeline(Readable.from(body(), { highWaterMark: 1 }), request);
    const [response] = await answered;
    const batch = JSON.parse(Buffer.concat(await response.toArray()).toString());
    expect(batch.request_counts.processing).toBe(400);
    expect(Math.max(...live) - Math.min(...live)).toBeLessThan(8 * 1024 * 1024);
    nowMs += 1_000;
    expect(await typesOf(batch.id)).toEqual(Array.from({ length: 400 }, () => "succeeded"));
  });
});

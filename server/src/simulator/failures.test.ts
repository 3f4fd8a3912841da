import { afterAll, describe, expect, test } from "vitest";
import { eventsOf, hello, startTestSimulator } from "#test/harness/simulator.ts";

const simulator = await startTestSimulator();
const { send, open, post, message, received } = simulator;
afterAll(() => simulator.close());

describe("failures", () => {
  test("cut: the connection ends after so many events", async () => {
    const got = await broken({ ...hello, model: "simulate-cut-4", stream: true });
    expect(eventsOf(got).map((event) => event.type)).toEqual([
      "message_start",
      "content_block_start",
      "ping",
      "content_block_delta",
    ]);
  });

  test("tear: in the middle of the next event", async () => {
    const got = await broken({ ...hello, model: "simulate-tear-1", stream: true });
    expect(got).toMatch(/^event: message_start\n.*\n\nevent: content_block_start\ndata: \{[^\n]*$/);
  });

  test("cut of a JSON response: half of it", async () => {
    const got = await broken({ ...hello, model: "simulate-cut-1" });
    expect(got).toMatch(/^\{"id":"msg_/);
    expect(() => JSON.parse(got)).toThrow(SyntaxError);
  });

  test("cut before everything: not even headers", async () => {
    await expect(post({ ...hello, model: "simulate-cut" })).rejects.toThrow("socket hang up");
  });

  test("break: an error event inside the stream", async () => {
    const { text } = await post({ ...hello, model: "simulate-break-2", stream: true });
    expect(eventsOf(text).at(-1)).toEqual({
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
    });
    expect(eventsOf(text)).toHaveLength(3);
  });

  test("hang: silence until the client disconnects", async () => {
    const asked = send({ ...hello, model: "simulate-hang", metadata: { user_id: "hanging" } });
    let answered = false;
    asked.on("response", () => {
      answered = true;
    });
    while (!(await received()).user_ids.includes("hanging"));
    expect(answered).toBe(false);
    asked.on("error", () => {});
    asked.destroy();
  });

  test("hang-2: silence after two events", async () => {
    const response = await open({ ...hello, model: "simulate-hang-2", stream: true });
    let text = "";
    for await (const chunk of response) {
      text += String(chunk);
      if (eventsOf(text).length === 2) break;
    }
    expect(eventsOf(text)).toHaveLength(2);
  });

  test("slow and pace: not before the requested time", async () => {
    const startedMs = performance.now();
    const { text } = await post({
      ...hello,
      model: "simulate-slow-50-pace-10-words-2",
      stream: true,
    });
    expect(eventsOf(text)).toHaveLength(8);
    expect(performance.now() - startedMs).toBeGreaterThan(50 + 7 * 9);
  });

  test("refuse: stop_reason refusal", async () => {
    expect(await message({ ...hello, model: "simulate-refuse" })).toMatchObject({
      model: "claude-sonnet-5",
      content: [],
      stop_reason: "refusal",
      stop_details: { type: "refusal" },
    });
  });

  test("names an unknown word", async () => {
    const got = await post({ ...hello, model: "simulate-nonsense" });
    expect([got.status, JSON.parse(got.text).error.message]).toEqual([
      404,
      'model: simulate-nonsense (the simulator does not understand "nonsense")',
    ]);
  });
});

/** The received part of a response that must not be complete. */
async function broken(body: object): Promise<string> {
  const response = await open(body);
  let text = "";
  const reading = async () => {
    for await (const chunk of response) text += String(chunk);
  };
  await expect(reading()).rejects.toThrow("aborted");
  return text;
}

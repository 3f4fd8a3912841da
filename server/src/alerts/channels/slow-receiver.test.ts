import type { ServerResponse } from "node:http";
import { describe, expect } from "vitest";
import { test as base } from "#test/harness/alerting-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { answerWith, type ReceivedMessage } from "#test/harness/receiver.ts";

const test = base.extend("deliveries", ({ a }) => {
  /** Stalls requests to `/slow` until `release` is called. `waiting`: their responses. */
  function stall(status: number) {
    const waiting: ServerResponse[] = [];
    a.receiver.answer = (response, message) => {
      if (message.path === "/slow") waiting.push(response);
      else answerWith(200)(response, message);
    };
    return {
      waiting,
      release: () => {
        for (const response of waiting) answerWith(status)(response, noMessage);
      },
    };
  }

  const createSlowChannel = () =>
    a.createChannel({ kind: "webhook", url: `${a.receiver.origin}/slow` });

  /** Fires an alert of the channel. Returns the id of the delivery. */
  const fire = async (channelId: string): Promise<string> =>
    (await a.fire([channelId])).deliveryIds[0] ?? "";

  return { stall, createSlowChannel, fire };
});

describe("a receiver that is slow", () => {
  test("holds up at most three attempts of a node, and none of another channel", async ({
    a,
    deliveries,
  }) => {
    const slow = await deliveries.createSlowChannel();
    const other = await a.createChannel();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push(await deliveries.fire(slow.id));
    const last = await deliveries.fire(slow.id);
    const { waiting, release } = deliveries.stall(200);
    const running = ids.map((id) => a.attempt(id));
    await eventually(30_000, "three requests wait", async () =>
      waiting.length === 3 ? true : null,
    );
    await a.attempt(last);
    expect(waiting).toHaveLength(3);
    expect(await a.secondsToNextAttempt(last)).toBe(1);
    const toOther = await deliveries.fire(other.id);
    await a.attempt(toOther);
    expect(await a.getDelivery(other.id, toOther)).toMatchObject({ status: "sent" });
    release();
    await Promise.all(running);
    expect(await a.getDelivery(slow.id, last)).toMatchObject({ status: "queued", attempts: 0 });
    await Promise.all([a.attempt(last), releaseLast(waiting, 4)]);
    expect(await a.getDelivery(slow.id, last)).toMatchObject({ status: "sent" });
  });

  test("and fails gets one message at a time", async ({ a, deliveries }) => {
    const slow = await deliveries.createSlowChannel();
    const first = await deliveries.fire(slow.id);
    const second = await deliveries.fire(slow.id);
    const third = await deliveries.fire(slow.id);
    const { waiting, release } = deliveries.stall(500);
    const failing = a.attempt(first);
    await eventually(30_000, "one request waits", async () => (waiting.length === 1 ? true : null));
    release();
    await failing;
    const running = a.attempt(second);
    await eventually(30_000, "two requests wait", async () => (waiting.length === 2 ? true : null));
    await a.attempt(third);
    expect(await a.secondsToNextAttempt(third)).toBe(5);
    expect(waiting).toHaveLength(2);
    await Promise.all([running, releaseLast(waiting, 2)]);
  });
});

const noMessage: ReceivedMessage = { path: "", headers: {}, body: "" };

/** Waits for `count` requests, and responds with 200 to the last one. */
function releaseLast(waiting: readonly ServerResponse[], count: number): Promise<unknown> {
  return eventually(30_000, `${count} requests arrived`, async () => {
    const response = waiting[count - 1];
    if (response === undefined) return null;
    answerWith(200)(response, noMessage);
    return true;
  });
}

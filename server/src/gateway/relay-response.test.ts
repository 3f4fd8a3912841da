import { once } from "node:events";
import { type IncomingMessage, request as startRequest } from "node:http";
import { describe, expect, test } from "vitest";
import {
  blockStart,
  gzipJson,
  messageEnd,
  messageEvents,
  messageJson,
  messageStart,
  sse,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import { call, messageBody, withKey } from "#test/harness/gateway.ts";
import {
  cost,
  INPUT_BOUND,
  post,
  readAll,
  startBoth,
  usageOf,
} from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";

describeEachReader(() => {
  describe("a complete response", () => {
    test("in JSON has one begin before the dispatch, and one end with exact usage and cost", async () => {
      let beginsAtUpstream = -1;
      const { gateway } = await startBoth({
        script: (exchange) => {
          beginsAtUpstream = gateway.begins.length;
          exchange.json(messageJson({ usage: { input_tokens: 100, output_tokens: 20 } }));
        },
      });
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.status).toBe(200);
      expect(beginsAtUpstream).toBe(1);
      const end = await gateway.end();
      expect(end).toMatchObject({
        ...gateway.begins[0],
        outcome: "answered",
        httpStatus: 200,
        isEstimated: false,
        isUnpriced: false,
        isStream: false,
        requestedModel: "claude-sonnet-4-5",
        model: "claude-sonnet-4-5-20250929",
        usage: usageOf(100, 20),
        upstreamRequestId: "req_upstream",
      });
      expect(end.cost.total).toBe(cost(100, 20));
      expect(gateway.observed).toMatchObject([{ status: 200, outcome: "answered" }]);
    });

    test("in a stream is billed by its last cumulative usage", async () => {
      const { gateway } = await startBoth({
        script: (exchange) => exchange.stream(messageEvents(4, { output_tokens: 33 })),
      });
      const answer = await call(gateway.origin, post(gateway, { stream: true }));
      expect(answer.text).toBe(messageEvents(4, { output_tokens: 33 }).join(""));
      expect(await gateway.end()).toMatchObject({
        outcome: "answered",
        httpStatus: 200,
        isEstimated: false,
        isStream: true,
        usage: usageOf(10, 33),
      });
    });

    test("has its first byte and its end on one clock, after a body of any duration", async () => {
      let nowMs = Date.now();
      const { gateway } = await startBoth({
        script: (exchange) => {
          nowMs += 70;
          exchange.json(messageJson());
        },
        databaseNowMs: () => nowMs,
      });
      const body = messageBody();
      const headers = { ...withKey(gateway.secret), "content-length": String(body.length) };
      const { port } = gateway;
      const sent = startRequest({
        host: "127.0.0.1",
        port,
        path: "/v1/messages",
        method: "POST",
        headers,
      });
      sent.write(body.slice(0, 10));
      await expect.poll(() => gateway.clientSockets.length).toBeGreaterThan(0);
      nowMs += 9_000;
      sent.end(body.slice(10));
      await readAll(((await once(sent, "response")) as [IncomingMessage])[0]);
      const { startedAtMs, endedAtMs, firstByteMs } = await gateway.end();
      expect([firstByteMs, endedAtMs - startedAtMs]).toEqual([70, 70]);
    });

    test("has no time before its start, also if the clock is set back", async () => {
      let nowMs = Date.now();
      const { gateway } = await startBoth({
        script: (exchange) => {
          nowMs -= 5_000;
          exchange.json(messageJson());
        },
        databaseNowMs: () => nowMs,
      });
      await call(gateway.origin, post(gateway));
      const { startedAtMs, endedAtMs, firstByteMs } = await gateway.end();
      expect([firstByteMs, endedAtMs - startedAtMs]).toEqual([0, 0]);
    });

    test("in an encoding that was not requested passes unchanged, and its usage is billed", async () => {
      const message = messageJson({ usage: { input_tokens: 7, output_tokens: 3 } });
      const { gateway } = await startBoth({ script: (exchange) => gzipJson(exchange, message) });
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.headers["content-encoding"]).toBe("gzip");
      expect(answer.headers["content-length"]).toBe(String(answer.body.length));
      expect(await gateway.end()).toMatchObject({ outcome: "answered", usage: usageOf(7, 3) });
    });

    test("without usage is interrupted with doubt, and costs its input by its bytes", async () => {
      const { gateway } = await startBoth({
        script: (exchange) => exchange.json({ hello: "world" }),
      });
      expect((await call(gateway.origin, post(gateway))).text).toBe('{"hello":"world"}');
      const end = await gateway.end();
      expect(end).toMatchObject({
        outcome: "interrupted",
        httpStatus: 200,
        isEstimated: true,
        doubt: "missing_usage",
        usage: usageOf(INPUT_BOUND, 0),
      });
      expect(end.cost.total).toBe(cost(INPUT_BOUND, 0));
    });

    test("without usage is answered and free if the model refused", async () => {
      const { usage: _, ...message } = messageJson();
      const { gateway } = await startBoth({
        script: (exchange) => exchange.json({ ...message, stop_reason: "refusal" }),
      });
      await call(gateway.origin, post(gateway));
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "answered", isEstimated: false, usage: usageOf(0, 0) });
      expect(end.doubt).toBeUndefined();
    });

    test("with impossible usage is billed by its valid part and max_tokens, with doubt", async () => {
      const { gateway } = await startBoth({
        script: (exchange) =>
          exchange.json(messageJson({ usage: { input_tokens: 12, output_tokens: -5 } })),
      });
      await call(gateway.origin, post(gateway));
      expect(await gateway.end()).toMatchObject({
        outcome: "answered",
        isEstimated: true,
        doubt: "impossible_usage",
        usage: usageOf(12, 100),
      });
    });

    test("with a lower cumulative output later is billed by the highest one", async () => {
      const [start = "", ...rest] = messageEvents(4, { output_tokens: 0 });
      const delta = sse("message_delta", { delta: {}, usage: { output_tokens: 60 } });
      const { gateway } = await startBoth({
        script: (exchange) => exchange.stream([start, delta, ...rest]),
      });
      await call(gateway.origin, post(gateway, { stream: true }));
      expect(await gateway.end()).toMatchObject({
        outcome: "answered",
        isEstimated: true,
        usage: usageOf(10, 60),
      });
    });
  });

  describe("an error of the upstream", () => {
    test.each([
      [400, "invalid_request_error"],
      [429, "rate_limit_error"],
      [500, "api_error"],
      [529, "overloaded_error"],
    ])("%i passes with its body and headers, and costs 0", async (status, type) => {
      const body = `{"type":"error", "error":{"type":"${type}","message":"As it is"},"request_id":"req_upstream"}`;
      const { gateway } = await startBoth({
        script: (exchange) =>
          exchange.json(body, {
            status,
            headers: { "retry-after": "7", "x-should-retry": "true" },
          }),
      });
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.status).toBe(status);
      expect(answer.text).toBe(body);
      expect(answer.headers).toMatchObject({
        "request-id": "req_upstream",
        "retry-after": "7",
        "x-should-retry": "true",
      });
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "refused", httpStatus: status, isEstimated: false });
      expect(end.cost.total).toBe(0n);
    });

    test("an error event after a 200, before any usage, costs 0", async () => {
      const event = sse("error", { error: { type: "overloaded_error", message: "Overloaded" } });
      const { gateway } = await startBoth({ script: (exchange) => exchange.stream([event]) });
      const answer = await call(gateway.origin, post(gateway, { stream: true }));
      expect(answer.text).toBe(event);
      expect(await gateway.end()).toMatchObject({ outcome: "refused", httpStatus: 200 });
    });

    test("an error event after usage is interrupted with that usage as an estimate", async () => {
      const event = sse("error", { error: { type: "overloaded_error", message: "Overloaded" } });
      const { gateway } = await startBoth({
        script: (exchange) =>
          exchange.stream([messageStart(), blockStart, textDelta("four"), event]),
      });
      const answer = await call(gateway.origin, post(gateway, { stream: true }));
      expect(answer.text.endsWith(event)).toBe(true);
      expect(await gateway.end()).toMatchObject({
        outcome: "interrupted",
        isEstimated: true,
        usage: usageOf(10, 4),
      });
    });
  });

  describe("the end of a stream", () => {
    test.each([
      ["without an event", []],
      ["before message_start", [sse("ping", {})]],
      ["with a message_start without usage", [sse("message_start", { message: { id: "msg" } })]],
    ])("%s costs the input by its bytes, with doubt", async (_, events) => {
      const { gateway } = await startBoth({ script: (exchange) => exchange.stream(events) });
      await call(gateway.origin, post(gateway, { stream: true }));
      expect(await gateway.end()).toMatchObject({
        outcome: "interrupted",
        isEstimated: true,
        doubt: "missing_usage",
        usage: { outputTokens: 0, inputTokens: expect.any(Number) },
      });
      expect(gateway.ends[0]?.usage.inputTokens).toBeGreaterThanOrEqual(INPUT_BOUND);
    });

    test("without message_stop is interrupted, with doubt", async () => {
      const events = [messageStart(), blockStart, textDelta("ab"), ...messageEnd().slice(0, 1)];
      const { gateway } = await startBoth({ script: (exchange) => exchange.stream(events) });
      const answer = await call(gateway.origin, post(gateway, { stream: true }));
      expect(answer.text).toBe(events.join(""));
      expect(await gateway.end()).toMatchObject({
        outcome: "interrupted",
        isEstimated: true,
        doubt: "incomplete_usage",
        usage: usageOf(10, 2),
      });
    });
  });
});

import { once } from "node:events";
import { type IncomingMessage, request as startRequest } from "node:http";
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { noTokens } from "#src/domain/usage.ts";
import {
  blockStart,
  type Exchange,
  type FakeUpstream,
  gzipJson,
  messageEnd,
  messageEvents,
  messageJson,
  messageStart,
  type Script,
  sse,
  startFakeUpstream,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import {
  call,
  messageBody,
  open,
  start,
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
  withKey,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";

let closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

async function startBoth(
  script: Script,
  options: Partial<TestGatewayOptions> = {},
): Promise<{ upstream: FakeUpstream; gateway: TestGateway }> {
  const upstream = await startFakeUpstream();
  closing.push(upstream.close);
  upstream.script = script;
  const gateway = await startTestGateway({ origin: upstream.origin, ...options });
  closing.push(gateway.close);
  return { upstream, gateway };
}

const post = (gateway: TestGateway, fields: object = {}) => ({
  headers: withKey(gateway.secret),
  body: messageBody(fields),
});

/** Reads the response until it ends or breaks. */
async function readAll(response: IncomingMessage): Promise<{ text: string; isWhole: boolean }> {
  let text = "";
  try {
    for await (const chunk of response) text += String(chunk);
    return { text, isWhole: response.complete };
  } catch {
    return { text, isWhole: false };
  }
}

const usageOf = (inputTokens: number, outputTokens: number) => ({
  ...noTokens,
  inputTokens,
  outputTokens,
});

/** Bound of the prompt of the smallest request by its bytes. */
const INPUT_BOUND = messageBody().length + 2_048;

// claude-sonnet-4-5: $3 per million input tokens, $15 per million output tokens.
const cost = (input: number, output: number) => BigInt(input * 3_000 + output * 15_000);

describeEachReader(() => {
  describe("a complete response", () => {
    test("in JSON has one begin before the dispatch, and one end with exact usage and cost", async () => {
      let beginsAtUpstream = -1;
      const { gateway } = await startBoth((exchange) => {
        beginsAtUpstream = gateway.begins.length;
        exchange.json(messageJson({ usage: { input_tokens: 100, output_tokens: 20 } }));
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
      const { gateway } = await startBoth((exchange) =>
        exchange.stream(messageEvents(4, { output_tokens: 33 })),
      );
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
      const { gateway } = await startBoth(
        (exchange) => {
          nowMs += 70;
          exchange.json(messageJson());
        },
        { databaseNowMs: () => nowMs },
      );
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
      const { gateway } = await startBoth(
        (exchange) => {
          nowMs -= 5_000;
          exchange.json(messageJson());
        },
        { databaseNowMs: () => nowMs },
      );
      await call(gateway.origin, post(gateway));
      const { startedAtMs, endedAtMs, firstByteMs } = await gateway.end();
      expect([firstByteMs, endedAtMs - startedAtMs]).toEqual([0, 0]);
    });

    test("in an encoding that was not requested passes unchanged, and its usage is billed", async () => {
      const message = messageJson({ usage: { input_tokens: 7, output_tokens: 3 } });
      const { gateway } = await startBoth((exchange) => gzipJson(exchange, message));
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.headers["content-encoding"]).toBe("gzip");
      expect(answer.headers["content-length"]).toBe(String(answer.body.length));
      expect(await gateway.end()).toMatchObject({ outcome: "answered", usage: usageOf(7, 3) });
    });

    test("without usage is interrupted with doubt, and costs its input by its bytes", async () => {
      const { gateway } = await startBoth((exchange) => exchange.json({ hello: "world" }));
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
      const { gateway } = await startBoth((exchange) =>
        exchange.json({ ...message, stop_reason: "refusal" }),
      );
      await call(gateway.origin, post(gateway));
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "answered", isEstimated: false, usage: usageOf(0, 0) });
      expect(end.doubt).toBeUndefined();
    });

    test("with impossible usage is billed by its valid part and max_tokens, with doubt", async () => {
      const { gateway } = await startBoth((exchange) =>
        exchange.json(messageJson({ usage: { input_tokens: 12, output_tokens: -5 } })),
      );
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
      const { gateway } = await startBoth((exchange) => exchange.stream([start, delta, ...rest]));
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
      const { gateway } = await startBoth((exchange) =>
        exchange.json(body, { status, headers: { "retry-after": "7", "x-should-retry": "true" } }),
      );
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
      const { gateway } = await startBoth((exchange) => exchange.stream([event]));
      const answer = await call(gateway.origin, post(gateway, { stream: true }));
      expect(answer.text).toBe(event);
      expect(await gateway.end()).toMatchObject({ outcome: "refused", httpStatus: 200 });
    });

    test("an error event after usage is interrupted with that usage as an estimate", async () => {
      const event = sse("error", { error: { type: "overloaded_error", message: "Overloaded" } });
      const { gateway } = await startBoth((exchange) =>
        exchange.stream([messageStart(), blockStart, textDelta("four"), event]),
      );
      const answer = await call(gateway.origin, post(gateway, { stream: true }));
      expect(answer.text.endsWith(event)).toBe(true);
      expect(await gateway.end()).toMatchObject({
        outcome: "interrupted",
        isEstimated: true,
        usage: usageOf(10, 4),
      });
    });
  });

  describe("an upstream that fails", () => {
    test("connection refused: 502, nothing was sent, cost 0", async () => {
      const probe = createServer().listen(0, "127.0.0.1");
      await once(probe, "listening");
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close();
      await once(probe, "close");
      const gateway = await startTestGateway({ origin: `http://127.0.0.1:${port}` });
      closing.push(gateway.close);
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.text)).toEqual({
        type: "error",
        error: {
          type: "api_error",
          message: "The Claude API could not be reached (ECONNREFUSED). The request was not sent.",
          details: { error_code: "upstream_unreachable" },
        },
        request_id: gateway.begins[0]?.requestId,
      });
      expect(answer.headers["request-id"]).toBe(gateway.begins[0]?.requestId);
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "unreached", httpStatus: 502, firstByteMs: null });
      expect(end.cost.total).toBe(0n);
    });

    test("a name that does not resolve, or a server without TLS: 502, nothing was sent", async () => {
      const gateway = await startTestGateway({ origin: "https://nowhere.invalid" });
      closing.push(gateway.close);
      expect((await call(gateway.origin, post(gateway))).status).toBe(502);
      expect(await gateway.end()).toMatchObject({ outcome: "unreached", httpStatus: 502 });

      const plain = await startFakeUpstream();
      closing.push(plain.close);
      const tls = await startTestGateway({ origin: plain.origin.replace("http:", "https:") });
      closing.push(tls.close);
      expect((await call(tls.origin, post(tls))).status).toBe(502);
      expect(await tls.end()).toMatchObject({ outcome: "unreached", httpStatus: 502 });
      expect(plain.received).toEqual([]);
    });

    test("a reset before the headers: 502, interrupted, and the request is not sent again", async () => {
      const { upstream, gateway } = await startBoth((exchange) => exchange.reset());
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.text).error.type).toBe("api_error");
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "interrupted", httpStatus: 502, isEstimated: false });
      expect(end.cost.total).toBe(0n);
      expect(upstream.received.length).toBe(1);
    });

    test("a reset on a reused connection: the request is not sent again", async () => {
      const { upstream, gateway } = await startBoth((exchange) => exchange.json(messageJson()));
      expect((await call(gateway.origin, post(gateway))).status).toBe(200);
      const socketBefore = (
        await Promise.all([upstream.nextExchange(), call(gateway.origin, post(gateway))])
      )[0].socket;
      upstream.script = (exchange) => exchange.reset();
      const [exchange, answer] = await Promise.all([
        upstream.nextExchange(),
        call(gateway.origin, post(gateway)),
      ]);
      expect(exchange.socket).toBe(socketBefore);
      expect(answer.status).toBe(502);
      expect(upstream.received.length).toBe(3);
      expect(gateway.ends.map((end) => end.outcome)).toEqual([
        "answered",
        "answered",
        "interrupted",
      ]);
    });

    test("silence before the headers: 504 timeout_error, interrupted", async () => {
      const { gateway } = await startBoth(() => undefined, { idleTimeoutMs: 200 });
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.status).toBe(504);
      expect(JSON.parse(answer.text).error.type).toBe("timeout_error");
      expect(await gateway.end()).toMatchObject({ outcome: "interrupted", httpStatus: 504 });
    });

    test("a JSON response can take longer than the idle timeout of a stream", async () => {
      const { gateway } = await startBoth(
        (exchange) => void setTimeout(() => exchange.json(messageJson()), 900),
        { idleTimeoutMs: 200, answerTimeoutMs: 20_000 },
      );
      expect((await call(gateway.origin, post(gateway))).status).toBe(200);
      expect(await gateway.end()).toMatchObject({ outcome: "answered" });
    });

    test("silence during a stream: the stream ends with an error event at an event boundary", async () => {
      const { gateway } = await startBoth(
        (exchange) => {
          exchange.startStream();
          exchange.response.write(messageStart() + blockStart + textDelta("ab"));
        },
        { idleTimeoutMs: 200 },
      );
      const answer = await call(gateway.origin, post(gateway, { stream: true }));
      const [whole, event] = answer.text.split("event: error\ndata: ");
      expect(whole).toBe(messageStart() + blockStart + textDelta("ab"));
      expect(JSON.parse(event ?? "")).toMatchObject({
        type: "error",
        error: { type: "timeout_error" },
        request_id: gateway.begins[0]?.requestId,
      });
      expect(await gateway.end()).toMatchObject({
        outcome: "interrupted",
        httpStatus: 200,
        isEstimated: true,
        usage: usageOf(10, 2),
      });
    });

    test("a reset between two events ends the stream with an error event", async () => {
      const { gateway } = await startBoth(async (exchange) => {
        exchange.startStream();
        await exchange.write(messageStart() + blockStart + textDelta("abc"));
        exchange.reset();
      });
      const answer = await call(gateway.origin, post(gateway, { stream: true }));
      expect(answer.text).toContain(
        'event: error\ndata: {"type":"error","error":{"type":"api_error"',
      );
      expect(await gateway.end()).toMatchObject({
        outcome: "interrupted",
        isEstimated: true,
        usage: usageOf(10, 3),
      });
    });

    test("a reset in the middle of an event breaks the client's connection, so that no event looks complete", async () => {
      const half = messageStart() + blockStart + textDelta("abc").slice(0, 40);
      const { gateway } = await startBoth(async (exchange) => {
        exchange.startStream();
        await exchange.write(half);
        exchange.reset();
      });
      const response = await open(gateway.origin, post(gateway, { stream: true }));
      const { text, isWhole } = await readAll(response);
      expect(isWhole).toBe(false);
      expect(half.startsWith(text)).toBe(true);
      // The event cannot be read, so all 7 bytes of its data count.
      expect(await gateway.end()).toMatchObject({ outcome: "interrupted", usage: usageOf(10, 7) });
    });

    test("an incomplete JSON response breaks the client's connection, and costs its input", async () => {
      const { gateway } = await startBoth(async (exchange) => {
        exchange.response.writeHead(200, {
          "content-type": "application/json",
          "content-length": 900,
        });
        await exchange.write('{"type":"message","content":[');
        exchange.reset();
      });
      const { isWhole } = await readAll(await open(gateway.origin, post(gateway)));
      expect(isWhole).toBe(false);
      expect(await gateway.end()).toMatchObject({
        outcome: "interrupted",
        httpStatus: 200,
        isEstimated: true,
        doubt: "missing_usage",
        usage: usageOf(INPUT_BOUND, 0),
      });
    });

    test("bytes that are no HTTP: 502, interrupted", async () => {
      const { gateway } = await startBoth(
        (exchange) => void exchange.socket.end("nonsense\r\n\r\n"),
      );
      expect((await call(gateway.origin, post(gateway))).status).toBe(502);
      expect(await gateway.end()).toMatchObject({ outcome: "interrupted", httpStatus: 502 });
    });
  });

  describe("a large body", () => {
    /** Starts an upstream that reacts to the first bytes of a request and reads no further. */
    async function startDeaf(
      react: (socket: Socket) => void,
      options: Partial<TestGatewayOptions> = {},
    ): Promise<TestGateway> {
      const server = createServer((socket) => {
        socket.on("error", () => undefined);
        socket.once("data", () => {
          socket.pause();
          react(socket);
        });
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const gateway = await startTestGateway({ origin: `http://127.0.0.1:${port}`, ...options });
      closing.push(async () => void server.close(), gateway.close);
      return gateway;
    }

    const large = { system: "x".repeat(24 * 1024 * 1024) };

    test("the response of an upstream that has not read the body is relayed", async () => {
      const body = '{"type":"error","error":{"type":"request_too_large","message":"no"}}';
      const gateway = await startDeaf((socket) => {
        const head = `HTTP/1.1 413 Too Large\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
        socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
      });
      const answer = await call(gateway.origin, post(gateway, large));
      expect(answer.status).toBe(413);
      expect(answer.text).toBe(body);
      expect(await gateway.end()).toMatchObject({ outcome: "refused", httpStatus: 413 });
    });

    test("an upstream that closes during the body: 502, interrupted, once", async () => {
      const gateway = await startDeaf((socket) => void socket.resetAndDestroy());
      expect((await call(gateway.origin, post(gateway, large))).status).toBe(502);
      expect(await gateway.end()).toMatchObject({ outcome: "interrupted", httpStatus: 502 });
    });

    test("an upstream that does not read the body: 504, interrupted", async () => {
      const gateway = await startDeaf(() => undefined, { idleTimeoutMs: 300 });
      expect((await call(gateway.origin, post(gateway, large))).status).toBe(504);
      expect(await gateway.end()).toMatchObject({ outcome: "interrupted", httpStatus: 504 });
    });
  });

  describe("a client that leaves", () => {
    test("before a JSON response: the upstream is read to its end and billed exactly", async () => {
      const { upstream, gateway } = await startBoth(() => undefined);
      const arrived = upstream.nextExchange();
      const left = leave(gateway, {});
      const exchange = await arrived;
      await left();
      exchange.json(messageJson({ usage: { input_tokens: 40, output_tokens: 30 } }));
      await exchange.closed;
      expect(exchange.isCut()).toBe(false);
      const end = await gateway.end();
      expect(end).toMatchObject({
        outcome: "answered",
        httpStatus: null,
        isEstimated: false,
        usage: usageOf(40, 30),
      });
      expect(end.cost.total).toBe(cost(40, 30));
    });

    test("after the first event of a stream: the upstream call ends, input is exact, and bytes bound the output", async () => {
      const { end, exchange } = await leaveStream({ max_tokens: 100 }, ["seven c", "hars"]);
      expect(exchange.isCut()).toBe(true);
      expect(end).toMatchObject({
        outcome: "aborted",
        httpStatus: 200,
        isEstimated: true,
        usage: usageOf(10, 11),
      });
    });

    test("after the start of a search: the search is billed", async () => {
      const search = { type: "server_tool_use", id: "s", name: "web_search", input: {} };
      const { end } = await leaveStream({ max_tokens: 5 }, ["12345"], [search]);
      expect(end.usage).toEqual({ ...usageOf(10, 5), webSearches: 1 });
    });

    test("during a stream: the estimate never exceeds max_tokens", async () => {
      const { end } = await leaveStream({ max_tokens: 5 }, ["more than five bytes"]);
      expect(end.usage).toEqual(usageOf(10, 5));
    });

    test("during possible hidden thinking: max_tokens is the only bound", async () => {
      const thinking = { type: "enabled", budget_tokens: 1024 };
      const { end } = await leaveStream({ max_tokens: 2000, thinking }, ["short"]);
      expect(end.usage).toEqual(usageOf(10, 2000));
    });

    test("before the first event of a stream: the upstream call ends when its input is known", async () => {
      const { upstream, gateway } = await startBoth(() => undefined);
      const arrived = upstream.nextExchange();
      const left = leave(gateway, { stream: true });
      const exchange = await arrived;
      await left();
      exchange.startStream();
      await exchange.write(sse("ping", {}));
      expect(exchange.isCut()).toBe(false);
      await exchange.write(messageStart({ input_tokens: 77 }));
      await exchange.closed;
      expect(exchange.isCut()).toBe(true);
      expect(await gateway.end()).toMatchObject({
        outcome: "aborted",
        httpStatus: null,
        isEstimated: true,
        usage: usageOf(77, 1),
      });
    });

    test("after the last event: the response is complete, and nothing is estimated", async () => {
      const { gateway } = await startBoth((exchange) => exchange.stream(messageEvents()));
      const response = await open(gateway.origin, post(gateway, { stream: true }));
      for await (const chunk of response) if (String(chunk).includes("message_stop")) break;
      expect(await gateway.end()).toMatchObject({ outcome: "answered", isEstimated: false });
    });

    /** Sends a request. The returned function disconnects the client, and waits until the gateway has noticed it. */
    function leave(gateway: TestGateway, fields: object): () => Promise<void> {
      const sent = start(gateway.origin, post(gateway, fields));
      return async () => {
        const socket = gateway.clientSockets.at(-1);
        if (!socket) throw new Error("no client");
        const gone = once(socket, "close");
        sent.destroy();
        await gone;
      };
    }

    async function leaveStream(
      fields: object,
      texts: readonly string[],
      blocks: readonly object[] = [],
    ) {
      const { upstream, gateway } = await startBoth(async (exchange) => {
        exchange.startStream();
        const starts = blocks.map((content_block) => sse("content_block_start", { content_block }));
        const events = [messageStart(), ...starts, blockStart, ...texts.map(textDelta)];
        await exchange.write(events.join(""));
      });
      const arrived = upstream.nextExchange();
      const response = await open(gateway.origin, post(gateway, { stream: true, ...fields }));
      const exchange: Exchange = await arrived;
      let text = "";
      for await (const chunk of response) {
        text += String(chunk);
        if (text.endsWith(textDelta(texts.at(-1) ?? ""))) break;
      }
      response.destroy();
      await exchange.closed;
      return { end: await gateway.end(), exchange };
    }
  });

  describe("the end of a stream", () => {
    test.each([
      ["without an event", []],
      ["before message_start", [sse("ping", {})]],
      ["with a message_start without usage", [sse("message_start", { message: { id: "msg" } })]],
    ])("%s costs the input by its bytes, with doubt", async (_, events) => {
      const { gateway } = await startBoth((exchange) => exchange.stream(events));
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
      const { gateway } = await startBoth((exchange) => exchange.stream(events));
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

import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { blockStart, messageJson, messageStart, textDelta } from "#test/harness/fake-upstream.ts";
import { call, open, type TestGateway, type TestGatewayOptions } from "#test/harness/gateway.ts";
import {
  INPUT_BOUND,
  openGateway,
  openUpstream,
  post,
  readAll,
  startBoth,
  usageOf,
} from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";

describeEachReader(() => {
  describe("an upstream that fails", () => {
    test("connection refused: 502, nothing was sent, cost 0", async () => {
      const probe = createServer().listen(0, "127.0.0.1");
      await once(probe, "listening");
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close();
      await once(probe, "close");
      const gateway = await openGateway({ origin: `http://127.0.0.1:${port}` });
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
      const gateway = await openGateway({ origin: "https://nowhere.invalid" });
      expect((await call(gateway.origin, post(gateway))).status).toBe(502);
      expect(await gateway.end()).toMatchObject({ outcome: "unreached", httpStatus: 502 });

      const plain = await openUpstream();
      const tls = await openGateway({ origin: plain.origin.replace("http:", "https:") });
      expect((await call(tls.origin, post(tls))).status).toBe(502);
      expect(await tls.end()).toMatchObject({ outcome: "unreached", httpStatus: 502 });
      expect(plain.received).toEqual([]);
    });

    test("a reset before the headers: 502, interrupted, and the request is not sent again", async () => {
      const { upstream, gateway } = await startBoth({ script: (exchange) => exchange.reset() });
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.text).error.type).toBe("api_error");
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "interrupted", httpStatus: 502, isEstimated: false });
      expect(end.cost.total).toBe(0n);
      expect(upstream.received.length).toBe(1);
    });

    test("a reset on a reused connection: the request is not sent again", async () => {
      const { upstream, gateway } = await startBoth({
        script: (exchange) => exchange.json(messageJson()),
      });
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
      const { gateway } = await startBoth({ script: () => undefined, idleTimeoutMs: 200 });
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.status).toBe(504);
      expect(JSON.parse(answer.text).error.type).toBe("timeout_error");
      expect(await gateway.end()).toMatchObject({ outcome: "interrupted", httpStatus: 504 });
    });

    test("a JSON response can take longer than the idle timeout of a stream", async () => {
      const { gateway } = await startBoth({
        script: (exchange) => void setTimeout(() => exchange.json(messageJson()), 1_500),
        idleTimeoutMs: 700,
        answerTimeoutMs: 20_000,
      });
      expect((await call(gateway.origin, post(gateway))).status).toBe(200);
      expect(await gateway.end()).toMatchObject({ outcome: "answered" });
    });

    test("silence during a stream: the stream ends with an error event at an event boundary", async () => {
      const { gateway } = await startBoth({
        script: (exchange) => {
          exchange.startStream();
          exchange.response.write(messageStart() + blockStart + textDelta("ab"));
        },
        idleTimeoutMs: 700,
      });
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
      const { gateway } = await startBoth({
        script: async (exchange) => {
          exchange.startStream();
          await exchange.write(messageStart() + blockStart + textDelta("abc"));
          exchange.reset();
        },
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
      const { gateway } = await startBoth({
        script: async (exchange) => {
          exchange.startStream();
          await exchange.write(half);
          exchange.reset();
        },
      });
      const response = await open(gateway.origin, post(gateway, { stream: true }));
      const { text, isWhole } = await readAll(response);
      expect(isWhole).toBe(false);
      expect(half.startsWith(text)).toBe(true);
      // The event cannot be read, so all 7 bytes of its data count.
      expect(await gateway.end()).toMatchObject({ outcome: "interrupted", usage: usageOf(10, 7) });
    });

    test("an incomplete JSON response breaks the client's connection, and costs its input", async () => {
      const { gateway } = await startBoth({
        script: async (exchange) => {
          exchange.response.writeHead(200, {
            "content-type": "application/json",
            "content-length": 900,
          });
          await exchange.write('{"type":"message","content":[');
          exchange.reset();
        },
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
      const { gateway } = await startBoth({
        script: (exchange) => void exchange.socket.end("nonsense\r\n\r\n"),
      });
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
      onTestFinished(() => void server.close());
      return openGateway({ origin: `http://127.0.0.1:${port}`, ...options });
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
});

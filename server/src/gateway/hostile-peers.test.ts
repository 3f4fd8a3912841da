import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  blockStart,
  type Exchange,
  messageEnd,
  messageJson,
  messageStart,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import { call, messageBody, type TestGateway, withKey } from "#test/harness/gateway.ts";
import { openUpstream, startBoth, untilRunning } from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";

// Peers with valid HTTP that no library sends: several requests at once on one connection, unread responses, redirects,
// early hints and wrong lengths. No peer can use resources of the gateway for longer than the idle timeout, or make it
// send a credential to another address.

function rawRequest(gateway: TestGateway, fields: object = {}): string {
  const body = messageBody(fields);
  return [
    "POST /v1/messages HTTP/1.1",
    "host: gateway",
    `x-api-key: ${gateway.secret}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}

/** Opens a connection that sends `text` and reads nothing. */
function sendWithoutReading(gateway: TestGateway, text: string): Socket {
  const socket = connect(gateway.port, "127.0.0.1");
  socket.pause();
  socket.write(text);
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

const opening = messageStart() + blockStart + textDelta("some text");

describeEachReader(() => {
  describe("several requests at once on one connection", () => {
    test("are served one after the other, in order", async () => {
      const { gateway, upstream } = await startBoth({
        script: (exchange) =>
          exchange.json(
            messageJson({ text: exchange.received.body.includes("first") ? "one" : "two" }),
          ),
      });
      const socket = connect(gateway.port, "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      socket.write(
        rawRequest(gateway, { system: "first" }) + rawRequest(gateway, { system: "second" }),
      );
      let text = "";
      socket.on("data", (chunk) => {
        text += String(chunk);
        if (text.includes('"two"')) socket.end();
      });
      await once(socket, "close");
      expect(text.indexOf('"one"')).toBeGreaterThan(0);
      expect(text.indexOf('"two"')).toBeGreaterThan(text.indexOf('"one"'));
      expect(upstream.received).toHaveLength(2);
      expect(gateway.ends).toHaveLength(2);
      await untilRunning(gateway, 0);
    });

    test("of a client that leaves during the first: the second is not sent, and no state stays", async () => {
      const { gateway, upstream } = await startBoth({
        script: async (exchange) => {
          exchange.startStream();
          await exchange.write(opening);
        },
      });
      const socket = connect(gateway.port, "127.0.0.1");
      socket.write(rawRequest(gateway, { stream: true }) + rawRequest(gateway, { stream: true }));
      await once(socket, "data");
      socket.destroy();
      await untilRunning(gateway, 0);
      expect(upstream.received).toHaveLength(1);
      expect(gateway.ends).toMatchObject([{ outcome: "aborted" }]);
      await gateway.gateway.drain(60_000);
    });
  });

  /** Sends events until the buffers of the gateway for the client are full. */
  async function streamUntilHeldBack(exchange: Exchange, gateway: TestGateway): Promise<void> {
    exchange.startStream();
    await exchange.write(opening);
    const isHeldBack = () => (gateway.clientSockets[0]?.writableLength ?? 0) > 0;
    while (!isHeldBack()) {
      await exchange.write(textDelta("y".repeat(8_000)));
      await new Promise((done) => setImmediate(done));
    }
  }

  describe("an unread response", () => {
    test("ends after the idle timeout, also when it is complete", async () => {
      const { gateway } = await startBoth({
        script: async (exchange) => {
          await streamUntilHeldBack(exchange, gateway);
          for (const event of messageEnd()) await exchange.write(event);
          exchange.end();
        },
        idleTimeoutMs: 500,
      });
      sendWithoutReading(gateway, rawRequest(gateway, { stream: true }));
      expect(await gateway.end()).toMatchObject({ outcome: "answered" });
      expect(gateway.gateway.stats().inFlight).toBe(1);
      await untilRunning(gateway, 0);
    });

    test("does not delay a stop, because its connection is closed after the deadline", async () => {
      const { gateway } = await startBoth({
        script: (exchange) => streamUntilHeldBack(exchange, gateway),
      });
      sendWithoutReading(gateway, rawRequest(gateway, { stream: true }));
      await expect.poll(() => gateway.clientSockets[0]?.writableLength).toBeGreaterThan(0);
      await gateway.gateway.drain(50);
      expect(gateway.ends).toMatchObject([{ outcome: "interrupted", isEstimated: true }]);
      expect(gateway.gateway.stats().inFlight).toBe(0);
    });
  });

  test("a redirect of the upstream is passed on without its target, and never followed", async () => {
    const elsewhere = await openUpstream();
    const { gateway, upstream } = await startBoth({
      script: (exchange) =>
        exchange.json({ moved: true }, { status: 307, headers: { location: elsewhere.origin } }),
    });
    const answer = await call(gateway.origin, {
      headers: withKey(gateway.secret),
      body: messageBody(),
    });
    expect([answer.status, answer.headers["location"], answer.text]).toEqual([
      307,
      undefined,
      '{"moved":true}',
    ]);
    expect(await gateway.end()).toMatchObject({ outcome: "refused", httpStatus: 307 });
    expect([upstream.received.length, elsewhere.received.length]).toEqual([1, 0]);
  });

  test("informational responses before the final one have no effect", async () => {
    const { gateway } = await startBoth({
      script: (exchange) => {
        exchange.socket.write("HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n");
        exchange.json(messageJson());
      },
    });
    const answer = await call(gateway.origin, {
      headers: withKey(gateway.secret),
      body: messageBody(),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers["link"]).toBeUndefined();
    expect(await gateway.end()).toMatchObject({ outcome: "answered" });
  });

  test("a response that is shorter than its declared length is never passed on as complete", async () => {
    const { gateway } = await startBoth({
      script: (exchange) => {
        const text = JSON.stringify(messageJson());
        const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
        exchange.socket.end(`${head} ${text.length + 10}\r\n\r\n${text}`);
      },
    });
    const whole = call(gateway.origin, { headers: withKey(gateway.secret), body: messageBody() });
    await expect(whole).rejects.toThrow();
    expect(await gateway.end()).toMatchObject({ outcome: "interrupted" });
  });
});

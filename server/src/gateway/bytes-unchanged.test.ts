import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import {
  blockStart,
  type FakeUpstream,
  messageEnd,
  messageEvents,
  messageJson,
  messageStart,
  sha256,
  startFakeUpstream,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import {
  call,
  messageBody,
  open,
  startTestGateway,
  type TestGateway,
  withKey,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";

let upstream: FakeUpstream;
let gateway: TestGateway;
async function startBoth(): Promise<void> {
  upstream = await startFakeUpstream();
  gateway = await startTestGateway({ origin: upstream.origin });
}
afterEach(async () => {
  await gateway.close();
  await upstream.close();
});

/** Sends the same call directly to the upstream and through the gateway. */
async function callBoth(body: string) {
  const headers = withKey(gateway.secret);
  const direct = await call(upstream.origin, { headers, body });
  const through = await call(gateway.origin, { headers, body });
  return { direct, through };
}

describeEachReader(() => {
  describe("bytes are the same directly and through the gateway", () => {
    test("a body of 5 MB with unusual spaces and unknown fields", async () => {
      await startBoth();
      const text = randomBytes(5 * 1024 * 512).toString("hex");
      const body = `{ "messages" : [{"role":"user","content":"${text}"}],\r\n\t"model":"claude-sonnet-4-5", "unknown":{"é":1e400},"max_tokens":1 }  `;
      expect(body.length).toBeGreaterThan(5 * 1024 * 1024);
      const { direct, through } = await callBoth(body);
      expect(through.status).toBe(200);
      expect(through.text).toBe(direct.text);
      expect(upstream.received.map((one) => one.bodySha256)).toEqual([sha256(body), sha256(body)]);
    });

    test("a JSON response", async () => {
      await startBoth();
      const answer = ` ${JSON.stringify(messageJson({ text: "ünïcödé \u{1f600} ".repeat(20_000) }))}\r\n`;
      upstream.script = (exchange) => exchange.json(answer);
      const { direct, through } = await callBoth(messageBody());
      expect(sha256(through.body)).toBe(sha256(direct.body));
      expect(sha256(through.body)).toBe(sha256(answer));
      expect(through.headers["content-length"]).toBe(direct.headers["content-length"]);
    });

    test("a stream of 2,000 events, and its usage is read", async () => {
      await startBoth();
      const events = messageEvents(2_000, { output_tokens: 4_321 });
      upstream.script = (exchange) => exchange.stream(events);
      const { direct, through } = await callBoth(messageBody({ stream: true, max_tokens: 9_999 }));
      expect(sha256(through.body)).toBe(sha256(direct.body));
      expect(sha256(through.body)).toBe(sha256(events.join("")));
      expect(await gateway.end()).toMatchObject({
        outcome: "answered",
        usage: { inputTokens: 10, outputTokens: 4_321 },
      });
    });

    test("a stream that arrives byte by byte, with CRLF", async () => {
      await startBoth();
      const text = messageEvents(2).join("").replaceAll("\n", "\r\n");
      upstream.script = async (exchange) => {
        exchange.startStream();
        for (const byte of Buffer.from(text)) await exchange.write(Buffer.of(byte));
        exchange.end();
      };
      const through = await call(gateway.origin, {
        headers: withKey(gateway.secret),
        body: messageBody({ stream: true }),
      });
      expect(through.text).toBe(text);
      expect((await gateway.end()).usage.outputTokens).toBe(5);
    });
  });

  test("a slow reader does not fill memory, because the upstream is paused until the client has read", async () => {
    await startBoth();
    const chunk = textDelta("x".repeat(64 * 1024));
    const chunks = 1_000;
    let sent = 0;
    const held = Promise.withResolvers<void>();
    upstream.script = async (exchange) => {
      exchange.startStream();
      exchange.response.write(messageStart() + blockStart);
      for (; sent < chunks; sent++) {
        if (exchange.response.write(chunk)) continue;
        // Without a drain within a second, all sockets are full.
        const isDrained = await Promise.race([
          once(exchange.response, "drain").then(() => true),
          new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 1_000)),
        ]);
        if (isDrained) continue;
        held.resolve();
        await once(exchange.response, "drain");
      }
      exchange.response.end(messageEnd().join(""));
    };
    const response = await open(gateway.origin, {
      headers: withKey(gateway.secret),
      body: messageBody({ stream: true }),
    });
    await held.promise;
    // Bound of the buffers of three sockets in the kernel and in Node. Without backpressure it would be all 64 MB.
    expect(sent * chunk.length).toBeLessThan(24 * 1024 * 1024);
    expect(gateway.clientSockets[0]?.writableLength).toBeLessThan(1024 * 1024);

    let bytes = 0;
    for await (const part of response) bytes += (part as Buffer).length;
    const expected = messageStart() + blockStart + messageEnd().join("");
    expect(bytes).toBe(expected.length + chunks * chunk.length);
    expect((await gateway.end()).outcome).toBe("answered");
  });

  test("a client that does not read for too long is disconnected, and its stream ends", async () => {
    await startBoth();
    await gateway.close();
    gateway = await startTestGateway({ origin: upstream.origin, idleTimeoutMs: 300 });
    upstream.script = async (exchange) => {
      exchange.startStream();
      exchange.response.write(messageStart() + blockStart);
      const chunk = textDelta("x".repeat(64 * 1024));
      while (!exchange.response.destroyed) {
        if (!exchange.response.write(chunk))
          await Promise.race([once(exchange.response, "drain"), exchange.closed]);
      }
    };
    const response = await open(gateway.origin, {
      headers: withKey(gateway.secret),
      body: messageBody({ stream: true, max_tokens: 50 }),
    });
    expect(await gateway.end()).toMatchObject({
      outcome: "aborted",
      isEstimated: true,
      usage: { inputTokens: 10, outputTokens: 50 },
    });
    response.destroy();
  });
});

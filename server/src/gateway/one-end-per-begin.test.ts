import { afterAll, expect } from "vitest";
import {
  blockStart,
  gzipJson,
  messageEnd,
  messageEvents,
  messageJson,
  messageStart,
  type Script,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import {
  messageBody,
  open,
  startTestGateway,
  type TestGateway,
  withKey,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";

// All behaviours of an upstream with all behaviours of a client, at the same time.

const opening = messageStart() + blockStart + textDelta("some text");

const upstreams: Record<string, Script> = {
  json: (exchange) => exchange.json(messageJson()),
  stream: (exchange) => exchange.stream(messageEvents(20)),
  gzip: (exchange) => gzipJson(exchange, messageJson()),
  overloaded: (exchange) =>
    exchange.json({ type: "error", error: { type: "overloaded_error" } }, { status: 529 }),
  reset: (exchange) => exchange.reset(),
  hang: () => undefined,
  "cut between events": async (exchange) => {
    exchange.startStream();
    await exchange.write(opening);
    exchange.reset();
  },
  "cut in an event": async (exchange) => {
    exchange.startStream();
    await exchange.write(`${opening}event: content_bl`);
    exchange.reset();
  },
  "hang in a stream": async (exchange) => {
    exchange.startStream();
    await exchange.write(opening);
  },
  "slow stream": async (exchange) => {
    exchange.startStream();
    for (const text of [opening, ...messageEnd()]) {
      await exchange.write(text);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    exchange.end();
  },
  garbage: (exchange) => void exchange.socket.end("no HTTP\r\n\r\n"),
};

type Client = (gateway: TestGateway, body: string) => Promise<void>;

const send = (gateway: TestGateway, body: string) =>
  open(gateway.origin, { headers: withKey(gateway.secret), body });

const clients: Record<string, Client> = {
  async patient(gateway, body) {
    const response = await send(gateway, body);
    for await (const _ of response);
  },
  async "leaves at the headers"(gateway, body) {
    (await send(gateway, body)).destroy();
  },
  async "leaves at the first byte"(gateway, body) {
    for await (const _ of await send(gateway, body)) break;
  },
  async "leaves at once"(gateway, body) {
    const response = send(gateway, body);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const socket = gateway.clientSockets.at(-1);
    socket?.resetAndDestroy();
    await response;
  },
};
describeEachReader(() => {
  let gateway: TestGateway;
  test.beforeAll(async ({ upstream }) => {
    upstream.received.length = 0;
    upstream.script = (exchange) => {
      const { model } = JSON.parse(exchange.received.body.toString()) as { model: string };
      return upstreams[model]?.(exchange);
    };
    gateway = await startTestGateway({ origin: upstream.origin, idleTimeoutMs: 500 });
  });
  afterAll(async () => {
    await gateway.close();
  });

  test("every begin has exactly one end, and every request is sent at most once", async ({
    upstream,
  }) => {
    const rounds = Array.from({ length: 8 }, () => null);
    const runs = rounds.flatMap(() =>
      Object.keys(upstreams).flatMap((model) =>
        Object.values(clients).map((client) =>
          client(gateway, messageBody({ model, stream: true })).catch(() => undefined),
        ),
      ),
    );
    await Promise.all(runs);
    while (gateway.gateway.stats().inFlight > 0) await new Promise((done) => setImmediate(done));
    const begun = gateway.begins.map((record) => record.requestId).sort();
    expect(new Set(begun).size).toBe(begun.length);
    expect(gateway.ends.map((record) => record.requestId).sort()).toEqual(begun);
    expect(upstream.received.length).toBeLessThanOrEqual(begun.length);
    const sent = gateway.ends.filter((end) => end.outcome !== "unreached").length;
    expect(upstream.received.length).toBeLessThanOrEqual(sent);
    const outcomes = new Set(gateway.ends.map((end) => end.outcome));
    for (const outcome of ["answered", "refused", "aborted", "interrupted"] as const) {
      expect(outcomes).toContain(outcome);
    }
  });
});

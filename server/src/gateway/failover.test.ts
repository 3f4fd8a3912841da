import { createServer } from "node:net";
import { describe, expect } from "vitest";
import { MAX_FAILURES_IN_ROW, OPEN_MS } from "#src/upstreams/upstream-health.ts";
import { eventually } from "#test/harness/eventually.ts";
import { test } from "#test/harness/failover-test.ts";
import {
  type FakeUpstream,
  messageEvents,
  messageJson,
  type Script,
} from "#test/harness/fake-upstream.ts";
import {
  type Answer,
  call,
  messageBody,
  type TestGateway,
  withKey,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { listenTcp, listenWithoutAccept } from "#test/harness/raw-upstream.ts";

// Several upstreams of one workspace. The logs of the stand-ins show which of them got a request.

const error = (type: string) => ({ type: "error", error: { type, message: "no" } });
const refuse =
  (status: number, type: string): Script =>
  ({ json }) =>
    json(error(type), { status, headers: { "retry-after": "30", "x-from": type } });

/** Upstreams that get a request and do not answer it with success. */
const failing = {
  reset: ({ reset }) => reset(),
  hang: () => undefined,
  "server error": refuse(500, "api_error"),
  "bad gateway": refuse(502, "api_error"),
  "no HTTP": ({ socket }) => void socket.end("no HTTP\r\n\r\n"),
  "cut head": ({ socket }) => void socket.end("HTTP/1.1 429 Too Many Requests\r\n"),
  invalid: refuse(400, "invalid_request_error"),
} satisfies Record<string, Script>;
const refusing = {
  429: refuse(429, "rate_limit_error"),
  529: refuse(529, "overloaded_error"),
} satisfies Record<number, Script>;

const send = (gateway: TestGateway, fields: object = {}): Promise<Answer> =>
  call(gateway.origin, { headers: withKey(gateway.secret), body: messageBody(fields) });

const originsOf = (upstreams: readonly FakeUpstream[]) => upstreams.map(({ origin }) => origin);
const countsOf = (upstreams: readonly FakeUpstream[]) =>
  upstreams.map(({ received }) => received.length);

/** Origin of a port that nothing listens on. */
async function closedOrigin(): Promise<string> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

describeEachReader(() => {
  describe("a request goes to the next upstream", () => {
    test("if the first refuses connections", async ({ pair: [second], start }) => {
      const gateway = await start([await closedOrigin(), second.origin]);
      expect((await send(gateway)).status).toBe(200);
      expect(await gateway.end()).toMatchObject({
        outcome: "answered",
        upstreamId: "ups_1",
        failover: "unreached",
      });
    });

    test("if the TLS handshake with the first fails", async ({ pair: [second], start }) => {
      const port = await listenTcp((socket) => socket.end("no TLS"));
      const gateway = await start([`https://127.0.0.1:${port}`, second.origin]);
      expect((await send(gateway, { stream: false })).status).toBe(200);
      expect(await gateway.end()).toMatchObject({ failover: "unreached" });
    });

    test.for([
      [
        "queue of connections is full",
        async () => `http://127.0.0.1:${await listenWithoutAccept()}`,
      ],
      ["TLS is silent", async () => `https://127.0.0.1:${await listenTcp(() => undefined)}`],
    ] as const)(
      "if the connection to the first is not opened in time: its %s",
      async ([, listen], { pair: [second], start }) => {
        const gateway = await start([await listen(), second.origin], { connectTimeoutMs: 500 });
        expect((await send(gateway)).status).toBe(200);
        expect(await gateway.end()).toMatchObject({ upstreamId: "ups_1", failover: "unreached" });
        const { lastFailure } = gateway.order[0].health.facts();
        expect(lastFailure).toBe("UND_ERR_CONNECT_TIMEOUT");
      },
    );

    test.for([
      [429, "rate_limited"],
      [529, "overloaded"],
    ] as const)("if the first answers %i", async ([status, reason], { pair, start }) => {
      pair[0].script = refusing[status];
      const gateway = await start(originsOf(pair));
      const answer = await send(gateway);
      expect([answer.status, countsOf(pair)]).toEqual([200, [1, 1]]);
      expect(pair[1].received[0]?.bodySha256).toBe(pair[0].received[0]?.bodySha256);
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "answered", upstreamId: "ups_1", failover: reason });
      expect(end.cost.total).toBe(105_000n);
    });

    test("with a body of 3 MB, and as a stream", async ({ pair, start }) => {
      pair[0].script = refusing[529];
      pair[1].script = ({ stream }) => stream(messageEvents(5));
      const gateway = await start(originsOf(pair));
      const answer = await send(gateway, { stream: true, system: "x".repeat(3_000_000) });
      expect(answer.text).toContain("message_stop");
      expect(pair[1].received[0]?.bodySha256).toBe(pair[0].received[0]?.bodySha256);
    });

    test("also for token counts and lists of models", async ({ pair: [second], start }) => {
      second.script = ({ json }) => json({ input_tokens: 7 });
      const gateway = await start([await closedOrigin(), second.origin]);
      const headers = withKey(gateway.secret);
      const path = "/v1/messages/count_tokens";
      expect((await call(gateway.origin, { path, headers, body: messageBody() })).status).toBe(200);
      const list = await call(gateway.origin, { method: "GET", path: "/v1/models", headers });
      expect(list.status).toBe(200);
      expect(second.received.length).toBe(2);
    });
  });

  describe("a request stays at the first upstream", () => {
    test.for(Object.entries(failing))("after: %s", async ([, script], { pair, start }) => {
      pair[0].script = script;
      const gateway = await start(originsOf(pair));
      const answer = await send(gateway);
      expect(countsOf(pair)).toEqual([1, 0]);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      const end = await gateway.end();
      expect([end.upstreamId, end.failover]).toEqual(["ups_0", undefined]);
    });

    test("after the first event of a stream", async ({ pair, start }) => {
      pair[0].script = async (exchange) => {
        exchange.startStream();
        await exchange.write(messageEvents(1)[0] ?? "");
        exchange.reset();
      };
      const gateway = await start(originsOf(pair));
      const answer = await send(gateway, { stream: true });
      expect(answer.text).toContain("event: error");
      expect(countsOf(pair)).toEqual([1, 0]);
    });
  });

  describe("the answer of the last upstream is relayed as it is", () => {
    test("if all refuse", async ({ pair, start }) => {
      pair[0].script = refusing[429];
      pair[1].script = refusing[529];
      const gateway = await start(originsOf(pair));
      const answer = await send(gateway);
      expect([answer.status, answer.text]).toEqual([
        529,
        JSON.stringify(error("overloaded_error")),
      ]);
      expect(await gateway.end()).toMatchObject({ outcome: "refused", failover: "rate_limited" });
    });

    test("if the next one cannot be reached after a refusal", async ({ pair: [first], start }) => {
      first.script = refusing[429];
      const gateway = await start([first.origin, await closedOrigin()]);
      const answer = await send(gateway);
      expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "30"]);
      expect(answer.text).toBe(JSON.stringify(error("rate_limit_error")));
      const end = await gateway.end();
      expect([end.outcome, end.upstreamId, end.failover]).toEqual(["refused", "ups_0", undefined]);
    });

    test("with a large refusal whose end arrives later", async ({ pair: [first], start }) => {
      const text = "x".repeat(500_000);
      first.script = async ({ response, write, end }) => {
        response.writeHead(429, { "content-type": "application/json" });
        await write(text);
        end();
      };
      const gateway = await start([first.origin, await closedOrigin()]);
      const answer = await send(gateway);
      expect([answer.status, answer.text.length]).toEqual([429, text.length]);
    });

    test("and none is reached: 502", async ({ start }) => {
      const gateway = await start([await closedOrigin(), await closedOrigin()]);
      expect((await send(gateway)).status).toBe(502);
      expect(await gateway.end()).toMatchObject({ outcome: "unreached", httpStatus: 502 });
    });
  });

  test("a client that leaves between two upstreams gets no second attempt", async ({
    pair,
    start,
  }) => {
    const gateway = await start(originsOf(pair));
    const gone = Promise.withResolvers<void>();
    pair[0].script = async ({ json }) => {
      gateway.clientSockets.at(-1)?.resetAndDestroy();
      await gone.promise;
      json(error("overloaded_error"), { status: 529 });
    };
    expect(await send(gateway).catch(() => null)).toBeNull();
    gone.resolve();
    expect(await gateway.end()).toMatchObject({ outcome: "refused" });
    expect(countsOf(pair)).toEqual([1, 0]);
  });

  describe("the circuit breaker", () => {
    test("leaves an upstream out after failures in a row, and tries it again with one request", async ({
      pair,
      start,
    }) => {
      let nowMs = 1_000_000;
      pair[0].script = failing["bad gateway"];
      const gateway = await start(originsOf(pair), { databaseNowMs: () => nowMs });
      for (let i = 0; i < MAX_FAILURES_IN_ROW; i++) expect((await send(gateway)).status).toBe(502);
      expect(gateway.order[0].health.facts()).toMatchObject({
        state: "open",
        lastFailure: "http_502",
      });
      expect((await send(gateway)).status).toBe(200);
      expect(countsOf(pair)).toEqual([MAX_FAILURES_IN_ROW, 1]);
      expect(gateway.ends.at(-1)).toMatchObject({ upstreamId: "ups_1", failover: "circuit_open" });

      nowMs += OPEN_MS.least;
      const held = Promise.withResolvers<void>();
      pair[0].script = async ({ json }) => {
        await held.promise;
        json(messageJson());
      };
      const probe = send(gateway);
      await eventually(5_000, "the attempt arrives", async () =>
        countsOf(pair)[0] === MAX_FAILURES_IN_ROW + 1 ? true : null,
      );
      const others = await Promise.all([send(gateway), send(gateway), send(gateway)]);
      expect(others.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(countsOf(pair)).toEqual([MAX_FAILURES_IN_ROW + 1, 4]);
      held.resolve();
      expect((await probe).status).toBe(200);
      expect(gateway.order[0].health.facts().state).toBe("closed");
    });

    test("never leaves out the last one", async ({ start }) => {
      const gateway = await start([await closedOrigin(), await closedOrigin()]);
      for (let i = 0; i <= 2 * MAX_FAILURES_IN_ROW; i++) {
        expect((await send(gateway)).status).toBe(502);
      }
      expect(gateway.order[1]?.health.facts().failures).toBe(2 * MAX_FAILURES_IN_ROW + 1);
      expect(gateway.order[0].health.facts().failures).toBe(MAX_FAILURES_IN_ROW);
    });

    test("ignores 429 and 529", async ({ pair, start }) => {
      pair[0].script = refusing[529];
      const gateway = await start(originsOf(pair));
      for (let i = 0; i < 2 * MAX_FAILURES_IN_ROW; i++) await send(gateway);
      expect(countsOf(pair)).toEqual([2 * MAX_FAILURES_IN_ROW, 2 * MAX_FAILURES_IN_ROW]);
    });
  });

  test("under a mix of failures, no POST reaches two upstreams after its first byte was accepted", async ({
    pair,
    start,
  }) => {
    const scripts: Record<string, Script> = {
      ...failing,
      ...refusing,
      fine: ({ json }) => json(messageJson()),
    };
    const answers = new Map<string, string[]>();
    for (const [index, upstream] of pair.entries()) {
      upstream.script = (exchange) => {
        const { system } = JSON.parse(exchange.received.body.toString()) as { system: string };
        const [id = "", ...names] = system.split("|");
        const name = names[index] ?? "";
        answers.set(id, [...(answers.get(id) ?? []), `${index} ${name}`]);
        return scripts[name]?.(exchange);
      };
    }
    const gateway = await start([await closedOrigin(), ...originsOf(pair)]);
    const names = Object.keys(scripts);
    const systems = names.flatMap((first) =>
      names.flatMap((second) => [1, 2].map((i) => `${first}-${second}-${i}|${first}|${second}`)),
    );
    const sent = systems.map((system, i) =>
      send(gateway, { system, stream: i % 2 === 0 }).catch(() => null),
    );
    await Promise.all(sent);
    await eventually(5_000, "all requests end", async () =>
      gateway.gateway.stats().inFlight === 0 ? true : null,
    );
    for (const [id, places] of answers) {
      // A second entry needs a first one that was a refusal.
      expect([id, places.length <= 2]).toEqual([id, true]);
      if (places.length === 2)
        expect([id, places[0]]).toEqual([id, expect.stringMatching(/^0 [45]29$/)]);
    }
    const begun = gateway.begins.map(({ requestId }) => requestId).toSorted();
    expect(begun.length).toBe(systems.length);
    expect(gateway.ends.map(({ requestId }) => requestId).toSorted()).toEqual(begun);
  });
});

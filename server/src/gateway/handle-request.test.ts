import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import {
  blockStart,
  type Exchange,
  type FakeUpstream,
  messageEnd,
  messageJson,
  messageStart,
  type Script,
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
  UPSTREAM_CREDENTIAL,
  WORKSPACE_ID,
  withKey,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { MAX_BODY_BYTES } from "./read-body.ts";

let closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

async function startBoth(
  options: Partial<TestGatewayOptions> & { script?: Script } = {},
): Promise<{ upstream: FakeUpstream; gateway: TestGateway }> {
  const { script, ...rest } = options;
  const upstream = await startFakeUpstream();
  closing.push(upstream.close);
  if (script) upstream.script = script;
  const gateway = await startTestGateway({ origin: upstream.origin, ...rest });
  closing.push(gateway.close);
  return { upstream, gateway };
}

const post = (gateway: TestGateway, fields: object = {}) => ({
  headers: withKey(gateway.secret),
  body: messageBody(fields),
});

describeEachReader(() => {
  describe("paths", () => {
    test("query strings and the base URL's path stay", async () => {
      const { upstream, gateway } = await startBoth({ basePath: "/claude" });
      const headers = withKey(gateway.secret);
      const body = messageBody();
      await call(gateway.origin, { path: "/v1/messages?beta=true", headers, body });
      await call(gateway.origin, { path: "/v1/messages/count_tokens?beta=true", headers, body });
      await call(gateway.origin, {
        method: "GET",
        path: "/v1/models?limit=1000&after_id=a",
        headers,
      });
      await call(gateway.origin, { method: "GET", path: "/v1/models/claude-sonnet-4-5", headers });
      expect(upstream.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
        "POST /claude/v1/messages?beta=true",
        "POST /claude/v1/messages/count_tokens?beta=true",
        "GET /claude/v1/models?limit=1000&after_id=a",
        "GET /claude/v1/models/claude-sonnet-4-5",
      ]);
    });

    test("only messages are metered, and models and token counts have no record", async () => {
      const { gateway } = await startBoth();
      const headers = withKey(gateway.secret);
      await call(gateway.origin, {
        path: "/v1/messages/count_tokens",
        headers,
        body: messageBody(),
      });
      await call(gateway.origin, { method: "GET", path: "/v1/models", headers });
      expect(gateway.begins).toEqual([]);
      expect(gateway.ends).toEqual([]);
      expect(gateway.observed.map(({ outcome }) => outcome)).toEqual(["answered", "answered"]);
    });

    test("a record names the owner of the key, and no member for a workspace's own key", async () => {
      const { gateway } = await startBoth();
      for (const key of [{}, { ownerMemberId: "user_ada", ownerState: "active" } as const]) {
        const headers = withKey(gateway.addKey(key));
        expect((await call(gateway.origin, { headers, body: messageBody() })).status).toBe(200);
      }
      expect(gateway.ends.map(({ memberId }) => memberId)).toEqual([undefined, "user_ada"]);
    });

    test("HEAD /api/hello is a 200 without a key and without a body", async () => {
      const { upstream, gateway } = await startBoth();
      const answer = await call(gateway.origin, { method: "HEAD", path: "/api/hello" });
      expect(answer.status).toBe(200);
      expect(answer.body.length).toBe(0);
      expect(upstream.received).toEqual([]);
    });

    test.each([
      ["POST", "/v1/complete"],
      ["GET", "/v1/files"],
      ["GET", "/v1/skills/skill_1"],
      ["POST", "/v1/messages/batches"],
      ["GET", "/v1/messages"],
      ["DELETE", "/v1/models/claude-sonnet-4-5"],
      ["GET", "/v1/models/a/b"],
      ["GET", "/v1/models/.."],
      ["GET", "/v1/models/..%2Fmessages"],
      ["GET", "/v1/models/"],
      ["POST", "/v1/chat/completions"],
    ])("%s %s is an official 404, with and without a key", async (method, path) => {
      const { upstream, gateway } = await startBoth();
      expect(gateway.gateway.handles(method, path)).toBe(true);
      for (const headers of [{}, withKey(gateway.secret)]) {
        const answer = await call(gateway.origin, { method, path, headers });
        expect(answer.status).toBe(404);
        expect(JSON.parse(answer.text)).toEqual({
          type: "error",
          error: {
            type: "not_found_error",
            message: `Not found: ${method} ${path} is not served here.`,
            details: { error_code: "route_not_found" },
          },
          request_id: answer.headers["request-id"],
        });
      }
      expect(upstream.received).toEqual([]);
    });

    test("the gateway does not handle the Admin API and paths outside of /v1/", async () => {
      const { gateway } = await startBoth();
      for (const path of ["/", "/docs", "/v1", "/v1/admin/api_keys", "/v1/admin", "/healthz"]) {
        expect(gateway.gateway.handles("GET", path)).toBe(false);
      }
      expect(gateway.gateway.handles("GET", "/v1/organizations/me?x=1")).toBe(false);
      expect(gateway.gateway.handles("GET", "/v1/administrators")).toBe(true);
    });
  });

  describe("headers", () => {
    test("private headers of the client never reach the upstream, and all others do", async () => {
      const { upstream, gateway } = await startBoth();
      await call(gateway.origin, {
        headers: {
          ...withKey(gateway.secret),
          authorization: `Bearer ${gateway.secret}`,
          cookie: "session=secret",
          "anthropic-workspace-id": WORKSPACE_ID,
          "proxy-authorization": "Basic abc",
          forwarded: "for=10.0.0.1",
          "x-forwarded-for": "10.0.0.1",
          "x-forwarded-proto": "https",
          "x-real-ip": "10.0.0.1",
          "accept-encoding": "gzip, br",
          connection: "keep-alive, x-private",
          "x-private": "hop",
          te: "trailers",
          "anthropic-beta": ["first-beta", "second-beta"],
          "x-stainless-retry-count": "1",
          "x-claude-code-session-id": "session",
          traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          "x-of-tomorrow": "välue",
        },
        body: messageBody(),
      });
      const [received] = upstream.received;
      const names = received?.rawHeaders.filter((_, i) => i % 2 === 0).sort();
      expect(names).toEqual([
        "accept-encoding",
        "anthropic-beta",
        "anthropic-beta",
        "anthropic-version",
        "connection",
        "content-length",
        "content-type",
        "host",
        "traceparent",
        "x-api-key",
        "x-claude-code-session-id",
        "x-of-tomorrow",
        "x-stainless-retry-count",
      ]);
      expect(received?.headers).toMatchObject({
        "accept-encoding": "identity",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "first-beta, second-beta",
        connection: "keep-alive",
        host: upstream.origin.slice("http://".length),
        "x-api-key": UPSTREAM_CREDENTIAL,
        "x-of-tomorrow": "välue",
      });
      expect(JSON.stringify(received?.rawHeaders)).not.toContain(gateway.secret);
    });

    test("a version is forwarded, and a missing one becomes 2023-06-01", async () => {
      const { upstream, gateway } = await startBoth();
      const headers = { "x-api-key": gateway.secret };
      await call(gateway.origin, { headers, body: messageBody() });
      await call(gateway.origin, {
        headers: { ...headers, "anthropic-version": "2026-10-21", connection: "anthropic-version" },
        body: messageBody(),
      });
      expect(upstream.received.map((one) => one.headers["anthropic-version"])).toEqual([
        "2023-06-01",
        "2026-10-21",
      ]);
    });

    test("only listed headers of the upstream's response pass, and the gateway's ids replace its own", async () => {
      const { gateway } = await startBoth({
        script: (exchange) =>
          exchange.json(messageJson(), {
            headers: {
              "anthropic-organization-id": "upstream-organization",
              "anthropic-workspace-id": "wrkspc_upstream",
              "anthropic-ratelimit-requests-remaining": "9",
              "anthropic-priority-input-tokens-limit": "8",
              "anthropic-fast-output-tokens-limit": "7",
              "set-cookie": "a=b",
              server: "cloudflare",
              "cf-ray": "1",
              via: "1.1 proxy",
              location: "https://elsewhere.example",
            },
          }),
      });
      const { headers } = await call(gateway.origin, post(gateway));
      delete headers.date;
      delete headers["keep-alive"];
      expect(headers).toEqual({
        "content-type": "application/json",
        "content-length": String(JSON.stringify(messageJson()).length),
        "request-id": "req_upstream",
        "bursar-request-id": gateway.begins[0]?.requestId,
        "anthropic-organization-id": gateway.begins[0]?.organizationId,
        "anthropic-workspace-id": gateway.begins[0]?.workspaceId,
        "anthropic-ratelimit-requests-remaining": "9",
        "anthropic-priority-input-tokens-limit": "8",
        "anthropic-fast-output-tokens-limit": "7",
        "x-content-type-options": "nosniff",
        connection: "keep-alive",
      });
    });

    test("a stream has a header against buffering, and its headers do not wait for the first event", async () => {
      const { upstream, gateway } = await startBoth({
        script: (exchange) => exchange.startStream(),
      });
      const arrived = upstream.nextExchange();
      const response = await open(gateway.origin, post(gateway, { stream: true }));
      expect(response.headers).toMatchObject({
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
      });
      const exchange = await arrived;
      exchange.response.end(messageStart() + messageEnd().join(""));
      for await (const _ of response);
    });
  });

  describe("a refused body does not reach the upstream", () => {
    const tooLong = `Request exceeds the maximum size of 32 MB (${MAX_BODY_BYTES} bytes).`;

    test("of 32 MB and one byte by its declared length: 413 before it is read", async () => {
      const { upstream, gateway } = await startBoth();
      const answer = await call(gateway.origin, {
        headers: withKey(gateway.secret),
        body: Buffer.alloc(MAX_BODY_BYTES + 1, " "),
      });
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.text).error).toEqual({
        type: "request_too_large",
        message: tooLong,
        details: { error_code: "request_too_large" },
      });
      expect(answer.headers.connection).toBe("close");
      expect(upstream.received).toEqual([]);
      expect(gateway.begins).toEqual([]);
    });

    test("of 32 MB and one byte in chunks: 413 as soon as it is too long", async () => {
      const { upstream, gateway } = await startBoth();
      const answer = await call(gateway.origin, {
        headers: { ...withKey(gateway.secret), "transfer-encoding": "chunked" },
        body: Buffer.alloc(MAX_BODY_BYTES + 1, " "),
      });
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.text).error.message).toBe(tooLong);
      expect(upstream.received).toEqual([]);
    });

    test("exactly 32 MB passes", async () => {
      const { upstream, gateway } = await startBoth();
      const body = messageBody();
      const answer = await call(gateway.origin, {
        headers: withKey(gateway.secret),
        body: body + " ".repeat(MAX_BODY_BYTES - body.length),
      });
      expect(answer.status).toBe(200);
      expect(upstream.received[0]?.body.length).toBe(MAX_BODY_BYTES);
    });

    test.each([
      [
        "compressed",
        { "content-encoding": "gzip" },
        messageBody(),
        /content-encoding "gzip" is not supported/,
      ],
      ["no JSON", {}, "{", /./],
      ["empty", {}, "", /empty/],
      [
        "with a duplicated model",
        {},
        '{"model":"a","model":"b","max_tokens":1,"messages":[]}',
        /model/,
      ],
      ["with a wrong type", {}, messageBody({ max_tokens: "many" }), /^max_tokens/],
    ])("%s: 400", async (_, headers, body, message) => {
      const { upstream, gateway } = await startBoth();
      const answer = await call(gateway.origin, {
        headers: { ...withKey(gateway.secret), ...headers },
        body,
      });
      expect(answer.status).toBe(400);
      const { error } = JSON.parse(answer.text);
      expect(error.type).toBe("invalid_request_error");
      expect(error.message).toMatch(message);
      expect(answer.headers["anthropic-workspace-id"]).toBe("wksp_test");
      expect(upstream.received).toEqual([]);
      expect(gateway.begins).toEqual([]);
    });

    test("content-encoding identity counts as no encoding", async () => {
      const { gateway } = await startBoth();
      const headers = { ...withKey(gateway.secret), "content-encoding": "identity" };
      expect((await call(gateway.origin, { headers, body: messageBody() })).status).toBe(200);
    });

    test("with ids of objects that other workspaces can own: 403, also for a token count", async () => {
      const { upstream, gateway } = await startBoth();
      const source = { type: "file", file_id: "file_1" };
      const body = messageBody({
        messages: [{ role: "user", content: [{ type: "document", source }] }],
      });
      for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
        const answer = await call(gateway.origin, { path, headers: withKey(gateway.secret), body });
        expect(answer.status).toBe(403);
      }
      expect(upstream.received).toEqual([]);
    });

    test("too slow: 400, and the connection is closed", async () => {
      const { upstream, gateway } = await startBoth({
        bodyLimits: { idleMs: 100, totalMs: 60_000 },
      });
      const { text } = await sendRaw(gateway, "content-length: 500\r\n\r\n{");
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
      expect(text).toContain("did not arrive in time");
      expect(upstream.received).toEqual([]);
    });

    test("a client that leaves during its body leaves no state", async () => {
      const { upstream, gateway } = await startBoth();
      const socket = connectRaw(gateway, "content-length: 500\r\n\r\n{");
      await once(socket, "connect");
      await untilRunning(gateway, 1);
      socket.resetAndDestroy();
      await untilRunning(gateway, 0);
      expect(gateway.observed).toMatchObject([{ status: null, outcome: "abandoned" }]);
      expect(upstream.received).toEqual([]);
      expect(gateway.begins).toEqual([]);
    });
  });

  describe("expect: 100-continue", () => {
    test("a valid request gets a 100, and a wrong key is refused before the body is sent", async () => {
      const { upstream, gateway } = await startBoth();
      const body = messageBody();
      const lines = `expect: 100-continue\r\ncontent-length: ${body.length}\r\n\r\n`;
      const socket = connectRaw(gateway, lines);
      const [first] = await once(socket, "data");
      expect(String(first)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
      socket.write(body);
      const [second] = await once(socket, "data");
      expect(String(second)).toMatch(/^HTTP\/1\.1 200 OK/);
      socket.destroy();
      expect(upstream.received[0]?.headers.expect).toBe(undefined);

      const { text } = await sendRaw(gateway, lines, "sk-ant-api03-wrong");
      expect(text).toMatch(/^HTTP\/1\.1 401 /);
      expect(text.toLowerCase()).toContain("\r\nconnection: close\r\n");
    });
  });

  describe("before the dispatch", () => {
    test("a reached limit is the official 400 without a retry", async () => {
      const { upstream, gateway } = await startBoth();
      const message =
        "You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.";
      const scopes: object[] = [];
      gateway.admission = {
        admit(scope) {
          scopes.push(scope);
          const limit = {
            id: "spl_test",
            scopeType: "workspace",
            scopeId: "wksp_test",
            period: "monthly",
            amountNanoUsd: 1n,
          } as const;
          return { kind: "blocked", message, limit, spentNanoUsd: 1n, regainAtMs: 1 };
        },
      };
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text).error).toEqual({
        type: "invalid_request_error",
        message: `${message} To ask for a higher limit, open https://bursar.example.com/increase-requests/new?scope=workspace&id=wksp_test&period=monthly`,
        details: {
          error_code: "spend_limit_reached",
          limit: {
            id: "spl_test",
            scope: { type: "workspace", workspace_id: "wksp_test" },
            period: "monthly",
            period_ends_at: "1970-01-01T00:00:00.001Z",
            limit_usd: 1e-9,
            spent_usd: "0.000000001",
            held_usd: null,
            unresolved_usd: null,
          },
        },
      });
      expect(answer.headers["x-should-retry"]).toBe("false");
      expect(scopes).toEqual([
        {
          organizationId: "6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f",
          workspaceId: "wksp_test",
          apiKeyId: "apikey_test",
        },
      ]);
      expect(upstream.received).toEqual([]);
      expect(gateway.begins).toEqual([]);
    });

    test("a journal that cannot be written refuses requests, so that none can be lost", async () => {
      const { upstream, gateway } = await startBoth({
        meter: {
          begin() {
            throw new ApiError("journal_full", "The journal is full.");
          },
          amendBegin: () => undefined,
          end: () => undefined,
        },
      });
      const answer = await call(gateway.origin, post(gateway));
      expect(answer.status).toBe(503);
      expect(upstream.received).toEqual([]);
    });

    test("a request that waits for the disk is sent after the sync, and never if the sync fails", async () => {
      const synced = Promise.withResolvers<void>();
      let asked = 0;
      const { upstream, gateway } = await startBoth({
        async writeBegin() {
          asked++;
          if (asked === 1) await synced.promise;
          else throw new ApiError("journal_unavailable", "The journal cannot be synced.");
        },
      });
      const first = call(gateway.origin, post(gateway));
      while (asked === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(upstream.received).toEqual([]);
      synced.resolve();
      expect((await first).status).toBe(200);
      expect((await call(gateway.origin, post(gateway))).status).toBe(503);
      expect(upstream.received.length).toBe(1);
      expect(gateway.ends.length).toBe(1);
    });

    test("a request whose client leaves during the sync is not sent, and its record ends", async () => {
      const synced = Promise.withResolvers<void>();
      let asked = 0;
      const { upstream, gateway } = await startBoth({
        writeBegin: () => {
          asked++;
          return synced.promise;
        },
      });
      const sent = start(gateway.origin, post(gateway));
      while (asked === 0) await new Promise((resolve) => setImmediate(resolve));
      const socket = gateway.clientSockets[0];
      const gone = socket ? once(socket, "close") : Promise.reject(new Error("no client"));
      sent.destroy();
      await gone;
      synced.resolve();
      const end = await gateway.end();
      expect(end).toMatchObject({ outcome: "unreached", httpStatus: null });
      expect(end.cost.total).toBe(0n);
      expect(upstream.received).toEqual([]);
    });

    test("a request above the highest number of running requests is a 529", async () => {
      const { upstream, gateway } = await startBoth({ maxInFlight: 1, script: () => undefined });
      const arrived = upstream.nextExchange();
      const first = call(gateway.origin, post(gateway));
      const exchange = await arrived;
      const second = await call(gateway.origin, post(gateway));
      expect(second.status).toBe(529);
      expect(JSON.parse(second.text).error.type).toBe("overloaded_error");
      exchange.json(messageJson());
      expect((await first).status).toBe(200);
    });

    test("a body above the bound of bytes in memory is a 529, and sent bodies free their bytes", async () => {
      const { upstream, gateway } = await startBoth({ maxHeldBodyBytes: 300_000 });
      const held = connectRaw(gateway, `content-length: 250000\r\n\r\n{${" ".repeat(200_000)}`);
      const large = post(gateway, { system: "x".repeat(150_000) });
      let status = 200;
      // There is room until the first body has arrived.
      while (status === 200) status = (await call(gateway.origin, large)).status;
      expect(status).toBe(529);
      held.destroy();
      while (status !== 200) status = (await call(gateway.origin, large)).status;
      upstream.script = () => undefined;
      const arrived = upstream.nextExchange();
      const running = call(gateway.origin, large);
      const exchange = await arrived;
      upstream.script = (next) => next.json(messageJson());
      expect((await call(gateway.origin, large)).status).toBe(200);
      exchange.json(messageJson());
      expect((await running).status).toBe(200);
    });

    test("a request whose client leaves during the connect is not sent, and costs 0", async () => {
      // The TLS handshake never ends: the upstream is reachable, and the request is not sent.
      const silent = await startFakeUpstream();
      closing.push(silent.close);
      const gateway = await startTestGateway({ origin: silent.origin.replace("http:", "https:") });
      closing.push(gateway.close);
      const sent = start(gateway.origin, post(gateway));
      await untilRunning(gateway, 1);
      sent.destroy();
      expect(await gateway.end()).toMatchObject({ outcome: "unreached" });
      expect(silent.received).toEqual([]);
    });
  });

  describe("drain", () => {
    test("running requests end normally, new ones get 503, and connections close", async () => {
      const { upstream, gateway } = await startBoth({ script: () => undefined });
      const arrived = upstream.nextExchange();
      const running = call(gateway.origin, post(gateway));
      const exchange = await arrived;
      const drained = gateway.gateway.drain(10_000);
      const refused = await call(gateway.origin, post(gateway));
      expect(refused.status).toBe(503);
      expect(refused.headers.connection).toBe("close");
      expect(gateway.gateway.stats()).toEqual({ inFlight: 1, isDraining: true });
      exchange.json(messageJson());
      const answer = await running;
      expect(answer.status).toBe(200);
      expect(answer.headers.connection).toBe("close");
      await drained;
      expect(gateway.gateway.stats()).toEqual({ inFlight: 0, isDraining: true });
      expect((await gateway.end()).outcome).toBe("answered");
    });

    test("a running stream ends normally, and its connection is closed after it", async () => {
      const { gateway, exchange, response } = await startStream();
      const drained = gateway.gateway.drain(10_000);
      const socket = gateway.clientSockets[0];
      const gone = socket ? once(socket, "close") : Promise.reject(new Error("no client"));
      exchange.response.end(messageEnd().join(""));
      let text = "";
      for await (const chunk of response) text += String(chunk);
      expect(text.endsWith(messageEnd().join(""))).toBe(true);
      await drained;
      await gone;
      expect((await gateway.end()).outcome).toBe("answered");
    });

    test("a request that runs at the deadline is ended with an error, and recorded with its usage so far", async () => {
      const { gateway, response } = await startStream();
      await gateway.gateway.drain(50);
      let text = "";
      for await (const chunk of response) text += String(chunk);
      expect(text).toContain("This server is stopping.");
      expect(await gateway.end()).toMatchObject({
        outcome: "interrupted",
        httpStatus: 200,
        isEstimated: true,
        usage: { inputTokens: 10, outputTokens: 2 },
      });
      expect(gateway.gateway.stats().inFlight).toBe(0);
    });

    test("a request without a response at the deadline gets 503", async () => {
      const { upstream, gateway } = await startBoth({ script: () => undefined });
      const arrived = upstream.nextExchange();
      const running = call(gateway.origin, post(gateway));
      await arrived;
      await gateway.gateway.drain(50);
      expect((await running).status).toBe(503);
      expect(await gateway.end()).toMatchObject({ outcome: "interrupted", httpStatus: 503 });
    });

    async function startStream() {
      const { upstream, gateway } = await startBoth({
        async script(exchange) {
          exchange.startStream();
          await exchange.write(messageStart() + blockStart + textDelta("ab"));
        },
      });
      const arrived = upstream.nextExchange();
      const response = await open(gateway.origin, post(gateway, { stream: true }));
      await once(response, "readable");
      const exchange: Exchange = await arrived;
      return { gateway, exchange, response };
    }
  });
});

/** Formats a request line with a key, and then `rest`: more headers and a body. */
function connectRaw(gateway: TestGateway, rest: string, secret = gateway.secret): Socket {
  const socket = connect(gateway.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(`POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx-api-key: ${secret}\r\n${rest}`);
  return socket;
}

/** Sends and reads until the gateway closes the connection. */
async function sendRaw(
  gateway: TestGateway,
  rest: string,
  secret?: string,
): Promise<{ text: string }> {
  const socket = connectRaw(gateway, rest, secret);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return { text };
}

async function untilRunning(gateway: TestGateway, count: number): Promise<void> {
  while (gateway.gateway.stats().inFlight !== count) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

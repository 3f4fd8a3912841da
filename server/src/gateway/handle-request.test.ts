import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import {
  blockStart,
  type Exchange,
  messageEnd,
  messageJson,
  messageStart,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import { call, messageBody, open, start, withKey } from "#test/harness/gateway.ts";
import {
  connectRaw,
  openGateway,
  openUpstream,
  post,
  sendRaw,
  startBoth,
  untilRunning,
} from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";

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
      ["PUT", "/v1/files"],
      ["GET", "/v1/files/..%2Fskills"],
      ["GET", "/v1/skills/skill_1/files"],
      ["GET", "/v1/messages/batches/a/b"],
      ["GET", "/v1/messages"],
      ["DELETE", "/v1/models/claude-sonnet-4-5"],
      ["GET", "/v1/models/a/b"],
      ["GET", "/v1/models/.."],
      ["GET", "/v1/models/..%2Fmessages"],
      ["GET", "/v1/models/"],
      ["GET", "/v1/chat/completions"],
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
            needed_usd: null,
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
      const silent = await openUpstream();
      const gateway = await openGateway({ origin: silent.origin.replace("http:", "https:") });
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

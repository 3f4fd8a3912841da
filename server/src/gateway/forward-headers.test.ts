import { describe, expect, test } from "vitest";
import { HeaderFields } from "#src/lib/header-fields.ts";
import { messageEnd, messageJson, messageStart } from "#test/harness/fake-upstream.ts";
import {
  call,
  messageBody,
  open,
  UPSTREAM_CREDENTIAL,
  WORKSPACE_ID,
  withKey,
} from "#test/harness/gateway.ts";
import { post, startBoth } from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { toClientHeaders } from "./forward-headers.ts";

test("each response has the ids of its own workspace, also between those of others", () => {
  const upstream = HeaderFields.fromList([]);
  const facts = { status: 200, isStream: false, isLaptop: false, rates: null };
  const pairs = ["a b", "a c", "d c", "a b", " ", "a b"].map((pair) => pair.split(" "));
  for (const [organizationId = "", workspaceId = ""] of pairs) {
    const identity = { requestId: "req_1", organizationId, workspaceId };
    const list = toClientHeaders(upstream, identity, facts).toList();
    const findValue = (name: string) => list[list.indexOf(name) + 1];
    expect(findValue("anthropic-organization-id")).toBe(organizationId);
    expect(findValue("anthropic-workspace-id")).toBe(workspaceId);
  }
});

describeEachReader(() => {
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
});

import { afterAll, describe, expect } from "vitest";
import { messageEvents, messageJson } from "#test/harness/fake-upstream.ts";
import { type Answer, call, startTestGateway, type TestGateway } from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";

const APP = "https://app.example.com";
const OTHER = "https://other.example.com";
const STATED = { "anthropic-dangerous-direct-browser-access": "true" };
const body = JSON.stringify({
  model: "claude-sonnet-4-5",
  max_tokens: 10,
  messages: [{ role: "user", content: "Hello" }],
});

function codeOf({ text }: Answer): unknown {
  return JSON.parse(text).error.details.error_code;
}

describeEachReader(() => {
  let gateway: TestGateway;
  let secret: string;
  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({ origin: upstream.origin });
    secret = gateway.addKey({ allowedOrigins: [APP] });
    gateway.pageOrigins.add(APP);
    gateway.pageOrigins.add(OTHER);
  });
  afterAll(async () => {
    await gateway.close();
  });
  test.beforeEach(({ upstream }) => {
    upstream.received.splice(0);
    upstream.script = (exchange) => exchange.json(messageJson());
  });

  const send = (headers: Record<string, string>, path = "/v1/messages") =>
    call(gateway.origin, {
      method: "POST",
      path,
      headers: { "x-api-key": secret, "content-type": "application/json", ...headers },
      body,
    });

  const ask = (headers: Record<string, string>, path = "/v1/messages") =>
    call(gateway.origin, { method: "OPTIONS", path, headers });

  describe("the question of a browser before a request", () => {
    const question = {
      origin: APP,
      "access-control-request-method": "POST",
      "access-control-request-headers": "anthropic-version,content-type,x-api-key,x-stainless-os",
    };

    test.for([["/v1/messages"], ["/v1/chat/completions"], ["/v1/models"]])(
      "is answered for an origin that some key allows: %s",
      async ([path = ""]) => {
        const answer = await ask(question, path);
        expect(answer.status).toBe(204);
        expect(answer.text).toBe("");
        expect(answer.headers).toMatchObject({
          "access-control-allow-origin": APP,
          "access-control-allow-methods": "GET, POST, DELETE",
          "access-control-allow-headers": question["access-control-request-headers"],
          "access-control-max-age": "600",
          vary: "origin, access-control-request-headers",
        });
        expect(answer.headers["access-control-allow-credentials"]).toBe(undefined);
        expect(answer.headers["access-control-allow-private-network"]).toBe(undefined);
      },
    );

    test("about a private network is answered", async () => {
      const answer = await ask({ ...question, "access-control-request-private-network": "true" });
      expect(answer.headers["access-control-allow-private-network"]).toBe("true");
    });

    test.for([["https://evil.example.com"], ["null"], ["https://app.example.com.evil.example"]])(
      "from %s is refused",
      async ([origin = ""]) => {
        const answer = await ask({ ...question, origin });
        expect(answer.status).toBe(403);
        expect(answer.headers["access-control-allow-origin"]).toBe(undefined);
      },
    );

    test("with invalid names of fields allows none of them", async () => {
      const answer = await ask({ ...question, "access-control-request-headers": "a: b" });
      expect(answer.status).toBe(204);
      expect(answer.headers["access-control-allow-headers"]).toBe(undefined);
    });

    test("needs a method and an origin, and is a 404 otherwise", async () => {
      expect((await ask({ origin: APP })).status).toBe(404);
      expect((await ask({ "access-control-request-method": "POST" })).status).toBe(404);
    });
  });

  describe("a request of a page", () => {
    test("is served, and the page can read the answer", async ({ upstream }) => {
      const answer = await send({ origin: APP, referer: `${APP}/chat`, ...STATED });
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({ "access-control-allow-origin": APP, vary: "origin" });
      const exposed = answer.headers["access-control-expose-headers"]?.split(", ");
      expect(exposed).toEqual(
        expect.arrayContaining([
          ...["request-id", "retry-after", "anthropic-workspace-id"],
          ...["anthropic-ratelimit-tokens-reset", "x-ratelimit-remaining-requests"],
        ]),
      );
      const sent = upstream.received[0]?.headers ?? {};
      for (const name of ["origin", "referer", "sec-fetch-site", ...Object.keys(STATED)]) {
        expect(sent[name]).toBe(undefined);
      }
    });

    test("gets a stream that it can read", async ({ upstream }) => {
      upstream.script = (exchange) => exchange.stream(messageEvents(2));
      const answer = await send({ origin: APP, "sec-fetch-site": "cross-site", ...STATED });
      expect(answer.headers["access-control-allow-origin"]).toBe(APP);
      expect(answer.text).toBe(messageEvents(2).join(""));
    });

    test("as a chat completion is served the same", async () => {
      const answer = await send({ origin: APP, ...STATED }, "/v1/chat/completions");
      expect(answer.status).toBe(200);
      expect(answer.headers["access-control-allow-origin"]).toBe(APP);
      expect(JSON.parse(answer.text).object).toBe("chat.completion");
    });

    test("of an origin that only another key allows is a 403 that the page can read", async ({
      upstream,
    }) => {
      const answer = await send({ origin: OTHER, ...STATED });
      expect(answer.status).toBe(403);
      expect(codeOf(answer)).toBe("origin_not_allowed");
      expect(answer.headers["access-control-allow-origin"]).toBe(OTHER);
      expect(upstream.received).toEqual([]);
    });

    test("of an unknown origin is a 403 that the page cannot read", async ({ upstream }) => {
      const answer = await send({ origin: "https://evil.example.com", ...STATED });
      expect(answer.status).toBe(403);
      expect(answer.headers["access-control-allow-origin"]).toBe(undefined);
      expect(upstream.received).toEqual([]);
    });

    test("of an unknown key is a 401 that the page can read", async () => {
      const answer = await send({ origin: APP, "x-api-key": "sk-ant-api03-wrong", ...STATED });
      expect(answer.status).toBe(401);
      expect(answer.headers["access-control-allow-origin"]).toBe(APP);
    });

    test("without the statement about the risk is the official 401", async ({ upstream }) => {
      const answer = await send({ origin: APP });
      expect(answer.status).toBe(401);
      expect(codeOf(answer)).toBe("browser_access_not_stated");
      expect(JSON.parse(answer.text).error.message).toMatch(
        /^CORS requests must set 'anthropic-dangerous-direct-browser-access' header/,
      );
      expect(upstream.received).toEqual([]);
    });

    test("with a key for all origins is served from any of them", async () => {
      const any = gateway.addKey({ allowedOrigins: ["*"] });
      expect((await send({ origin: "null", "x-api-key": any, ...STATED })).status).toBe(200);
    });

    test("with a key for no origin is refused", async () => {
      const none = gateway.addKey();
      expect((await send({ origin: APP, "x-api-key": none, ...STATED })).status).toBe(403);
    });
  });

  describe("a request of this server's own page", () => {
    test.for([
      [
        "by the field of the browser",
        { origin: "https://bursar.example.com", "sec-fetch-site": "same-origin" },
      ],
      ["by its host", { origin: "http://bursar.internal:8484", host: "bursar.internal:8484" }],
    ] as const)("is served without a list of origins, %s", async ([, headers], { upstream }) => {
      const none = gateway.addKey();
      const answer = await send({ ...headers, "x-api-key": none });
      expect(answer.status).toBe(200);
      expect(answer.headers["access-control-allow-origin"]).toBe(undefined);
      expect(upstream.received[0]?.headers.origin).toBe(undefined);
    });

    test("with a playground key is served behind a proxy that changes the host", async () => {
      const playground = gateway.addKey({
        purpose: "playground",
        secretValidUntilMs: Date.now() + 60_000,
      });
      const answer = await send({ origin: "https://console.example.com", "x-api-key": playground });
      expect(answer.status).toBe(200);
    });
  });
});

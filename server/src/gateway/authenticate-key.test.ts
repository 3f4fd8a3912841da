import { randomBytes } from "node:crypto";
import { afterAll, describe, expect } from "vitest";
import { makeSecret } from "#src/domain/key-format.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { type KeyCache, makeKeyCache } from "#src/key-lookup/key-cache.ts";
import { systemClock } from "#src/lib/clock.ts";
import {
  call,
  defaultKey,
  messageBody,
  ORGANIZATION_ID,
  startTestGateway,
  type TestGateway,
  WORKSPACE_ID,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test as base } from "#test/harness/upstream-test.ts";

const test = base.extend(
  "startAway",
  ({ upstream }) =>
    (silenceMs: () => number, lookup: () => Promise<(FoundKey | null)[]>) =>
      startTestGateway({
        origin: upstream.origin,
        keys: makeKeyCache({
          lookup,
          msSinceContact: silenceMs,
          leaseTtlMs: 120_000,
          clock: systemClock,
        }),
      }),
);

describeEachReader(() => {
  let gateway: TestGateway;
  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({ origin: upstream.origin });
  });
  afterAll(async () => {
    await gateway.close();
  });
  test.beforeEach(({ upstream }) => void upstream.received.splice(0));

  const unknown = makeSecret("api", randomBytes).secret;

  async function post(headers: Record<string, string | string[]>) {
    const answer = await call(gateway.origin, { headers, body: messageBody() });
    const message: string = answer.status === 200 ? "" : JSON.parse(answer.text).error.message;
    const type: string = answer.status === 200 ? "" : JSON.parse(answer.text).error.type;
    return { ...answer, message, type };
  }

  describe("a key is read", () => {
    test.each([
      ["x-api-key", (secret: string) => ({ "x-api-key": secret })],
      ["Authorization: Bearer", (secret: string) => ({ authorization: `Bearer ${secret}` })],
      ["any case of Bearer", (secret: string) => ({ authorization: `bEARER  ${secret} ` })],
      [
        "both headers, equal",
        (secret: string) => ({ "x-api-key": secret, authorization: `Bearer ${secret}` }),
      ],
      [
        "x-api-key beside a foreign Bearer token",
        (secret: string) => ({ "x-api-key": secret, authorization: "Bearer sk-ant-oat01-foreign" }),
      ],
      [
        "Bearer beside a foreign x-api-key",
        (secret: string) => ({
          "x-api-key": "sk-ant-api03-foreign",
          authorization: `Bearer ${secret}`,
        }),
      ],
      [
        "x-api-key beside Basic credentials",
        (secret: string) => ({ "x-api-key": secret, authorization: "Basic dXNlcjpwYXNz" }),
      ],
    ])("from %s", async (_, headers) => {
      const answer = await post(headers(gateway.secret));
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        "anthropic-organization-id": ORGANIZATION_ID,
        "anthropic-workspace-id": WORKSPACE_ID,
      });
    });
  });

  describe("a 401 names the problem", () => {
    const expired = Date.UTC(2026, 0, 2, 3, 4, 5);
    test.for<[string, () => Record<string, string | string[]>, RegExp]>([
      ["no key", () => ({}), /^x-api-key header is required/],
      ["an empty key", () => ({ "x-api-key": " " }), /^x-api-key header is required/],
      ["another scheme", () => ({ authorization: "Basic abc" }), /has no Bearer key/],
      [
        "an AWS signature",
        () => ({ authorization: "AWS4-HMAC-SHA256 Credential=AKIA/20261130/us-east-1/bedrock" }),
        /set AWS_BEARER_TOKEN_BEDROCK to the key/,
      ],
      [
        "a mistyped key",
        () => ({ "x-api-key": `${unknown.slice(0, -1)}!` }),
        /^invalid x-api-key: this is not a key/,
      ],
      [
        "a key from elsewhere",
        () => ({ "x-api-key": "sk-ant-api03-abc" }),
        /belongs to another server/,
      ],
      [
        "an unknown key",
        () => ({ "x-api-key": unknown }),
        /no workspace of this server has this API key/,
      ],
      [
        "an admin key",
        () => ({ "x-api-key": makeSecret("admin", randomBytes).secret }),
        /this is an admin key .* the key of a workspace/,
      ],
      [
        "two different keys of ours",
        () => ({ "x-api-key": unknown, authorization: `Bearer ${gateway.secret}` }),
        /Two different API keys/,
      ],
      [
        "the same header twice",
        () => ({ "x-api-key": [gateway.secret, unknown] }),
        /not a key of this server/,
      ],
      [
        "a disabled key",
        () => ({ "x-api-key": gateway.addKey({ status: "inactive" }) }),
        /is disabled \(inactive\)/,
      ],
      [
        "an archived key",
        () => ({ "x-api-key": gateway.addKey({ status: "archived" }) }),
        /API key is archived/,
      ],
      [
        "an archived workspace",
        () => ({ "x-api-key": gateway.addKey({ isWorkspaceArchived: true }) }),
        /^The workspace of this API key is archived/,
      ],
      [
        "an expired key",
        () => ({ "x-api-key": gateway.addKey({ expiresAtMs: expired }) }),
        /expired at 2026-01-02T03:04:05\.000Z/,
      ],
    ] as const)("%s", async ([_, headers, message], { upstream }) => {
      const answer = await post(headers());
      expect(answer.status).toBe(401);
      expect(answer.type).toBe("authentication_error");
      expect(answer.message).toMatch(message);
      expect(answer.headers["request-id"]).toBe(JSON.parse(answer.text).request_id);
      expect(answer.headers["anthropic-organization-id"]).toBe(undefined);
      expect(upstream.received).toEqual([]);
      expect(gateway.begins.length).toBe(gateway.ends.length);
    });

    test("the response never repeats the secret", async () => {
      const answer = await post({ "x-api-key": unknown });
      expect(answer.text + JSON.stringify(answer.rawHeaders)).not.toContain(unknown.slice(13, 40));
    });

    test("the database's clock decides expiry, to the millisecond", async ({ upstream }) => {
      let nowMs = 1_000;
      const other = await startTestGateway({ origin: upstream.origin, databaseNowMs: () => nowMs });
      const headers = { "x-api-key": other.addKey({ expiresAtMs: 2_000 }) };
      nowMs = 1_999;
      expect((await call(other.origin, { headers, body: messageBody() })).status).toBe(200);
      nowMs = 2_000;
      expect((await call(other.origin, { headers, body: messageBody() })).status).toBe(401);
      await other.close();
    });
  });

  describe("permissions", () => {
    test("a read key lists models and counts tokens, and may not create messages", async ({
      upstream,
    }) => {
      const headers = { "x-api-key": gateway.addKey({ permission: "read" }) };
      const denied = await post(headers);
      expect(denied.status).toBe(403);
      expect(denied.type).toBe("permission_error");
      expect(denied.message).toBe(
        'This API key has the permission "read". This call needs "write".',
      );
      expect(upstream.received).toEqual([]);
      const count = await call(gateway.origin, {
        path: "/v1/messages/count_tokens",
        headers,
        body: messageBody(),
      });
      expect(count.status).toBe(200);
      const models = await call(gateway.origin, { method: "GET", path: "/v1/models", headers });
      expect(models.status).toBe(200);
    });

    test("an admin workspace key may do what a write key may", async () => {
      const answer = await post({ "x-api-key": gateway.addKey({ permission: "admin" }) });
      expect(answer.status).toBe(200);
    });
  });

  describe("when the database is away", () => {
    test("a cached key works up to the TTL, and later and for new keys the response is a 503 with the reason", async ({
      upstream,
      startAway,
    }) => {
      let silenceMs = 0;
      let isAway = false;
      const key: FoundKey = { ...defaultKey, id: "apikey_1" };
      const away = await startAway(
        () => silenceMs,
        () => (isAway ? Promise.reject(new Error("connection refused")) : Promise.resolve([key])),
      );
      const send = (secret: string) =>
        call(away.origin, { headers: { "x-api-key": secret }, body: messageBody() });
      const known = makeSecret("api", randomBytes).secret;
      expect((await send(known)).status).toBe(200);

      isAway = true;
      silenceMs = 120_000;
      expect((await send(known)).status).toBe(200);
      const fresh = await send(unknown);
      expect(fresh.status).toBe(503);
      expect(JSON.parse(fresh.text).error).toEqual({
        type: "api_error",
        message:
          "The API key cannot be checked right now, because the server's database does not respond. Retry in a moment.",
        details: { error_code: "database_unavailable", retry_after_seconds: 1 },
      });
      silenceMs = 120_001;
      expect((await send(known)).status).toBe(503);
      expect(upstream.received.length).toBe(2);
      await away.close();
    });
  });

  test("a bug in authentication is a 500 without details", async ({ upstream }) => {
    const keys: KeyCache = {
      findCached: () => undefined,
      find: () => Promise.reject(new Error("a secret detail")),
      findCachedByHash: () => undefined,
      findByHash: () => Promise.reject(new Error("a secret detail")),
      forget: () => undefined,
    };
    const broken = await startTestGateway({ origin: upstream.origin, keys });
    const answer = await call(broken.origin, { headers: { "x-api-key": unknown }, body: "{}" });
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text).error).toEqual({
      type: "api_error",
      message: "Internal error",
      details: { error_code: "internal_error" },
    });
    expect(upstream.received).toEqual([]);
    await broken.close();
  });
});

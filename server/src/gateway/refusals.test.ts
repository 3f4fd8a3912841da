import { afterAll, describe, expect } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { messageJson } from "#test/harness/fake-upstream.ts";
import {
  type Answer,
  call,
  messageBody,
  startTestGateway,
  type TestGateway,
  withKey,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";

const PUBLIC_URL = "https://bursar.example.com";
describeEachReader(() => {
  let gateway: TestGateway;
  let publicUrl: string | null;
  let thrown: Error | null;

  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({ origin: upstream.origin, publicUrl: () => publicUrl });
    const { admission } = gateway;
    gateway.admission = {
      admit(scope, atMs) {
        if (thrown !== null) throw thrown;
        return admission.admit(scope, atMs);
      },
    };
  });
  afterAll(async () => {
    await gateway.close();
  });
  test.beforeEach(({ upstream }) => {
    publicUrl = PUBLIC_URL;
    thrown = null;
    upstream.received.length = 0;
    upstream.script = (exchange) => exchange.json(messageJson());
  });

  function send(headers: Record<string, string> = {}, body = messageBody()): Promise<Answer> {
    return call(gateway.origin, { headers: { ...withKey(gateway.secret), ...headers }, body });
  }

  function errorOf({ text }: Answer) {
    return JSON.parse(text).error;
  }

  describe("x-should-retry", () => {
    test.each([
      ["no key", {}],
      ["a malformed key", withKey("sk-ant-api03-wrong")],
      ["an admin key", withKey("sk-ant-admin01-wrong")],
    ])("is false on a 401 for %s", async (_, headers) => {
      const answer = await call(gateway.origin, { headers, body: messageBody() });
      expect([answer.status, answer.headers["x-should-retry"]]).toEqual([401, "false"]);
    });

    test.each([
      ["a disabled key", { status: "inactive" }, 401],
      ["an archived key", { status: "archived" }, 401],
      ["an expired key", { expiresAtMs: 1 }, 401],
      ["a rotated secret", { secretValidUntilMs: 1 }, 401],
      ["an archived workspace", { isWorkspaceArchived: true }, 401],
      ["the key of a removed person", { ownerState: "removed" }, 401],
      ["a missing permission", { permission: "read" }, 403],
      ["another model", { allowedModels: ["claude-haiku-*"] }, 403],
    ] as const)("is false for %s", async (_, key, status) => {
      const headers = withKey(gateway.addKey(key));
      const answer = await call(gateway.origin, { headers, body: messageBody() });
      expect([answer.status, answer.headers["x-should-retry"]]).toEqual([status, "false"]);
    });

    test("is false for an invalid body, and for a path that is not served", async () => {
      const invalid = await send({}, "{");
      expect([invalid.status, invalid.headers["x-should-retry"]]).toEqual([400, "false"]);
      const missing = await call(gateway.origin, { path: "/v1/complete" });
      expect([missing.status, missing.headers["x-should-retry"]]).toEqual([404, "false"]);
    });

    test("is false on a 401 of the upstream, whose body passes unchanged", async ({ upstream }) => {
      const body = '{"type":"error", "error":{"type":"authentication_error","message":"As it is"}}';
      upstream.script = (exchange) => exchange.json(body, { status: 401 });
      const answer = await send();
      expect([answer.status, answer.text]).toEqual([401, body]);
      expect(answer.headers["x-should-retry"]).toBe("false");
    });

    test("keeps the upstream's value on its 401", async ({ upstream }) => {
      const headers = { "x-should-retry": "true" };
      upstream.script = (exchange) => exchange.json({}, { status: 401, headers });
      expect((await send()).headers["x-should-retry"]).toBe("true");
    });

    test.each([
      ["too_many_attempts", 429],
      ["journal_unavailable", 503],
      ["overloaded", 529],
      ["internal_error", 500],
    ] as const)("is absent for %s", async (code, status) => {
      thrown = new ApiError(code, "Later.");
      const answer = await send();
      expect([answer.status, answer.headers["x-should-retry"]]).toEqual([status, undefined]);
    });

    test.for([403, 429, 500, 529])(
      "is absent on a %i of the upstream",
      async (status, { upstream }) => {
        upstream.script = (exchange) => exchange.json({}, { status });
        expect((await send()).headers["x-should-retry"]).toBeUndefined();
      },
    );
  });

  describe("a reached spend limit", () => {
    const message = "You have reached your specified workspace API usage limits.";
    const limit = {
      id: "spl_test",
      scopeType: "workspace",
      scopeId: "wksp_test",
      period: "monthly",
      amountNanoUsd: 10_000_000_000n,
    } as const;

    async function askAs(userAgent: string): Promise<Answer> {
      const { admission } = gateway;
      const regainAtMs = Date.now() + 3_600_000;
      const spentNanoUsd = 10_200_000_000n;
      gateway.admission = {
        admit: () => ({ kind: "blocked", message, limit, spentNanoUsd, regainAtMs }),
      };
      const answer = await send({ "user-agent": userAgent });
      gateway.admission = admission;
      return answer;
    }

    test.each([
      "claude-cli/2.1.332 (external, cli)",
      "claude-cli/2.1.332 (external, sdk-ts)",
      "claude-cli/2.1.332 (external, sdk-ts, agent-sdk/0.3.332)",
      "claude-code/2.1.332",
    ])("is a 429 for %s", async (userAgent) => {
      const answer = await askAs(userAgent);
      expect(answer.status).toBe(429);
      expect(errorOf(answer)).toEqual({
        type: "billing_error",
        message: `${message} To ask for a higher limit, open ${PUBLIC_URL}/increase-requests/new?scope=workspace&id=wksp_test&period=monthly`,
        details: {
          error_code: "spend_limit_reached",
          limit: {
            id: "spl_test",
            scope: { type: "workspace", workspace_id: "wksp_test" },
            period: "monthly",
            period_ends_at: expect.stringMatching(/^2\d{3}-.*Z$/),
            limit_usd: 10,
            spent_usd: "10.20",
            held_usd: null,
            unresolved_usd: null,
            needed_usd: null,
          },
          retry_after_seconds: Number(answer.headers["retry-after"]),
        },
      });
      expect(answer.headers).toMatchObject({
        "x-should-retry": "false",
        "retry-after": expect.stringMatching(/^3(600|599)$/),
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-overage-utilization": "1.02",
        "anthropic-ratelimit-unified-overage-period": "monthly",
      });
    });

    test.each(["Anthropic/JS 1.14.0", "curl/8.5.0", "my-claude-cli/1.0"])(
      "is the official 400 for %s",
      async (userAgent) => {
        const answer = await askAs(userAgent);
        expect(answer.status).toBe(400);
        expect(errorOf(answer).type).toBe("invalid_request_error");
        expect(answer.headers["x-should-retry"]).toBe("false");
        expect(answer.headers["retry-after"]).toBeUndefined();
      },
    );
  });

  describe("anthropic-workspace-id", () => {
    test.for(["wksp_test", ""])(
      "passes as %j and does not reach the upstream",
      async (id, { upstream }) => {
        expect((await send({ "anthropic-workspace-id": id })).status).toBe(200);
        expect(upstream.received[0]?.headers).not.toHaveProperty("anthropic-workspace-id");
      },
    );

    test.for([
      ["POST", "/v1/messages"],
      ["POST", "/v1/messages/count_tokens"],
      ["GET", "/v1/models"],
    ] as const)(
      "of another workspace gets the 404 of an unknown one: %s %s",
      async ([method, path], { upstream }) => {
        gateway.addKey({ workspaceId: "wksp_other" });
        for (const id of ["wksp_other", "wksp_unknown", "wrkspc_01", "no id"]) {
          const headers = { ...withKey(gateway.secret), "anthropic-workspace-id": id };
          const body = method === "POST" ? messageBody() : "";
          const answer = await call(gateway.origin, { method, path, headers, body });
          expect(answer.status).toBe(404);
          expect(errorOf(answer)).toEqual({
            type: "not_found_error",
            message: `Workspace \`${id}\` not found. An API key serves its own workspace only: send that workspace's id in anthropic-workspace-id, or remove the header.`,
            details: { error_code: "resource_not_found", resource: "workspace" },
          });
          expect(answer.headers["anthropic-workspace-id"]).toBe("wksp_test");
          expect(answer.headers["x-should-retry"]).toBe("false");
        }
        expect(upstream.received).toEqual([]);
      },
    );

    test("is checked after the key", async () => {
      const headers = { ...withKey("sk-ant-api03-wrong"), "anthropic-workspace-id": "wksp_other" };
      expect((await call(gateway.origin, { headers, body: messageBody() })).status).toBe(401);
    });
  });

  describe("a wrong base URL", () => {
    test.each([
      ["/messages", "/v1/messages"],
      ["/messages?beta=true", "/v1/messages"],
      ["/messages/count_tokens", "/v1/messages/count_tokens"],
      ["/v1/v1/messages", "/v1/messages"],
      ["/v1/v1/messages/count_tokens", "/v1/messages/count_tokens"],
      ["/v1/messages/", "/v1/messages"],
      ["//v1/messages", "/v1/messages"],
    ])("POST %s names the right one", async (path, served) => {
      expect(gateway.gateway.handles("POST", path)).toBe(true);
      const answer = await call(gateway.origin, { path, body: messageBody() });
      expect(answer.status).toBe(404);
      const shown = path.replace(/\?.*/, "");
      expect(errorOf(answer).message).toBe(
        `Not found: POST ${shown} is not served here. The path is ${served}. Set the base URL to ${PUBLIC_URL}, without /v1. Only the Vercel AI SDK takes a base URL that ends in /v1.`,
      );
    });

    test.each(["/chat/completions", "/v1/v1/chat/completions"])(
      "of an OpenAI SDK: POST %s names the right one",
      async (path) => {
        const answer = await call(gateway.origin, { path, body: messageBody() });
        expect(answer.status).toBe(404);
        expect(errorOf(answer).message).toBe(
          `Not found: POST ${path} is not served here. The path is /v1/chat/completions. The OpenAI SDKs take a base URL that ends in /v1: ${PUBLIC_URL}/v1.`,
        );
      },
    );

    test("is not answered with the address of the Host header if the server does not know its own", async () => {
      publicUrl = null;
      const headers = { host: "attacker.example" };
      const answer = await call(gateway.origin, {
        path: "/messages",
        headers,
        body: messageBody(),
      });
      expect(errorOf(answer).message).toContain(
        "Set the base URL to the server's origin, without /v1.",
      );
      expect(answer.text).not.toContain("attacker.example");
    });

    test.each([
      ["GET", "/messages"],
      ["POST", "/"],
      ["POST", "/messages/batches"],
      ["POST", "/v1"],
    ])("%s %s is not the Claude API's", (method, path) => {
      expect(gateway.gateway.handles(method, path)).toBe(false);
    });
  });

  test("a compressed body is refused with the official cause", async () => {
    const answer = await send({ "content-encoding": "gzip" });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({
      type: "invalid_request_error",
      details: { error_code: "request_body_encoding_unsupported" },
    });
  });
});

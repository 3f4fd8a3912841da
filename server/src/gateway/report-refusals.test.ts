import { afterAll, describe, expect } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { compileRanges } from "#src/key-lookup/address-ranges.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { messageJson } from "#test/harness/fake-upstream.ts";
import {
  call,
  messageBody,
  startTestGateway,
  type TestGateway,
  withKey,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";
import type { RefusedRequest } from "./refuse.ts";

// Every error that the gateway itself sends is reported once, with its cause.

describeEachReader(() => {
  let gateway: TestGateway;
  let unreachable: TestGateway;
  let thrown: Error | null = null;
  const refused: RefusedRequest[] = [];
  test.beforeAll(async ({ upstream }) => {
    const onRefused = (each: RefusedRequest) => void refused.push(each);
    gateway = await startTestGateway({ origin: upstream.origin, onRefused });
    unreachable = await startTestGateway({ origin: "http://127.0.0.1:9", onRefused });
    gateway.admission = {
      admit: () => {
        if (thrown !== null) throw thrown;
        return { kind: "admitted" };
      },
    };
  });
  afterAll(async () => {
    await gateway.close();
    await unreachable.close();
  });
  test.beforeEach(({ upstream }) => {
    upstream.script = (exchange) => exchange.json(messageJson());
    thrown = null;
    refused.length = 0;
  });

  const reported = () =>
    refused.map(({ key, errorCode, httpStatus, model }) => [
      key?.id ?? null,
      errorCode,
      httpStatus,
      model,
    ]);

  async function send(key: Partial<FoundKey>, body: object = {}, path?: string) {
    const answer = await call(gateway.origin, {
      headers: withKey(gateway.addKey(key)),
      body: messageBody({ model: "claude-sonnet-4-5", ...body }),
      ...(path !== undefined && { path }),
    });
    return answer;
  }

  describe("a refusal is reported", () => {
    test("with its key, before the body is read", async () => {
      await send({ id: "address", allowedAddresses: compileRanges(["192.0.2.0/24"]) });
      await send({ id: "permission", permission: "read" });
      await send({ id: "disabled", status: "inactive" });
      await send({ id: "body" }, { messages: "no list" });
      expect(reported()).toEqual([
        ["address", "address_not_allowed", 403, ""],
        ["permission", "permission_denied", 403, ""],
        ["disabled", "api_key_disabled", 401, ""],
        ["body", "invalid_fields", 400, ""],
      ]);
    });

    test("with the request id, the address and the facts of its response", async () => {
      const answer = await send({ id: "model", allowedModels: ["claude-haiku-*"] });
      expect(reported()).toEqual([["model", "model_not_allowed", 403, "claude-sonnet-4-5"]]);
      expect(refused[0]).toMatchObject({
        requestId: answer.headers["request-id"],
        address: "127.0.0.1",
        details: { error_code: "model_not_allowed", allowed_models: ["claude-haiku-*"] },
      });
    });

    test("with a bounded model name", async () => {
      await send({ id: "any", allowedModels: ["claude-haiku-*"] }, { model: "an-invented-name" });
      expect(reported()).toEqual([["any", "model_not_allowed", 403, "other"]]);
    });

    test("without a key, if the key is missing or unknown, or the path is not served", async () => {
      await call(gateway.origin, { body: messageBody() });
      await call(gateway.origin, {
        headers: withKey("sk-ant-api03-unknown"),
        body: messageBody(),
      });
      await call(gateway.origin, { path: "/v1/complete" });
      expect(reported()).toEqual([
        [null, "api_key_missing", 401, ""],
        [null, "api_key_invalid", 401, ""],
        [null, "route_not_found", 404, ""],
      ]);
    });

    test.for([
      ["overloaded", 529],
      ["journal_unavailable", 503],
      ["internal_error", 500],
    ] as const)("with %s, a fault of the server", async ([code, status]) => {
      thrown = code === "internal_error" ? new Error("a bug") : new ApiError(code, "Later.");
      expect((await send({ id: "any" })).status).toBe(status);
      expect(reported()).toEqual([["any", code, status, "claude-sonnet-4-5"]]);
    });

    test("if the upstream cannot be reached", async () => {
      const headers = withKey(unreachable.addKey({ id: "any" }));
      const body = messageBody({ model: "claude-sonnet-4-5" });
      expect((await call(unreachable.origin, { headers, body })).status).toBe(502);
      expect(reported()).toEqual([["any", "upstream_unreachable", 502, "claude-sonnet-4-5"]]);
    });
  });

  test("an error of the upstream is not reported", async ({ upstream }) => {
    upstream.script = (exchange) => exchange.json({ type: "error" }, { status: 429 });
    expect((await send({ id: "any" })).status).toBe(429);
    expect(reported()).toEqual([]);
  });
});

import { afterAll, describe, expect } from "vitest";
import { makeClientAddress } from "#src/http/client-address.ts";
import { compileRanges } from "#src/key-lookup/address-ranges.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import {
  call,
  messageBody,
  startTestGateway,
  type TestGateway,
  withKey,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";

// Restrictions of a key by model, address and time, as a client of Claude sees them.

describeEachReader(() => {
  let gateway: TestGateway;
  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({
      origin: upstream.origin,
      clientAddress: makeClientAddress(["127.0.0.0/8"]),
    });
  });
  afterAll(async () => {
    await gateway.close();
  });
  test.beforeEach(({ upstream }) => {
    upstream.received.splice(0);
    gateway.uses.splice(0);
  });

  async function send(
    key: Partial<FoundKey>,
    body: object = {},
    { from, path }: { from?: string; path?: string } = {},
  ) {
    const headers = {
      ...withKey(gateway.addKey(key)),
      ...(from !== undefined && { "x-forwarded-for": from }),
    };
    const answer = await call(gateway.origin, {
      headers,
      body: messageBody(body),
      ...(path !== undefined && { path }),
    });
    const error: { type: string; message: string } =
      answer.status === 200 ? { type: "", message: "" } : JSON.parse(answer.text).error;
    return { status: answer.status, ...error };
  }

  describe("a key with allowed models", () => {
    const allowedModels = ["claude-sonnet-4-5", "claude-haiku-*"];

    test.each([
      [{ model: "claude-sonnet-4-5" }],
      [{ model: "claude-sonnet-4-5-20250929" }],
      [{ model: "claude-haiku-4-5" }],
      [{ fallbacks: [{ model: "claude-haiku-4-5" }] }],
      [{ tools: [{ type: "advisor_20260301", name: "advisor", model: "claude-haiku-4-5" }] }],
      [{ tools: [{ type: "web_search_20250305", name: "web_search" }] }],
    ])("may send %j", async (body) => {
      expect((await send({ allowedModels }, body)).status).toBe(200);
    });

    test.for<[object, string]>([
      [{ model: "claude-opus-4-5" }, '"claude-opus-4-5" is not one.'],
      [{ model: "claude-sonnet-4-5 " }, '"claude-sonnet-4-5 " is not one.'],
      [{ fallbacks: [{ model: "claude-opus-4-5" }] }, '"claude-opus-4-5" is not one.'],
      [{ fallbacks: "default" }, "This request leaves a model open."],
      [{ fallbacks: [{}] }, "This request leaves a model open."],
      [
        { tools: [{ type: "advisor_20260301", name: "advisor", model: "claude-opus-4-5" }] },
        '"claude-opus-4-5" is not one.',
      ],
      [
        { tools: [{ type: "advisor_20260301", name: "advisor" }] },
        "This request leaves a model open.",
      ],
      [
        {
          tools: [
            ...Array.from({ length: 16 }, () => ({ type: "web_search", name: "w" })),
            { type: "advisor", name: "advisor", model: "claude-opus-4-5" },
          ],
        },
        "This request leaves a model open.",
      ],
    ] as const)("may not send %j", async ([body, why], { upstream }) => {
      for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
        expect(await send({ allowedModels }, body, { path })).toEqual({
          status: 403,
          type: "permission_error",
          message: `This API key may only call these models: claude-sonnet-4-5, claude-haiku-*. ${why}`,
          details: { error_code: "model_not_allowed", allowed_models: allowedModels },
        });
      }
      expect(upstream.received).toEqual([]);
      expect(gateway.begins.length).toBe(gateway.ends.length);
    });

    describe("may not reach another model through", () => {
      const opus = { model: "claude-opus-4-5" };
      const advisor = { type: "advisor_20260301", name: "advisor", ...opus };
      const messages = (...content: object[]) => ({ messages: [{ role: "user", content }] });
      const addition = (tool: object) => messages({ type: "tool_addition", tool });
      const definition = { type: "tool_definition", definition: advisor };
      test.for<[string, object, string]>([
        ["a tool_addition of an advisor", addition(definition), '"claude-opus-4-5" is not one.'],
        [
          "a tool_addition that is the advisor itself",
          addition(advisor),
          "another model: field tool.model, tool advisor_20260301.",
        ],
        [
          "a tool_addition in a compaction block",
          messages({
            type: "compaction",
            tool_changes: [{ type: "tool_addition", tool: definition }],
          }),
          '"claude-opus-4-5" is not one.',
        ],
        [
          "an unknown tool",
          { tools: [{ type: "quantum_20300101", name: "q" }] },
          "another model: tool quantum_20300101.",
        ],
        ["an unknown field", { reviewer: opus }, "another model: field reviewer."],
        ["an unknown block", messages({ type: "hologram" }), "another model: block hologram."],
        [
          "a compaction edit with a model",
          { context_management: { edits: [{ type: "compact_20260112", ...opus }] } },
          "another model: field edits.model.",
        ],
        [
          "a compaction with a model",
          { compaction: { type: "summarize", ...opus } },
          "another model: field compaction.model.",
        ],
        [
          "an unknown edit",
          { context_management: { edits: [{ type: "rewrite_20300101" }] } },
          "another model: edit rewrite_20300101.",
        ],
        [
          "a nested override of a fallback",
          { fallbacks: [{ model: "claude-haiku-4-5", overrides: opus }] },
          "another model: field fallbacks.overrides.",
        ],
        [
          "a nested field of a fallback",
          { fallbacks: [{ model: "claude-haiku-4-5", output_config: opus }] },
          "another model: field output_config.model.",
        ],
        [
          "a model of another tool than an advisor",
          { tools: [{ type: "web_search_20250305", name: "web_search", ...opus }] },
          "another model: field tools.model.",
        ],
      ])("%s", async ([, body, why], { upstream }) => {
        for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
          const answer = await send(
            { allowedModels },
            { model: "claude-haiku-4-5", ...body },
            { path },
          );
          expect(answer).toMatchObject({
            status: 403,
            type: "permission_error",
            details: { error_code: "model_not_allowed" },
          });
          expect(answer.message).toContain(why);
        }
        expect(upstream.received).toEqual([]);
      });
    });

    test("lists twenty models at most in its refusal", async () => {
      const many = Array.from({ length: 23 }, (_, index) => `m${index}`);
      const { message } = await send({ allowedModels: many });
      expect(message).toContain("m18, m19 and 3 more.");
    });
  });

  describe("a key with allowed addresses", () => {
    const allowedAddresses = compileRanges(["203.0.113.0/24", "2001:db8::/32"]);

    test.each(["203.0.113.9", "::ffff:203.0.113.9", "::ffff:cb00:7109", "2001:db8::1"])(
      "works from %s",
      async (from) => {
        expect((await send({ allowedAddresses }, {}, { from })).status).toBe(200);
      },
    );

    test.for([
      ["198.51.100.1", "198.51.100.1"],
      ["2001:db9::1", "2001:db9::1"],
      // A stranger can write addresses to the left of its own one.
      ["203.0.113.9, 198.51.100.1", "198.51.100.1"],
      ["nonsense", "127.0.0.1"],
    ] as const)(
      "is refused from %s, without the allowed addresses",
      async ([from, address], { upstream }) => {
        const answer = await send({ allowedAddresses }, {}, { from });
        expect(answer).toMatchObject({ status: 403, type: "permission_error" });
        expect(answer.message).toContain(`cannot be used from ${address},`);
        expect(answer.message).not.toContain("203.0.113");
        expect(upstream.received).toEqual([]);
        expect(gateway.uses).toEqual([]);
      },
    );

    test("is refused from an unknown address", async ({ upstream }) => {
      const blind = await startTestGateway({ origin: upstream.origin, clientAddress: () => null });
      const headers = withKey(blind.addKey({ allowedAddresses: compileRanges(["0.0.0.0/0"]) }));
      const answer = await call(blind.origin, { headers, body: messageBody() });
      expect(answer.status).toBe(403);
      expect(answer.text).toContain("from an unknown address");
      await blind.close();
    });

    test("a disabled key is refused as disabled from any address", async () => {
      const answer = await send({ allowedAddresses, status: "inactive" }, {}, { from: "9.9.9.9" });
      expect([answer.status, answer.message]).toEqual([401, expect.stringContaining("disabled")]);
    });
  });

  describe("a 401 names the state of the key", () => {
    const nowMs = 1_000_000;
    test.for<[Partial<FoundKey>, RegExp]>([
      [
        { secretValidUntilMs: nowMs },
        /was rotated, and this secret expired at 1970-01-01T00:16:40\.000Z/,
      ],
      [
        { ownerMemberId: "user_1", ownerState: "deactivated" },
        /has been deactivated, so the key is disabled/,
      ],
      [
        { ownerMemberId: "user_1", ownerState: "removed", status: "archived" },
        /has left the organization/,
      ],
      [
        { ownerMemberId: "user_1", ownerState: "outside" },
        /has no access to its workspace any more/,
      ],
    ] as const)("%j", async ([key, message], { upstream }) => {
      const other = await startTestGateway({ origin: upstream.origin, databaseNowMs: () => nowMs });
      const answer = await call(other.origin, {
        headers: withKey(other.addKey(key)),
        body: messageBody(),
      });
      expect([answer.status, JSON.parse(answer.text).error.type]).toEqual([
        401,
        "authentication_error",
      ]);
      expect(JSON.parse(answer.text).error.message).toMatch(message);
      expect(other.uses).toEqual([]);
      await other.close();
    });
  });

  describe("a use is recorded", () => {
    test("with time, address and model, also if the request is refused later", async () => {
      const from = "203.0.113.9";
      const key = { secretId: 7 };
      await send(key, { model: "claude-haiku-4-5" }, { from });
      await send({ ...key, allowedModels: ["m"] }, {}, { from });
      await send(key, {}, { from, path: "/v1/messages/count_tokens" });
      await call(gateway.origin, {
        method: "GET",
        path: "/v1/models",
        headers: { ...withKey(gateway.addKey(key)), "x-forwarded-for": from },
      });
      const use = { secretId: 7, address: from, atMs: expect.any(Number) };
      expect(gateway.uses).toEqual([
        { ...use, model: "claude-haiku-4-5" },
        { ...use, model: "claude-sonnet-4-5" },
        { ...use, model: "claude-sonnet-4-5" },
        { ...use, model: null },
      ]);
    });

    test("with the time of the check of its secret, also if the secret expires right after it", async ({
      upstream,
    }) => {
      const validUntilMs = 2_000;
      let nowMs = validUntilMs - 1;
      const other = await startTestGateway({
        origin: upstream.origin,
        databaseNowMs: () => nowMs++, // Each call returns a later millisecond.
      });
      const secret = other.addKey({ secretValidUntilMs: validUntilMs });
      const headers = withKey(secret);
      const answer = await call(other.origin, { headers, body: messageBody() });
      expect([answer.status, other.uses.map(({ atMs }) => atMs)]).toEqual([
        200,
        [validUntilMs - 1],
      ]);
      nowMs = validUntilMs - 1;
      const models = await call(other.origin, { method: "GET", path: "/v1/models", headers });
      expect([models.status, other.uses[1]?.atMs]).toEqual([200, validUntilMs - 1]);
      await other.close();
    });
  });
});

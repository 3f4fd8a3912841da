import { afterAll, describe, expect } from "vitest";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { call, messageBody, startTestGateway, type TestGateway } from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";

// A person with a valid laptop sends headers and fields that claim more than the token.

const TAG = "cost_center";
const chosen = { name: TAG, replacedId: null, ids: { Research: "tag_research" } };
const tagged: Partial<FoundKey> = { tagIds: ["tag_other"], groupTags: chosen };

const userHeaders = {
  "x-claude-gateway-user-id": "victim",
  "x-claude-gateway-user-email": "victim@acme.example",
  "x-litellm-end-user-id": "victim@acme.example",
};

describeEachReader(() => {
  let gateway: TestGateway;
  const asked: unknown[] = [];
  test.beforeAll(async ({ upstream }) => {
    const find = (name: unknown) => {
      asked.push(name);
      return null;
    };
    gateway = await startTestGateway({
      origin: upstream.origin,
      users: { findCached: find, find: async (name) => find(name), forget: () => undefined },
    });
  });
  afterAll(() => gateway.close());
  test.beforeEach(({ upstream }) => {
    upstream.received.splice(0);
    gateway.begins.splice(0);
  });

  const send = async (
    headers: Record<string, string | string[]>,
    { path = "/v1/messages", method = "POST", body = messageBody() } = {},
  ) => {
    const request = method === "POST" ? { path, method, headers, body } : { path, method, headers };
    const { status, text } = await call(gateway.origin, request);
    const code = status === 200 ? null : JSON.parse(text).error?.details?.error_code;
    return [status, code as unknown];
  };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  test.for([
    ["/v1/messages", "POST"],
    ["/v1/messages/count_tokens", "POST"],
    ["/v1/models", "GET"],
  ] as const)(
    "names no other user, neither here nor to the upstream: %s",
    async ([path, method], { upstream }) => {
      const headers = { ...bearer(gateway.addLaptop()), ...userHeaders };
      expect(await send(headers, { path, method })).toEqual([200, null]);
      expect(asked).toEqual([]);
      for (const { memberId } of gateway.begins) expect(memberId).toBe("user_test");
      const [received] = upstream.received;
      for (const name of Object.keys(userHeaders))
        expect(received?.headers).not.toHaveProperty(name);
      expect(received?.headers).not.toHaveProperty("authorization");
    },
  );

  describe("tokens of two people in one request", () => {
    const addBoth = () => [
      gateway.addLaptop(),
      gateway.addLaptop({ ownerMemberId: "user_other" }, Date.now(), { memberId: "user_other" }),
    ];

    test("in both headers are refused", async () => {
      const [own = "", other = ""] = addBoth();
      const conflict = [401, "conflicting_api_keys"];
      expect(await send({ ...bearer(own), "x-api-key": other })).toEqual(conflict);
      expect(await send({ ...bearer(other), "x-api-key": own })).toEqual(conflict);
      expect(await send({ ...bearer(own), "x-api-key": own })).toEqual([200, null]);
    });

    test("in repeated headers count for the first, or are no token", async ({ upstream }) => {
      const [own = "", other = ""] = addBoth();
      const repeated = [`Bearer ${own}`, `Bearer ${other}`];
      expect(await send({ authorization: repeated })).toEqual([200, null]);
      expect(gateway.begins.map(({ memberId }) => memberId)).toEqual(["user_test"]);
      expect(await send({ "x-api-key": [own, other] })).toEqual([401, "api_key_invalid"]);
      expect(await send(bearer(`${own}, Bearer ${other}`))).toEqual([401, "api_key_invalid"]);
      expect(JSON.stringify(upstream.received)).not.toContain(other);
    });
  });

  test("a megabyte of tags chooses none, and stays out of the upstream's body", async ({
    upstream,
  }) => {
    const claims = { billingGroupTag: TAG, groupNames: ["Research"] };
    const headers = bearer(gateway.addLaptop(tagged, Date.now(), claims));
    const tags = { [TAG]: "Research", ...{ rest: "x".repeat(1_000_000) } };
    expect(await send(headers, { body: messageBody({ tags }) })).toEqual([200, null]);
    expect(gateway.begins[0]?.tagIds).toEqual(tagged.tagIds);
    expect(upstream.received[0]?.body.toString()).toBe(messageBody());
  });

  test("tags under an escaped or a second name are found, or refused", async ({ upstream }) => {
    const claims = { billingGroupTag: TAG, groupNames: ["Research"] };
    const headers = bearer(gateway.addLaptop(tagged, Date.now(), claims));
    const field = `:{"${TAG}":"Research"}`;
    const escaped = messageBody().replace("{", `{"t\\u0061gs"${field},`);
    expect(await send(headers, { body: escaped })).toEqual([200, null]);
    expect(gateway.begins[0]?.tagIds).toEqual(["tag_other", "tag_research"]);
    expect(upstream.received.map(({ body }) => body.toString())).toEqual([messageBody()]);
    const twice = messageBody().replace("{", `{"tags"${field},"t\\u0061gs"${field},`);
    expect(await send(headers, { body: twice })).toEqual([400, "invalid_fields"]);
    expect(upstream.received).toHaveLength(1);
  });

  test("labels are no larger than 64 characters, and a head of them is refused", async () => {
    const headers = {
      ...bearer(gateway.addLaptop()),
      "x-claude-code-session-id": "session",
      "x-claude-code-agent-id": "a".repeat(8_000),
      "x-claude-code-request-class": "b".repeat(64),
    };
    expect(await send(headers)).toEqual([200, null]);
    expect(gateway.begins[0]?.claimed).toEqual({
      agentSessionId: "session",
      requestClass: "other",
    });
    const { status } = await call(gateway.origin, {
      headers: { ...headers, "x-claude-code-prompt-id": "c".repeat(100_000) },
      body: messageBody(),
    }).catch(() => ({ status: 431 }));
    expect(status).toBe(431);
  });
});

import { afterAll, describe, expect } from "vitest";
import { call, messageBody, startTestGateway, type TestGateway } from "#test/harness/gateway.ts";
import { test } from "#test/harness/upstream-test.ts";

describe("a request of a laptop", () => {
  let gateway: TestGateway;
  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({ origin: upstream.origin });
  });
  afterAll(() => gateway.close());
  test.beforeEach(({ upstream }) => void upstream.received.splice(0));

  async function post(headers: Record<string, string>) {
    const answer = await call(gateway.origin, { headers, body: messageBody() });
    const code = answer.status === 200 ? null : JSON.parse(answer.text).error.details.error_code;
    return { ...answer, code: code as string | null };
  }

  test("is answered with the laptop's token, which never leaves the server", async ({
    upstream,
  }) => {
    const token = gateway.addLaptop();
    const answers = [
      await post({ authorization: `Bearer ${token}` }),
      await post({ authorization: `Bearer ${token}`, "x-api-key": token }),
      await post({ authorization: `Bearer ${token}`, "x-api-key": "a key of another service" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(JSON.stringify(upstream.received)).not.toContain(token);
    expect(gateway.begins.at(-1)?.memberId).toBe("user_test");
  });

  test("is refused beside a key of this server, whose bill it could be", async () => {
    const other = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from("{}").toString("base64url")}.c2ln`;
    const answer = await post({ authorization: `Bearer ${other}`, "x-api-key": gateway.secret });
    expect(answer.status).toBe(200);
    const both = { authorization: `Bearer ${gateway.addLaptop()}`, "x-api-key": gateway.secret };
    const conflict = await post(both);
    expect([conflict.status, conflict.code]).toEqual([401, "conflicting_api_keys"]);
  });

  test("is refused once, without a retry, for each state of the token and the laptop", async ({
    upstream,
  }) => {
    const nowMs = Date.now();
    const tokens = {
      access_token_expired: gateway.addLaptop({}, nowMs - 3_600_000),
      access_token_invalid: `${gateway.addLaptop().slice(0, -2)}AA`,
      laptop_ended: gateway.addLaptop({ secretValidUntilMs: nowMs - 1 }),
      api_key_owner_inactive: gateway.addLaptop({ ownerState: "deactivated" }),
      api_key_disabled: gateway.addLaptop({ status: "inactive" }),
      api_key_archived: gateway.addLaptop({ status: "archived" }),
      api_key_unsigned: gateway.addLaptop({ isUnsigned: true }),
    };
    for (const [code, token] of Object.entries(tokens)) {
      const answer = await post({ authorization: `Bearer ${token}` });
      const retry = answer.headers["x-should-retry"];
      expect([answer.status, answer.code, retry]).toEqual([401, code, "false"]);
    }
    // Claude Code prints the message to a person who has no key.
    const told = { ownerState: "deactivated", status: "inactive" } as const;
    for (const [field, value] of Object.entries(told)) {
      const token = gateway.addLaptop({ [field]: value });
      const { text } = await post({ authorization: `Bearer ${token}` });
      expect(text).toMatch(/Your (?:account|Claude Code key)/);
      expect(text).not.toMatch(/this (?:API )?key/i);
    }
    const foreign = [
      gateway.addLaptop({ ownerMemberId: "user_other" }),
      gateway.addLaptop({ organizationId: "another" }),
      gateway.addLaptop({ purpose: "calls" }),
    ];
    for (const token of foreign) {
      expect((await post({ authorization: `Bearer ${token}` })).code).toBe("laptop_ended");
    }
    expect(upstream.received).toEqual([]);
  });
});

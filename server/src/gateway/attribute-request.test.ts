import { afterAll, describe, expect } from "vitest";
import type { FoundUser, UserName } from "#src/key-lookup/forwarded-users.sql.ts";
import {
  call,
  messageBody,
  ORGANIZATION_ID,
  startTestGateway,
  type TestGateway,
  withKey,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";

// Requests of a gateway that names its users. The directory knows Ada. Grace is deactivated, and Eve is of another company.

const ada: FoundUser = {
  ownerMemberId: "memb_ada",
  organizationId: ORGANIZATION_ID,
  status: "active",
  groupIds: ["group_a"],
  allowedModels: ["claude-sonnet-*"],
  isUnsigned: false,
};
const people: Readonly<Record<string, FoundUser>> = {
  ada,
  grace: { ...ada, ownerMemberId: "memb_grace", status: "deactivated" },
  eve: { ...ada, ownerMemberId: "memb_eve", organizationId: "another" },
  mallory: { ...ada, ownerMemberId: "memb_mallory", isUnsigned: true },
};

const DIRECTORY_ID = "dir_test";
const named = { userDirectoryId: DIRECTORY_ID, requiresUser: true };

describeEachReader(() => {
  let gateway: TestGateway;
  const asked: UserName[] = [];
  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({
      origin: upstream.origin,
      users: {
        findCached: () => undefined,
        find: async (name) => {
          asked.push(name);
          return name.directoryId === DIRECTORY_ID ? (people[name.subject] ?? null) : null;
        },
        forget: () => undefined,
      },
    });
  });
  afterAll(async () => {
    await gateway.close();
  });
  test.beforeEach(({ upstream }) => {
    upstream.received.splice(0);
    asked.splice(0);
    gateway.begins.splice(0);
  });

  /** Sends a message with a new key, and the headers of the gateway in front. */
  async function send(
    key: Parameters<TestGateway["addKey"]>[0],
    user: string | string[] | null,
    body = messageBody(),
  ) {
    const headers: Record<string, string | string[]> = withKey(gateway.addKey(key));
    if (user !== null) headers["x-claude-gateway-user-id"] = user;
    headers["x-claude-gateway-user-email"] = "ada@acme.example";
    headers["x-litellm-end-user-id"] = "ada@acme.example";
    const answer = await call(gateway.origin, { headers, body });
    const { error } = JSON.parse(answer.text);
    return { status: answer.status, code: error?.details?.error_code, headers: answer.headers };
  }

  describe("a marked key", () => {
    test("attributes a request to the named member", async ({ upstream }) => {
      const scopes: object[] = [];
      gateway.admission = {
        admit: (scope) => {
          scopes.push(scope);
          return { kind: "admitted" };
        },
      };
      expect(await send(named, "ada")).toMatchObject({ status: 200 });
      expect(gateway.begins).toMatchObject([{ memberId: "memb_ada", groupIds: ["group_a"] }]);
      expect(scopes).toMatchObject([{ memberId: "memb_ada", groupIds: ["group_a"] }]);
      expect(asked).toEqual([{ directoryId: DIRECTORY_ID, subject: "ada" }]);
      const [received] = upstream.received;
      expect(Object.keys(received?.headers ?? {})).not.toContain("x-claude-gateway-user-id");
      expect(Object.keys(received?.headers ?? {})).not.toContain("x-claude-gateway-user-email");
      expect(Object.keys(received?.headers ?? {})).not.toContain("x-litellm-end-user-id");
    });

    test("allows the models that both the key and the member's groups allow", async () => {
      const body = messageBody({ model: "claude-haiku-4-5" });
      expect(await send(named, "ada", body)).toMatchObject({ code: "model_not_allowed" });
      const allowedModels = ["claude-haiku-*"];
      expect(await send({ ...named, allowedModels }, "ada")).toMatchObject({
        code: "model_not_allowed",
      });
    });

    test.each([
      ["an unknown user", "stranger", "forwarded_user_unknown"],
      ["no user", null, "forwarded_user_unknown"],
      ["an empty user", " ", "forwarded_user_unknown"],
      ["two users", ["ada", "ada"], "forwarded_user_unknown"],
      ["a member of another organization", "eve", "forwarded_user_unknown"],
      ["a deactivated member", "grace", "forwarded_user_inactive"],
      ["a member that the server did not write", "mallory", "forwarded_user_inactive"],
    ] as const)("refuses %s", async (_, user, code) => {
      const answer = await send(named, typeof user === "object" && user ? [...user] : user);
      expect(answer).toMatchObject({ status: 403, code });
      expect(answer.headers["x-should-retry"]).toBe("false");
      expect(gateway.begins).toEqual([]);
    });

    test("that requires no user counts a request without a known one as its own", async () => {
      const optional = { ...named, requiresUser: false };
      expect(await send(optional, null)).toMatchObject({ status: 200 });
      expect(await send(optional, "stranger")).toMatchObject({ status: 200 });
      expect(await send(optional, "eve")).toMatchObject({ status: 200 });
      expect(gateway.begins.map(({ memberId }) => memberId)).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
      expect(await send(optional, "grace")).toMatchObject({ code: "forwarded_user_inactive" });
    });
  });

  test("an unmarked key ignores the headers and passes them on", async ({ upstream }) => {
    expect(await send({}, "ada")).toMatchObject({ status: 200 });
    expect(asked).toEqual([]);
    expect(gateway.begins[0]).not.toHaveProperty("memberId");
    expect(upstream.received[0]?.headers).toMatchObject({
      "x-claude-gateway-user-id": "ada",
      "x-claude-gateway-user-email": "ada@acme.example",
      "x-litellm-end-user-id": "ada@acme.example",
    });
  });
});

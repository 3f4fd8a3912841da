import { randomBytes } from "node:crypto";
import { describe, expect } from "vitest";
import { hashSecret, makeSecret } from "#src/domain/key-format.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { authenticate } from "./authenticate.ts";

const ME = "/v1/organizations/me";
const DAY_MS = 86_400_000;

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization("Acme"))
  .extend(
    "withHeaders",
    ({ h }) =>
      (headers: Record<string, string>) =>
        h.as(null).send({ method: "GET", url: ME, headers }),
  );

let workspaceId: string;

test.beforeAll(async ({ org }) => {
  workspaceId = (await org.admin.createWorkspace()).id;
});

describe("accepts a key", () => {
  test.for([
    ["x-api-key", (key: string) => ({ "x-api-key": key })],
    ["Authorization: Bearer", (key: string) => ({ authorization: `Bearer ${key}` })],
    ["bearer in any case", (key: string) => ({ authorization: `bearer  ${key}` })],
    ["both, the same", (key: string) => ({ "x-api-key": key, authorization: `Bearer ${key}` })],
    [
      "x-api-key, beside a Bearer token of another place",
      (key: string) => ({ "x-api-key": key, authorization: "Bearer of-another-place" }),
    ],
    [
      "Bearer, beside an x-api-key of another place",
      (key: string) => ({ "x-api-key": "of-another-place", authorization: `Bearer ${key}` }),
    ],
  ] as const)("in %s", async ([_, headersOf], { org, withHeaders }) => {
    const answer = await withHeaders(headersOf(org.adminKey));
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ id: org.id, name: "Acme", type: "organization" });
    expect(answer.headers["anthropic-organization-id"]).toBe(org.id);
  });
});

describe("a 401 states the reason", () => {
  const unknownAdmin = makeSecret("admin", randomBytes).secret;
  const unknownApi = makeSecret("api", randomBytes).secret;
  test.for([
    ["no key", {}, "x-api-key header is required"],
    ["an empty key", { "x-api-key": "" }, "x-api-key header is required"],
    ["another scheme", { authorization: "Basic YTpi" }, "contains no Bearer key"],
    ["garbage", { "x-api-key": "garbage" }, "not a key of this server"],
    [
      "a mistyped key",
      { "x-api-key": `${unknownAdmin.slice(0, -1)}!` },
      "not a key of this server",
    ],
    ["an unknown admin key", { "x-api-key": unknownAdmin }, "no such admin key"],
    ["an unknown API key", { "x-api-key": unknownApi }, "no workspace of this server"],
    [
      "two different keys",
      { "x-api-key": unknownAdmin, authorization: `Bearer ${unknownApi}` },
      "Two different keys",
    ],
    [
      "SQL in the key",
      { authorization: "Bearer ' OR 1=1; DROP TABLE admin_key; --" },
      "not a key of this server",
    ],
  ] as [string, Record<string, string>, string][])(
    "%s",
    async ([_, headers, message], { withHeaders }) => {
      const answer = await withHeaders(headers);
      expect(answer.status).toBe(401);
      expect(answer.error.type).toBe("authentication_error");
      expect(answer.error.message).toContain(message);
    },
  );

  test("rejects the hash of a key in any form", async ({ org, withHeaders }) => {
    const hash = hashSecret(org.adminKey);
    for (const text of [hash.toString("hex"), hash.toString("base64")]) {
      expect((await withHeaders({ "x-api-key": text })).status).toBe(401);
    }
  });

  test("a revoked admin key, at once", async ({ h, org }) => {
    const key = await org.admin.createAdminKey();
    expect((await h.as(key.key).get(ME)).status).toBe(200);
    await h.as(key.key).post(`/v1/admin/admin_keys/${key.id}/revoke`);
    const answer = await h.as(key.key).get(ME);
    expect([answer.status, answer.error.message]).toEqual([
      401,
      "This admin key has been revoked.",
    ]);
  });

  test("an expired admin key and an expired API key, from the exact millisecond", async ({
    h,
    org,
  }) => {
    const expiresAt = new Date(h.clock.nowMs + DAY_MS).toISOString();
    const adminKey = await org.admin.createAdminKey({ expires_at: expiresAt });
    const apiKey = await org.admin.createApiKey(workspaceId, {
      expires_at: expiresAt,
      permissions: ["admin"],
    });
    const startMs = h.clock.nowMs;
    h.clock.nowMs = startMs + DAY_MS - 1;
    expect((await h.as(adminKey.key).get(ME)).status).toBe(200);
    expect((await h.as(apiKey.key).get(ME)).status).toBe(200);
    h.clock.nowMs = startMs + DAY_MS;
    const answers = [await h.as(adminKey.key).get(ME), await h.as(apiKey.key).get(ME)];
    h.clock.nowMs = startMs;
    expect(answers.map(({ status, error }) => [status, error.message])).toEqual([
      [401, `This admin key expired at ${expiresAt}. Create another one.`],
      [401, `This API key expired at ${expiresAt}. Create another one.`],
    ]);
  });

  test("a disabled API key, until it is enabled again", async ({ h, org }) => {
    const key = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
    await org.admin.post(`/v1/admin/api_keys/${key.id}`, { status: "inactive" });
    const answer = await h.as(key.key).get(ME);
    expect(answer.status).toBe(401);
    expect(answer.error.message).toContain("disabled (inactive)");
    await org.admin.post(`/v1/admin/api_keys/${key.id}`, { status: "active" });
    expect((await h.as(key.key).get(ME)).status).toBe(200);
  });

  test("an archived API key, and one whose workspace is archived", async ({ h, org }) => {
    const workspace = await org.admin.createWorkspace();
    const keys = [
      await org.admin.createApiKey(workspace.id, { permissions: ["admin"] }),
      await org.admin.createApiKey(workspace.id, { permissions: ["admin"] }),
    ] as const;
    await org.admin.post(`/v1/admin/api_keys/${keys[0].id}`, { status: "archived" });
    expect((await h.as(keys[0].key).get(ME)).error.message).toContain("archived");
    await org.admin.post(`/v1/admin/workspaces/${workspace.id}/archive`);
    const answer = await h.as(keys[1].key).get(ME);
    expect(answer.status).toBe(401);
    expect(answer.error.message).toContain("archived");
  });
});

test("records the check time as last use, also if the key expires right after", async ({
  h,
  org,
}) => {
  const expiresAtMs = h.clock.nowMs + DAY_MS;
  const expires_at = new Date(expiresAtMs).toISOString();
  const adminKey = await org.admin.createAdminKey({ expires_at });
  const apiKey = await org.admin.createApiKey(workspaceId, { expires_at });
  const usedAtMs: number[] = [];
  for (const { key } of [adminKey, apiKey]) {
    let nowMs = expiresAtMs - 1;
    const record = ({ atMs }: { atMs: number }) => void usedAtMs.push(atMs);
    const deps = {
      ...h.deps,
      nowMs: () => nowMs++, // each reading is a millisecond later
      keyUse: { record },
      adminKeyUse: { record },
    };
    await authenticate(deps, {
      ...{ xApiKey: key, authorization: undefined, cookie: undefined },
      ...{ console: null, operatorUid: null, address: () => null },
    });
  }
  expect(usedAtMs).toEqual([expiresAtMs - 1, expiresAtMs - 1]);
});

test("rejects a cookie together with a key", async ({ org, withHeaders }) => {
  const answer = await withHeaders({ "x-api-key": org.adminKey, cookie: "session=1" });
  expect(answer.status).toBe(400);
  expect(answer.error.message).toContain("cookie and a key");
});

test("rejects a cookie without a session", async ({ withHeaders }) => {
  expect((await withHeaders({ cookie: "session=1" })).status).toBe(401);
});

describe("on the server's own machine", () => {
  test("accepts no key, and the audit actor is the local operator", async ({ h }) => {
    const made = await h.operator.createWorkspace();
    const { rows } = await h.deps.database.executeQuery<{ actor_type: string; actor_id: string }>(
      h.deps.database
        .selectFrom("audit_event")
        .select(["actor_type", "actor_id"])
        .where("subject_id", "=", made.id)
        .compile(),
    );
    expect(rows).toEqual([{ actor_type: "local_operator", actor_id: "1000" }]);
    const me = await h.operator.get<{ id: string }>(ME);
    expect(me.body.id).toBe(h.firstOrganizationId);
  });

  test("uses a sent key, and a wrong one does not fall back to the socket", async ({ h, org }) => {
    const own = await h.operator.send<{ id: string }>({
      method: "GET",
      url: ME,
      headers: { "x-api-key": org.adminKey },
    });
    expect(own.body.id).toBe(org.id);
    for (const headers of [{ "x-api-key": "wrong" }, { authorization: "Basic YTpi" }]) {
      const answer = await h.operator.send({ method: "GET", url: ME, headers });
      expect(answer.status).toBe(401);
    }
  });

  test("a loopback address in a header grants no operator rights", async ({ withHeaders }) => {
    const answer = await withHeaders({
      "x-forwarded-for": "local operator",
      forwarded: "for=127.0.0.1",
      host: "localhost",
    });
    expect(answer.status).toBe(401);
  });
});

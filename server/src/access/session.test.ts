import { describe, expect } from "vitest";
import { PUBLIC_URL } from "#test/harness/admin.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { consoleHeaders } from "#test/harness/members.ts";

const WORKSPACES = "/v1/admin/workspaces";
const PUBLIC_ORIGIN = "https://bursar.example.com";

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  .extend(
    "anybody",
    ({ h }) =>
      () =>
        h.as(null),
  )
  .extend(
    "read",
    ({ anybody }) =>
      (changed: Record<string, string | undefined> = {}, url = WORKSPACES) =>
        anybody().send({ method: "GET", url, headers: headersWith(changed) }),
  )
  .extend(
    "change",
    ({ anybody }) =>
      (changed: Record<string, string | undefined> = {}) =>
        anybody().send({
          method: "POST",
          url: WORKSPACES,
          headers: headersWith({ "content-type": "application/json", ...changed }),
          payload: JSON.stringify({ name: `Made by the console ${++names}` }),
        }),
  );

let own: Record<string, string>;
let names = 0;

test.beforeAll(async ({ org }) => {
  own = consoleHeaders((await org.member({ role: "admin" })).cookie);
});
/** Headers of the console with changes. Undefined omits a header. */
function headersWith(changed: Record<string, string | undefined>): Record<string, string> {
  const headers = Object.entries({ ...own, ...changed });
  return Object.fromEntries(headers.filter((header): header is [string, string] => !!header[1]));
}

test("the console reads and changes with a member's session", async ({ org, read, change }) => {
  const answer = await read();
  expect([answer.status, answer.headers["anthropic-organization-id"]]).toEqual([200, org.id]);
  expect((await change()).status).toBe(200);
});

test("accepts a read without an Origin, as browsers send it", async ({ read }) => {
  expect((await read({ origin: undefined })).status).toBe(200);
});

describe("a session is accepted only for the console's own requests", () => {
  test("rejects a read and a change without the console's header", async ({ read, change }) => {
    for (const marker of [undefined, "", "0", "true", "1, 1"]) {
      const changed = { "x-bursar-console": marker };
      for (const answer of [await read(changed), await change(changed)]) {
        expect(answer.status).toBe(401);
        expect(answer.error.message).toContain("x-bursar-console: 1");
      }
    }
  });

  test("rejects a change without an Origin", async ({ change }) => {
    const answer = await change({ origin: undefined });
    expect([answer.status, answer.error.type]).toEqual([403, "permission_error"]);
    expect(answer.error.message).toContain("(Origin: none)");
  });

  test.for([
    "null",
    "https://evil.example",
    "http://localhost:8485",
    "http://localhost",
    "http://localhost:8484.evil.example",
    "http://evil.example/http://localhost:8484",
    "http://localhost:8484@evil.example",
    "http://127.0.0.1:8484",
    "HTTP://LOCALHOST:8484/",
    "file://",
  ])("rejects another Origin for a read and a change: %s", async (origin, { read, change }) => {
    for (const answer of [await read({ origin }), await change({ origin })]) {
      expect([answer.status, answer.error.type]).toEqual([403, "permission_error"]);
      expect(answer.error.message).toContain("BURSAR_PUBLIC_URL");
    }
  });

  test("a Host other than loopback grants no origin (DNS rebinding)", async ({ change }) => {
    for (const host of ["evil.example", "evil.example:8484", "localhost.evil.example:8484"]) {
      const answer = await change({ host, origin: `http://${host}` });
      expect(answer.status).toBe(403);
    }
  });

  test("ignores a forwarded Host", async ({ change }) => {
    const forwarded = {
      origin: "https://evil.example",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
      forwarded: "host=evil.example;proto=https",
      "x-original-host": "evil.example",
    };
    expect((await change(forwarded)).status).toBe(403);
  });

  test("accepts every loopback name with its own origin", async ({ change }) => {
    for (const host of ["localhost:8484", "127.0.0.1:9000", "[::1]:8484", "LOCALHOST:8484"]) {
      const origin = `http://${host.toLowerCase()}`;
      expect([host, (await change({ host, origin })).status]).toEqual([host, 200]);
    }
  });

  test("accepts the origin of the public URL with any Host, and no others", async ({
    h,
    change,
  }) => {
    h.deps.publicOrigin = PUBLIC_ORIGIN;
    const statuses = [
      await change({ origin: PUBLIC_ORIGIN, host: "bursar.internal" }),
      await change({ origin: "http://bursar.example.com", host: "bursar.internal" }),
      await change({ origin: `${PUBLIC_ORIGIN}.evil.example`, host: "bursar.internal" }),
      await change(),
    ].map(({ status }) => status);
    h.deps.publicOrigin = null;
    expect(statuses).toEqual([200, 403, 403, 200]);
  });

  test("the session returns the public URL as base URL for programs, or none", async ({ h }) => {
    const publicUrlOfSession = async () => {
      const { body } = await h.as(null).send<{ public_url: string | null }>({
        method: "GET",
        url: "/v1/admin/session",
        headers: own,
      });
      return body.public_url;
    };
    expect(await publicUrlOfSession()).toBeNull();
    h.deps.publicOrigin = PUBLIC_ORIGIN;
    const named = await publicUrlOfSession();
    h.deps.publicOrigin = null;
    expect(named).toBe(PUBLIC_URL);
  });

  test.for([
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/plain; application/json",
    "application/jsonp",
  ])("rejects a change from a form: %s", async (type, { org, anybody, change }) => {
    const answer = await change({ "content-type": type });
    expect([answer.status, answer.error.message]).toEqual([
      400,
      "content-type: expected application/json.",
    ]);
    const { id } = await org.admin.createWorkspace();
    const empty = await anybody().send({
      method: "POST",
      url: `${WORKSPACES}/${id}/archive`,
      headers: headersWith({ "content-type": type }),
    });
    expect(empty.status).toBe(400);
  });

  test("official routes accept no sessions", async ({ read }) => {
    for (const url of ["/v1/organizations/me", "/v1/organizations/workspaces"]) {
      const answer = await read({}, url);
      expect(answer.status).toBe(401);
      expect(answer.error.message).toContain("x-api-key header is required");
    }
  });
});

describe("one caller per request", () => {
  test.for([
    ["x-api-key", (key: string) => ({ "x-api-key": key })],
    ["Authorization", (key: string) => ({ authorization: `Bearer ${key}` })],
  ] as const)(
    "rejects a key in %s together with a session",
    async ([_, headersOf], { org, read }) => {
      const answer = await read(headersOf(org.adminKey));
      expect(answer.status).toBe(400);
      expect(answer.error.message).toContain("A cookie and a key were sent together");
    },
  );

  test("a wrong key does not fall back to the session", async ({ read }) => {
    expect((await read({ "x-api-key": "wrong" })).status).toBe(400);
    expect((await read({ authorization: "Basic YTpi" })).status).toBe(401);
  });
});

describe("401 without a session", () => {
  test.for(["test_session=user_unknown", "other=1", "test_session=", "=", "test_session", "a; b"])(
    "a cookie without a session: %s",
    async (cookie, { read }) => {
      const answer = await read({ cookie });
      expect([answer.status, answer.error.message]).toEqual([
        401,
        "You are not signed in, or your session has ended. Sign in again.",
      ]);
    },
  );

  test.for(["deactivated", "removed"] as const)(
    "a %s member, at once",
    async (status, { h, org }) => {
      const member = await org.member({ role: "owner" });
      expect((await member.client.get(WORKSPACES)).status).toBe(200);
      await h.deps.database
        .updateTable("member")
        .set({ status })
        .where("id", "=", member.id)
        .execute();
      expect((await member.client.get(WORKSPACES)).status).toBe(401);
    },
  );
});

test("reports refusals of a known caller with caller, action and origin", async ({
  h,
  org,
  anybody,
}) => {
  const reported: unknown[] = [];
  h.deps.onDenied = (caller, route, origin, refusal) =>
    reported.push([caller.kind, route.operationId, origin.requestId, refusal.code]);
  const { client } = await org.member({ role: "user" });
  const { id } = await org.admin.createWorkspace();
  const { key } = await org.admin.createApiKey(id, { permissions: ["read"] });
  const denied = [
    await client.post(WORKSPACES, { name: "x" }),
    await h.as(key).get("/v1/admin/api_keys"),
    await org.admin.post(`${WORKSPACES}/wksp_unknown`, { name: "x" }),
    await org.admin.post("/v1/admin/upstreams", { name: "x" }),
  ];
  // Not reported: an unknown caller, invalid input, a missing object in a read, a request to confirm the identity.
  await anybody().get(WORKSPACES);
  await org.admin.post(WORKSPACES, {});
  await org.admin.get(`${WORKSPACES}/wksp_unknown`);
  const unconfirmed = await org.member({ role: "owner", steppedUpAtMs: null });
  await unconfirmed.client.post("/v1/admin/admin_keys", { name: "x" });
  delete h.deps.onDenied;
  expect(denied.map(({ status }) => status)).toEqual([403, 403, 404, 403]);
  const ids = denied.map(({ headers }) => headers["request-id"]);
  expect(reported).toEqual([
    ["member", "createWorkspace", ids[0], "permission_denied"],
    ["api_key", "listApiKeys", ids[1], "permission_denied"],
    ["admin_key", "updateWorkspace", ids[2], "resource_not_found"],
    ["admin_key", "createUpstream", ids[3], "permission_denied"],
  ]);
});

import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, describe, expect } from "vitest";
import { findRoute } from "#src/gateway/routes.ts";
import { type Listener, listen } from "#src/http/listen.ts";
import type { Listed, Workspace } from "./harness/admin.ts";
import { serverTest as base } from "./harness/admin-test.ts";
import { consoleHeaders } from "./harness/members.ts";

// Requests that a check and the served code could read differently: another spelling of the path, another method, special
// characters and duplicate names. Such differences have been privilege escalations of similar products.

const KEYS = "/v1/admin/api_keys";
const WORKSPACES = "/v1/admin/workspaces";

const test = base.extend("org", { scope: "file" }, ({ h }) => h.organization());

let workspaceId: string;
let listener: Listener;

test.beforeAll(async ({ h, org }) => {
  workspaceId = (await org.admin.createWorkspace()).id;
  listener = await listen({
    host: "127.0.0.1",
    port: 0,
    tls: null,
    onRequest: h.app.routing,
    onCheckContinue: h.app.routing,
  });
});
afterAll(async () => {
  await listener.close(Promise.resolve());
});

/** Sends one raw request and returns the complete response. The connection closes afterwards. */
async function sendRaw(
  target: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string }> {
  const socket = connect(Number(new URL(listener.url).port), "127.0.0.1");
  const all = { host: "localhost:8484", connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  let text = "";
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
  await once(socket, "close");
  return { status: Number(text.slice(9, 12)), text };
}

describe("the checked path is the served path", () => {
  const spellings = [
    "//v1/admin/admin_keys",
    "/v1//admin/admin_keys",
    "/v1/admin//admin_keys",
    "/v1/admin/../admin/admin_keys",
    "/v1/admin/./admin_keys",
    "/v1/messages/../admin/admin_keys",
    "/healthz/../v1/admin/admin_keys",
    "/v1/admin%2fadmin_keys",
    "/v1%2fadmin%2fadmin_keys",
    "/%2e%2e/v1/admin/admin_keys",
    "/v1/admin/%2e%2e/admin/admin_keys",
    "/v1/%61dmin/admin_keys",
    "/v1/admin/admin_keys/",
    "/v1/admin/admin_keys;x=1",
    "/v1/admin/admin_keys%00",
    "/v1/admin/admin_keys%23",
    "/v1/admin/Admin_Keys",
    "/V1/ADMIN/ADMIN_KEYS",
    "/v1\\admin\\admin_keys",
    "http://localhost:8484/v1/admin/admin_keys",
    "http://evil.example/v1/admin/admin_keys",
    "//evil.example/v1/admin/admin_keys",
  ];

  test.for(spellings)(
    "%s allows nothing for anonymous callers, and no more for members",
    async (target, { org }) => {
      const user = consoleHeaders((await org.member({ role: "user" })).cookie);
      for (const headers of [{}, user]) {
        const { status, text } = await sendRaw(target, { headers });
        expect([400, 401, 403, 404]).toContain(status);
        expect(text).not.toContain("partial_key_hint");
      }
      // The Claude surface, which needs no Admin permission, does not serve the path either.
      expect([null, "not_found"]).toContain(findRoute("GET", target)?.kind ?? null);
    },
  );

  test("allowed callers can use the plain path", async ({ org }) => {
    const headers = { "x-api-key": org.adminKey };
    const { status, text } = await sendRaw("/v1/admin/admin_keys", { headers });
    expect(status).toBe(200);
    expect(text).toContain("partial_key_hint");
  });

  test.for([
    ["x-original-url"],
    ["x-rewrite-url"],
    ["x-forwarded-path"],
    ["x-forwarded-prefix"],
    ["x-forwarded-uri"],
  ] as const)("%s does not change the requested path", async ([header], { org }) => {
    const user = consoleHeaders((await org.member({ role: "user" })).cookie);
    const open = await sendRaw(WORKSPACES, {
      headers: { ...user, [header]: "/v1/admin/admin_keys" },
    });
    expect(open.status).toBe(200);
    expect(open.text).not.toContain("partial_key_hint");
    const closed = await sendRaw("/v1/admin/admin_keys", {
      headers: { ...user, [header]: WORKSPACES },
    });
    expect(closed.status).toBe(403);
  });

  test.each([
    ["host", "evil.example"],
    ["x-forwarded-host", "localhost"],
    ["x-forwarded-for", "127.0.0.1"],
    ["x-real-ip", "127.0.0.1"],
    ["forwarded", "for=127.0.0.1;host=localhost"],
    ["x-forwarded-user", "owner"],
  ])("%s authenticates no caller", async (header, value) => {
    const { status } = await sendRaw("/v1/admin/admin_keys", { headers: { [header]: value } });
    expect(status).toBe(401);
  });
});

describe("methods", () => {
  test("HEAD needs the rights of GET, and returns no body", async ({ org }) => {
    const url = "/v1/admin/admin_keys";
    const head = (headers: Record<string, string>) => sendRaw(url, { method: "HEAD", headers });
    expect((await head({})).status).toBe(401);
    const user = await org.member({ role: "user" });
    expect((await head(consoleHeaders(user.cookie))).status).toBe(403);
    const { status, text } = await head({ "x-api-key": org.adminKey });
    expect(status).toBe(200);
    expect(text.split("\r\n\r\n")[1]).toBe("");
  });

  test("OPTIONS returns only the methods, to all callers, and allows no origin", async () => {
    const { status, text } = await sendRaw(WORKSPACES, {
      method: "OPTIONS",
      headers: {
        origin: "https://evil.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-bursar-console",
      },
    });
    expect(status).toBe(204);
    expect(text.toLowerCase()).not.toContain("access-control-allow");
  });

  test.for(["TRACE", "PUT", "PATCH", "PROPFIND", "SEARCH"])(
    "%s has no effect",
    async (method, { org }) => {
      const headers = { "x-api-key": org.adminKey, "content-length": "0" };
      const { status, text } = await sendRaw(WORKSPACES, { method, headers });
      expect([400, 404, 405]).toContain(status);
      expect(text).not.toContain(org.adminKey);
    },
  );

  test.for(["x-http-method-override", "x-http-method", "x-method-override"])(
    "%s turns no read into a change",
    async (header, { org }) => {
      const { id } = await org.admin.createWorkspace();
      const url = `${WORKSPACES}/${id}`;
      const answer = await org.admin.send<Workspace>({
        method: "GET",
        url,
        headers: { [header]: "DELETE" },
      });
      expect(answer.body.archived_at).toBeNull();
      const archive = {
        method: "GET",
        url: `${url}/archive`,
        headers: { [header]: "POST" },
      } as const;
      expect((await org.admin.send(archive)).status).toBe(404);
      expect((await org.admin.get(`${url}?_method=POST`)).status).toBe(400);
      expect((await org.admin.get<Workspace>(url)).body.archived_at).toBeNull();
    },
  );
});

describe("text with a special meaning elsewhere", () => {
  test("% and _ in a filter match only themselves", async ({ org }) => {
    const { id } = await org.admin.createWorkspace();
    for (const name of ["hundred % sure", "under_score", "plain", "back\\slash"]) {
      await org.admin.createApiKey(id, { name });
    }
    const found = async (text: string) => {
      const url = `${KEYS}?workspace_id=${id}&name=${encodeURIComponent(text)}`;
      return (await org.admin.get<Listed<{ name: string }>>(url)).body.data.map(({ name }) => name);
    };
    expect(await found("%")).toEqual(["hundred % sure"]);
    expect(await found("_")).toEqual(["under_score"]);
    expect(await found("\\")).toEqual(["back\\slash"]);
    expect(await found("' OR '1'='1")).toEqual([]);
  });

  test("__proto__ and constructor in a body are refused as unknown fields, without side effects", async ({
    org,
  }) => {
    const payloads = [
      '{"name":"x","__proto__":{"role":"owner"}}',
      '{"name":"x","constructor":{"prototype":{"role":"owner"}}}',
      '{"name":"x","tags":{"a":"b"},"toString":"x"}',
      '{"__proto__":{"name":"x"}}',
    ];
    for (const payload of payloads) {
      const answer = await org.admin.send({
        method: "POST",
        url: WORKSPACES,
        headers: { "content-type": "application/json" },
        payload,
      });
      expect([payload, answer.status]).toEqual([payload, 400]);
    }
    expect(({} as Record<string, unknown>)["role"]).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, "role")).toBe(false);
  });

  test("as tag names they are plain names or refused, and as query fields refused", async ({
    org,
  }) => {
    const { id } = await org.admin.createWorkspace();
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const answer = await org.admin.send<Workspace>({
        method: "POST",
        url: `${WORKSPACES}/${id}`,
        headers: { "content-type": "application/json" },
        payload: `{"tags":{"${name}":"polluted"}}`,
      });
      if (answer.status === 200)
        expect(Object.entries(answer.body.tags)).toContainEqual([name, "polluted"]);
      else expect(answer.status).toBe(400);
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      expect((await org.admin.get(`${WORKSPACES}?${name}=1`)).status).toBe(400);
      expect((await org.admin.get(`${WORKSPACES}?${name}[x]=1`)).status).toBe(400);
    }
    const untouched = await org.admin.createWorkspace();
    expect(Object.keys(untouched.tags)).toEqual([]);
  });

  test("a name of Object.prototype is no role and no id", async ({ org }) => {
    for (const name of ["__proto__", "constructor", "toString"]) {
      expect((await org.admin.get(`${WORKSPACES}/${name}`)).status).toBe(404);
      const permissions = [name];
      const body = { name: "x", workspace_id: workspaceId, permissions };
      expect((await org.admin.post(KEYS, body)).status).toBe(400);
    }
  });
});

describe("a duplicate name", () => {
  test("in a query is refused for a single value, so that check and statement read the same one", async ({
    org,
  }) => {
    const { id: first } = await org.admin.createWorkspace();
    const { id: second } = await org.admin.createWorkspace();
    const { client } = await org.member({ workspaces: { [first]: "workspace_admin" } });
    for (const url of [KEYS, "/v1/admin/spend_limits", `${WORKSPACES}/limits`]) {
      for (const query of [
        `workspace_id=${first}&workspace_id=${second}`,
        `workspace_id[]=${first}&workspace_id=${second}`,
        `workspace_id=${second}&workspace_id=${first}`,
      ]) {
        expect([url, query, (await client.get(`${url}?${query}`)).status]).toEqual([
          url,
          query,
          400,
        ]);
      }
    }
  });

  test("in a list makes the whole call a 404 when one is hidden", async ({ org }) => {
    const { id: first } = await org.admin.createWorkspace();
    const { id: second } = await org.admin.createWorkspace();
    const { client } = await org.member({ workspaces: { [first]: "workspace_admin" } });
    const usage = (query: string) =>
      client.get(`/v1/admin/usage?starting_at=2026-11-20T00:00:00Z&${query}`);
    expect((await usage(`workspace_id=${first}`)).status).toBe(200);
    for (const query of [
      `workspace_id=${first}&workspace_id=${second}`,
      `workspace_id=${first},${second}`,
      `workspace_id[]=${second}`,
    ]) {
      expect([query, (await usage(query)).status]).toEqual([query, 404]);
    }
  });

  test("in a body is refused", async ({ org }) => {
    const answer = await org.admin.send({
      method: "POST",
      url: KEYS,
      headers: { "content-type": "application/json" },
      payload: `{"name":"x","workspace_id":"${workspaceId}","permissions":["read"],"permissions":["admin"]}`,
    });
    expect(answer.status).toBe(400);
  });
});

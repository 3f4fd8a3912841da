import { describe, expect } from "vitest";
import { openDatabase } from "#src/db/pool.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { makeAdminApp } from "./app.ts";

const WORKSPACES = "/v1/admin/workspaces";

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization("Acme"))
  .extend(
    "postRaw",
    ({ org }) =>
      (payload: string | Buffer, headers: Record<string, string> = {}) =>
        org.admin.send({
          method: "POST",
          url: WORKSPACES,
          headers: { "content-type": "application/json", ...headers },
          payload,
        }),
  );

describe("rejects an invalid body with a 400 and the reason", () => {
  test.for([
    ["malformed JSON", '{"name": }', "not valid JSON"],
    ["an empty body", "", "empty"],
    ["text behind the value", '{"name":"a"} x', "not valid JSON"],
    ["a byte order mark", '\ufeff{"name":"a"}', "byte order mark"],
    ["a duplicate key", '{"name":"a","n\\u0061me":"b"}', '"name" appears more than once'],
    ["a key twice, deeper", '{"name":"a","tags":{"x":"1","x":"2"}}', '"x" appears more than once'],
    ["__proto__", '{"name":"a","__proto__":{"admin":true}}', "__proto__"],
    ["a number a double would round", '{"name":0.1234567890123456}', "more than 15 digits"],
    ["a number beyond all doubles", '{"name":1e999}', "more than 15 digits"],
    ["NUL", '{"name":"a\\u0000b"}', "NUL"],
    ["half a surrogate pair", '{"name":"\\ud83d"}', "half a pair"],
    ["deep nesting", `{"name":${"[".repeat(100_000)}`, "cannot be read"],
    ["wrong types", '{"name":12,"tags":[]}', "name: expected string, received number."],
    ["a missing field", "{}", "name: this field is required."],
    ["a too long name", JSON.stringify({ name: "x".repeat(101) }), "at most 100 characters"],
    ["an empty name", '{"name":"   "}', "name: expected at least 1 character."],
    ["a line break in a name", '{"name":"a\\nb"}', "one line"],
    ["another line break in a name", '{"name":"a\\u2028b"}', "one line"],
    ["an invisible character", '{"name":"Demo\\u200b"}', "without invisible"],
    ["text that runs backwards", '{"name":"a\\u202egnp.exe"}', "without invisible"],
    ["a name of joiners alone", '{"name":"\\u200d\\u200c"}', "expected at least 1 character"],
    ["a bad colour", '{"name":"a","display_color":"red"}', "display_color: expected a colour"],
    ["a reserved tag", '{"name":"a","tags":{"anthropic.x":"1"}}', "cannot begin with anthropic"],
  ] as const)("%s", async ([_, payload, message], { postRaw }) => {
    const answer = await postRaw(payload);
    expect(answer.error.message).toContain(message);
    expect(answer.status).toBe(400);
    expect(answer.error.type).toBe("invalid_request_error");
  });

  test("names a field with two faults once", async ({ org }) => {
    const answer = await org.admin.post("/v1/admin/api_keys", {
      name: "a",
      workspace_id: "",
      permissions: "write",
    });
    expect(answer.error.message).toBe(
      "workspace_id: expected at least 1 character. permissions: expected array, received string.",
    );
  });

  test("invalid UTF-8", async ({ postRaw }) => {
    const answer = await postRaw(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
    expect(answer.status).toBe(400);
  });

  test.for([
    ["another content type", { "content-type": "application/x-www-form-urlencoded" }],
    ["text", { "content-type": "text/plain" }],
    ["another charset", { "content-type": "application/json; charset=latin1" }],
  ] as const)("%s", async ([_, headers], { postRaw }) => {
    const answer = await postRaw('{"name":"a"}', headers);
    expect(answer.status).toBe(400);
    expect(answer.error.message).toBe("content-type: expected application/json.");
  });

  test("a compressed body", async ({ postRaw }) => {
    const answer = await postRaw('{"name":"a"}', { "content-encoding": "gzip" });
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain("content-encoding");
  });

  test("a body over 1 MB is a 413", async ({ postRaw }) => {
    const answer = await postRaw(JSON.stringify({ name: "x".repeat(1024 * 1024) }));
    expect(answer.status).toBe(413);
    expect(answer.error.type).toBe("request_too_large");
  });
});

test("accepts a body with a charset, and no body where none is expected", async ({
  org,
  postRaw,
}) => {
  const made = await postRaw('{"name":"Charset"}', {
    "content-type": "application/json; charset=UTF-8",
  });
  expect(made.status).toBe(200);
  const { id } = made.body as { id: string };
  expect((await org.admin.post(`${WORKSPACES}/${id}/archive`)).status).toBe(200);
  expect((await org.admin.post(`${WORKSPACES}/${id}/archive`, {})).status).toBe(200);
});

describe("queries", () => {
  test.for([
    ["limit=0", "limit: expected a whole number from 1 to 1000."],
    ["limit=1001", "limit: expected a whole number from 1 to 1000."],
    ["limit=1.5", "limit: expected a whole number from 1 to 1000."],
    ["limit=ten", "limit: expected a whole number from 1 to 1000."],
    ["limit=1&limit=2", "limit: expected a whole number from 1 to 1000."],
    ["page=nonsense", "page: this is not a cursor of this list."],
    ["include_archived=maybe", "include_archived: expected true or false."],
    ["unknown=", "unknown: there is no such field here."],
    ["__proto__=1", "__proto__: there is no such field here."],
  ] as const)("%s is a 400", async ([query, message], { org }) => {
    const answer = await org.admin.get(`${WORKSPACES}?${query}`);
    expect([answer.status, answer.error.message]).toEqual([400, message]);
  });

  // Cursors are not secret, so a client can make one.
  test.for([
    ["before all years that PostgreSQL knows", -250_000_000_000_000],
    ["before the first row there can be", -1],
    ["after the year 9999", 253_402_300_800_000],
  ] as const)("a cursor that points %s is a 400", async ([_, createdAtMs], { org }) => {
    const page = encodeCursor([createdAtMs, "x"], { list: "listWorkspaces", query: {} });
    const answer = await org.admin.get(`${WORKSPACES}?page=${page}`);
    expect([answer.status, answer.error.message]).toEqual([
      400,
      "page: this is not a cursor of this list.",
    ]);
  });

  test("treats an empty value as absent", async ({ org }) => {
    const answer = await org.admin.get(`${WORKSPACES}?limit=&page=&include_archived=`);
    expect(answer.status).toBe(200);
  });
});

describe("paths and methods", () => {
  test.for([
    ["GET", "/nothing"],
    ["POST", "/v1/complete"],
    ["GET", "/v1/admin"],
    ["DELETE", WORKSPACES],
    ["PATCH", `${WORKSPACES}/wksp_1`],
    ["PUT", WORKSPACES],
  ] as const)("%s %s is an official 404, also without a key", async ([method, url], { h }) => {
    const answer = await h.as(null).send<{ request_id: string }>({ method, url });
    expect(answer.status).toBe(404);
    expect(answer.error.type).toBe("not_found_error");
    expect(answer.body.request_id).toBe(answer.headers["request-id"]);
    expect(answer.body.request_id).toMatch(/^req_[0-9A-Za-z]{24}$/);
  });

  test("a broken escape in the path is a 400 in the official body", async ({ org }) => {
    const answer = await org.admin.get(`${WORKSPACES}/%E0%A4%A`);
    expect([answer.status, answer.error.type]).toEqual([400, "invalid_request_error"]);
    expect(answer.headers["request-id"]).toBe((answer.body as { request_id: string }).request_id);
  });

  test("a path with a very long id is a 400 in the official body", async ({ org }) => {
    const answer = await org.admin.get(`${WORKSPACES}/${"a".repeat(2000)}`);
    expect([answer.status, answer.error.type]).toEqual([400, "invalid_request_error"]);
    expect(answer.error.message).toContain("more than 300 characters");
  });

  test("HEAD returns the headers of GET without the body", async ({ h, org }) => {
    const answer = await org.admin.send({ method: "HEAD", url: WORKSPACES });
    expect([answer.status, answer.text]).toEqual([200, ""]);
    expect((await h.as(null).send({ method: "HEAD", url: WORKSPACES })).status).toBe(401);
  });

  test("OPTIONS lists the methods of a path and allows no other origin", async ({ h }) => {
    const answer = await h.as(null).send({
      method: "OPTIONS",
      url: WORKSPACES,
      headers: { origin: "https://elsewhere.example" },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.allow).toBe("GET, POST, HEAD, OPTIONS");
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });
});

test("ignores a request id from the client", async ({ org }) => {
  const answer = await org.admin.send({
    method: "GET",
    url: WORKSPACES,
    headers: { "request-id": "req_mine", "x-request-id": "req_mine" },
  });
  expect(answer.headers["request-id"]).not.toBe("req_mine");
});

test("sends security headers with every response", async ({ h, org }) => {
  const answers = [
    await h.as(null).get("/"),
    await h.as(null).get("/docs"),
    await h.as(null).get("/nothing"),
    await org.admin.get(WORKSPACES),
    await org.admin.get(`${WORKSPACES}/%E0%A4%A`),
  ];
  for (const { headers } of answers) {
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["referrer-policy"]).toBe("no-referrer");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers["cache-control"]).toBe("no-store");
  }
});

describe("server errors", () => {
  test("a bug is a 500 with only its request id, and is logged under it", async ({ h }) => {
    const app = await makeAdminApp({
      ...h.deps,
      readiness: () => Promise.reject(new Error("a secret detail")),
    });
    const answer = await app.inject("/readyz");
    await app.close();
    const requestId = answer.headers["request-id"];
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toEqual({
      type: "error",
      error: {
        type: "api_error",
        message: "Internal error",
        details: { error_code: "internal_error" },
      },
      request_id: requestId,
    });
    const line = h.logs.find((text) => text.includes(String(requestId)));
    expect(line).toContain("a secret detail");
  });

  test("an unavailable database is a 503 with the advice to retry", async ({ h, org }) => {
    const database = openDatabase({
      connectionString: "postgres://user@127.0.0.1:1/nowhere",
      maxConnections: 1,
      onIdleError: () => undefined,
    });
    const app = await makeAdminApp({ ...h.deps, database });
    const answer = await app.inject({ url: WORKSPACES, headers: { "x-api-key": org.adminKey } });
    await app.close();
    await database.destroy();
    expect(answer.statusCode).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(answer.json().error.type).toBe("api_error");
    expect(answer.payload).not.toContain("127.0.0.1");
  });
});

describe("pages", () => {
  test("/ links to the other pages and loads nothing", async ({ h }) => {
    const { status, text, headers } = await h.as(null).get("/");
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(text).toContain("/openapi.json");
    expect(text).not.toMatch(/https?:\/\/|<script|@import|url\(/);
    expect([...text.matchAll(/<link[^>]*>/g)].map(String)).toEqual([
      '<link rel="icon" href="/favicon.svg">',
    ]);
  });

  test.for(["/favicon.svg", "/favicon.ico"])(
    "%s is an image without scripts",
    async (url, { h }) => {
      const { status, headers, text } = await h.as(null).get(url);
      expect([status, headers["content-type"]]).toEqual([200, "image/svg+xml"]);
      expect(headers["content-security-policy"]).toContain("default-src 'none'");
      expect(text).not.toContain("<script");
    },
  );

  test("every link on / works", async ({ h }) => {
    const { text } = await h.as(null).get("/");
    const targets = [...text.matchAll(/href="([^"]+)"/g)].map(([, target]) => String(target));
    expect(targets).toContain("/openapi.json");
    for (const target of targets) {
      expect([target, (await h.as(null).get(target)).status]).toEqual([target, 200]);
    }
  });

  test("/docs and /openapi.json can be turned off", async ({ h }) => {
    const app = await makeAdminApp({ ...h.deps, hasReference: false });
    for (const url of ["/docs", "/docs/", "/openapi.json"]) {
      const { statusCode, body } = await app.inject({ method: "GET", url });
      expect([url, statusCode, body.includes("lists all routes")]).toEqual([url, 404, false]);
    }
    await app.close();
  });

  test("/healthz, /readyz and /metrics need no key", async ({ h }) => {
    expect((await h.as(null).get("/healthz")).body).toEqual({ status: "ok" });
    const ready = await h.as(null).get("/readyz");
    expect(ready.body).toEqual({ status: "ready", reason: null, checks: { database: "ok" } });
    expect((await h.as(null).get("/metrics")).text).toBe("# no metrics\n");
  });

  test.for([
    ["database_away", 200, { status: "ok" }],
    ["node_fenced", 503, { status: "failed", reason: "node_fenced" }],
  ] as const)(
    "/healthz of a node that reports %s returns %i",
    async ([reason, code, body], { h }) => {
      const readiness = { status: "not ready", reason, checks: {} } as const;
      const app = await makeAdminApp({ ...h.deps, readiness: async () => readiness });
      const answer = await app.inject("/healthz");
      await app.close();
      expect([answer.statusCode, answer.json()]).toEqual([code, body]);
    },
  );

  test.for([
    ["ready", 200],
    ["degraded", 200],
    ["not ready", 503],
  ] as const)(
    "/readyz of a node that is %s returns %i and the reason",
    async ([status, code], { h }) => {
      const readiness = { status, reason: "database_away", checks: { database: "away" } } as const;
      const app = await makeAdminApp({ ...h.deps, readiness: async () => readiness });
      const answer = await app.inject("/readyz");
      await app.close();
      expect(answer.statusCode).toBe(code);
      expect(answer.json()).toEqual(readiness);
    },
  );
});

import { request } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect } from "vitest";
import { makeSecret } from "#src/domain/key-format.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { checkRefusal } from "#test/harness/check-refusal.ts";
import { eventually } from "#test/harness/eventually.ts";
import { withinSeconds } from "#test/harness/node-clock.ts";
import { test as base } from "#test/harness/product-test.ts";
import {
  type Answer,
  callAdmin,
  sendMessage,
  textField,
  toAnswer,
} from "#test/harness/server-process.ts";

const test = base
  /** Sends exactly these bytes. Adds only a content type. */
  .extend(
    "post",
    ({ server }) =>
      async (
        body: string | Uint8Array<ArrayBuffer>,
        headers: Record<string, string> = {},
        apiKey = key,
      ): Promise<Answer> => {
        const response = await fetch(`${server.url}/v1/messages`, {
          method: "POST",
          headers: {
            "x-api-key": apiKey,
            "anthropic-version": "2023-06-01",
            "content-type": "application/json",
            ...headers,
          },
          body,
        });
        return toAnswer(response);
      },
  )
  /** Waits until the key is refused. A change of a key takes effect within a second. */
  .extend(
    "untilRefused",
    ({ server }) =>
      (apiKey: string): Promise<Answer> =>
        withinSeconds(1, [server], "the key to stop", async () => {
          const answer = await sendMessage(server.url, apiKey);
          return answer.status === 200 ? null : answer;
        }),
  )
  /** Sends a large body by hand. The refusal may arrive, and the connection close, while the client still writes. */
  .extend(
    "postRaw",
    ({ server }) =>
      (body: Buffer, isChunked: boolean): Promise<Answer> =>
        new Promise((resolve, reject) => {
          const headers: Record<string, string | number> = {
            "x-api-key": key,
            "content-type": "application/json",
          };
          if (!isChunked) headers["content-length"] = body.length;
          let answered = false;
          const call = request(
            `${server.url}/v1/messages`,
            { method: "POST", headers },
            (response) => {
              answered = true;
              const chunks: Buffer[] = [];
              response.on("data", (chunk: Buffer) => chunks.push(chunk));
              response.on("end", () => {
                const text = Buffer.concat(chunks).toString("utf8");
                const entries = Object.entries(response.headersDistinct).map(
                  ([name, values]): [string, string] => [name, (values ?? []).join(", ")],
                );
                resolve({
                  status: response.statusCode ?? 0,
                  headers: new Headers(entries),
                  text,
                  json: JSON.parse(text) as Record<string, unknown>,
                });
              });
            },
          );
          call.on("error", (error) => {
            if (!answered) reject(error);
          });
          call.write(body.subarray(0, body.length / 2));
          call.end(body.subarray(body.length / 2));
        }),
  );

let key: string;

test.beforeAll(async ({ server }) => {
  key = (await server.workspaceWithKey()).key;
}, 90_000);

const hello = {
  model: "claude-haiku-4-5-20251001",
  max_tokens: 16,
  messages: [{ role: "user", content: "Hello" }],
};

/** Checks the official body and one request id in header and body. Returns the message. */
function expectOfficialError(answer: Answer, status: number, type: string): string {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
  expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
  const requestId = answer.headers.get("request-id");
  expect(requestId).toMatch(/^req_/);
  expect(answer.json).toEqual({
    type: "error",
    error: { type, message: expect.any(String), details: expect.any(Object) },
    request_id: requestId,
  });
  checkRefusal(status, answer.json);
  const { error } = answer.json ?? {};
  return textField(error, "message");
}

describe("refuses an invalid key with the reason", () => {
  test("no key", async ({ server }) => {
    const answer = await callAdmin(server.url, null, "POST", "/v1/messages", hello);
    expect(expectOfficialError(answer, 401, "authentication_error")).toMatch(/x-api-key/);
  });

  test("an unknown key, well-formed or malformed", async ({ post }) => {
    const other = makeSecret("api", systemRandomBytes).secret; // has the right form and a valid checksum
    const wellFormed = expectOfficialError(
      await post(JSON.stringify(hello), {}, other),
      401,
      "authentication_error",
    );
    const malformed = expectOfficialError(
      await post(JSON.stringify(hello), {}, "sk-ant-api03-nothing-like-a-key"),
      401,
      "authentication_error",
    );
    expect(wellFormed).toMatch(/invalid x-api-key/);
    expect(malformed).toMatch(/invalid x-api-key/);
    expect(wellFormed).not.toContain(other);
  });

  test("an admin key on the Claude API", async ({ server, post }) => {
    const answer = await post(JSON.stringify(hello), {}, await server.adminKey());
    expect(expectOfficialError(answer, 401, "authentication_error")).toMatch(/admin key/);
  });

  test("a disabled key stops within a second and works again once enabled", async ({
    server,
    untilRefused,
  }) => {
    const made = await server.workspaceWithKey();
    expect((await sendMessage(server.url, made.key)).status).toBe(200);
    await server.mustAdmin("POST", `/v1/admin/api_keys/${made.apiKeyId}`, { status: "inactive" });
    const refused = await untilRefused(made.key);
    expect(expectOfficialError(refused, 401, "authentication_error")).toMatch(/disabled/);
    await server.mustAdmin("POST", `/v1/admin/api_keys/${made.apiKeyId}`, { status: "active" });
    await withinSeconds(1, [server], "the enabled key to work", async () => {
      const answer = await sendMessage(server.url, made.key);
      return answer.status === 200 ? answer : null;
    });
  });

  test("an archived key", async ({ server, untilRefused }) => {
    const made = await server.workspaceWithKey();
    await server.mustAdmin("POST", `/v1/admin/api_keys/${made.apiKeyId}`, { status: "archived" });
    const refused = await untilRefused(made.key);
    expect(expectOfficialError(refused, 401, "authentication_error")).toMatch(/key is archived/);
  });

  test("a key of an archived workspace", async ({ server, untilRefused }) => {
    const made = await server.workspaceWithKey();
    expect((await sendMessage(server.url, made.key)).status).toBe(200);
    await server.mustAdmin("POST", `/v1/admin/workspaces/${made.workspaceId}/archive`);
    const refused = await untilRefused(made.key);
    expect(expectOfficialError(refused, 401, "authentication_error")).toMatch(
      /workspace .*archived/i,
    );
  });

  test("an expired key works until its expiration time and not afterwards", async ({ server }) => {
    // Long enough for a busy machine to create and use the key.
    const expiresAt = new Date(Date.now() + 6_000).toISOString();
    const made = await server.workspaceWithKey({ expiresAt });
    expect((await sendMessage(server.url, made.key)).status).toBe(200);
    const refused = await eventually(30_000, "the key to expire", async () => {
      const answer = await sendMessage(server.url, made.key);
      return answer.status === 200 ? null : answer;
    });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt));
    expect(expectOfficialError(refused, 401, "authentication_error")).toMatch(/expired/);
  });

  test("a key with the read permission counts tokens, and cannot send a message", async ({
    server,
  }) => {
    const made = await server.workspaceWithKey({ permission: "read" });
    const { max_tokens: _, ...countable } = hello;
    const counted = await callAdmin(
      server.url,
      made.key,
      "POST",
      "/v1/messages/count_tokens",
      countable,
    );
    expect(counted.status).toBe(200);
    const answer = await sendMessage(server.url, made.key);
    const message = expectOfficialError(answer, 403, "permission_error");
    expect(message).toContain('"read"');
    expect(message).toContain('"write"');
  });
});

describe("names the fault of an admin request", () => {
  test.for([
    ["GET", "/v1/admin/workspaces/wksp_missing"],
    ["POST", "/v1/admin/workspaces/wksp_missing/archive"],
    ["GET", "/v1/organizations/workspaces/wksp_missing"],
  ] as const)("an unknown workspace id: %s %s", async ([method, path], { server }) => {
    const answer = await server.admin(method, path);
    expect(expectOfficialError(answer, 404, "not_found_error")).toBe(
      "Workspace not found: wksp_missing",
    );
  });

  test("an unknown workspace id in a body", async ({ server }) => {
    const forKey = await server.admin("POST", "/v1/admin/api_keys", {
      name: "Automated Key",
      workspace_id: "wksp_missing",
      permissions: ["write"],
    });
    expect(expectOfficialError(forKey, 404, "not_found_error")).toBe(
      "Workspace not found: wksp_missing",
    );
    const forLimit = await server.admin("POST", "/v1/admin/workspaces/limits", {
      workspace_id: "wksp_missing",
      monthly_limit_usd: 100,
    });
    expect(expectOfficialError(forLimit, 404, "not_found_error")).toBe(
      "Workspace not found: wksp_missing",
    );
  });

  test("an unknown API key id", async ({ server }) => {
    const answer = await server.admin("GET", "/v1/admin/api_keys/apikey_missing");
    expect(expectOfficialError(answer, 404, "not_found_error")).toMatch(/^API key not found/);
  });

  test("an unknown field", async ({ server }) => {
    const answer = await server.admin("POST", "/v1/admin/workspaces", { name: "x", colour: "red" });
    expect(expectOfficialError(answer, 400, "invalid_request_error")).toContain("colour");
  });

  test("a field of the wrong type", async ({ server }) => {
    const answer = await server.admin("POST", "/v1/admin/workspaces", { name: 7 });
    expect(expectOfficialError(answer, 400, "invalid_request_error")).toContain("name");
  });

  test("malformed JSON on the Admin API", async ({ server }) => {
    const response = await fetch(`${server.url}/v1/admin/workspaces`, {
      method: "POST",
      headers: { "x-api-key": await server.adminKey(), "content-type": "application/json" },
      body: '{"name": "x"',
    });
    expectOfficialError(await toAnswer(response), 400, "invalid_request_error");
  });
});

describe("refuses an ambiguous body before it costs anything", () => {
  test("malformed JSON", async ({ post }) => {
    const answer = await post(`${JSON.stringify(hello).slice(0, -1)},}`);
    expect(expectOfficialError(answer, 400, "invalid_request_error")).toMatch(/JSON/);
  });

  test.for([
    ["plain", '{"model":"claude-haiku-4-5-20251001","model":"claude-opus-4-8",'],
    ["escaped", '{"model":"claude-haiku-4-5-20251001","mod\\u0065l":"claude-opus-4-8",'],
  ] as const)("a duplicate model key (%s)", async ([_, start], { post }) => {
    const answer = await post(
      `${start}"max_tokens":16,"messages":[{"role":"user","content":"x"}]}`,
    );
    const message = expectOfficialError(answer, 400, "invalid_request_error");
    expect(message).toContain("model");
    expect(message).toMatch(/duplicate|twice|more than once/i);
  });

  test("a compressed body", async ({ post }) => {
    const body = new Uint8Array(gzipSync(JSON.stringify(hello)));
    const answer = await post(body, { "content-encoding": "gzip" });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      error: {
        type: "invalid_request_error",
        message: expect.stringMatching(/content-encoding.*gzip/),
        details: { error_code: "request_body_encoding_unsupported" },
      },
    });
  });

  test.for([
    ["model", { ...hello, model: 7 }],
    ["max_tokens", { ...hello, max_tokens: "16" }],
    ["max_tokens", { ...hello, max_tokens: 1.5 }],
    ["max_tokens", { ...hello, max_tokens: -1 }],
    ["stream", { ...hello, stream: "yes" }],
    ["messages", { ...hello, messages: "Hello" }],
  ] as const)("a wrong type of %s", async ([field, body], { post }) => {
    const answer = await post(JSON.stringify(body));
    expect(expectOfficialError(answer, 400, "invalid_request_error")).toContain(field);
  });

  test("a missing model", async ({ post }) => {
    const { model: _, ...body } = hello;
    const answer = await post(JSON.stringify(body));
    expect(expectOfficialError(answer, 400, "invalid_request_error")).toContain("model");
  });

  test.for(["declared", "chunked"])("a body of 33 MB (%s length)", async (kind, { postRaw }) => {
    const body = Buffer.from(JSON.stringify({ ...hello, system: "a".repeat(33 * 1024 * 1024) }));
    const answer = await postRaw(body, kind === "chunked");
    expect(expectOfficialError(answer, 413, "request_too_large")).toContain("32 MB");
  });

  test("an unknown path", async ({ server }) => {
    const answer = await callAdmin(server.url, key, "POST", "/v1/complete", hello);
    expectOfficialError(answer, 404, "not_found_error");
  });
});

describe("a spent limit", () => {
  test("is refused with the official text, the scope, the limit and the spend", async ({
    server,
  }) => {
    const made = await server.workspaceWithKey({ name: "Limited" });
    expect((await sendMessage(server.url, made.key)).status).toBe(200);
    await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
      workspace_id: made.workspaceId,
      monthly_limit_usd: 0.000001,
    });
    let today = new Date();
    const refused = await eventually(20_000, "the limit to apply", async () => {
      // Read before the request, since the month may change meanwhile.
      today = new Date();
      const answer = await sendMessage(server.url, made.key);
      return answer.status === 200 ? null : answer;
    });
    const message = expectOfficialError(refused, 400, "invalid_request_error");
    const nextMonth = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + 1, 1));
    expect(message).toMatch(
      new RegExp(
        "^You have reached your specified workspace API usage limits\\. " +
          `You will regain access on ${nextMonth.toISOString().slice(0, 10)} at 00:00 UTC\\.`,
      ),
    );
    expect(message).toContain("0.000001");
    expect(refused.headers.get("x-should-retry")).toBe("false");

    await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
      workspace_id: made.workspaceId,
      monthly_limit_usd: 100,
    });
    await eventually(20_000, "the raised limit to apply", async () => {
      const answer = await sendMessage(server.url, made.key);
      return answer.status === 200 ? answer : null;
    });
  });
});

describe("accepted requests", () => {
  test("a request without anthropic-version", async ({ server }) => {
    const response = await fetch(`${server.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": key, "content-type": "application/json" },
      body: JSON.stringify(hello),
    });
    expect((await toAnswer(response)).status).toBe(200);
  });

  test.for(["2023-06-01", "2026-10-21"])(
    "version %s, with and without beta",
    async (version, { server }) => {
      for (const path of ["/v1/messages", "/v1/messages?beta=true"]) {
        const response = await fetch(server.url + path, {
          method: "POST",
          headers: {
            authorization: `Bearer ${key}`,
            "content-type": "application/json",
            "anthropic-version": version,
            "anthropic-beta": "some-beta-2026-01-01",
          },
          body: JSON.stringify(hello),
        });
        expect((await toAnswer(response)).status).toBe(200);
      }
    },
  );

  test("HEAD /api/hello", async ({ server }) => {
    const response = await fetch(`${server.url}/api/hello`, { method: "HEAD" });
    expect(response.status).toBe(200);
  });
});

import { expect } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { withinSeconds } from "#test/harness/node-clock.ts";
import { test as base } from "#test/harness/product-test.ts";
import { type Answer, sendMessage, textField, toAnswer } from "#test/harness/server-process.ts";

// The playground in the whole program. A member's session returns a secret, and calls with it are held, limited,
// journalled and recorded like all others.

const PASSWORD = "correct horse battery staple";
const REVOKED_WITHIN_SECONDS = 2;

const test = base
  /** Calls as the console does, with the owner's session once it exists. */
  .extend(
    "asConsole",
    { scope: "file" },
    ({ server }) =>
      async (method: string, path: string, body?: object): Promise<Answer & { cookie: string }> => {
        const response = await fetch(server.url + path, {
          method,
          headers: {
            origin: server.url,
            "x-bursar-console": "1",
            ...(body && { "content-type": "application/json" }),
            ...(cookie && { cookie }),
          },
          ...(body && { body: JSON.stringify(body) }),
        });
        const set = response.headers.getSetCookie().map((line) => line.split(";")[0] ?? "");
        return { ...(await toAnswer(response)), cookie: set.join("; ") };
      },
  )
  .extend(
    "startSession",
    ({ asConsole }) =>
      async (): Promise<{ id: string; key: string; apiKeyId: string }> => {
        const { json, text } = await asConsole("POST", "/v1/admin/playground/sessions", {
          workspace_id: workspaceId,
        });
        if (json?.["key"] === undefined) throw new Error(text);
        return {
          id: textField(json, "id"),
          key: textField(json, "key"),
          apiKeyId: textField(json, "api_key_id"),
        };
      },
  );

let cookie: string;
let workspaceId: string;

test.beforeAll(async ({ server, asConsole }) => {
  ({ workspaceId } = await server.workspaceWithKey({ name: "Research" }));
  const token = /#token=(\S+)/.exec(server.output())?.[1];
  const answer = await asConsole("POST", "/v1/admin/setup", {
    token,
    organization_name: "Acme",
    name: "Grace Hopper",
    email: "grace@acme.example",
    password: PASSWORD,
  });
  cookie = answer.cookie;
}, 90_000);

test("a message counts for the member, with its exact cost, under the playground's key", async ({
  server,
  startSession,
}) => {
  const { key, apiKeyId } = await startSession();
  const answer = await sendMessage(server.url, key);
  expect(answer.status).toBe(200);
  const requestId = answer.headers.get("bursar-request-id") ?? "";
  const recorded = await eventually(30_000, "the request in the log", async () => {
    const found = await server.admin("GET", `/v1/admin/requests/${requestId}`);
    return found.status === 200 ? found.json : null;
  });
  const usage = answer.json?.["usage"] as { input_tokens: number; output_tokens: number };
  expect(recorded).toMatchObject({
    workspace_id: workspaceId,
    api_key_id: apiKeyId,
    api_key_name: "Playground of Grace Hopper",
    member_email: "grace@acme.example",
    status: "answered",
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
  });
  expect(Number(recorded?.["cost_usd"])).toBeGreaterThan(0);
});

test("a workspace limit refuses it with the usual text", async ({ server, startSession }) => {
  const made = await server.mustAdmin("POST", "/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspaceId },
    period: "monthly",
    limit_usd: 0,
  });
  const { key } = await startSession();
  const refused = await eventually(30_000, "the limit to apply", async () => {
    const answer = await sendMessage(server.url, key);
    return answer.status === 400 ? answer : null;
  });
  expect(refused.text).toContain("You have reached your specified workspace API usage limits.");
  await server.mustAdmin("DELETE", `/v1/admin/spend_limits/${textField(made, "id")}`);
  await eventually(30_000, "the removal of the limit", async () => {
    const answer = await sendMessage(server.url, key, { maxTokens: 8 });
    return answer.status === 200 ? answer : null;
  });
});

test("an ended session is refused on the Claude surface with the reason", async ({
  server,
  asConsole,
  startSession,
}) => {
  const { id, key } = await startSession();
  expect((await sendMessage(server.url, key, { maxTokens: 8 })).status).toBe(200);
  const ended = await asConsole("DELETE", `/v1/admin/playground/sessions/${id}`);
  expect(ended.status).toBe(200);
  const refused = await withinSeconds(REVOKED_WITHIN_SECONDS, [server], "the refusal", async () => {
    const answer = await sendMessage(server.url, key);
    return answer.status === 401 ? answer : null;
  });
  expect(refused.text).toContain("This session of the playground has ended");
});

test("no log and no table contains the secret", async ({ server, startSession }) => {
  const { key } = await startSession();
  await sendMessage(server.url, key);
  expect(server.output()).not.toContain(key);
  const rows = await server.sql<{ text: string }>(
    `SELECT row_to_json(s)::text AS text FROM api_key_secret AS s
     UNION ALL SELECT row_to_json(e)::text FROM audit_event AS e
     UNION ALL SELECT row_to_json(c)::text FROM claimed_change AS c`,
  );
  expect(rows.length).toBeGreaterThan(3);
  for (const { text } of rows) expect(text).not.toContain(key);
});

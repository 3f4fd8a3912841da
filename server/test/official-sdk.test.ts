import Current from "@anthropic-ai/sdk";
import Previous from "anthropic-sdk-previous";
import { describe, expect } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { test as base } from "#test/harness/product-test.ts";
import type { WorkspaceWithKey } from "#test/harness/server-process.ts";

// The official SDKs, with only key and base URL changed. The SDK's own code sends every request, through a `fetch`
// that records it.

type Sdk = typeof Current;
// Both packages have the used names. Each call runs in its own package.
const sdks: { name: string; sdk: Sdk; authHeader: string; version: string }[] = [
  { name: "1.13", sdk: Current, authHeader: "authorization", version: "2026-10-21" },
  {
    name: "0.137",
    // Two releases of one SDK. The calls here are the same in both.
    sdk: Previous as unknown as Sdk,
    authHeader: "x-api-key",
    version: "2023-06-01",
  },
];

const test = base.extend("makeClient", ({ server }) => (sdk: Sdk, apiKey: string) => {
  const sent: Sent[] = [];
  const client = new sdk({
    apiKey,
    baseURL: server.url,
    fetch: (input, init) => {
      const request = new Request(input, init);
      const { pathname, search } = new URL(request.url);
      sent.push({ method: request.method, path: pathname + search, headers: request.headers });
      return fetch(input, init);
    },
  });
  return { client, sent };
});

let made: WorkspaceWithKey;

test.beforeAll(async ({ server }) => {
  made = await server.workspaceWithKey({ name: "SDK" });
}, 90_000);

interface Sent {
  method: string;
  path: string;
  headers: Headers;
}

const question: Current.MessageCreateParamsNonStreaming = {
  model: "claude-3-5-sonnet-20241022",
  max_tokens: 1000,
  messages: [{ role: "user", content: "Why is the sky blue?" }],
};

function textOf(message: Current.Message): string {
  return message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

describe.each(sdks)("SDK $name", ({ sdk, authHeader, version }) => {
  test("sends its key in its own header and gets a message", async ({ makeClient }) => {
    const { client, sent } = makeClient(sdk, made.key);
    const message = await client.messages.create(question);
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /v1/messages"]);
    expect(sent[0]?.headers.get(authHeader)).toContain(made.key);
    expect(sent[0]?.headers.get("anthropic-version")).toBe(version);
    expect(message.type).toBe("message");
    expect(message.model).toBe("claude-3-5-sonnet-20241022");
    expect(message.stop_reason).toBe("end_turn");
    expect(textOf(message).length).toBeGreaterThan(0);
    expect(message.usage.input_tokens).toBeGreaterThan(0);
    expect(message.usage.output_tokens).toBeGreaterThan(0);
    expect(message._request_id).toMatch(/^req_/);
  });

  test("responses name the organization and workspace", async ({ server, makeClient }) => {
    const { client } = makeClient(sdk, made.key);
    const { response } = await client.messages.create(question).withResponse();
    const admin = makeClient(sdk, await server.adminKey()).client;
    const me = await admin.organization.retrieve();
    expect(response.headers.get("anthropic-workspace-id")).toBe(made.workspaceId);
    expect(response.headers.get("anthropic-organization-id")).toBe(me.id);
  });

  test("streams events in order, whose sum is the same message", async ({ makeClient }) => {
    const { client } = makeClient(sdk, made.key);
    const events = await client.messages.create({ ...question, stream: true });
    const names: string[] = [];
    let text = "";
    for await (const event of events) {
      names.push(event.type);
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") {
        text += event.delta.text;
      }
    }
    const [first] = names;
    expect(first).toBe("message_start");
    expect(names.slice(-3)).toEqual(["content_block_stop", "message_delta", "message_stop"]);
    expect(names.filter((name) => name === "content_block_delta").length).toBeGreaterThan(0);
    const whole = await client.messages.create(question);
    expect(text).toBe(textOf(whole));
  });

  test("the stream helper's final message equals the message without a stream", async ({
    makeClient,
  }) => {
    const { client } = makeClient(sdk, made.key);
    const deltas: string[] = [];
    const stream = client.messages.stream(question).on("text", (delta) => deltas.push(delta));
    const final = await stream.finalMessage();
    const whole = await client.messages.create(question);
    expect(deltas.join("")).toBe(textOf(whole));
    expect(textOf(final)).toBe(textOf(whole));
    expect(final.usage.input_tokens).toBe(whole.usage.input_tokens);
    expect(final.usage.output_tokens).toBe(whole.usage.output_tokens);
    expect(final.stop_reason).toBe(whole.stop_reason);
  });

  test("an unknown model name is returned unchanged", async ({ makeClient }) => {
    const { client } = makeClient(sdk, made.key);
    const message = await client.messages.create({ ...question, model: "claude-of-tomorrow-9" });
    expect(message.model).toBe("claude-of-tomorrow-9");
  });

  test("counts the same tokens as a message uses", async ({ makeClient }) => {
    const { client } = makeClient(sdk, made.key);
    const { max_tokens: _, ...countable } = question;
    const { input_tokens } = await client.messages.countTokens(countable);
    const message = await client.messages.create(question);
    expect(input_tokens).toBe(message.usage.input_tokens);
  });

  test("lists models and reads one of them", async ({ makeClient }) => {
    const { client } = makeClient(sdk, made.key);
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
    const [id = ""] = ids;
    expect((await client.models.retrieve(id)).id).toBe(id);
  });

  test("the beta namespace works", async ({ makeClient }) => {
    const { client, sent } = makeClient(sdk, made.key);
    const message = await client.beta.messages.create({
      ...question,
      betas: ["context-management-2025-06-27"],
    });
    expect(message.type).toBe("message");
    expect(sent[0]?.headers.get("anthropic-beta")).toContain("context-management-2025-06-27");
    const stream = client.beta.messages.stream(question);
    expect((await stream.finalMessage()).stop_reason).toBe("end_turn");
    const count = await client.beta.messages.countTokens({
      model: question.model,
      messages: question.messages,
    });
    expect(count.input_tokens).toBe(message.usage.input_tokens);
  });

  test("a wrong key gets AuthenticationError", async ({ makeClient }) => {
    const { client, sent } = makeClient(sdk, "sk-ant-api03-wrong");
    const error = await catchError(client.messages.create(question));
    expect(error).toBeInstanceOf(sdk.AuthenticationError);
    expect(sent).toHaveLength(1);
  });

  test("an invalid request gets BadRequestError with the server's message", async ({
    makeClient,
  }) => {
    const { client, sent } = makeClient(sdk, made.key);
    const error = await catchError(client.messages.create({ ...question, model: "" }));
    expect(error).toBeInstanceOf(sdk.BadRequestError);
    expect(String(error)).toContain("model");
    expect(sent).toHaveLength(1);
  });

  test("a read key gets PermissionDeniedError", async ({ server, makeClient }) => {
    const reader = await server.workspaceWithKey({ permission: "read" });
    const { client } = makeClient(sdk, reader.key);
    const error = await catchError(client.messages.create(question));
    expect(error).toBeInstanceOf(sdk.PermissionDeniedError);
  });

  test("a spent limit gets BadRequestError after exactly one HTTP request", async ({
    server,
    makeClient,
  }) => {
    const limited = await server.workspaceWithKey();
    const { client, sent } = makeClient(sdk, limited.key);
    await client.messages.create(question);
    await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
      workspace_id: limited.workspaceId,
      monthly_limit_usd: 0.000001,
    });
    const { error, requests } = await eventually(30_000, "the limit to apply", async () => {
      const before = sent.length;
      const refused = await catchError(client.messages.create(question));
      return refused === null ? null : { error: refused, requests: sent.length - before };
    });
    expect(error).toBeInstanceOf(sdk.BadRequestError);
    expect(String(error)).toContain(
      "You have reached your specified workspace API usage limits. You will regain access on ",
    );
    expect(requests).toBe(1);
  });

  test("an upstream error gets the SDK's class, and the SDK's retries", async ({ makeClient }) => {
    const { client } = makeClient(sdk, made.key);
    const error = await catchError(
      client.messages.create({ ...question, model: "simulate-overloaded" }, { maxRetries: 0 }),
    );
    expect(error).toBeInstanceOf(sdk.InternalServerError);
    expect((error as { status?: number }).status).toBe(529);
  });
});

describe.each(sdks)("Admin API with SDK $name", ({ sdk }) => {
  test("reads the organization", async ({ server, makeClient }) => {
    const { client } = makeClient(sdk, await server.adminKey());
    const me = await client.organization.retrieve();
    expect(me.type).toBe("organization");
    expect(me.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  });

  test("creates, gets, lists, updates and archives a workspace", async ({ server, makeClient }) => {
    const { client } = makeClient(sdk, await server.adminKey());
    const name = `Life of a workspace ${sdk === Current}`;
    const workspace = await client.organization.workspaces.create({ name, tags: { team: "a" } });
    expect(workspace).toMatchObject({ type: "workspace", name, archived_at: null });
    expect(workspace.tags).toEqual({ team: "a" });
    expect(await client.organization.workspaces.retrieve(workspace.id)).toEqual(workspace);

    const renamed = await client.organization.workspaces.update(workspace.id, {
      name: `${name}, renamed`,
      tags: { team: null, cost: "42" },
    });
    expect(renamed).toEqual({ ...workspace, name: `${name}, renamed`, tags: { cost: "42" } });

    const listed: string[] = [];
    for await (const one of client.organization.workspaces.list({ limit: 1 })) listed.push(one.id);
    expect(listed).toContain(workspace.id);
    expect(new Set(listed).size).toBe(listed.length);

    const archived = await client.organization.workspaces.archive(workspace.id);
    expect(Date.parse(archived.archived_at ?? "")).toBeGreaterThan(0);
    const active: string[] = [];
    for await (const one of client.organization.workspaces.list()) active.push(one.id);
    expect(active).not.toContain(workspace.id);
    const all: string[] = [];
    for await (const one of client.organization.workspaces.list({ include_archived: true })) {
      all.push(one.id);
    }
    expect(all).toContain(workspace.id);
  });

  test("gets, lists and disables an API key", async ({ server, makeClient }) => {
    const { client } = makeClient(sdk, await server.adminKey());
    const one = await server.workspaceWithKey();
    const apiKey = await client.organization.apiKeys.retrieve(one.apiKeyId);
    expect(apiKey).toMatchObject({ id: one.apiKeyId, type: "api_key", status: "active" });
    expect(apiKey.scope).toEqual({ type: "workspace", workspace_id: one.workspaceId });
    expect(JSON.stringify(apiKey)).not.toContain(one.key);

    const listed: string[] = [];
    for await (const key of client.organization.apiKeys.list({ workspace_id: one.workspaceId })) {
      listed.push(key.id);
    }
    expect(listed).toEqual([one.apiKeyId]);

    const disabled = await client.organization.apiKeys.update(one.apiKeyId, { status: "inactive" });
    expect(disabled).toEqual({ ...apiKey, status: "inactive" });
  });

  test("an unknown id gets NotFoundError", async ({ server, makeClient }) => {
    const { client, sent } = makeClient(sdk, await server.adminKey());
    const error = await catchError(client.organization.workspaces.retrieve("wksp_missing"));
    expect(error).toBeInstanceOf(sdk.NotFoundError);
    expect(String(error)).toContain("Workspace not found: wksp_missing");
    const key = await catchError(client.organization.apiKeys.retrieve("apikey_missing"));
    expect(key).toBeInstanceOf(sdk.NotFoundError);
    expect(sent).toHaveLength(2);
  });

  test("a workspace key is refused", async ({ makeClient }) => {
    const { client } = makeClient(sdk, made.key);
    const error = await catchError(client.organization.workspaces.create({ name: "Mine" }));
    expect(error).toBeInstanceOf(sdk.PermissionDeniedError);
  });
});

test("the previous SDK's beta namespace manages workspaces, with ?beta=true in the path", async ({
  server,
}) => {
  const client = new Previous({ apiKey: await server.adminKey(), baseURL: server.url });
  const workspace = await client.beta.organization.workspaces.create({ name: "Beta" });
  const listed: string[] = [];
  for await (const one of client.beta.organization.workspaces.list()) listed.push(one.id);
  expect(listed).toContain(workspace.id);
  expect((await client.beta.organization.apiKeys.list()).data.length).toBeGreaterThan(0);
});

/** Reason of the promise's rejection, or null. */
async function catchError(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
    return null;
  } catch (error) {
    return error;
  }
}

import Anthropic from "@anthropic-ai/sdk";
import AnthropicPrevious from "anthropic-sdk-previous";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AdminHarness, startAdmin, type TestOrganization } from "./harness/admin.ts";

// The official clients against a listening server, nothing changed but address and key. The current one sends the key as a
// Bearer token, the previous one as x-api-key.

let h: AdminHarness;
let baseURL: string;

beforeAll(async () => {
  h = await startAdmin();
  baseURL = await h.app.listen({ host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await h.close();
});

describe.each([
  ["current", Anthropic],
  ["previous", AnthropicPrevious],
])("the %s SDK", (version, Sdk) => {
  let org: TestOrganization;
  let client: InstanceType<typeof Anthropic>;

  beforeAll(async () => {
    org = await h.organization(`Company of the ${version} SDK`);
    client = new Sdk({ apiKey: org.adminKey, baseURL, maxRetries: 2 }) as Anthropic;
  });

  test("reads the organization", async () => {
    expect(await client.organization.retrieve()).toEqual({
      id: org.id,
      name: `Company of the ${version} SDK`,
      type: "organization",
    });
  });

  test("creates, reads, updates, lists and archives workspaces", async () => {
    const made = await client.organization.workspaces.create({
      name: "Research",
      tags: { team: "a", cost: "b" },
    });
    expect(await client.organization.workspaces.retrieve(made.id)).toEqual(made);
    const changed = await client.organization.workspaces.update(made.id, {
      name: "Science",
      tags: { cost: null },
    });
    expect(changed).toEqual({ ...made, name: "Science", tags: { team: "a" } });
    const names: string[] = [];
    for (let i = 0; i < 5; i++) {
      h.clock.nowMs++;
      await client.organization.workspaces.create({ name: `Team ${i}` });
    }
    for await (const workspace of client.organization.workspaces.list({
      limit: 2,
      include_default: true,
    })) {
      names.push(workspace.name);
    }
    expect(names.slice(0, 5)).toEqual(["Team 4", "Team 3", "Team 2", "Team 1", "Team 0"]);
    expect(new Set(names.slice(5))).toEqual(new Set(["Science", "Default"]));
    const byIds = await client.organization.workspaces.list({ ids: [made.id, "wksp_unknown"] });
    expect(byIds.data).toEqual([changed]);
    const archived = await client.organization.workspaces.archive(made.id);
    expect(archived.archived_at).not.toBeNull();
  });

  test("pages backwards too", async () => {
    const { data } = await client.organization.workspaces.list({ limit: 1000 });
    const oldest = data.at(-1)?.id ?? "";
    const seen: string[] = [];
    for await (const { id } of client.organization.workspaces.list({
      before_id: oldest,
      limit: 2,
    })) {
      seen.push(id);
    }
    expect(new Set(seen)).toEqual(new Set(data.slice(0, -1).map(({ id }) => id)));
    expect(seen.length).toBe(data.length - 1);
  });

  test("lists, reads and updates API keys", async () => {
    const workspace = await client.organization.workspaces.create({ name: "Keys" });
    const key = await org.admin.createApiKey(workspace.id, { name: "CI" });
    const keys: string[] = [];
    for await (const { id } of client.organization.apiKeys.list({
      workspace_id: workspace.id,
      status: "active",
    })) {
      keys.push(id);
    }
    expect(keys).toEqual([key.id]);
    const updated = await client.organization.apiKeys.update(key.id, { status: "inactive" });
    expect(updated.status).toBe("inactive");
    expect((await client.organization.apiKeys.retrieve(key.id)).scope).toEqual({
      type: "workspace",
      workspace_id: workspace.id,
    });
  });

  test("knows whose a personal key is and who made it", async () => {
    const workspace = await client.organization.workspaces.create({ name: "Personal" });
    const member = await org.member({ workspaces: { [workspace.id]: "workspace_developer" } });
    const { id } = await member.client.createApiKey(workspace.id);
    const found: string[] = [];
    for await (const key of client.organization.apiKeys.list({ created_by_user_id: member.id })) {
      found.push(key.id);
    }
    expect(found).toEqual([id]);
    const key = await client.organization.apiKeys.retrieve(id);
    expect(key.created_by).toEqual({ type: "user", id: member.id });
    expect(key.principal).toEqual({ type: "user_actor", user_id: member.id });
  });

  test("turns refusals into its own errors, with the request's id, and does not retry a conflict", async () => {
    const missing = client.organization.workspaces.retrieve("wksp_unknown");
    await expect(missing).rejects.toMatchObject({
      status: 404,
      requestID: expect.stringMatching(/^req_/),
      error: { error: { type: "not_found_error", message: "Workspace not found: wksp_unknown" } },
    });
    await client.organization.workspaces.create({ name: "Once" });
    const calls: string[] = [];
    const counting = new Sdk({
      apiKey: org.adminKey,
      baseURL,
      fetch: (url, init) => {
        calls.push(String(url));
        return fetch(url, init);
      },
    }) as Anthropic;
    const twice = counting.organization.workspaces.create({ name: "Once" });
    await expect(twice).rejects.toMatchObject({ status: 409 });
    expect(calls.length).toBe(1);
  });

  test("with a workspace key that may not is refused by the server, not by a parse error", async () => {
    const workspace = await client.organization.workspaces.create({ name: "Refused" });
    const { key } = await org.admin.createApiKey(workspace.id);
    const developer = new Sdk({ apiKey: key, baseURL, maxRetries: 0 }) as Anthropic;
    await expect(developer.organization.retrieve()).rejects.toMatchObject({ status: 403 });
    const nobody = new Sdk({ apiKey: "sk-ant-api03-nobody", baseURL, maxRetries: 0 }) as Anthropic;
    await expect(nobody.organization.retrieve()).rejects.toMatchObject({ status: 401 });
  });
});

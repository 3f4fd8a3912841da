import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import type { tag } from "@bursar/contract/admin/tags.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { z } from "zod";
import { findApiKeysByHashes } from "#src/key-lookup/api-key-lookup.sql.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

type Tag = z.output<typeof tag>;
type ApiKey = z.output<typeof apiKey>;

const test = base.extend("listTags", () => async (client: Client, query = "") => {
  const { body } = await client.get<Listed<Tag>>(`/v1/admin/tags?limit=100${query}`);
  return body.data;
});

const setTags = (client: Client, path: string, tags: object | null) =>
  client.post<Pick<ApiKey, "tags">>(path, { tags });

test("tags are listed with the workspaces and keys that have them", async ({ org, listTags }) => {
  const { admin } = org;
  const search = await admin.createWorkspace({ name: "Search", tags: { cost_center: "4711" } });
  const key = await admin.createApiKey(search.id, { name: "Robot", tags: { cost_center: "4712" } });
  await setTags(admin, `/v1/admin/api_keys/${key.id}`, { cost_center: "4711", stage: "test" });
  const shown = (await listTags(admin)).map(({ name, value, workspaces, api_keys }) => ({
    tag: `${name}=${value}`,
    users: [...workspaces, ...api_keys].map((user) => user.name),
  }));
  expect(shown).toHaveLength(3);
  expect(shown).toEqual(
    expect.arrayContaining([
      { tag: "cost_center=4711", users: ["Search", "Robot"] },
      { tag: "cost_center=4712", users: [] },
      { tag: "stage=test", users: ["Robot"] },
    ]),
  );
  expect(await listTags(admin, "&name=stage")).toMatchObject([
    { type: "tag", id: expect.stringMatching(/^tag_[0-9a-f]{24}$/), api_key_count: 1 },
  ]);
  const member = await org.member({ workspaces: { [search.id]: "workspace_user" } });
  const visible = await listTags(member.client);
  expect(visible.map(({ value, api_key_count }) => [value, api_key_count])).toEqual([["4711", 0]]);
});

test("a change of tags is audited, and reaches the next request of the key", async ({ h, org }) => {
  const { admin } = org;
  const workspace = await admin.createWorkspace({ tags: { cost_center: "4711" } });
  const key = await admin.createApiKey(workspace.id, { tags: { team: "ads" } });
  const listIds = async () => {
    const [found] = await findApiKeysByHashes(h.deps.database, h.deps.rows, [hashSecret(key.key)]);
    const { rows } = await sql<{ tag: string }>`SELECT name || '=' || value AS tag FROM tag
      WHERE id = ANY(${found?.tagIds ?? []}::text[]) ORDER BY tag`.execute(h.deps.database);
    return rows.map((row) => row.tag);
  };
  expect(await listIds()).toEqual(["cost_center=4711", "team=ads"]);
  const changed = await setTags(admin, `/v1/admin/api_keys/${key.id}`, { cost_center: "4712" });
  expect(changed.body.tags).toEqual({ team: "ads", cost_center: "4712" });
  expect(await listIds()).toEqual(["cost_center=4712", "team=ads"]);
  await setTags(admin, `/v1/admin/api_keys/${key.id}`, null);
  expect(await listIds()).toEqual(["cost_center=4711"]);
  const events = await auditEventsOf(h.deps.database, key.id);
  expect(events.filter(({ event }) => event === "api_key.updated")).toMatchObject([
    { before: { tags: { team: "ads" } }, after: { tags: { cost_center: "4712", team: "ads" } } },
    { before: { tags: { cost_center: "4712", team: "ads" } }, after: { tags: {} } },
  ]);
});

test("a Workspace Admin changes no tag that an Admin set or limits, and no key gets around it", async ({
  h,
  org,
}) => {
  const { admin } = org;
  const workspace = await admin.createWorkspace({ tags: { cost_center: "4711", team: "ads" } });
  const member = await org.member({ workspaces: { [workspace.id]: "workspace_admin" } });
  const path = `/v1/admin/workspaces/${workspace.id}`;
  const refused = { status: 403, error: { details: { error_code: "tag_set_above" } } };
  const { client } = member;
  expect(await setTags(client, path, { cost_center: "4712" })).toMatchObject(refused);
  expect(await setTags(client, path, null)).toMatchObject(refused);
  expect((await setTags(client, path, { stage: "test" })).status).toBe(200);
  expect(
    await client.post("/v1/admin/api_keys", {
      name: "Escape",
      workspace_id: workspace.id,
      tags: { cost_center: "4712" },
    }),
  ).toMatchObject(refused);
  const own = await client.createApiKey(workspace.id, { tags: { job: "nightly" } });
  expect(own).toMatchObject({ tags: { job: "nightly" } });
  await sql`ALTER TABLE spend_limit_value DROP CONSTRAINT IF EXISTS spend_limit_value_scope_type_check`.execute(
    h.deps.database,
  );
  await sql`INSERT INTO spend_limit_value (organization_id, scope_type, scope_id, period, rank, amount_nano_usd,
      enforcement, set_by_type, set_by_id, set_at)
    SELECT organization_id, 'tag', id, 'monthly', 'admin', 1, 'strict', 'admin_key', 'adminkey_1', now()
    FROM tag WHERE organization_id = ${org.id}::uuid AND name = 'job'`.execute(h.deps.database);
  expect(await setTags(client, `/v1/admin/api_keys/${own.id}`, { job: null })).toMatchObject(
    refused,
  );
  expect((await setTags(admin, `/v1/admin/api_keys/${own.id}`, { job: null })).status).toBe(200);
});

test("a member's next key has the tags that higher ranks set on the keys before", async ({
  org,
}) => {
  const { admin } = org;
  const workspace = await admin.createWorkspace();
  const { client } = await org.member({ workspaces: { [workspace.id]: "workspace_developer" } });
  const first = await client.createApiKey(workspace.id, { tags: { mine: "1" } });
  await setTags(admin, `/v1/admin/api_keys/${first.id}`, { cost_center: "4711" });
  const second = await client.createApiKey(workspace.id);
  expect(second).toMatchObject({ tags: { cost_center: "4711" } });
});

test.for([
  [{ "a:b": "1" }, "cannot contain"],
  [{ "a=b": "1" }, "cannot contain"],
  [{ " a": "1" }, "outer spaces"],
  [{ "a\u200b": "1" }, "invisible"],
  [{ a: "1\n2" }, "one line"],
  [{ Team: "1", team: "2" }, "case"],
  [{ Anthropic_x: "1" }, "anthropic"],
  [{ ["a".repeat(65)]: "1" }, "64"],
  [{ a: "1".repeat(257) }, "256"],
  [Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`a${i}`, "1"])), "50"],
] as const)("tags %o are refused", async ([tags, reason], { org }) => {
  const { status, text } = await org.admin.post("/v1/admin/workspaces", { name: "Tagged", tags });
  expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining(reason) });
});

test("a key has no tag without a value, because an empty one would undo its workspace's", async ({
  org,
}) => {
  const { id } = await org.admin.createApiKey((await org.admin.createWorkspace()).id);
  const answer = await setTags(org.admin, `/v1/admin/api_keys/${id}`, { team: "" });
  expect(answer.status).toBe(400);
});

test("a change adds no name that differs from a stored one in case alone", async ({ org }) => {
  const { id } = await org.admin.createWorkspace({ tags: { Team: "ads" } });
  const path = `/v1/admin/workspaces/${id}`;
  const { status, error } = await org.admin.post(path, { tags: { team: "search" } });
  expect([status, error.message]).toEqual([400, expect.stringContaining("case")]);
});

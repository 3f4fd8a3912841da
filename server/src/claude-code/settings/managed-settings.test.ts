import type {
  checkManagedSettings,
  effectiveSettings,
  managedSettings,
} from "@bursar/contract/admin/managed-settings.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Client, Listed, TestOrganization } from "#test/harness/admin.ts";
import { test } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const PATH = "/v1/admin/managed_settings";
type Document = z.output<typeof managedSettings>;
type Effective = z.output<typeof effectiveSettings>;
type Checked = z.output<typeof checkManagedSettings.response>;
type Version = { id: string; version: number; is_signed: boolean; comment: string | null };

const everyone = { name: "Everyone", group_ids: [], settings: { cleanupPeriodDays: 20 } };
const policyOf = (name: string, group_ids: string[], settings: object) => ({
  ...{ name, group_ids, settings },
});
const set = (client: Client, policies: object[], more = {}) =>
  client.post<Document>(PATH, { policies, ...more });

async function createGroup(org: TestOrganization, name: string, memberId?: string) {
  const { id } = (await org.admin.post<{ id: string }>("/v1/admin/groups", { name })).body;
  if (memberId) await org.admin.post(`/v1/admin/groups/${id}/members`, { member_id: memberId });
  return id;
}

test("an organization without managed settings has version 0", async ({ org }) => {
  expect((await org.admin.get(PATH)).body).toEqual({
    type: "managed_settings",
    ...{ id: null, version: 0, comment: null, restored_version: null },
    ...{ created_at: null, created_by: null, policies: [], warnings: [] },
  });
});

test("a change replaces all policies, keeps the order of keys, and raises the version", async ({
  h,
  org,
}) => {
  const { client, id } = await org.member({ role: "admin" });
  const group = await createGroup(org, "Interns");
  const interns = policyOf("Interns", [group], {
    later: 1,
    model: "haiku",
    env: { B: "", A: "1" },
  });
  await set(client, [everyone]);
  const saved = await set(client, [interns, everyone], { if_version: 1, comment: " Interns " });
  expect(saved.body).toEqual({
    type: "managed_settings",
    id: expect.stringMatching(/^settings_[0-9A-Za-z]{24}$/),
    ...{ version: 2, comment: "Interns", restored_version: null },
    created_at: new Date(h.clock.nowMs).toISOString(),
    created_by: { type: "user", id },
    policies: [interns, everyone],
    warnings: [
      expect.objectContaining({ code: "unknown_key", path: "policies.0.settings.later" }),
      expect.objectContaining({ code: "needs_approval", path: "policies.0.settings.env" }),
    ],
  });
  const read = await client.get<Document>(PATH);
  expect(read.body).toEqual(saved.body);
  expect(read.text).toContain('"settings":{"later":1,"model":"haiku","env":{"B":"","A":"1"}}');
});

test("equal policies make no new version", async ({ org }) => {
  await set(org.admin, [everyone]);
  expect((await set(org.admin, [everyone], { comment: "Again" })).body.version).toBe(1);
});

test("a change of another version is refused with the current one", async ({ org }) => {
  await set(org.admin, [everyone]);
  const refused = await set(org.admin, [], { if_version: 0 });
  expect(refused.status).toBe(409);
  expect(refused.error.details).toMatchObject({ error_code: "version_conflict", version: 1 });
});

test("of two concurrent changes of one version, one is refused", async ({ org }) => {
  await set(org.admin, [everyone]);
  const answers = await Promise.all(
    ["A", "B", "C"].map((name) => set(org.admin, [{ ...everyone, name }], { if_version: 1 })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  expect((await org.admin.get<Document>(PATH)).body.version).toBe(2);
});

test("faults are refused with their places, and change nothing", async ({ org }) => {
  const other = policyOf("Everyone", ["group_none"], {
    mcpServers: {},
    permissions: { deny: [7] },
  });
  const refused = await set(org.admin, [everyone, other]);
  expect(refused.status).toBe(400);
  expect(refused.error.details?.fields?.map(({ path }) => path)).toEqual([
    "policies.1.name",
    "policies.1.group_ids.0",
    "policies.1.settings.mcpServers",
    "policies.1.settings.permissions.deny.0",
  ]);
  expect((await org.admin.get<Document>(PATH)).body.version).toBe(0);
});

test("groups of another organization are unknown", async ({ h, org }) => {
  const other = await h.organization();
  const group = await createGroup(other, "Foreign");
  const refused = await set(org.admin, [policyOf("A", [group], {})]);
  expect(refused.error.details?.fields?.[0]?.path).toBe("policies.0.group_ids.0");
});

test("a deleted group matches no member, and blocks no other change", async ({ org }) => {
  const group = await createGroup(org, "Gone");
  const gone = policyOf("Gone", [group], { model: "haiku" });
  await set(org.admin, [gone, everyone]);
  await org.admin.remove(`/v1/admin/groups/${group}`);
  const { body } = await set(org.admin, [gone, { ...everyone, name: "All" }]);
  expect(body.warnings).toEqual([
    expect.objectContaining({ code: "unknown_group", path: "policies.0.group_ids.0" }),
  ]);
  const effective = `${PATH}/effective?group_ids=${group}`;
  expect((await org.admin.get<Effective>(effective)).body).toMatchObject({
    policy: null,
    base: "All",
  });
});

describe("the audit log", () => {
  test("has the difference of a change", async ({ h, org }) => {
    await set(org.admin, [{ ...everyone, settings: { model: "opus", cleanupPeriodDays: 20 } }]);
    const added = policyOf("Added", [await createGroup(org, "A")], { model: "haiku" });
    await set(org.admin, [added, everyone], { comment: "Why" });
    const events = await auditEventsOf(h.deps.database, org.id);
    expect(events.at(-1)).toMatchObject({
      event: "managed_settings.set",
      subject_type: "managed_settings",
      before: {
        version: 1,
        order: ["Everyone"],
        policies: {
          Added: { group_ids: null, "settings.model": null },
          Everyone: { "settings.model": "opus" },
        },
      },
      after: {
        version: 2,
        comment: "Why",
        order: ["Added", "Everyone"],
        policies: {
          Added: { group_ids: added.group_ids, "settings.model": "haiku" },
          Everyone: { "settings.model": null },
        },
      },
    });
  });
});

describe("the settings of a person", () => {
  test("come from the first policy with a group of the person, over the base", async ({ org }) => {
    const { id } = await org.member();
    const [one, two] = [await createGroup(org, "One"), await createGroup(org, "Two", id)];
    await set(org.admin, [
      policyOf("First", [one], { model: "opus" }),
      policyOf("Second", [one, two], { model: "haiku", permissions: { deny: ["WebFetch"] } }),
      policyOf("Third", [two], { model: "sonnet" }),
      { ...everyone, settings: { model: "opus", permissions: { deny: ["Bash"] } } },
    ]);
    const { body } = await org.admin.get<Effective>(`${PATH}/effective?member_id=${id}`);
    expect(body).toEqual({
      type: "effective_managed_settings",
      ...{ member_id: id, group_ids: [two], base: "Everyone", policy: "Second" },
      settings: { model: "haiku", permissions: { deny: ["Bash", "WebFetch"] } },
      checksum: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      keys: [
        { path: "model", policies: ["Second"] },
        { path: "permissions.deny", policies: ["Everyone", "Second"] },
      ],
    });
    const both = await org.admin.get<Effective>(`${PATH}/effective?group_ids=${two},${one}`);
    expect(both.body).toMatchObject({ member_id: null, policy: "First" });
  });

  test("are absent without a policy", async ({ org }) => {
    const { id } = await org.member();
    const { body } = await org.admin.get<Effective>(`${PATH}/effective?member_id=${id}`);
    expect(body).toMatchObject({ settings: null, checksum: null, keys: [] });
  });

  test("list the models that groups allow, unless a policy has a list", async ({ org }) => {
    const { id } = await org.member();
    const group = await createGroup(org, "Interns", id);
    await org.admin.post(`/v1/admin/groups/${group}`, { allowed_models: ["claude-haiku-4-5"] });
    await set(org.admin, [everyone]);
    const path = `${PATH}/effective?member_id=${id}`;
    const models = ["claude-haiku-4-5", "claude-haiku-4-5-20251001"];
    expect((await org.admin.get<Effective>(path)).body.settings).toMatchObject({
      availableModels: models,
      enforceAvailableModels: true,
    });
    await set(org.admin, [{ ...everyone, settings: { availableModels: ["haiku"] } }]);
    expect((await org.admin.get<Effective>(path)).body.settings).toEqual({
      availableModels: ["haiku"],
    });
  });

  test("need either a member or groups", async ({ org }) => {
    expect((await org.admin.get(`${PATH}/effective`)).status).toBe(400);
    const both = `${PATH}/effective?member_id=user_1&group_ids=group_1`;
    expect((await org.admin.get(both)).status).toBe(400);
  });
});

test("a check returns the difference and a person's settings, and saves nothing", async ({
  org,
}) => {
  const { client, id } = await org.member({ role: "owner", steppedUpAtMs: null });
  const group = await createGroup(org, "One", id);
  await set(org.admin, [everyone, policyOf("Old", [group], { model: "opus" })]);
  const next = [policyOf("New", [group], { model: "haiku" }), { ...everyone, settings: {} }];
  const { body } = await client.post<Checked>(`${PATH}/check`, { policies: next, member_id: id });
  expect(body).toMatchObject({
    type: "managed_settings_check",
    version: 1,
    warnings: [],
    is_reordered: false,
    changes: [
      { policy: "New", change: "added" },
      {
        policy: "Everyone",
        change: "changed",
        keys: [{ path: "settings.cleanupPeriodDays", before: 20, after: null }],
      },
      { policy: "Old", change: "removed" },
    ],
    laptops: { active: 0, changed: 0, without_settings: 0 },
    effective: { policy: "New", settings: { model: "haiku" } },
  });
  expect((await org.admin.get<Document>(PATH)).body.version).toBe(1);
  const reordered = { policies: [policyOf("Old", [group], { model: "opus" }), everyone] };
  expect((await client.post<Checked>(`${PATH}/check`, reordered)).body).toMatchObject({
    ...{ is_reordered: true, changes: [], effective: null },
  });
});

describe("versions", () => {
  test("are kept, and an earlier one can be restored", async ({ org }) => {
    const first = await set(org.admin, [everyone], { comment: "First" });
    await set(org.admin, []);
    const versions = `${PATH}/versions`;
    const path = `${versions}/${first.body.id}`;
    const { body } = await org.admin.post<Document>(`${path}/restore`, { if_version: 2 });
    expect(body).toMatchObject({ version: 3, restored_version: 1, policies: [everyone] });
    const { data } = (await org.admin.get<Listed<Version>>(versions)).body;
    expect(data.map(({ version }) => version)).toEqual([3, 2, 1]);
    expect(data[2]).toMatchObject({ comment: "First", policy_count: 1, is_signed: true });
    expect((await org.admin.get<Document>(path)).body).toEqual(first.body);
    expect((await org.admin.post(`${path}/restore`, { if_version: 2 })).status).toBe(409);
  });

  test("are checked like their restoration, with the groups that were deleted since", async ({
    org,
  }) => {
    const group = await createGroup(org, "Gone");
    const gone = policyOf("Gone", [group], { model: "haiku" });
    const first = await set(org.admin, [gone, everyone]);
    await set(org.admin, [everyone]);
    await org.admin.remove(`/v1/admin/groups/${group}`);
    const body = { managed_settings_version_id: first.body.id };
    const checked = await org.admin.post<Checked>(`${PATH}/check`, body);
    expect(checked.body).toMatchObject({
      version: 2,
      warnings: [{ code: "unknown_group", path: "policies.0.group_ids.0" }],
      changes: [{ policy: "Gone", change: "added" }],
    });
    const path = `${PATH}/versions/${first.body.id}/restore`;
    const restored = await org.admin.post<Document>(path, { if_version: 2 });
    expect(restored.body.warnings).toEqual(checked.body.warnings);

    const both = { ...body, policies: [everyone] };
    expect((await org.admin.post(`${PATH}/check`, both)).status).toBe(400);
    expect((await org.admin.post(`${PATH}/check`, {})).status).toBe(400);
  });

  test("that this server did not write are named and never restored", async ({ h, org }) => {
    const first = await set(org.admin, [everyone]);
    await set(org.admin, []);
    await sql`UPDATE managed_settings_version SET policies = '[]' WHERE id = ${first.body.id}`.execute(
      h.deps.database,
    );
    const path = `${PATH}/versions/${first.body.id}`;
    const refused = await org.admin.post(`${path}/restore`, {});
    expect(refused.error.details?.error_code).toBe("managed_settings_unsigned");
    const { data } = (await org.admin.get<Listed<Version>>(`${PATH}/versions`)).body;
    expect(data.map(({ is_signed }) => is_signed)).toEqual([true, false]);
    const verified = await org.admin.get("/v1/admin/audit_log/verification");
    expect(verified.body).toMatchObject({
      unexplained: [{ type: "managed_settings", id: first.body.id, reason: "unsigned" }],
    });
  });
});

test("a change needs a step-up, and the scope of an admin key", async ({ h, org }) => {
  const { client } = await org.member({ role: "owner", steppedUpAtMs: null });
  expect((await set(client, [])).error.details?.error_code).toBe("step_up_required");
  const { key } = await org.admin.createAdminKey({ scopes: ["settings"] });
  expect((await set(h.as(key), [])).status).toBe(403);
  const own = await org.admin.createAdminKey({ scopes: ["managed_settings"] });
  expect((await set(h.as(own.key), [everyone])).status).toBe(200);
});

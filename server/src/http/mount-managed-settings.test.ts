import { createHash } from "node:crypto";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { Settings } from "#src/claude-code/settings/effective-settings.rule.ts";
import type { AdminHarness, TestOrganization } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { type SignedInLaptop, signInLaptop } from "#test/harness/laptops.ts";

const PATH = "/v1/admin/managed_settings";
const SERVED = "/managed/settings";
type Served = { uuid: string; checksum: string; settings: Settings };

const test = base
  .extend("member", ({ org, workspaceId }) =>
    org.member({ workspaces: { [workspaceId]: "workspace_user" } }),
  )
  .extend("groupId", async ({ org, member }) => {
    const { body } = await org.admin.post<{ id: string }>("/v1/admin/groups", { name: "Interns" });
    await org.admin.post(`/v1/admin/groups/${body.id}/members`, { member_id: member.id });
    return body.id;
  })
  .extend("laptop", ({ h, org, workspaceId, member }) =>
    signInLaptop(h.deps, { organizationId: org.id, workspaceId, memberId: member.id }),
  );

const ask = (h: AdminHarness, laptop: SignedInLaptop, headers = {}) =>
  h.app.inject({
    url: SERVED,
    headers: { authorization: `Bearer ${laptop.accessToken}`, ...headers },
  });

/** Saves policies, and lets the node read them. */
async function set(h: AdminHarness, org: TestOrganization, ...policies: object[]) {
  expect((await org.admin.post(PATH, { policies })).status).toBe(200);
  await h.deps.servedSettings.reload();
}
const policyOf = (name: string, group_ids: string[], settings: object) => ({
  ...{ name, group_ids, settings },
});

describe("a laptop is served", () => {
  test("the settings of its member with their checksum", async ({ h, org, groupId, laptop }) => {
    await set(
      h,
      org,
      policyOf("Interns", [groupId], { model: "haiku", env: { B: "1", A: "2" } }),
      policyOf("Everyone", [], { cleanupPeriodDays: 20, permissions: { deny: ["Read(./.env)"] } }),
    );
    const response = await ask(h, laptop);
    expect(response.statusCode).toBe(200);
    const { settings, checksum, uuid } = response.json<Served>();
    expect(settings).toEqual({
      model: "haiku",
      env: { A: "2", B: "1" },
      cleanupPeriodDays: 20,
      permissions: { deny: ["Read(./.env)"] },
    });
    const hash = createHash("sha256").update(
      '{"cleanupPeriodDays":20,"env":{"A":"2","B":"1"},"model":"haiku","permissions":{"deny":["Read(./.env)"]}}',
    );
    expect(checksum).toBe(`sha256:${hash.digest("hex")}`);
    expect(uuid).toBe(checksum);
    expect(response.headers).toMatchObject({
      etag: `"${checksum}"`,
      "cache-control": "private, no-cache",
      vary: "authorization",
      "content-type": expect.stringContaining("application/json"),
    });
    expect(response.headers["x-should-retry"]).toBeUndefined();
    const effective = await org.admin.get(`${PATH}/effective?member_id=${laptop.subject.memberId}`);
    expect(effective.body).toMatchObject({ checksum, settings });
  });

  test("304 only for the tag that it has", async ({ h, org, laptop }) => {
    await set(h, org, policyOf("Everyone", [], { model: "opus" }));
    const { checksum } = (await ask(h, laptop)).json<Served>();
    const statusOf = async (tag: string) =>
      (await ask(h, laptop, { "if-none-match": tag })).statusCode;
    const same = await ask(h, laptop, { "if-none-match": `"${checksum}"` });
    expect([same.statusCode, same.body, same.headers["etag"]]).toEqual([304, "", `"${checksum}"`]);
    expect(await statusOf(`W/"other", W/"${checksum}"`)).toBe(304);
    for (const tag of ["*", checksum, '"sha256:other"', ""]) expect(await statusOf(tag)).toBe(200);
    await set(h, org, policyOf("Everyone", [], { model: "haiku" }));
    expect(await statusOf(`"${checksum}"`)).toBe(200);
  });

  test("a 404 without a policy for its member", async ({ h, org, laptop }) => {
    const response = await ask(h, laptop);
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ error: { details: { resource: "managed_settings" } } });
    const other = await org.admin.post<{ id: string }>("/v1/admin/groups", { name: "Others" });
    await set(h, org, policyOf("Others", [other.body.id], { model: "opus" }));
    expect((await ask(h, laptop)).statusCode).toBe(404);
    await set(h, org, policyOf("Everyone", [], {}));
    expect((await ask(h, laptop)).json()).toMatchObject({ settings: {} });
  });

  test("the models that its groups allow", async ({ h, org, groupId, laptop }) => {
    await org.admin.post(`/v1/admin/groups/${groupId}`, { allowed_models: ["claude-haiku-*"] });
    await set(h, org, policyOf("Everyone", [], { model: "haiku" }));
    const { settings } = (await ask(h, laptop)).json<Served>();
    expect(settings).toMatchObject({ enforceAvailableModels: true, model: "haiku" });
    const models = settings["availableModels"] as string[];
    expect(models).toContain("claude-haiku-4-5-20251001");
    expect(models.filter((model) => !model.startsWith("claude-haiku-"))).toEqual([]);
  });

  test("no settings of another organization", async ({ h, laptop }) => {
    const other = await h.organization();
    await set(h, other, policyOf("Everyone", [], { model: "opus" }));
    expect((await ask(h, laptop)).statusCode).toBe(404);
  });
});

describe("without PostgreSQL", () => {
  test("a laptop is served from memory, by the groups of its token", async ({
    h,
    org,
    workspaceId,
    member,
    groupId,
  }) => {
    const groups = [{ id: groupId, name: "Interns" }];
    const of = { organizationId: org.id, workspaceId, memberId: member.id, groups };
    const laptop = await signInLaptop(h.deps, of);
    await set(h, org, policyOf("Interns", [groupId], { model: "haiku" }));
    const found = (await ask(h, laptop)).json<Served>();
    const { keys } = h.deps;
    h.deps.keys = {
      ...keys,
      findCachedByHash: () => undefined,
      findByHash: () => new Promise(() => undefined),
    };
    try {
      expect((await ask(h, laptop)).json()).toEqual(found);
    } finally {
      h.deps.keys = keys;
    }
  });
});

describe("a version that this server did not write", () => {
  const forge = (h: AdminHarness, org: TestOrganization) =>
    sql`INSERT INTO managed_settings_version (id, organization_id, version, policies, created_by_type, created_by_id, created_at)
      VALUES (${`settings_forged_${org.id}`}, ${org.id}, 9, ${JSON.stringify([policyOf("Evil", [], { env: { A: "evil" } })])}, 'member', 'user_1', now())`.execute(
      h.deps.database,
    );

  test("leaves the last genuine one in force, and is reported", async ({ h, org, laptop }) => {
    await set(h, org, policyOf("Everyone", [], { model: "opus" }));
    await forge(h, org);
    const refused = h.deps.rows.countRefused();
    await h.deps.servedSettings.reload();
    await h.deps.servedSettings.reload();
    expect((await ask(h, laptop)).json()).toMatchObject({ settings: { model: "opus" } });
    expect(h.deps.rows.countRefused()).toBe(refused + 1);
    expect(h.logs.join("\n")).toMatch(/"table":"managed_settings_version".*without a valid MAC/);
  });

  test("is a 404 without a genuine one", async ({ h, org, laptop }) => {
    await forge(h, org);
    await h.deps.servedSettings.reload();
    expect((await ask(h, laptop)).statusCode).toBe(404);
  });

  test("is followed by the next change through the server", async ({ h, org, laptop }) => {
    await forge(h, org);
    await set(h, org, policyOf("Everyone", [], { model: "haiku" }));
    expect((await ask(h, laptop)).json()).toMatchObject({ settings: { model: "haiku" } });
  });
});

describe("a 401 that clients do not repeat answers", () => {
  const refuse = async (h: AdminHarness, authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await h.app.inject({ url: SERVED, headers });
    expect(response.statusCode).toBe(401);
    expect(response.headers).toMatchObject({ "x-should-retry": "false" });
    return response.json<{ error: { details: { error_code: string } } }>().error.details.error_code;
  };

  test("an ended laptop", async ({ h, org, workspaceId, member }) => {
    const endsAt = new Date(h.clock.nowMs - 1_000);
    const of = { organizationId: org.id, workspaceId, memberId: member.id, endsAt };
    const laptop = await signInLaptop(h.deps, of);
    expect(await refuse(h, `Bearer ${laptop.accessToken}`)).toBe("laptop_ended");
  });

  test("an expired, an altered and a missing token", async ({ h, org, laptop }) => {
    expect(await refuse(h)).toBe("api_key_missing");
    expect(await refuse(h, `Bearer ${laptop.refreshToken}`)).toBe("access_token_invalid");
    expect(await refuse(h, `Bearer ${org.adminKey}`)).toBe("access_token_invalid");
    h.clock.nowMs += 3_600_000;
    try {
      expect(await refuse(h, `Bearer ${laptop.accessToken}`)).toBe("access_token_expired");
    } finally {
      h.clock.nowMs -= 3_600_000;
    }
  });
});

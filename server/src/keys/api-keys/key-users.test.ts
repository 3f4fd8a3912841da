import { randomUUID } from "node:crypto";
import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import type { directory } from "@bursar/contract/admin/directories.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { hashSecret } from "#src/domain/key-format.ts";
import { findApiKeyByHash } from "#src/key-lookup/api-key-lookup.sql.ts";
import { findUsersBySubjects } from "#src/key-lookup/forwarded-users.sql.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import type { TestMember, TestOrganization } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { insertGroup } from "#test/harness/groups.ts";

// Keys of a gateway that names the user of each request, and the members whom it names.

const KEYS = "/v1/admin/api_keys";
type ApiKey = z.output<typeof apiKey>;

const test = base.extend("company", ({ h, org, workspaceId }) => {
  const addDirectory = async (of: TestOrganization = org) => {
    const made = await of.operator.post<z.output<typeof directory>>("/v1/admin/directories", {
      name: "Okta",
      issuer: `https://${randomUUID()}.example`,
      client_id: "bursar",
      client_secret: "secret",
      is_enabled: true,
      allowed_domains: ["acme.example"],
    });
    expect(made.status).toBe(200);
    return made.body;
  };

  /** Links a member to a subject, as a sign-in does. */
  const link = async (member: TestMember, to: { id: string; issuer: string }, subject: string) => {
    const now = new Date(h.clock.nowMs);
    await h.deps.database
      .insertInto("directory_identity")
      .values({
        ...{ directory_id: to.id, issuer: to.issuer, subject, external_id: null },
        ...{ member_id: member.id, created_at: now, last_used_at: now },
      })
      .execute();
  };

  const create = (fields: object, client = org.admin) =>
    client.post<ApiKey & { key: string }>(KEYS, {
      name: "Gateway",
      workspace_id: workspaceId,
      ...fields,
    });

  const find = async (directoryId: string, subject: string) =>
    (await findUsersBySubjects(h.deps.database, h.deps.rows, [{ directoryId, subject }]))[0];

  return { addDirectory, link, create, find };
});

describe("a key of a gateway", () => {
  test("names a directory, and requires a user unless told otherwise", async ({
    h,
    org,
    company,
  }) => {
    const { id } = await company.addDirectory();
    const made = await company.create({ user_directory_id: id });
    expect(made.body).toMatchObject({ user_directory_id: id, requires_user: true });
    const found = await findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(made.body.key));
    expect(found).toMatchObject({ userDirectoryId: id, requiresUser: true, isUnsigned: false });

    const path = `${KEYS}/${made.body.id}`;
    const eased = await org.admin.post<ApiKey>(path, { requires_user: false });
    expect(eased.body).toMatchObject({ user_directory_id: id, requires_user: false });
    const named = await org.admin.post<ApiKey>(path, { name: "Other" });
    expect(named.body).toMatchObject({ user_directory_id: id, requires_user: false });
    const ended = await org.admin.post<ApiKey>(path, { user_directory_id: null });
    expect(ended.body).toMatchObject({ user_directory_id: null, requires_user: false });
    const events = await auditEventsOf(h.deps.database, made.body.id);
    expect(events.map(({ after }) => after)).toMatchObject([
      { user_directory_id: id, requires_user: true },
      { user_directory_id: id, requires_user: false },
      { user_directory_id: id, requires_user: false },
      { user_directory_id: null, requires_user: null },
    ]);
  });

  test("cannot name the directory of another organization", async ({ h, company }) => {
    const { id } = await company.addDirectory(await h.organization("Other"));
    expect(await company.create({ user_directory_id: id })).toMatchObject({
      status: 400,
      body: { error: { details: { fields: [{ path: "user_directory_id" }] } } },
    });
  });

  test("belongs to the workspace, and has no rule without a directory", async ({
    org,
    workspaceId,
    company,
  }) => {
    const { id } = await company.addDirectory();
    const ada = await org.member({
      role: "developer",
      workspaces: { [workspaceId]: "workspace_developer" },
    });
    const personal = { owner_member_id: ada.id, user_directory_id: id };
    expect((await company.create(personal)).status).toBe(400);
    expect((await company.create({ requires_user: true })).status).toBe(400);
    expect((await company.create({ requires_user: false })).status).toBe(200);
  });

  test("is marked and unmarked by admins of the organization alone", async ({
    org,
    workspaceId,
    company,
  }) => {
    const { id } = await company.addDirectory();
    const workspaceAdmin = await org.member({
      role: "developer",
      workspaces: { [workspaceId]: "workspace_admin" },
    });
    const admin = await org.member({ role: "admin" });
    const made = await company.create({}, admin.client);
    const path = `${KEYS}/${made.body.id}`;
    const marked = { user_directory_id: id };
    expect((await company.create(marked, workspaceAdmin.client)).status).toBe(403);
    expect((await workspaceAdmin.client.post(path, marked)).status).toBe(403);
    expect((await admin.client.post(path, marked)).status).toBe(200);
    expect((await workspaceAdmin.client.post(path, { user_directory_id: null })).status).toBe(403);
    expect((await workspaceAdmin.client.post(path, { requires_user: false })).status).toBe(403);
    expect((await workspaceAdmin.client.post(path, { name: "Renamed" })).status).toBe(200);
  });

  test("is marked after a step-up", async ({ h, org, company }) => {
    const { id } = await company.addDirectory();
    const made = await company.create({});
    const admin = await org.member({ role: "admin", steppedUpAtMs: h.clock.nowMs - 3_600_000 });
    const path = `${KEYS}/${made.body.id}`;
    expect(await admin.client.post(path, { user_directory_id: id })).toMatchObject({
      status: 403,
      body: { error: { details: { error_code: "step_up_required" } } },
    });
  });

  test("that was marked in the database is refused", async ({ h, company }) => {
    const { id } = await company.addDirectory();
    const made = await company.create({});
    await h.deps.database
      .updateTable("api_key")
      .set({ user_directory_id: id, requires_user: false })
      .where("id", "=", made.body.id)
      .execute();
    const found = await findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(made.body.key));
    expect(found?.isUnsigned).toBe(true);
  });
});

describe("a named user", () => {
  test("is the member of the directory with the subject", async ({ h, org, company }) => {
    const [okta, entra] = [await company.addDirectory(), await company.addDirectory()];
    const ada = await org.member({ role: "user" });
    await company.link(ada, okta, "ada");
    const groupId = await insertGroup(h.deps, org.id, { memberIds: [ada.id] });
    expect(await company.find(okta.id, "ada")).toMatchObject({
      ...{ ownerMemberId: ada.id, organizationId: org.id, status: "active" },
      ...{ groupIds: [groupId], allowedModels: null, isUnsigned: false },
    });
    expect(await company.find(okta.id, "grace")).toBeNull();
    expect(await company.find(entra.id, "ada")).toBeNull();

    await inSignedTransaction(h.deps, (tx) =>
      tx.updateTable("member").set({ status: "deactivated" }).where("id", "=", ada.id).execute(),
    );
    expect(await company.find(okta.id, "ada")).toMatchObject({ status: "deactivated" });
    await h.deps.database
      .updateTable("member")
      .set({ status: "active" })
      .where("id", "=", ada.id)
      .execute();
    expect(await company.find(okta.id, "ada")).toMatchObject({ isUnsigned: true });
  });

  test("is never a member of another organization", async ({ h, company }) => {
    const okta = await company.addDirectory();
    const other = await h.organization("Other");
    const eve = await other.member({ role: "user" });
    await company.link(eve, okta, "eve");
    expect(await company.find(okta.id, "eve")).toBeNull();
  });
});

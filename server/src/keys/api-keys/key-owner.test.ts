import type { apiKey, officialApiKey } from "@bursar/contract/admin/api-keys.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { inTransaction } from "#src/db/transaction.ts";
import { hashSecret } from "#src/domain/key-format.ts";
import { findApiKeyByHash } from "#src/key-lookup/api-key-lookup.sql.ts";
import { stopKeysOfMember } from "#src/people/leaving/keys-of-member.sql.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import type { CreatedApiKey, Listed, TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { setWorkspaceRole } from "#test/harness/members.ts";
import { revealSecret } from "#test/harness/reveal-secret.ts";

const KEYS = "/v1/admin/api_keys";
type ApiKey = z.output<typeof apiKey>;
type Official = z.output<typeof officialApiKey>;

const test = base.extend("company", ({ h, org, workspaceId }) => {
  const developer = (role: "workspace_developer" | "workspace_admin" = "workspace_developer") =>
    org.member({ role: "developer", workspaces: { [workspaceId]: role } });

  const keyOf = async (member: TestMember, fields: object = {}) => {
    const of = { owner_member_id: member.id, ...fields };
    const made = await org.admin.createApiKey(workspaceId, of);
    return { ...made, key: await revealSecret(member.client) };
  };

  const setStatus = (member: TestMember, status: "active" | "deactivated" | "removed") =>
    inSignedTransaction(h.deps, (tx) =>
      tx.updateTable("member").set({ status }).where("id", "=", member.id).execute(),
    );

  const setRole = (role: "workspace_developer" | "workspace_admin" | null) =>
    setWorkspaceRole(h.deps, { workspaceId, memberId: ada.id, role });

  const read = async (id: string) => (await org.admin.get<ApiKey>(`${KEYS}/${id}`)).body;

  const found = (secret: string) =>
    findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(secret));

  const stop = (of: { workspaceId?: string } = {}) =>
    inTransaction(h.deps.database, (tx) =>
      stopKeysOfMember(tx, {
        organizationId: org.id,
        memberId: ada.id,
        nowMs: h.clock.nowMs,
        ...of,
      }),
    );

  return { developer, keyOf, setStatus, setRole, read, found, stop };
});

let ada: TestMember;
test.beforeEach(async ({ company }) => {
  ada = await company.developer();
});

describe("the owner of a new key", () => {
  test("is the requested member, in both shapes", async ({ org, company }) => {
    const made = await company.keyOf(ada);
    expect(made.owner).toEqual({
      type: "member",
      id: ada.id,
      name: "Ada Lovelace",
      email: ada.email,
    });
    const official = await org.admin.get<Official>(`/v1/organizations/api_keys/${made.id}`);
    expect(official.body.principal).toEqual({ type: "user_actor", user_id: ada.id });
    expect(official.body.created_by).toBeNull();
  });

  test("is the workspace by default, or the caller who can create only their own keys", async ({
    org,
    workspaceId,
    company,
  }) => {
    const own = await ada.client.createApiKey(workspaceId);
    expect([own.owner, own.created_by]).toMatchObject([
      { type: "member", id: ada.id },
      { type: "user", id: ada.id },
    ]);
    const official = await org.admin.get<Official>(`/v1/organizations/api_keys/${own.id}`);
    expect(official.body.created_by).toEqual({ type: "user", id: ada.id });
    const admin = await company.developer("workspace_admin");
    const shared = await admin.client.createApiKey(workspaceId);
    expect(shared.owner).toEqual({ type: "workspace" });
  });

  test("cannot be another member or the workspace for a developer", async ({
    workspaceId,
    company,
  }) => {
    const bob = await company.developer();
    for (const owner_member_id of [null, bob.id, "user_unknown"]) {
      const body = { name: "No", workspace_id: workspaceId, owner_member_id };
      const answer = await ada.client.post(KEYS, body);
      expect([answer.status, answer.error.type]).toEqual([403, "permission_error"]);
    }
  });

  test("is a 404 when unknown, foreign or removed, and a 400 when deactivated or without a role", async ({
    h,
    org,
    workspaceId,
    company,
  }) => {
    const foreign = await (await h.organization()).member();
    const gone = await company.developer();
    await company.setStatus(gone, "removed");
    for (const id of ["user_unknown", foreign.id, gone.id]) {
      const body = { name: "No", workspace_id: workspaceId, owner_member_id: id };
      const answer = await org.admin.post(KEYS, body);
      expect([answer.status, answer.error.message]).toEqual([404, `Member not found: ${id}`]);
    }
    const outsider = await org.member({ role: "developer" });
    await company.setStatus(ada, "deactivated");
    for (const [id, why] of [
      [outsider.id, "no role in the workspace"],
      [ada.id, "is deactivated"],
    ]) {
      const body = { name: "No", workspace_id: workspaceId, owner_member_id: id };
      const answer = await org.admin.post(KEYS, body);
      expect(answer.status).toBe(400);
      expect(answer.error.message).toContain(why);
    }
  });

  test("can be an admin of the organization without a role in the workspace", async ({
    org,
    company,
  }) => {
    const admin = await org.member({ role: "admin" });
    expect((await company.keyOf(admin)).status).toBe("active");
  });
});

describe("a developer", () => {
  test("sees all keys of the workspace, and changes only their own", async ({
    org,
    workspaceId,
    company,
  }) => {
    const own = await ada.client.createApiKey(workspaceId);
    const shared = await org.admin.createApiKey(workspaceId);
    const bobs = await company.keyOf(await company.developer());
    const listed = await ada.client.get<Listed<ApiKey>>(KEYS);
    expect(new Set(listed.body.data.map(({ id }) => id))).toEqual(
      new Set([own.id, shared.id, bobs.id]),
    );
    for (const [suffix, body] of [
      ["", { name: "New" }],
      ["/rotate", { grace_period_seconds: 60 }],
      ["/cut_off", undefined],
      ["", { status: "archived" }],
    ] as const) {
      expect((await ada.client.post(`${KEYS}/${shared.id}${suffix}`, body)).status).toBe(403);
      expect((await ada.client.post(`${KEYS}/${bobs.id}${suffix}`, body)).status).toBe(403);
      expect((await ada.client.post(`${KEYS}/${own.id}${suffix}`, body)).status).toBe(200);
    }
  });

  test("needs a step-up to rotate a key", async ({ h, workspaceId }) => {
    const own = await ada.client.createApiKey(workspaceId);
    h.clock.nowMs += 11 * 60_000;
    const refused = await ada.client.post(`${KEYS}/${own.id}/rotate`, {});
    expect([refused.status, refused.headers["bursar-step-up"]]).toEqual([403, "required"]);
  });
});

describe("a personal key follows its owner", () => {
  test("is inactive while the owner is deactivated", async ({ h, company }) => {
    const made = await company.keyOf(ada, { permissions: ["write"] });
    await company.setStatus(ada, "deactivated");
    expect(await company.read(made.id)).toMatchObject({
      status: "inactive",
      stopped_because: "owner_deactivated",
    });
    expect((await company.found(made.key))?.ownerState).toBe("deactivated");
    const answer = await h.as(made.key).get("/v1/admin/usage");
    expect([answer.status, answer.error.message]).toEqual([
      401,
      "The owner of this key has been deactivated, so the key is disabled until the owner is active again.",
    ]);
    await company.setStatus(ada, "active");
    expect(await company.read(made.id)).toMatchObject({ status: "active", stopped_because: null });
  });

  test("stops when the owner leaves the workspace, and cannot be enabled", async ({
    org,
    company,
  }) => {
    const made = await company.keyOf(ada);
    await org.admin.post(`${KEYS}/${made.id}`, { status: "inactive" });
    await company.setRole(null);
    expect((await company.read(made.id)).stopped_because).toBe("owner_outside_workspace");
    const enabled = await org.admin.post(`${KEYS}/${made.id}`, { status: "active" });
    expect([enabled.status, enabled.error.message]).toEqual([
      400,
      "The owner of this API key has no role in the workspace any more, so the key cannot be enabled.",
    ]);
  });

  test("loses the admin permission when its owner loses the admin role", async ({ h, company }) => {
    await company.setRole("workspace_admin");
    const made = await company.keyOf(ada, { permissions: ["admin"] });
    expect([made.permissions, (await h.as(made.key).get(KEYS)).status]).toEqual([["admin"], 200]);
    await company.setRole("workspace_developer");
    expect((await company.read(made.id)).permissions).toEqual(["write"]);
    expect((await h.as(made.key).get(KEYS)).status).toBe(403);
  });

  test("is listed as inactive while its owner is deactivated", async ({ org, company }) => {
    const [first, second] = [
      await company.keyOf(ada),
      await company.keyOf(await company.developer()),
    ];
    await company.setStatus(ada, "deactivated");
    const list = async (query: string) => {
      const { body } = await org.admin.get<Listed<ApiKey>>(`${KEYS}?${query}`);
      return body.data.map(({ id }) => id);
    };
    expect(await list("status=inactive")).toEqual([first.id]);
    expect(await list("status=active")).toEqual([second.id]);
  });
});

describe("stopping the keys of a member", () => {
  test("archives and returns only the keys of this member, once", async ({
    h,
    org,
    workspaceId,
    company,
  }) => {
    const [one, two] = [
      await company.keyOf(ada, { name: "One" }),
      await company.keyOf(ada, { name: "Two" }),
    ];
    const others = [
      await org.admin.createApiKey(workspaceId),
      await company.keyOf(await company.developer()),
    ];
    await org.admin.post(`${KEYS}/${two.id}`, { status: "archived" });
    expect(await company.stop()).toEqual([{ id: one.id, name: "One", workspaceId }]);
    expect(await company.read(one.id)).toMatchObject({
      status: "archived",
      archived_at: new Date(h.clock.nowMs).toISOString(),
    });
    for (const { id } of others) expect((await company.read(id)).status).toBe("active");
    expect(await company.stop()).toEqual([]);
  });

  test("in one workspace leaves their keys in other workspaces", async ({
    h,
    org,
    workspaceId,
    company,
  }) => {
    const elsewhere = (await org.admin.createWorkspace()).id;
    await setWorkspaceRole(h.deps, {
      workspaceId: elsewhere,
      memberId: ada.id,
      role: "workspace_user",
    });
    const here = await company.keyOf(ada);
    const there = await org.admin.createApiKey(elsewhere, { owner_member_id: ada.id });
    expect((await company.stop({ workspaceId })).map(({ id }) => id)).toEqual([here.id]);
    expect((await company.read(there.id)).status).toBe("active");
  });

  test("archives a key that is created while its owner is removed", async ({
    h,
    org,
    workspaceId,
    company,
  }) => {
    const removed = inTransaction(h.deps.database, async (tx) => {
      await tx.updateTable("member").set({ status: "removed" }).where("id", "=", ada.id).execute();
      return stopKeysOfMember(tx, {
        organizationId: org.id,
        memberId: ada.id,
        nowMs: h.clock.nowMs,
      });
    });
    const created = Promise.all(
      Array.from({ length: 6 }, () =>
        org.admin.post<CreatedApiKey>(KEYS, {
          name: "Race",
          workspace_id: workspaceId,
          owner_member_id: ada.id,
        }),
      ),
    );
    await removed;
    for (const { status, body } of await created) {
      expect([200, 404]).toContain(status);
      if (status === 200) expect((await company.read(body.id)).status).toBe("archived");
    }
  });
});

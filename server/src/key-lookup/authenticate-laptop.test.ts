import { describe, expect } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { signInLaptop } from "#test/harness/laptops.ts";
import { setWorkspaceRole } from "#test/harness/members.ts";
import { authenticateLaptop, type LaptopDeps } from "./authenticate-laptop.ts";

const test = base
  .extend("member", ({ org, workspaceId }) =>
    org.member({ workspaces: { [workspaceId]: "workspace_user" } }),
  )
  .extend("laptop", ({ h, org, workspaceId, member }) =>
    signInLaptop(h.deps, { organizationId: org.id, workspaceId, memberId: member.id }),
  );

/** Code of the refusal, or the id of the key. */
async function authenticate(deps: LaptopDeps, token: string): Promise<string | null> {
  try {
    const { key } = await authenticateLaptop(deps, token, null);
    return key?.id ?? null;
  } catch (error) {
    return error instanceof ApiError ? error.code : String(error);
  }
}

describe("a laptop", () => {
  test("has the rights of its member's Claude Code key", async ({ h, member, laptop }) => {
    const { claims, key } = await authenticateLaptop(h.deps, laptop.accessToken, null);
    expect(claims).toMatchObject(laptop.subject);
    expect(key).toMatchObject({
      id: laptop.apiKeyId,
      purpose: "claude_code",
      permission: "write",
      ownerMemberId: member.id,
      ownerState: "active",
    });
  });

  test("works until it is ended, and no other laptop of the member ends with it", async ({
    h,
    org,
    workspaceId,
    member,
    laptop,
  }) => {
    const of = { organizationId: org.id, workspaceId, memberId: member.id };
    const other = await signInLaptop(h.deps, of);
    expect(other.apiKeyId).toBe(laptop.apiKeyId);
    await inSignedTransaction(h.deps, (tx) =>
      tx
        .updateTable("api_key_secret")
        .set({ valid_until: new Date(h.clock.nowMs) })
        .where("id", "=", laptop.secretId)
        .execute(),
    );
    expect(await authenticate(h.deps, laptop.accessToken)).toBe("laptop_ended");
    expect(await authenticate(h.deps, other.accessToken)).toBe(laptop.apiKeyId);
  });

  test("stops with its member, its workspace and its key", async ({
    h,
    org,
    workspaceId,
    member,
    laptop,
  }) => {
    const check = () => authenticate(h.deps, laptop.accessToken);
    const role = { workspaceId, memberId: member.id };
    await setWorkspaceRole(h.deps, { ...role, role: null });
    expect(await check()).toBe("api_key_owner_inactive");
    await setWorkspaceRole(h.deps, { ...role, role: "workspace_user" });
    expect(await check()).toBe(laptop.apiKeyId);
    const key = `/v1/admin/api_keys/${laptop.apiKeyId}`;
    await org.admin.post(key, { status: "inactive" });
    expect(await check()).toBe("api_key_disabled");
    await org.admin.post(key, { status: "active" });
    await org.admin.post(`/v1/admin/members/${member.id}/deactivate`);
    expect(await check()).toBe("api_key_owner_inactive");
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    expect(await check()).toBe("api_key_workspace_archived");
  });

  test("is refused where the row of its secret was changed in the database", async ({
    h,
    laptop,
  }) => {
    await h.deps.database
      .updateTable("api_key_secret")
      .set({ valid_until: new Date(h.clock.nowMs + 1) })
      .where("id", "=", laptop.secretId)
      .execute();
    expect(await authenticate(h.deps, laptop.accessToken)).toBe("api_key_unsigned");
  });

  test("is known by its token alone while PostgreSQL does not respond", async ({ h, laptop }) => {
    const silent = { ...h.deps.keys, findByHash: () => new Promise<never>(() => undefined) };
    const deps = { accessTokens: h.deps.accessTokens, keys: silent, nowMs: h.deps.nowMs };
    expect(await authenticate(deps, laptop.accessToken)).toBeNull();
  });
});

test("a Claude Code key is a personal key without a secret: listed, restricted, and never rotated", async ({
  h,
  org,
  member,
  laptop,
}) => {
  const url = `/v1/admin/api_keys/${laptop.apiKeyId}`;
  await org.operator.post("/v1/admin/security_settings", { max_key_lifetime_days: 30 });
  const { body } = await org.admin.get<{ secrets: unknown[] }>(url);
  expect(body).toMatchObject({
    purpose: "claude_code",
    owner: { id: member.id },
    exceeds_max_lifetime: false,
    secrets: [],
  });
  const own = await member.client.get<{ data: { id: string }[] }>("/v1/admin/personal_keys");
  expect(own.body.data.map(({ id }) => id)).toEqual([laptop.apiKeyId]);
  const rotated = await org.admin.post(`${url}/rotate`, {});
  expect([rotated.status, rotated.error.details?.error_code]).toEqual([400, "key_without_secret"]);
  const access = await org.admin.get<{ data: { path: string }[] }>("/v1/admin/access");
  expect(access.body.data.map(({ path }) => path)).toContain("member_key");
  await org.admin.post(url, { allowed_models: ["claude-haiku-*"] });
  const { key } = await authenticateLaptop(h.deps, laptop.accessToken, null);
  expect(key?.allowedModels).toEqual(["claude-haiku-*"]);
  const hygiene = await org.admin.get<{ cards: object[] }>("/v1/admin/key_hygiene");
  expect(hygiene.body).toMatchObject({ keys: 1 });
  const archived = await member.client.post(`/v1/admin/personal_keys/${laptop.apiKeyId}`, {
    status: "archived",
  });
  expect(archived.status).toBe(200);
  expect(await authenticate(h.deps, laptop.accessToken)).toBe("api_key_archived");
});

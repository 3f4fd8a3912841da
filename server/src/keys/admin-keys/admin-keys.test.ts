import type { adminKey } from "@bursar/contract/admin/admin-keys.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { checkSecret } from "#src/domain/key-format.ts";
import type { AdminHarness, CreatedAdminKey, Listed } from "#test/harness/admin.ts";
import { test } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const KEYS = "/v1/admin/admin_keys";
type AdminKey = z.output<typeof adminKey>;

test("a new secret works immediately and is shown once", async ({ h, org }) => {
  const made = await org.admin.post<CreatedAdminKey>(KEYS, { name: "Terraform" });
  const { key, ...shown } = made.body;
  expect(checkSecret(key)).toEqual({ kind: "admin" });
  expect(shown).toEqual({
    id: expect.stringMatching(/^adminkey_[0-9A-Za-z]{24}$/),
    type: "admin_key",
    name: "Terraform",
    status: "active",
    partial_key_hint: `${key.slice(0, 18)}...${key.slice(-4)}`,
    created_by: { type: "admin_key", id: expect.stringMatching(/^adminkey_/) },
    contact_member_id: null,
    created_at: new Date(h.clock.nowMs).toISOString(),
    expires_at: null,
    scopes: null,
    allowed_addresses: null,
    revoked_at: null,
    last_used: null,
  });
  const read = await h.as(key).get(`${KEYS}/${shown.id}`);
  expect(read.body).toEqual(shown);
  expect((await org.admin.get(KEYS)).text).not.toContain(key);
});

test("the list pages newest first and filters by status", async ({ h, org }) => {
  h.clock.nowMs++;
  const expiring = await org.admin.createAdminKey({
    expires_at: new Date(h.clock.nowMs + 5).toISOString(),
  });
  h.clock.nowMs++;
  const revoked = await org.admin.createAdminKey();
  await org.admin.post(`${KEYS}/${revoked.id}/revoke`);
  h.clock.nowMs += 5;
  const found = async (query: string) => {
    const { body } = await org.admin.get<Listed<AdminKey>>(KEYS + query);
    return body.data.map(({ id, status }) => ({ id, status }));
  };
  expect(await found("?status=expired")).toEqual([{ id: expiring.id, status: "expired" }]);
  expect(await found("?status=revoked")).toEqual([{ id: revoked.id, status: "revoked" }]);
  const all = await found("");
  expect(all.slice(0, 2).map(({ id }) => id)).toEqual([revoked.id, expiring.id]);
  expect(all.length).toBe(3);
  const first = await org.admin.get<Listed<AdminKey>>(`${KEYS}?limit=2`);
  const second = await found(`?limit=2&page=${first.body.next_page}`);
  expect(second.map(({ id }) => id)).toEqual([all[2]?.id]);
});

test("a revoked key stays revoked, with one audit event", async ({ h, org }) => {
  const made = await org.admin.createAdminKey();
  h.clock.nowMs += 1000;
  const revokedAt = new Date(h.clock.nowMs).toISOString();
  const first = await org.admin.post<AdminKey>(`${KEYS}/${made.id}/revoke`);
  expect(first.body).toMatchObject({ status: "revoked", revoked_at: revokedAt });
  h.clock.nowMs += 1000;
  const again = await org.admin.post<AdminKey>(`${KEYS}/${made.id}/revoke`);
  expect([again.status, again.body]).toEqual([200, first.body]);
  const events = await auditEventsOf(h.deps.database, made.id);
  expect(events.map(({ event }) => event)).toEqual(["admin_key.created", "admin_key.revoked"]);
});

test("the last key can revoke itself, and the operator can create another", async ({ h }) => {
  const made = await h.operator.createAdminKey();
  const own = h.as(made.key);
  expect((await own.post(`${KEYS}/${made.id}/revoke`)).status).toBe(200);
  expect((await own.get(KEYS)).status).toBe(401);
  const { body } = await h.operator.get<Listed<AdminKey>>(`${KEYS}?status=active`);
  expect(body.data).toEqual([]);
  const next = await h.operator.createAdminKey();
  expect((await h.as(next.key).get(KEYS)).status).toBe(200);
});

test("a workspace key with the admin permission cannot list or create admin keys", async ({
  h,
  org,
}) => {
  const { id } = await org.admin.createWorkspace();
  const { key } = await org.admin.createApiKey(id, { permissions: ["admin"] });
  for (const answer of [await h.as(key).get(KEYS), await h.as(key).post(KEYS, { name: "No" })]) {
    expect([answer.status, answer.error.type]).toEqual([403, "permission_error"]);
  }
});

test("the last use has time and address, and ignores calls with a revoked key", async ({
  h,
  org,
}) => {
  const made = await org.admin.createAdminKey();
  const read = async () => (await org.operator.get<AdminKey>(`${KEYS}/${made.id}`)).body.last_used;
  expect(await read()).toBeNull();
  h.clock.nowMs += 5_000;
  const usedAt = new Date(h.clock.nowMs).toISOString();
  await h.as(made.key).get(KEYS);
  await h.adminKeyUse.flush();
  expect(await read()).toEqual({ at: usedAt, address: "127.0.0.1" });
  await org.operator.post(`${KEYS}/${made.id}/revoke`);
  h.clock.nowMs += 5_000;
  expect((await h.as(made.key).get(KEYS)).status).toBe(401);
  await h.adminKeyUse.flush();
  expect((await read())?.at).toBe(usedAt);
});

describe("an admin key with restrictions", () => {
  const FROM_OFFICE = "10.1.2.3";
  const getFrom = (h: AdminHarness, secret: string, remoteAddress: string) =>
    h.as(secret).send({ method: "GET", url: KEYS, remoteAddress });

  test("with scopes makes no other calls", async ({ h, org }) => {
    const { key, scopes } = await org.admin.createAdminKey({ scopes: ["audit_log", "audit_log"] });
    expect(scopes).toEqual(["audit_log"]);
    expect((await h.as(key).get("/v1/admin/audit_events")).status).toBe(200);
    expect((await h.as(key).get("/v1/admin/workspaces")).status).toBe(200);
    for (const path of ["members", "api_keys", "admin_keys", "spend_limits"]) {
      const answer = await h.as(key).get(`/v1/admin/${path}`);
      expect([path, answer.status, answer.error.message]).toEqual([
        path,
        403,
        expect.stringContaining("this admin key has the scopes audit_log"),
      ]);
    }
    const refused = await h.as(key).post("/v1/admin/workspaces", { name: "No" });
    expect([refused.status, refused.error.details?.error_code]).toEqual([403, "permission_denied"]);
  });

  test("with addresses works from them only", async ({ h, org }) => {
    const { key, allowed_addresses } = await org.admin.createAdminKey({
      allowed_addresses: ["10.0.0.0/8", "2001:db8::1"],
    });
    expect(allowed_addresses).toEqual(["10.0.0.0/8", "2001:db8::1/128"]);
    expect((await getFrom(h, key, FROM_OFFICE)).status).toBe(200);
    expect((await getFrom(h, key, "2001:db8::1")).status).toBe(200);
    const answer = await getFrom(h, key, "11.0.0.1");
    expect([answer.status, answer.error.details?.error_code]).toEqual([403, "address_not_allowed"]);
    expect(answer.error.message).not.toContain("10.0.0.0");
  });

  test("creates no key with more than its own scopes, addresses or lifetime", async ({
    h,
    org,
  }) => {
    const expires_at = new Date(h.clock.nowMs + 3_600_000).toISOString();
    const { key } = await org.admin.createAdminKey({
      scopes: ["admin_keys", "read"],
      allowed_addresses: ["10.0.0.0/8"],
      expires_at,
    });
    const create = (fields: object) =>
      h.as(key).send<CreatedAdminKey>({
        method: "POST",
        url: KEYS,
        remoteAddress: FROM_OFFICE,
        payload: { name: "Child", ...fields },
      });
    const own = { scopes: ["read", "admin_keys"], allowed_addresses: ["10.0.0.0/8"], expires_at };
    expect((await create({})).body).toMatchObject(own);
    expect((await create({ expires_at: null })).body).toMatchObject(own);
    const narrower = { scopes: ["usage"], allowed_addresses: ["10.9.0.0/16"] };
    expect((await create(narrower)).body).toMatchObject({ ...narrower, expires_at });
    for (const wider of [
      { scopes: null },
      { scopes: ["members"] },
      { scopes: ["read", "api_keys"] },
      { allowed_addresses: null },
      { allowed_addresses: ["10.0.0.0/8", "11.0.0.1"] },
      { allowed_addresses: ["0.0.0.0/0"] },
    ]) {
      const answer = await create(wider);
      expect([wider, answer.status]).toEqual([wider, 403]);
    }
  });

  test("with the scope api_keys creates no API key with admin", async ({ h, org }) => {
    const { id: workspace_id } = await org.admin.createWorkspace();
    const { key } = await org.admin.createAdminKey({ scopes: ["api_keys"] });
    const create = (permission: string) =>
      h.as(key).post("/v1/admin/api_keys", {
        name: "Program",
        workspace_id,
        permissions: [permission],
      });
    expect((await create("write")).status).toBe(200);
    expect((await create("admin")).status).toBe(403);
  });

  test("is refused after its restrictions were changed in the database", async ({ h, org }) => {
    for (const change of ["scopes = NULL", "allowed_addresses = NULL", "scopes = '{members}'"]) {
      const { id, key } = await org.admin.createAdminKey({
        scopes: ["read"],
        allowed_addresses: ["10.0.0.0/8"],
      });
      await sql`UPDATE admin_key SET ${sql.raw(change)} WHERE id = ${id}`.execute(h.deps.database);
      const answer = await getFrom(h, key, FROM_OFFICE);
      expect([change, answer.status, answer.error.details?.error_code]).toEqual([
        change,
        401,
        "api_key_unsigned",
      ]);
    }
  });

  test("is audited with its restrictions", async ({ h, org }) => {
    const restrictions = { scopes: ["read"], allowed_addresses: ["10.0.0.0/8"] };
    const { id } = await org.admin.createAdminKey(restrictions);
    expect(await auditEventsOf(h.deps.database, id)).toMatchObject([{ after: restrictions }]);
  });

  test.for([
    { scopes: [] },
    { scopes: ["everything"] },
    { allowed_addresses: [] },
    { allowed_addresses: ["10.0.0.1/8"] },
    { allowed_addresses: ["localhost"] },
  ])("has valid restrictions: %j is refused", async (fields, { org }) => {
    expect((await org.admin.post(KEYS, { name: "No", ...fields })).status).toBe(400);
  });
});

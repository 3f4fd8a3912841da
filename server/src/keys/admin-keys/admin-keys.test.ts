import type { adminKey } from "@bursar/contract/admin/admin-keys.ts";
import { expect } from "vitest";
import type { z } from "zod";
import { checkSecret } from "#src/domain/key-format.ts";
import type { CreatedAdminKey, Listed } from "#test/harness/admin.ts";
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
    created_at: new Date(h.clock.nowMs).toISOString(),
    expires_at: null,
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

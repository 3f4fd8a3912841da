import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import { expect } from "vitest";
import type { z } from "zod";
import type { CreatedApiKey, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const SETTINGS = "/v1/admin/security_settings";
const KEYS = "/v1/admin/api_keys";
const DAY_MS = 86_400_000;
type ApiKey = z.output<typeof apiKey>;

const test = base
  .extend(
    "setDays",
    ({ org }) =>
      (days: number | null) =>
        org.admin.post(SETTINGS, { max_key_lifetime_days: days }),
  )
  .extend(
    "inDays",
    ({ h }) =>
      (days: number) =>
        new Date(h.clock.nowMs + days * DAY_MS).toISOString(),
  );

const shown = (days: number | null, apiKeys = 0, adminKeys = 0) => ({
  type: "security_settings",
  max_key_lifetime_days: days,
  max_keys_per_member: null,
  raises_need_two_people: false,
  second_factor: "off",
  session_hours: null,
  session_idle_hours: null,
  console_addresses: null,
  min_password_length: 12,
  company_sign_in_only: false,
  keys_beyond_max_lifetime: { api_keys: apiKeys, admin_keys: adminKeys },
});

test("starts without settings, then stores and audits a setting for this organization only", async ({
  h,
  org,
  setDays,
}) => {
  expect((await org.admin.get(SETTINGS)).body).toEqual(shown(null));
  // The test's own admin key never expires.
  expect((await setDays(90)).body).toEqual(shown(90, 0, 1));
  expect((await org.admin.post(SETTINGS, {})).body).toEqual(shown(90, 0, 1));
  expect((await setDays(90)).status).toBe(200);
  const events = await auditEventsOf(h.deps.database, org.id);
  expect(events.filter(({ event }) => event === "security_settings.updated")).toMatchObject([
    { before: { max_key_lifetime_days: null }, after: { max_key_lifetime_days: 90 } },
  ]);
  const other = await h.organization();
  expect((await other.admin.get(SETTINGS)).body).toEqual(shown(null));
  expect((await setDays(null)).body).toEqual(shown(null));
});

test.for([0, -1, 3651, 1.5, "90"])("%j days are refused", async (days, { org }) => {
  const answer = await org.admin.post(SETTINGS, { max_key_lifetime_days: days });
  expect(answer.status).toBe(400);
  expect(answer.error.message).toContain("max_key_lifetime_days");
});

test("every creation of a key and change of its expiry respects the maximum lifetime", async ({
  org,
  workspaceId,
  setDays,
  inDays,
}) => {
  const old = await org.admin.createApiKey(workspaceId);
  await setDays(30);
  const made = await org.admin.createApiKey(workspaceId);
  expect(made.expires_at).toBe(inDays(30));
  expect((await org.admin.createAdminKey()).expires_at).toBe(inDays(30));
  const never = { name: "No", workspace_id: workspaceId, expires_at: null };
  const refusals = await Promise.all([
    org.admin.post(KEYS, never),
    org.admin.post(KEYS, { ...never, expires_at: inDays(31) }),
    org.admin.post("/v1/admin/admin_keys", { name: "No", expires_at: inDays(31) }),
    org.admin.post("/v1/admin/admin_keys", { name: "No", expires_at: null }),
    org.admin.post(`${KEYS}/${made.id}`, { expires_at: null }),
    org.admin.post(`${KEYS}/${made.id}`, { expires_at: inDays(31) }),
    org.admin.post(`${KEYS}/${made.id}/rotate`, { expires_at: inDays(31) }),
    org.operator.post(KEYS, never),
  ]);
  for (const { status, error } of refusals) {
    expect([status, error.message]).toEqual([
      400,
      `expires_at: keys of this organization expire within 30 days: expected a time up to ${inDays(30)}. Omit it for the latest time.`,
    ]);
  }
  // The older key keeps its expiry until its secret is rotated.
  expect((await org.admin.get<ApiKey>(`${KEYS}/${old.id}`)).body.expires_at).toBeNull();
  const rotated = await org.admin.post<CreatedApiKey>(`${KEYS}/${old.id}/rotate`, {});
  expect(rotated.body.expires_at).toBe(inDays(30));
});

test("the lifetime counts from the creation of the secret, so repeated changes cannot extend it", async ({
  h,
  org,
  workspaceId,
  setDays,
  inDays,
}) => {
  await setDays(30);
  const made = await org.admin.createApiKey(workspaceId, { expires_at: inDays(5) });
  h.clock.nowMs += DAY_MS;
  expect((await org.admin.post(`${KEYS}/${made.id}`, { expires_at: inDays(30) })).status).toBe(400);
  expect((await org.admin.post(`${KEYS}/${made.id}`, { expires_at: inDays(29) })).status).toBe(200);
  const rotated = await org.admin.post<CreatedApiKey>(`${KEYS}/${made.id}/rotate`, {
    expires_at: inDays(30),
  });
  expect(rotated.body.expires_at).toBe(inDays(30));
});

test("counts and lists keys with a longer lifetime without changing them", async ({
  h,
  org,
  workspaceId,
  setDays,
  inDays,
}) => {
  const never = await org.admin.createApiKey(workspaceId, { name: "never" });
  await org.admin.createApiKey(workspaceId, { name: "short", expires_at: inDays(10) });
  await org.admin.createApiKey(workspaceId, { name: "long", expires_at: inDays(31) });
  const gone = await org.admin.createApiKey(workspaceId, { name: "gone" });
  await org.admin.post(`${KEYS}/${gone.id}`, { status: "archived" });
  const found = async (is: boolean) => {
    const { body } = await org.admin.get<Listed<ApiKey>>(`${KEYS}?exceeds_max_lifetime=${is}`);
    for (const key of body.data) expect(key.exceeds_max_lifetime).toBe(is);
    return body.data.map(({ name }) => name).sort();
  };
  expect(await found(true)).toEqual([]);
  expect((await setDays(30)).body).toEqual(shown(30, 2, 1));
  expect(await found(true)).toEqual(["long", "never"]);
  expect(await found(false)).toEqual(["gone", "short"]);
  expect((await org.admin.post(`${KEYS}/${never.id}`, { name: "renamed" })).status).toBe(200);
  h.clock.nowMs += 31 * DAY_MS;
  expect((await org.admin.get(SETTINGS)).body).toEqual(shown(30, 1, 1));
});

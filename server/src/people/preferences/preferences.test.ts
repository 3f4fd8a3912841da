import { expect } from "vitest";
import { test } from "#test/harness/admin-test.ts";

const PREFERENCES = "/v1/admin/preferences";
const unused = { page: "/api-keys", name: "Unused", search: "?unused=90&sort=-created_at" };
const unset = {
  type: "preferences",
  time_zone: null,
  date_format: null,
  saved_views: [],
  version: 0,
};

test("has no zone, no format and no view before a member sets some", async ({ org }) => {
  const { client } = await org.member({ role: "developer" });
  expect((await client.get(PREFERENCES)).body).toEqual(unset);
  const { body } = await client.get<{ preferences: object }>("/v1/admin/session");
  expect(body.preferences).toEqual({ time_zone: null, date_format: null });
});

test("changes the sent fields of the caller, and no other member's", async ({ org }) => {
  const { client } = await org.member({ role: "developer" });
  const zone = { time_zone: "Europe/Berlin", date_format: "year_month_day" };
  expect((await client.post(PREFERENCES, zone)).body).toEqual({ ...unset, ...zone, version: 1 });
  const saved = await client.post(PREFERENCES, { saved_views: [unused] });
  expect(saved.body).toEqual({ ...unset, ...zone, saved_views: [unused], version: 2 });
  const cleared = await client.post(PREFERENCES, { time_zone: null });
  expect(cleared.body).toMatchObject({
    time_zone: null,
    date_format: "year_month_day",
    version: 3,
  });
  const { body } = await client.get<{ preferences: object }>("/v1/admin/session");
  expect(body.preferences).toEqual({ time_zone: null, date_format: "year_month_day" });
  const other = await org.member({ role: "developer" });
  expect((await other.client.get(PREFERENCES)).body).toEqual(unset);
});

test("stores a view of a page below a workspace", async ({ org, workspaceId }) => {
  const { client } = await org.member({ role: "developer" });
  const view = { ...unused, page: `/workspaces/${workspaceId}` };
  expect((await client.post(PREFERENCES, { saved_views: [view] })).body).toMatchObject({
    saved_views: [view],
  });
});

test("keeps the version when nothing changes", async ({ org }) => {
  const { client } = await org.member({ role: "developer" });
  await client.post(PREFERENCES, { saved_views: [unused] });
  expect((await client.post(PREFERENCES, { saved_views: [unused] })).body).toMatchObject({
    version: 1,
  });
});

test("refuses a change over a version that the caller has not seen", async ({ org }) => {
  const { client } = await org.member({ role: "developer" });
  await client.post(PREFERENCES, { saved_views: [unused], if_version: 0 });
  const stale = await client.post(PREFERENCES, { saved_views: [], if_version: 0 });
  expect(stale.status).toBe(409);
  expect(stale.body).toMatchObject({ error: { details: { error_code: "version_conflict" } } });
  expect((await client.get(PREFERENCES)).body).toMatchObject({ saved_views: [unused] });
});

test.for([
  [{ time_zone: "Europe/Atlantis" }, "time_zone"],
  [{ date_format: "d.m.y" }, "date_format"],
  [{ saved_views: [{ ...unused, page: "https://example.com" }] }, "saved_views.0.page"],
  [{ saved_views: [unused, { ...unused, name: "UNUSED" }] }, "saved_views.1.name"],
] as const)("refuses %j and names the field", async ([body, path], { org }) => {
  const { client } = await org.member({ role: "developer" });
  const refused = await client.post(PREFERENCES, body);
  expect(refused.status).toBe(400);
  expect(refused.body).toMatchObject({ error: { details: { fields: [{ path }] } } });
});

import type { organizationSettings } from "@bursar/contract/admin/organization.ts";
import { expect } from "vitest";
import type { z } from "zod";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const ORGANIZATION = "/v1/admin/organization";
type Settings = z.output<typeof organizationSettings>;

const test = base.extend("org", ({ h }) => h.organization("Before"));

test("changes the name everywhere, for this organization only, with one audit event", async ({
  h,
  org,
}) => {
  const other = await h.organization("Theirs");
  const renamed = await org.admin.post<Settings>(ORGANIZATION, { name: " After " });
  expect(renamed.body).toMatchObject({
    id: org.id,
    name: "After",
    default_workspace: { name: "Default" },
  });
  expect((await org.admin.get<Settings>(ORGANIZATION)).body).toEqual(renamed.body);
  expect((await org.admin.get("/v1/organizations/me")).body).toMatchObject({ name: "After" });
  const { client } = await org.member();
  expect((await client.get("/v1/admin/session")).body).toMatchObject({
    organization: { name: "After" },
  });
  expect((await other.admin.get(ORGANIZATION)).body).toMatchObject({ name: "Theirs" });
  await org.admin.post(ORGANIZATION, { name: "After" });
  const events = await auditEventsOf(h.deps.database, org.id);
  expect(events.filter(({ event }) => event === "organization.updated")).toMatchObject([
    { before: { name: "Before" }, after: { name: "After" } },
  ]);
});

test("shows the default workspace to callers who can see it", async ({ h, org }) => {
  const workspace = await org.admin.createWorkspace();
  const { key } = await org.admin.createApiKey(workspace.id, { permissions: ["admin"] });
  const { body } = await h.as(key).get<Settings>(ORGANIZATION);
  expect(body).toMatchObject({ name: "Before", default_workspace: null });
});

test("a member changes their own name, and other members see it", async ({ h, org }) => {
  const { id, client } = await org.member({ name: "Ada" });
  const changed = await client.post("/v1/admin/profile", { name: "Ada King" });
  expect(changed.body).toMatchObject({ type: "profile", member_id: id, name: "Ada King" });
  await client.post("/v1/admin/profile", { name: "Ada King" });
  expect((await org.admin.get(`/v1/admin/members/${id}`)).body).toMatchObject({ name: "Ada King" });
  const events = await auditEventsOf(h.deps.database, id);
  expect(events.filter(({ event }) => event === "profile.updated")).toMatchObject([
    { actor_id: id, before: { name: "Ada" }, after: { name: "Ada King" } },
  ]);
  expect((await client.post("/v1/admin/profile", { name: "\u200b" })).status).toBe(400);
});

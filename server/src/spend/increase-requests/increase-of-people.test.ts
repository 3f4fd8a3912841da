import type { increaseRequest } from "@bursar/contract/admin/spend-limit-increase-requests.ts";
import type { spendLimit } from "@bursar/contract/admin/spend-limits.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { z } from "zod";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";

// Requests for higher limits of people, groups and tags.

const LIMITS = "/v1/admin/spend_limits";
const REQUESTS = "/v1/admin/spend_limit_increase_requests";
type Limit = z.output<typeof spendLimit>;
type Request = z.output<typeof increaseRequest>;

const test = base
  .extend("org", ({ h }) => h.organization())
  .extend("company", async ({ org }) => {
    const workspaceId = (await org.admin.createWorkspace()).id;
    const rita = await org.member({
      name: "Rita",
      workspaces: { [workspaceId]: "workspace_developer" },
    });
    const other = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const abe = (await org.member({ name: "Abe", role: "admin" })).client;
    const owner = (await org.member({ role: "owner" })).client;
    const groupId = (await org.admin.post<{ id: string }>("/v1/admin/groups", { name: "Research" }))
      .body.id;
    await org.admin.post(`/v1/admin/groups/${groupId}/members`, { member_id: rita.id });
    const ofRita = { type: "member", member_id: rita.id };
    return {
      ...{ rita, other: other.client, abe, owner, workspaceId, ofRita },
      ofGroup: { type: "group", group_id: groupId },
      ofEach: { type: "group_member", group_id: groupId },
      set: async (scope: object, limit_usd: number, client: Client = org.admin, fields = {}) => {
        const body = { scope, period: "monthly", limit_usd, ...fields };
        expect((await client.post(LIMITS, body)).error.message).toBe("");
      },
      ask: (scope: object, client: Client = rita.client, amount_usd = 200) =>
        client.post<Request>(REQUESTS, { scope, amount_usd, reason: "A larger evaluation." }),
      approve: (id: string, client: Client = abe) =>
        client.post<Request>(`${REQUESTS}/${id}/approve`, {}),
      limitsOfRita: async () => {
        const path = `${LIMITS}?scope_type=member&member_id=${rita.id}`;
        return (await org.admin.get<Listed<Limit>>(path)).body.data;
      },
    };
  });

test("a person asks for themselves, and an approval raises their own value", async ({
  company,
}) => {
  const { ofRita, set, ask, approve, limitsOfRita, rita } = company;
  await set(ofRita, 100);
  const asked = await ask(ofRita);
  expect(asked).toMatchObject({
    status: 200,
    body: { scope: ofRita, scope_name: "Rita", limit_usd: "100.00", spent_usd: "0.00" },
  });
  expect((await approve(asked.body.id, rita.client)).status).toBe(403);
  expect((await approve(asked.body.id)).body).toMatchObject({ status: "approved" });
  expect(await limitsOfRita()).toMatchObject([{ limit_usd: 200, values: [{ rank: "admin" }] }]);
});

test("a person sees and withdraws a request of their personal key, and deciders see whose key it is", async ({
  h,
  org,
  company,
}) => {
  const { ofRita, set, ask, rita, other, owner, workspaceId } = company;
  await set(ofRita, 100);
  const key = await rita.client.createApiKey(workspaceId, { name: "Laptop" });
  const { body } = await ask(ofRita, h.as(key.key));
  const requester = { type: "api_key", name: "Laptop", email: rita.email };
  expect(body).toMatchObject({ requester, is_own: true, can_resolve: false });
  const path = `${REQUESTS}/${body.id}`;
  expect((await owner.get(path)).body).toMatchObject({ requester, is_own: false });
  expect((await other.get(path)).status).toBe(404);
  const listed = await rita.client.get<Listed<Request>>(REQUESTS);
  expect(listed.body.data).toMatchObject([{ id: body.id, is_own: true }]);
  const { rows } = await sql<{ subject: string }>`SELECT DISTINCT subject FROM mail
    WHERE about_id = ${body.id}`.execute(h.deps.database);
  expect(rows).toEqual([
    { subject: `The API key Laptop of ${rita.email} requests a higher spend limit` },
  ]);
  expect((await owner.post(`${path}/withdraw`)).status).toBe(403);
  expect((await rita.client.post(`${path}/withdraw`)).body).toMatchObject({ status: "withdrawn" });
  const byOrg = await org.admin.get<Listed<Request>>(`${REQUESTS}?statuses=withdrawn`);
  expect(byOrg.body.data).toMatchObject([{ id: body.id, is_own: false }]);
});

test("an approval gives a person with a default cap an own value", async ({ company }) => {
  const { ofRita, ofEach, set, ask, approve, limitsOfRita } = company;
  await set(ofEach, 50, undefined, { enforcement: "soft" });
  const { body } = await ask(ofRita);
  expect((await approve(body.id)).status).toBe(200);
  expect(await limitsOfRita()).toMatchObject([
    { limit_usd: 200, enforcement: "soft", inherited_from: null, values: [{ rank: "admin" }] },
  ]);
});

test("an approval does not raise a person above a default cap of a higher rank", async ({
  company,
}) => {
  const { ofRita, ofEach, owner, set, ask, approve, limitsOfRita } = company;
  await set(ofEach, 50, owner);
  const { body } = await ask(ofRita);
  expect(await approve(body.id)).toMatchObject({
    status: 403,
    body: {
      error: { details: { error_code: "limit_set_above", set_above: { rank: "owner" } } },
    },
  });
  expect((await approve(body.id, owner)).status).toBe(200);
  expect(await limitsOfRita()).toMatchObject([{ limit_usd: 200 }]);
});

test("a member of a group asks for the group, and other people find neither", async ({
  company,
}) => {
  const { ofRita, ofGroup, ofEach, other, set, ask, approve, rita } = company;
  await set(ofRita, 100);
  await set(ofGroup, 100);
  await set(ofEach, 100);
  for (const scope of [ofRita, ofGroup]) expect((await ask(scope, other)).status).toBe(404);
  expect((await ask(ofEach)).status).toBe(400);
  const { body } = await ask(ofGroup);
  // The spend of a group has that of others.
  expect(body).toMatchObject({ scope: ofGroup, scope_name: "Research", spent_usd: null });
  expect((await other.get(`${REQUESTS}/${body.id}`)).status).toBe(404);
  expect((await rita.client.get(`${REQUESTS}/${body.id}`)).status).toBe(200);
  expect((await approve(body.id)).body).toMatchObject({ status: "approved", limit_usd: "200.00" });
});

test("the owner of a key with a tag asks for the tag, and callers who see all limits for each", async ({
  org,
  company,
}) => {
  const { rita, other, abe, ofRita, workspaceId, set, ask } = company;
  const tags = { cost_center: "4711" };
  await org.admin.createApiKey(workspaceId, { owner_member_id: rita.id, tags });
  const listed = await org.admin.get<Listed<{ id: string }>>("/v1/admin/tags");
  const ofTag = { type: "tag", tag_id: listed.body.data[0]?.id };
  await set(ofTag, 100);
  await set(ofRita, 100);
  expect((await ask(ofTag, other)).status).toBe(404);
  expect((await ask(ofTag)).body).toMatchObject({ scope_name: "cost_center: 4711" });
  for (const scope of [ofTag, ofRita]) expect((await ask(scope, abe)).status).toBe(200);
});

import type { alert, alertFiring } from "@bursar/contract/admin/alerts.ts";
import { expect } from "vitest";
import type { z } from "zod";
import type { Listed } from "#test/harness/admin.ts";
import { test } from "#test/harness/admin-test.ts";

// Alerts about the spend of one member, group or tag.

const ALERTS = "/v1/admin/alerts";
type Alert = z.output<typeof alert>;
type Firing = z.output<typeof alertFiring>;

test("an alert of a person fires for an amount without a limit, and names the person", async ({
  org,
  workspaceId,
  apiKeyId,
}) => {
  const { id: member_id } = await org.member({ name: "Rita" });
  await org.recordRequest({ workspaceId, apiKeyId, memberId: member_id });
  const scope = { type: "member", member_id };
  const condition = { kind: "spend_limit", thresholds: [{ amount_usd: "0.00001" }] };
  const created = await org.admin.post<Alert>(ALERTS, { name: "Rita", scope, condition });
  expect(created).toMatchObject({ status: 200, body: { scope, scope_name: "Rita" } });
  const firings = await org.admin.get<Listed<Firing>>("/v1/admin/alert_firings");
  expect(firings.body.data).toMatchObject([{ scope, scope_name: "Rita", kind: "spend_limit" }]);
});

test("an alert of a group or tag fires for a share of its limit", async ({ org, workspaceId }) => {
  const group = await org.admin.post<{ id: string }>("/v1/admin/groups", { name: "Research" });
  const tags = { cost_center: "4711" };
  await org.admin.createApiKey(workspaceId, { tags });
  const listed = await org.admin.get<Listed<{ id: string }>>("/v1/admin/tags");
  const scopes = [
    { type: "group", group_id: group.body.id },
    { type: "tag", tag_id: listed.body.data[0]?.id },
  ];
  for (const [at, scope] of scopes.entries()) {
    const condition = { kind: "spend_limit", thresholds: [{ percent: 50 }] };
    const { body } = await org.admin.post<Alert>(ALERTS, { name: `Alert ${at}`, scope, condition });
    expect((await org.admin.get<Alert>(`${ALERTS}/${body.id}`)).body).toMatchObject({ scope });
  }
});

test("alerts of people are about spend, and need a right in the whole organization", async ({
  org,
  workspaceId,
}) => {
  const member = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
  const scope = { type: "member", member_id: member.id };
  const make = (fields: object, client = org.admin) =>
    client.post<Alert>(ALERTS, {
      ...{ name: "Alert", scope, condition: { kind: "forecast" } },
      ...fields,
    });
  expect((await make({}, member.client)).status).toBe(403);
  expect((await make({})).status).toBe(200);
  expect(await make({ condition: { kind: "key_unused" } })).toMatchObject({
    status: 400,
    body: { error: { details: { fields: [{ path: "scope.type" }] } } },
  });
  expect((await make({ scope: { type: "member", member_id: "user_missing" } })).status).toBe(404);
  expect((await member.client.get<Listed<Alert>>(ALERTS)).body.data).toEqual([]);
});

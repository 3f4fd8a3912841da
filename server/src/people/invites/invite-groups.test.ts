import { describe, expect } from "vitest";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { test as base, INVITES, newEmail, OFFICIAL } from "#test/harness/invites.ts";

const GROUPS = "/v1/admin/groups";

const test = base.extend("team", async ({ org }) => {
  const workspace = (await org.admin.createWorkspace({ name: "Research" })).id;
  const { id } = (await org.admin.post<{ id: string }>(GROUPS, { name: "Engineering" })).body;
  const role = { workspace_role: "workspace_developer" };
  await org.admin.post(`${GROUPS}/${id}/workspaces/${workspace}`, role);
  return { id, workspace };
});

describe("an invite with groups", () => {
  test("names them, and its person joins them with an event each", async ({
    h,
    org,
    invites,
    team,
  }) => {
    const made = await invites.inviteOne({ group_ids: [team.id, team.id] });
    expect(made.groups).toEqual([{ group_id: team.id, name: "Engineering" }]);
    expect((await invites.lookUp(made.token)).body).toMatchObject({
      groups: [{ name: "Engineering" }],
    });
    const { member_id: memberId } = (await invites.accept(made.token)).body;
    const members = await org.admin.get(`${GROUPS}/${team.id}/members`);
    expect(members.body).toMatchObject({ data: [{ member_id: memberId, source: "direct" }] });
    const events = await auditEventsOf(h.deps.database, memberId);
    expect(events.find(({ event }) => event === "group_member.added")?.after).toMatchObject({
      group_id: team.id,
      group_name: "Engineering",
    });
    const people = await org.admin.get(`/v1/admin/workspaces/${team.workspace}/members`);
    expect(people.body).toMatchObject({
      data: [{ member_id: memberId, workspace_role: "workspace_developer" }],
    });
  });

  test("has their ids in the official shape", async ({ org, team }) => {
    const body = { email: newEmail(), role: "user", rbac_group_ids: [team.id] };
    const made = await org.admin.post<{ id: string }>(OFFICIAL, body);
    expect(made.body).toMatchObject({ rbac_group_ids: [team.id] });
    expect((await org.admin.get(`${OFFICIAL}/${made.body.id}`)).body).toEqual(made.body);
    expect((await org.admin.get(OFFICIAL)).body).toMatchObject({ data: [made.body] });
    const unknown = { email: newEmail(), role: "user", rbac_group_ids: ["group_unknown"] };
    expect((await org.admin.post(OFFICIAL, unknown)).status).toBe(404);
  });

  test("joins no group that was deleted meanwhile", async ({ org, invites, team }) => {
    const made = await invites.inviteOne({ group_ids: [team.id] });
    await org.admin.remove(`${GROUPS}/${team.id}`);
    expect((await org.admin.get(`${INVITES}/${made.id}`)).body).toMatchObject({ groups: [] });
    expect((await invites.accept(made.token)).status).toBe(200);
  });

  test("needs a step-up if a group gives a wide role", async ({ org, invites, team }) => {
    const role = { workspace_role: "workspace_admin" };
    await org.admin.post(`${GROUPS}/${team.id}/workspaces/${team.workspace}`, role);
    const owner = await org.member({ role: "owner", steppedUpAtMs: null });
    const body = { emails: [newEmail()], group_ids: [team.id] };
    expect((await invites.send(body, owner.client)).status).toBe(403);
  });
});
